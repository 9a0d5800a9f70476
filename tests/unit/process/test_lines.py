"""Lines of a stream that is cut anywhere, and texts without escape sequences."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridcore.process.lines import CUT, HOLD, LineSplitter, WholeLines, shorten, strip_ansi, strip_ansi_text


@given(st.lists(st.binary(max_size=30)), st.integers(1, 12))
def test_the_splitter_gives_complete_lines_in_order_and_cuts_long_ones(pieces, limit):
    splitter = LineSplitter(limit)
    chunks = [splitter.feed(piece) for piece in pieces]
    out = b"".join(chunks) + splitter.flush()
    assert all(chunk == b"" or chunk.endswith(b"\n") for chunk in chunks)
    data = b"".join(pieces)
    wanted = data.split(b"\n")
    got = out.split(b"\n")[:-1] if out else []
    assert len(got) == len(wanted) - (not wanted[-1])
    for line, original in zip(got, wanted, strict=False):
        kept, cut, _ = line.partition(b" ... [")
        if cut:
            assert kept == original[:limit]
            assert line == b"%s ... [%d bytes more, see the log]" % (kept, len(original) - limit)
        else:
            assert line == original


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b[K\x1b[2J\x1b[?25lx", "x"),
        ("\x1b]0;title\x07x", "x"),
        ("\x1b]8;;http://a\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b(Bx\x1bcy", "xy"),
        ("plain [31m", "plain [31m"),
    ],
)
def test_escape_sequences_are_stripped(text, plain):
    assert strip_ansi_text(text) == plain
    assert strip_ansi(text.encode()) == plain.encode()


@given(st.lists(st.binary(max_size=30)))
def test_whole_lines_lose_nothing_and_end_with_a_line(pieces: list[bytes]) -> None:
    lines = WholeLines()
    chunks = [lines.feed(piece) for piece in pieces]
    assert all(chunk == b"" or chunk.endswith(b"\n") for chunk in chunks)
    assert b"".join(chunks) + lines.flush() == b"".join(pieces)
    assert lines.flush() == b""


@pytest.mark.parametrize("token", [b"\x1b[1;32", b"%!(PACKER_COM", b"\\"])
def test_a_line_without_an_end_is_let_go_in_pieces_that_cut_no_token(token: bytes) -> None:
    lines = WholeLines()
    assert lines.feed(b"x" * (HOLD - 1 - len(token)) + token) == b""
    piece = lines.feed(b"y")
    assert piece == b"x" * (HOLD - 1 - len(token))
    assert lines.feed(b"z\n") == token + b"yz\n"


def test_a_line_without_an_end_or_a_token_is_let_go_whole() -> None:
    lines = WholeLines()
    assert lines.feed(b"x" * HOLD) == b"x" * HOLD
    assert lines.flush() == b""


def test_the_splitter_keeps_no_more_of_a_line_than_it_shows() -> None:
    splitter = LineSplitter(10)
    for _ in range(1000):
        assert splitter.feed(b"x" * 1000) == b""
    assert splitter.flush() == b"xxxxxxxxxx ... [999990 bytes more, see the log]\n"
    assert splitter.flush() == b""


@pytest.mark.parametrize("text", ["", "short", "x" * 100])
def test_a_text_that_fits_is_not_shortened(text: str) -> None:
    assert shorten(text, 100) is text


@pytest.mark.parametrize(
    ("text", "more"), [("x" * 101, 41), ("x" * 60 + "\u20ac" * 50, 150), ("\ud800" * 120, 60)]
)
def test_what_was_cut_off_a_text_is_counted_in_bytes_and_marked_as_in_a_line(text: str, more: int) -> None:
    short = shorten(text, 100)
    assert short == f"{text[:60]} ... [{more} bytes more, see the log]"
    assert len(short) <= 100
    assert CUT.search(short.encode("utf-8", "replace"))


def test_bytes_that_are_no_text_are_stripped_of_escape_sequences_too() -> None:
    assert strip_ansi(b"\xff\x1b[31m\x00\x1b[0m") == b"\xff\x00"
    plain = b"no escape"
    assert strip_ansi(plain) is plain
