"""Lines of a program's output: complete ones out of a stream, without escape sequences."""

from __future__ import annotations

import re

_ANSI = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\)?|[ -/]*[0-~])")
_ANSI_TEXT = re.compile(_ANSI.pattern.decode("ascii"))


def strip_ansi(data: bytes) -> bytes:
    """Remove escape sequences for terminals: colours, cursor movement, window titles."""
    return _ANSI.sub(b"", data) if b"\x1b" in data else data


def strip_ansi_text(text: str) -> str:
    """The same as ``strip_ansi`` for a text."""
    return _ANSI_TEXT.sub("", text) if "\x1b" in text else text


# Of one line, this much is parsed and shown; the log has all of it.
LINE_LIMIT = 64 * 1024


class LineSplitter:
    """Gathers a stream of bytes into chunks of complete lines, in bounded memory.

    Args:
        limit: bytes of one line that are kept; the rest is counted, and the count put in its place.
    """

    def __init__(self, limit: int = LINE_LIMIT) -> None:
        self._limit = limit
        self._start = bytearray()
        self._more = 0

    def feed(self, data: bytes) -> bytes:
        """Take the next bytes, cut anywhere, and return the lines that are complete, with their ends."""
        first_end = data.find(b"\n") + 1
        if not first_end:
            self._keep(data)
            return b""
        last_end = data.rfind(b"\n") + 1
        if not self._start:
            complete = data if last_end == len(data) else data[:last_end]
        else:
            self._keep(data[: first_end - 1])
            complete = self._take() + b"\n" + data[first_end:last_end]
        self._keep(data[last_end:])
        return complete

    def flush(self) -> bytes:
        """The last line, where it has no end; with an end then."""
        return self._take() + b"\n" if self._start else b""

    def _keep(self, data: bytes) -> None:
        room = self._limit - len(self._start)
        self._start += data[:room]
        self._more += max(0, len(data) - room)

    def _take(self) -> bytes:
        line = bytes(self._start)
        if self._more:
            line += b" ... [%d bytes more, see the log]" % self._more
        self._start.clear()
        self._more = 0
        return line
