"""What ``packer inspect`` prints, without the secrets that it prints too."""

from __future__ import annotations

from pathlib import Path

import pytest

from hybridcore.packer.checking.inspection import parse_inspection
from hybridcore.packer.checking.results import InspectResult

RECORDINGS = Path(__file__).parents[1] / "recordings"


@pytest.mark.parametrize("version", ["1.6.6", "1.9.4"])
def test_the_parts_of_a_target(version):
    text = (RECORDINGS / version / "inspect.txt").read_text(encoding="utf-8")
    assert "hunter2" in text
    assert parse_inspection("linux/null/one", text, {"password"}) == InspectResult(
        "linux/null/one",
        {"names": '[\\n  \\"a\\",\\n  \\"b\\",\\n]', "password": "***", "size": "3"},
        ("null.one",),
        ("shell-local",),
        ("manifest",),
    )


def test_parts_that_are_not_there():
    text = (
        "Packer Inspect: HCL2 mode\n\n> input-variables:\n\n\n> local-variables:\n\n\n> builds:\n\n"
        "  > <unnamed build 0>:\n\n    sources:\n\n      null.x\n\n    provisioners:\n\n"
        "      <no provisioner>\n\n    post-processors:\n\n      <no post-processor>\n"
    )
    assert parse_inspection("t", text, ()) == InspectResult("t", {}, ("null.x",), (), ())
    assert parse_inspection("t", "", ()) == InspectResult("t")
