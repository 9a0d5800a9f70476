"""Lines of a program's output: complete ones out of a stream, without escape sequences."""

from __future__ import annotations

import re

ANSI = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b\n]*(?:\x07|\x1b\\)?|[ -/]*[0-~])")
_ANSI_TEXT = re.compile(ANSI.pattern.decode("ascii"))


def strip_ansi(data: bytes) -> bytes:
    """Remove escape sequences for terminals: colours, cursor movement, window titles."""
    return ANSI.sub(b"", data) if b"\x1b" in data else data


def strip_ansi_text(text: str) -> str:
    """The same as ``strip_ansi`` for a text."""
    return _ANSI_TEXT.sub("", text) if "\x1b" in text else text


# Longer than an escape sequence, or what machine-readable output has for a comma.
_TOKEN = 64
# Of one line, this much is parsed and shown; the log has all of it.
LINE_LIMIT = 64 * 1024
# A line without an end is not waited for longer than this many bytes.
HOLD = 1 << 20
# What stands at the end of a line that was cut.
CUT_MARK = b" bytes more, see the log]"
CUT = re.compile(rb" \.\.\. \[\d+ bytes more, see the log\](?=[\r\n]|$)")


def shorten(text: str, size: int) -> str:
    """Cut a text, with a mark where there was more, by which a mask knows that a secret may be cut too.

    Args:
        text: of any length.
        size: characters that the result may have.
    """
    if len(text) <= size:
        return text
    kept, rest = text[: size - 40], text[size - 40 :]
    return f"{kept} ... [{len(rest.encode('utf-8', 'replace'))}{CUT_MARK.decode()}"


class WholeLines:
    """Gathers a stream of bytes into complete lines; a very long line comes in several pieces."""

    def __init__(self) -> None:
        self._held = bytearray()

    def feed(self, data: bytes) -> bytes:
        """Take the next bytes, cut anywhere, and return the lines that are complete, with their ends.

        Of a line without an end the start is returned when it has 1 MiB; neither an escape sequence nor
        what machine-readable output has for a character is cut there.
        """
        cut = data.rfind(b"\n") + 1
        if cut:
            complete = bytes(self._held) + data[:cut] if self._held else data[:cut]
            self._held[:] = memoryview(data)[cut:]
            return complete
        self._held += data
        if len(self._held) < HOLD:
            return b""
        last = bytes(self._held[-_TOKEN:])
        places = [at for at in map(last.find, (b"\x1b", b"%", b"\\")) if at >= 0]
        piece = bytes(self._held[: len(self._held) - _TOKEN + min(places)] if places else self._held)
        del self._held[: len(piece)]
        return piece

    def flush(self) -> bytes:
        """The last line, where it has no end."""
        rest = bytes(self._held)
        self._held.clear()
        return rest


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
            line += b" ... [%d" % self._more + CUT_MARK
        self._start.clear()
        self._more = 0
        return line
