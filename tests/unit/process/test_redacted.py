"""What Packer leaves of a secret beside its own redactions."""

from __future__ import annotations

import json

import pytest

from hybridcore.process.mask import Masker
from hybridcore.process.redacted import Leftovers


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
        (["x1-middle"], "x1-<sensitive>"),  # shorter than a secret, and its start
        (["efgh", "first line\nabcdefghijkl\nlast"], "abcd<sensitive>ijkl"),
        (["efgh", json.dumps({"key": "abcdefghijkl"})], "abcd<sensitive>ijkl"),
    ],
)
def test_what_packers_own_redaction_leaves_of_a_secret_is_masked(secrets: list[str], shown: str) -> None:
    assert Masker(secrets).text(f"2026/11/24 [INFO] {shown}, end") == "2026/11/24 [INFO] ***, end"


def spans(secrets: list[bytes], data: bytes) -> list[bytes]:
    return [data[start:end] for start, end in Leftovers(secrets).spans(data)]


@pytest.mark.parametrize(
    ("data", "masked"),
    [
        (b"ab<sensitive> x", [b"ab<sensitive>"]),
        (b"xab<sensitive> x", []),  # within a longer word
        (b"bcd<sensitive> x", []),  # three bytes, and no start of a secret
        (b"abcdefghij<sensitive> x", [b"abcdefghij<sensitive>"]),
        (b"<sensitive>cde x", []),
        (b"<sensitive>ghi x", []),  # three bytes, and no end of a secret
        (b"<sensitive>ij x", [b"<sensitive>ij"]),
        (b"<sensitive>\nefghij", []),  # on another line
        (b"abcdef\n<sensitive> x", []),
    ],
)
def test_what_is_left_has_four_bytes_or_is_an_end_of_a_secret_on_the_same_line(
    data: bytes, masked: list[bytes]
) -> None:
    assert spans([b"abcdefghij"], data) == masked


def test_what_stands_between_two_marks_is_left_by_both() -> None:
    found = spans([b"abcdefgh"], b"<sensitive>abcdefgh<sensitive> x")
    assert found == [b"<sensitive>abcdefgh", b"abcdefgh<sensitive>"]


def test_what_stands_beside_a_redaction_and_is_no_part_of_a_secret_stays() -> None:
    masker = Masker(["hunter2", "hunter2-tail", "a-hunter2"])
    assert masker.text("<sensitive>") == "<sensitive>"
    assert (
        masker.text("pass <sensitive> tailor, a <sensitive>lish")
        == "pass <sensitive> tailor, a <sensitive>lish"
    )
    assert masker.text("one <sensitive>\n-tail") == "one <sensitive>\n-tail"
