"""From Packer's pipe to the log, to the outcome and to whoever watches: masked, bounded, in order.

Whole chunks are masked and written at once. Single lines are only looked at where somebody watches them,
or where they decide the outcome.
"""

from __future__ import annotations

import re

from .output import Ui, human, human_lines, parse_line, strip_ansi

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .mask import Masker
    from .outcome import Outcome

# Of one line, this much is parsed and shown; the log has all of it.
LINE_LIMIT = 64 * 1024
# Lines with the end of the line before them: a literal is searched several times as fast as ``^``.
_EVERY_LINE = re.compile(rb"\n[^\n]+")
_TELLING_LINE = re.compile(rb"\n(?!\d{9,12},[^,\n]*,ui,message,)[^\n]+")
_LINE_END = re.compile(r"\r\n|\n|\r")


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


class Pump:
    """Takes what one Packer prints.

    Args:
        masker: hides the secrets, before anything else.
        log: writes bytes to the build's log.
        outcome: learns how the builds end.
        line: shows one line: its text and its kind (``say``, ``message``, ``error``, or ``other``); where
            nobody watches, leave it out: the stream then passes several times as fast.
    """

    def __init__(
        self,
        masker: Masker,
        *,
        log: Callable[[bytes], object],
        outcome: Outcome,
        line: Callable[[str, str], object] | None = None,
    ) -> None:
        self._masker = masker
        self._log = log
        self._outcome = outcome
        self._line = line
        self._splitter = LineSplitter()

    def feed(self, data: bytes) -> None:
        """Take the next bytes from the pipe, cut anywhere."""
        self._pass_on(self._masker.feed(data))

    def close(self) -> None:
        """Take the end of the stream."""
        self._pass_on(self._masker.flush())
        self._look_at(self._splitter.flush())

    def _pass_on(self, masked: bytes) -> None:
        if masked:
            self._log(strip_ansi(human_lines(masked)))
            self._look_at(self._splitter.feed(masked))

    def _look_at(self, lines: bytes) -> None:
        lines = b"\n" + lines
        seen = 0
        for match in (_EVERY_LINE if self._line else _TELLING_LINE).finditer(lines):
            event = parse_line(match[0][1:])
            is_message = isinstance(event, Ui) and event.kind == "message"
            if not is_message:
                if isinstance(event, Ui) and event.kind == "error":
                    self._outcome.remember(lines[seen : match.start()])
                    seen = match.start()
                self._outcome.add(event)
            if self._line is not None:
                self._show(event.kind if isinstance(event, Ui) else "other", human(event))
        self._outcome.remember(lines[seen:])

    def _show(self, kind: str, text: str | None) -> None:
        if self._line is not None and text:
            for line in _LINE_END.split(text.strip("\r\n")):
                self._line(line, kind)
