"""From Packer's pipe to the log, to the outcome and to whoever watches: bounded, in order.

The outcome takes what Packer said, unmasked: a secret may be a name or a word of the protocol. What is logged
and shown is masked in the form in which people read it. Whole chunks are masked and written at once; single
lines are only looked at where somebody watches them, or where they decide the outcome.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ...process.lines import LineSplitter, WholeLines, strip_ansi
from ...process.mask import Stream
from .output import Ui, human, human_lines, parse_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from ...process.mask import Masker
    from .outcome import Outcome

# Lines with the end of the line before them: a literal is searched several times as fast as ``^``.
_EVERY_LINE = re.compile(rb"\n[^\n]+")
_TELLING_LINE = re.compile(rb"\n(?!\d{9,12},[^,\n]*,ui,message,)[^\n]+")
_PIECE = 4096
_LINE_END = re.compile(r"\r\n|\n|\r")


class Pump:
    """Takes what one Packer prints.

    Args:
        masker: hides the secrets in what is logged and shown.
        log: writes bytes to the build's log.
        outcome: learns how the builds end, unmasked.
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
        self._whole = WholeLines()
        self._to_log = Stream(masker)
        self._to_watcher = Stream(masker)
        self._log = log
        self._outcome = outcome
        self._line = line
        self._splitter = LineSplitter()

    def feed(self, data: bytes) -> None:
        """Take the next bytes from the pipe, cut anywhere."""
        self._pass_on(self._whole.feed(data))

    def close(self) -> None:
        """Take the end of the stream."""
        self._pass_on(self._whole.flush())
        self._write(self._to_log.flush())
        self._look_at([(self._splitter.flush(), False)])

    def _pass_on(self, lines: bytes) -> None:
        written: list[bytes] = []
        seen: list[tuple[bytes, bool]] = []
        for piece in _pieces(lines) if self._line else [lines] if lines else []:
            text = strip_ansi(human_lines(piece))
            masked = self._to_log.feed(text)
            written.append(masked)
            is_clean = masked is text and b"\x1b" not in piece
            if is_clean:
                self._to_watcher.before = self._to_log.before
            seen.append((self._splitter.feed(piece), is_clean))
        self._write(b"".join(written))
        self._look_at(seen)

    def _write(self, masked: bytes) -> None:
        if masked:
            self._log(masked)

    def _look_at(self, pieces: Iterable[tuple[bytes, bool]]) -> None:
        """Take in lines; those in which the log has nothing masked need no mask for who watches either.

        Args:
            pieces: lines, and whether they are clean in this way.
        """
        later: list[bytes] = []
        for piece, is_clean in pieces:
            lines = b"\n" + piece
            seen = 0
            for match in (_EVERY_LINE if self._line else _TELLING_LINE).finditer(lines):
                event = parse_line(match[0][1:])
                is_message = isinstance(event, Ui) and event.kind == "message"
                if not is_message:
                    if isinstance(event, Ui) and event.kind == "error":
                        self._outcome.remember(b"".join((*later, lines[seen : match.start()])))
                        later.clear()
                        seen = match.start()
                    self._outcome.add(event)
                if self._line is not None:
                    kind = event.kind if isinstance(event, Ui) else "other"
                    self._show(kind, human(event), is_clean=is_clean)
            later.append(lines[seen:])
        self._outcome.remember(b"".join(later))

    def _show(self, kind: str, text: str | None, *, is_clean: bool) -> None:
        if self._line is not None and text:
            text = text.strip("\r\n")
            shown = text if is_clean else self._to_watcher.text(text)
            # Most are one line, and to look for two letters is quicker than for a pattern.
            for line in _LINE_END.split(shown) if "\n" in shown or "\r" in shown else (shown,):
                self._line(line, kind)


def _pieces(lines: bytes) -> Iterator[bytes]:
    """Some lines at a time: where one of them has a secret, each is masked apart for who watches."""
    at = 0
    while at < len(lines):
        cut = lines.rfind(b"\n", at, at + _PIECE) + 1 or lines.find(b"\n", at) + 1 or len(lines)
        yield lines[at:cut]
        at = cut
