"""The parser of machine-readable output: typed events, tolerant of whatever comes."""

from __future__ import annotations

import itertools
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridcore.packer.stream.outcome import Outcome
from hybridcore.packer.stream.output import (
    ArtifactCount,
    ArtifactField,
    BuildError,
    ErrorCount,
    Text,
    Ui,
    Unknown,
    human,
    human_lines,
    parse_line,
)
from hybridcore.packer.stream.pump import Pump
from hybridcore.process.mask import Masker

RECORDINGS = Path(__file__).parents[1] / "recordings"


@pytest.mark.parametrize(
    ("line", "event"),
    [
        (
            "1407119757,,ui,say,==> qemu.debian: Starting\\, really",
            Ui("say", "==> qemu.debian: Starting\\, really"),
        ),
        ("1407119757,,ui,message,    a%!(PACKER_COMMA) b", Ui("message", "    a, b")),
        ("1407119757,,ui,error,one\\ntwo\\r\\nthree", Ui("error", "one\ntwo\nthree")),
        ("1407119757,,ui,say,", Ui("say", "")),
        ("1407119757,file.a,artifact-count,2", ArtifactCount("file.a", 2)),
        ("1407119757,file.a,artifact,1,id,File", ArtifactField("file.a", 1, "id", ("File",))),
        (
            "1407119757,file.a,artifact,0,file,0,x%!(PACKER_COMMA)y.txt",
            ArtifactField("file.a", 0, "file", ("0", "x,y.txt")),
        ),
        ("1407119757,file.a,artifact,0,end", ArtifactField("file.a", 0, "end", ())),
        ("1407119757,null.x,error,exit%!(PACKER_COMMA) 3", BuildError("null.x", "exit, 3")),
        ("1407119757,,error-count,3", ErrorCount(3)),
        ("1407119757,,version,1.6.6", Unknown("", "version", ("1.6.6",))),
        ("1407119757,,version-prelease,", Unknown("", "version-prelease", ())),
        ("1407119757,b,template-variable,a,b", Unknown("b", "template-variable", ("a", "b"))),
        # Cut lines, and lines that are nothing of ours.
        ("1407119757,,ui,sa", Unknown("", "ui", ("sa",))),
        ("1407119757,file.a,artifact,", Unknown("file.a", "artifact", ())),
        ("1407119757,file.a,artifact-count,", Unknown("file.a", "artifact-count", ())),
        ("1407119757,,", Text("1407119757,,")),
        ("14071", Text("14071")),
        ("say,==> qemu.debian: x", Text("say,==> qemu.debian: x")),
        ("panic: runtime error", Text("panic: runtime error")),
        ("", Text("")),
    ],
)
def test_each_kind_of_line(line, event):
    assert parse_line(line) == event
    assert parse_line(line.encode() + b"\n") == event


def test_bytes_that_are_not_utf8_become_a_mark():
    assert parse_line(b"1407119757,,ui,message,caf\xe9\n") == Ui("message", "caf\ufffd")


def test_people_see_what_packer_says_and_not_what_is_for_programs():
    assert human(parse_line("1407119757,,ui,say,==> qemu.debian-12: Starting VM")) == (
        "==> qemu.debian-12: Starting VM"
    )
    assert human(parse_line("plain text")) == "plain text"
    assert human(parse_line("1407119757,file.a,artifact,0,id,File")) is None


@given(st.binary(max_size=200))
def test_no_line_is_an_error(line):
    event = parse_line(line)
    assert human(event) is None or isinstance(human(event), str)


def test_lines_in_bulk_read_as_lines_one_by_one():
    data = (RECORDINGS / "1.6.6" / "build-fail.txt").read_bytes()
    one_by_one = []
    for line in data.splitlines():
        text = human(parse_line(line))
        one_by_one.append(line.decode() if text is None else text)
    assert human_lines(data).decode() == "\n".join(one_by_one) + "\n"


def everything(data: bytes, cuts: list[int], *, watched: bool) -> tuple[object, ...]:
    """All that comes out of a stream that is cut at these places."""
    outcome = Outcome()
    log: list[bytes] = []
    shown: list[tuple[str, str]] = []
    pump = Pump(
        Masker(["centos"]),
        log=log.append,
        outcome=outcome,
        line=(lambda text, kind: shown.append((kind, text))) if watched else None,
    )
    places = [0, *sorted(cuts), len(data)]
    for start, end in itertools.pairwise(places):
        pump.feed(data[start:end])
    pump.close()
    return (
        b"".join(log),
        shown,
        outcome.finished,
        outcome.errored,
        outcome.artifacts,
        outcome.missing(),
        outcome.failures(0),
        outcome.failures(1),
    )


def check_cuts(data: bytes, seed: int) -> None:
    rolls = random.Random(seed)
    for watched in (True, False):
        whole = everything(data, [], watched=watched)
        for _ in range(10):
            cuts = [rolls.randrange(len(data) + 1) for _ in range(rolls.randrange(1, 60))]
            assert everything(data, cuts, watched=watched) == whole
    assert everything(data, [], watched=True)[2:] == everything(data, [], watched=False)[2:]


@pytest.mark.parametrize(
    "recording", sorted(RECORDINGS.glob("*/build-*.txt")), ids=lambda path: f"{path.parent.name}-{path.stem}"
)
def test_the_result_does_not_depend_on_where_our_recordings_are_cut(recording):
    check_cuts(recording.read_bytes(), seed=1)


def test_the_result_does_not_depend_on_where_real_captures_are_cut(corpus):
    captures = sorted((corpus / "machine-readable").glob("*.csv"))
    assert len(captures) >= 9
    for number, capture in enumerate(captures):
        check_cuts(capture.read_bytes(), seed=number)


def test_every_byte_by_itself():
    data = (RECORDINGS / "1.9.4" / "build-file.txt").read_bytes()
    assert everything(data, list(range(len(data))), watched=True) == everything(data, [], watched=True)
