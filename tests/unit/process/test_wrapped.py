"""Secrets in base64 that is broken into lines, of which each is shown when it is complete."""

from __future__ import annotations

import base64

import pytest

from hybridcore.process.search import Search, merge
from hybridcore.process.wrapped import Unfinished, Wrapped, goes_on

RUN = base64.b64encode(bytes(range(60)))  # 80 characters
OTHER = b"QUJDREVGR0hJSktM"  # 16 more, which begin no secret


def wrapped(*runs: bytes) -> Wrapped:
    return Wrapped(runs or (RUN,), Search([], runs or (RUN,)))


def masked(data: bytes, *runs: bytes, cut: bool = False) -> bytes:
    """What is left to see when the lines come at once, or one by one."""
    finder, before, shown = wrapped(*runs), (), b""
    for lines in data.splitlines(keepends=True) if cut else [data]:
        found, before = finder.spans(lines, before)
        for start, end in reversed(merge(found)):
            lines = lines[:start] + b"*" + lines[end:]
        shown += lines
    return shown


@pytest.mark.parametrize("cut", [False, True])
@pytest.mark.parametrize(
    "prefix", [b"", b"  ", b"    qemu.a: ", b"==> qemu.a: ", b"2026/01/02 03:04:05 packer: plugin: qemu.a: "]
)
def test_a_secret_across_two_lines_is_found_behind_what_packer_puts_before_each(
    prefix: bytes, *, cut: bool
) -> None:
    data = b"".join(prefix + line + b"\n" for line in (OTHER + RUN[:40], RUN[40:] + OTHER, b"end"))
    shown = masked(data, cut=cut)
    assert RUN[:4] not in shown
    assert RUN[-4:] not in shown
    # The character before the run shares bits with it; what came before that stays.
    assert shown == b"".join(prefix + line + b"\n" for line in (OTHER[:-1] + b"*", b"*" + OTHER[1:], b"end"))


@pytest.mark.parametrize("size", [16, 20, 76])
@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_a_secret_across_many_lines(size: int, end: bytes) -> None:
    text = OTHER + RUN
    data = b"".join(text[at : at + size] + end for at in range(0, len(text), size))
    shown = masked(data, cut=True)
    left = b"".join(shown.replace(b"*", b"").split())
    # All that is left to see stood before the secret.
    assert OTHER.startswith(left)


def test_a_list_of_lines_as_ansible_shows_it() -> None:
    data = b'["' + OTHER + RUN[:40] + b'", "' + RUN[40:] + b'"]\n'
    assert masked(data) == b'["' + OTHER[:-1] + b'*", "*"]\n'


def test_other_lines_may_stand_between_but_not_for_ever() -> None:
    between = b"    qemu.a: another line\n"
    for count, seen in ((7, False), (8, True)):
        data = OTHER + RUN[:40] + b"\n" + between * count + RUN[40:] + b"\n"
        assert (RUN[40:] in masked(data, cut=True)) is seen


def test_base64_for_urls_is_the_same() -> None:
    run = b"ab-_" * 10
    data = OTHER + run[:20] + b"\n" + run[20:] + b"\n"
    assert masked(data, run, run.translate(bytes.maketrans(b"-_", b"+/"))) == OTHER[:-1] + b"*\n*\n"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"no base64 at all\n",
        OTHER + b"\n" + OTHER + b"\n",  # lines that begin no secret
        OTHER + RUN[:3] + b"\n" + OTHER + b"\n",  # three characters tell too little
        RUN[:12] + b"\n" + OTHER + b"\n",  # too short a line to go on
        RUN[40:] + b"\n",  # its end, without its start
    ],
)
def test_what_is_no_secret_stays(data: bytes) -> None:
    assert masked(data) == data
    assert masked(data, cut=True) == data


def test_nothing_is_looked_for_without_a_run() -> None:
    finder = Wrapped((), Search([], []))
    assert not finder.may_begin_in(OTHER + RUN + b"\n")
    assert finder.spans(OTHER + b"\n") == ([], (Unfinished(OTHER[-3:], 2),))


def test_what_is_remembered_of_a_stream_is_bounded() -> None:
    finder, before = wrapped(), ()
    for number in range(200):
        _, before = finder.spans(OTHER + RUN[: 20 + number % 40] + b"\n", before)
        assert len(before) <= 8
        assert all(len(one.run) <= len(RUN) for one in before)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"text " + OTHER, True),
        (OTHER[:15], True),  # its start may be missing
        (b"x " + OTHER[:15], False),
        (OTHER + b" end", False),
        (b"", True),
    ],
)
def test_whether_a_line_may_go_on(line: bytes, expected: bool) -> None:
    assert goes_on(line) is expected
