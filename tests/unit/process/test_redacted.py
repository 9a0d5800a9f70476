"""What Packer leaves of a secret beside its own redactions."""

from __future__ import annotations

import json

import pytest

from hybridcore.process.mask import Masker


@pytest.mark.parametrize(
    ("secrets", "shown"),
    [
        (["password", "password123-tail"], "<sensitive>123-tail"),
        (["tail", "password-tail"], "password-<sensitive>"),
        (["middle", "start-middle-end"], "start-<sensitive>-end"),
        (["hello world", "world peace"], "<sensitive> peace"),
        (["hello world", "world peace"], "hello <sensitive>"),
        (["abcd", "cdef", "abcd-cdef-x"], "<sensitive>-<sensitive>-x"),
        (["abab"], "<sensitive>ab"),
        (["efgh", "first line\nabcdefghijkl\nlast"], "abcd<sensitive>ijkl"),
        (["efgh", json.dumps({"key": "abcdefghijkl"})], "abcd<sensitive>ijkl"),
    ],
)
def test_what_packers_own_redaction_leaves_of_a_secret_is_masked(secrets: list[str], shown: str) -> None:
    assert Masker(secrets).text(f"2026/11/24 [INFO] {shown}, end") == "2026/11/24 [INFO] ***, end"


def test_what_stands_beside_a_redaction_and_is_no_part_of_a_secret_stays() -> None:
    masker = Masker(["hunter2", "hunter2-tail", "a-hunter2"])
    assert masker.text("<sensitive>") == "<sensitive>"
    assert (
        masker.text("pass <sensitive> tailor, a <sensitive>lish")
        == "pass <sensitive> tailor, a <sensitive>lish"
    )
    assert masker.text("one <sensitive>\n-tail") == "one <sensitive>\n-tail"
