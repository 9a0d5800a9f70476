"""Secrets in base64 that is broken into lines, with other text around them in it.

Each line is shown when it is complete. So what a line ends with may be the start of a secret, which only the
next line completes: such a start is masked, and remembered for the line that follows.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from .search import Search, Span

_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_"
_URLSAFE = bytes.maketrans(b"-_", b"+/")
# A line that ends with so many characters of base64 may go on in the next one. A list of the lines, as
# Ansible shows it, has quotes and a comma between them.
_BREAK = re.compile(
    rb"\n(?:(?<=[A-Za-z0-9+/_-]{16}\n)|(?<=[A-Za-z0-9+/_-]{16}\r\n))|\"(?<=[A-Za-z0-9+/_-]{16}\"),\s+\""
)
# What Packer puts before each line of a provisioner, or what indents it.
_PREFIX = re.compile(rb"[ \t]*(?:(?:==> )?[^\s:]{1,200}: )?")
_RUN = re.compile(rb"[A-Za-z0-9+/_-]*=*")
# Of a start of a secret, this much is masked at the end of a line; less tells too little.
_LEAST = 4


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

    def spans(self, data: bytes, before: bytes = b"") -> tuple[list[Span], bytes]:
        """Where secrets, or the starts of some, lie across the ends of lines.

        Args:
            data: complete lines, without escape sequences.
            before: the base64 that the lines before these ended with, as the last call gave it.

        Returns:
            Their places, and the base64 that may go on in the next line; empty where none may.
        """
        found: list[Span] = []
        pieces: list[Span] = []
        at = _after_prefix(data, 0) if before else 0
        for match in _BREAK.finditer(data):
            end = match.start() - data.endswith(b"\r", 0, match.start())
            start = _run_start(data, end)
            if (before or pieces) and start <= at:
                pieces.append((at, end))
            else:
                if before or pieces:
                    found += self._joined(data, [*pieces, _run(data, at)], before)[0]
                before, pieces = b"", [(start, end)]
            at = _after_prefix(data, match.end()) if match[0] == b"\n" else match.end()
        if not (before or pieces):
            return found, b""
        if at < len(data):
            return found + self._joined(data, [*pieces, _run(data, at)], before)[0], b""
        spans, left = self._joined(data, pieces, before, is_open=True)
        return found + spans, left

    def _joined(
        self, data: bytes, pieces: list[Span], before: bytes, *, is_open: bool = False
    ) -> tuple[list[Span], bytes]:
        """Search the pieces of one run as if the line had never been broken.

        The last piece has no break after it, unless the run is open.
        """
        found: list[Span] = []
        if before or len(pieces) > 1:
            joined = before + b"".join(data[start:end] for start, end in pieces)
            spans = list(self._search.spans(joined))
            offset = len(before)
            for first, last in pieces:
                size = last - first
                for start, end in spans:
                    if start < offset + size and end > offset:
                        found.append((first + max(0, start - offset), first + min(size, end - offset)))
                offset += size
        left = before
        for first, last in pieces if is_open else pieces[:-1]:
            run = left + data[first:last]
            at = self._start_at_end(run)
            left = run[1 - _LEAST :] if at is None else run[at:]
            if at is not None:
                # The character before it shares bits with it.
                found.append((max(first, last - len(left) - 1), last))
        return found, left

    def _start_at_end(self, run: bytes) -> int | None:
        """Where the start of a secret begins that goes on to the end, if one does."""
        plain = run.translate(_URLSAFE)
        for at in range(len(plain) - _LEAST + 1):
            for secret in self._by_start.get(plain[at : at + _LEAST], ()):
                if secret.startswith(plain[at:]):
                    return at
        return None


def _after_prefix(data: bytes, at: int) -> int:
    match = _PREFIX.match(data, at)
    return match.end() if match else at


def _run(data: bytes, at: int) -> Span:
    match = _RUN.match(data, at)
    return at, match.end() if match else at


def _run_start(data: bytes, end: int) -> int:
    """Where the characters of base64 begin that end at a place."""
    size = 128
    while True:
        window = data[max(0, end - size) : end]
        run = len(window) - len(window.rstrip(_ALPHABET))
        if run < len(window) or size >= end:
            return end - run
        size *= 8
