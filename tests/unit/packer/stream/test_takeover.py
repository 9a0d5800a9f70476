"""The log of a build whose caller has died."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from hybridcore.packer.stream.takeover import Takeover

SECRET = "correct horse battery"
CUT = "hybridcore: the caller ended; the line that it was reading is left out"


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_it_goes_on_after_the_line_that_was_cut_masked_as_before(tmp_path: Path, size: int) -> None:
    log = tmp_path / "build.log"
    log.write_text("before\n")
    takeover = Takeover(str(log), [SECRET])
    said = f"1605862346,,ui,say,one\\ntwo\n1605862346,,ui,say,it is {SECRET}\nend {SECRET}"
    data = f"horse battery\n{said}".encode()
    for start in range(0, len(data), size):
        takeover.feed(data[start : start + size])
    takeover.close("the caller ended")
    assert log.read_text().splitlines() == [
        "before",
        "",
        CUT,
        "one",
        "two",
        "it is ***",
        "end ***",
        "hybridcore: build cancelled: the caller ended",
    ]


def test_of_a_single_line_without_an_end_nothing_is_kept(tmp_path: Path) -> None:
    log = tmp_path / "build.log"
    takeover = Takeover(str(log), [SECRET])
    takeover.feed(b"half of a line, battery")
    takeover.close("a signal")
    assert log.read_text().splitlines() == ["", CUT, "", "hybridcore: build cancelled: a signal"]


def test_a_log_that_cannot_be_written_does_not_stop_it(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("in the way")
    takeover = Takeover(str(tmp_path / "logs" / "build.log"), [SECRET])
    takeover.feed(b"cut\nline\n")
    takeover.close("a signal")
    assert (tmp_path / "logs").read_text() == "in the way"


LONG = "-".join(f"part{number}" for number in range(40))
LINE = "1407119757,,ui,message,    null.x: {}\n"


def lines() -> list[str]:
    text = base64.encodebytes(f"before {LONG} after".encode()).decode()
    return [LINE.format(line) for line in (*text.split(), "one ...", f"is {LONG}")]


@pytest.mark.parametrize("cut", range(0, 590, 13))
@pytest.mark.parametrize("size", [1, 50, 10_000])
def test_base64_that_the_caller_began_to_read_is_left_out(tmp_path: Path, cut: int, size: int) -> None:
    log = tmp_path / "log"
    data = "".join(lines()).encode()[cut:]
    taken = Takeover(str(log), [LONG])
    for at in range(0, len(data), size):
        taken.feed(data[at : at + size])
    taken.close("the test is over")
    text = log.read_text()
    encoded = "".join(line.partition("x: ")[2].strip() for line in lines()[:-2])
    # From behind "before " to before " after".
    within = encoded[10 : (7 + len(LONG)) * 8 // 6]
    assert not [piece for at in range(len(within) - 6) if (piece := within[at : at + 6]) in text]
    assert "part" not in text
    assert "    null.x: is ***\n" in text
