"""Secrets in base64 that is broken into lines, with other text around them in it.

Each line is shown when it is complete. So what a line ends with may be the start of a secret, which only a
later line completes: such a start is masked, and remembered for the lines that follow.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .search import Search, Span

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"
_URLSAFE = bytes.maketrans(b"-_", b"+/")
# A line that ends with so many characters of base64 may go on in a later one. A list of the lines, as
# Ansible shows it, has quotes and a comma between them.
_BREAK = re.compile(
    rb"\n(?:(?<=[A-Za-z0-9+/_-]{16}\n)|(?<=[A-Za-z0-9+/_-]{16}\r\n))|\"(?<=[A-Za-z0-9+/_-]{16}\"),\s+\""
)
_NEXT_BREAK = re.compile(rb"\n|\",\s+\"")
# Packer's own log, and what it puts before each line of a provisioner, or what indents it.
_PREFIX = re.compile(rb"(?:\d{4}/\d\d/\d\d \d\d:\d\d:\d\d (?:[\w-]+: )*)?[ \t]*(?:(?:==> )?[^\s:]{1,200}: )?")
_RUN = re.compile(rb"[A-Za-z0-9+/_-]*=*")
# The fewest bytes of a secret's beginning that are masked at the end of a line: fewer give away little.
_LEAST = 4
# How many lines later a line may go on: others come between, and with PACKER_LOG=1 each comes twice.
_LINES = 8


class Unfinished(NamedTuple):
    """Base64 at the end of a line in which a secret may begin, and for how many lines its rest is awaited."""

    run: bytes
    lines: int


class Wrapped:
    """Finds runs of base64 across line breaks.

    Args:
        runs: characters of base64 whose bits are a secret's.
        search: finds whatever lies within one line.
    """

    def __init__(self, runs: Iterable[bytes], search: Search) -> None:
        self._search = search
        self._by_start: dict[bytes, list[bytes]] = {}
        for run in {run.translate(_URLSAFE) for run in runs}:
            self._by_start.setdefault(run[:_LEAST], []).append(run)

    def may_begin_in(self, data: bytes) -> bool:
        """Whether a line ends in a way that it may go on in a later one."""
        return bool(self._by_start) and _BREAK.search(data) is not None

    def spans(
        self, data: bytes, before: tuple[Unfinished, ...] = ()
    ) -> tuple[list[Span], tuple[Unfinished, ...]]:
        """Where secrets, or the starts of some, lie across the ends of lines.

        Args:
            data: complete lines, without escape sequences.
            before: what was unfinished after the lines before these, as the last call gave it.

        Returns:
            Their places, and what is unfinished now.
        """
        found: list[Span] = []
        at = 0
        while at < len(data):
            # While no line waits for its rest, only lines that may go on in another are looked at.
            match = (_NEXT_BREAK if before else _BREAK).search(data, at)
            if match is None and not before:
                break
            end = match.start() if match else len(data)
            end -= data.endswith(b"\r", at, end)
            start = _run_start(data, end, at)
            going_on: list[Unfinished] = []
            if end - start >= 16 and match:
                going_on += self._starts(b"", start, end, data, found)
            for run, lines in before:
                for piece in dict.fromkeys((_run(data, _after_prefix(data, at)), _run(data, start))):
                    found += self._continued(run, piece, data)
                if end - start >= 16 and match:
                    going_on += self._starts(run, start, end, data, found)
                if lines > 1:
                    going_on.append(Unfinished(run, lines - 1))
            going_on.sort(key=lambda one: one.lines)
            before = tuple({one.run: one for one in going_on}.values())[-_LINES:]
            at = match.end() if match else len(data)
        return found, before

    def _continued(self, run: bytes, piece: Span, data: bytes) -> Iterator[Span]:
        """What of a piece belongs to a secret that began in an earlier line."""
        start, end = piece
        if start < end:
            for first, last in self._search.spans(run + data[start:end]):
                if first < len(run) < last:
                    yield start, start + last - len(run)

    def _starts(
        self, run: bytes, start: int, end: int, data: bytes, found: list[Span]
    ) -> Iterator[Unfinished]:
        """Whether a line ends within a secret, which may have begun in an earlier one."""
        whole = run + data[start:end]
        at = self._start_at_end(whole)
        if at is not None:
            # The character of base64 before it holds bits of it too.
            found.append((max(start, end - (len(whole) - at) - 1), end))
            yield Unfinished(whole[at:], _LINES)
        elif not run:
            yield Unfinished(whole[1 - _LEAST :], 2)

    def _start_at_end(self, run: bytes) -> int | None:
        """Where a secret begins that goes on beyond the end of a text; None without one."""
        plain = run.translate(_URLSAFE)
        for at in range(len(plain) - _LEAST + 1):
            for secret in self._by_start.get(plain[at : at + _LEAST], ()):
                if len(secret) > len(plain) - at and secret.startswith(plain[at:]):
                    return at
        return None


def goes_on(line: bytes) -> bool:
    """Whether a line ends with base64 that may go on in a later one.

    Args:
        line: without its end, perhaps without its start too.
    """
    return _BREAK.search(line + b"\n") is not None or _run_start(line, len(line), 0) == 0


def _after_prefix(data: bytes, at: int) -> int:
    match = _PREFIX.match(data, at)
    return match.end() if match else at


def _run(data: bytes, at: int) -> Span:
    match = _RUN.match(data, at)
    return at, match.end() if match else at


def _run_start(data: bytes, end: int, first: int) -> int:
    """Where a run of base64 begins that ends at a place, padding aside."""
    while end > first and data[end - 1] == 0x3D:
        end -= 1
    size = 128
    while True:
        window = data[max(first, end - size) : end]
        run = len(window) - len(window.rstrip(_ALPHABET))
        if run < len(window) or end - size <= first:
            return end - run
        size *= 8
