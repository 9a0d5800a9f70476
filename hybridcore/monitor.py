"""Who sees a build while it runs: nobody, a terminal, or Ansible's display."""

from __future__ import annotations

import shutil
import sys
import time
from typing import TYPE_CHECKING, Protocol, TextIO

from .process.lines import strip_ansi_text

if TYPE_CHECKING:
    from collections.abc import Mapping

SILENCE_S = 10.0
LONGEST_SILENCE_S = 300.0


class Monitor(Protocol):
    """Something that shows the lines of builds while they run. Everything it gets is masked already.

    Attributes:
        wants_lines: whether it shows any lines; the output passes several times as fast when not.
    """

    wants_lines: bool

    def line(self, target: str, text: str, kind: str) -> None:
        """Show one line of a build.

        Args:
            target: the image that the line belongs to.
            text: the line, without its end.
            kind: ``say``, ``message`` or ``error`` as in Packer's machine-readable output, or ``other``.
        """

    def note(self, text: str) -> None:
        """Show something that we say ourselves: why a target is built, or what we wait for."""

    def tick(self, running: dict[str, float]) -> None:
        """Called again and again while builds run, several times a second.

        Args:
            running: seconds since the start, for each target that is being built.
        """


class NullMonitor:
    """Shows nothing."""

    wants_lines = False

    def line(self, target: str, text: str, kind: str) -> None:
        """Drop the line."""

    def note(self, text: str) -> None:
        """Drop the note."""

    def tick(self, running: dict[str, float]) -> None:
        """Do nothing."""


class Silence:
    """Knows when to say that something still runs, since nothing was shown for a while.

    The first time after ten seconds, as while Packer waits for SSH; then after twice as long each time, five
    minutes at most, so that neither a person nor a CI job takes a silent build for dead.
    """

    def __init__(self) -> None:
        self.broken()

    def broken(self) -> None:
        """Take note that something was shown."""
        self._since = time.monotonic()
        self._wait = SILENCE_S

    def told(self, running: Mapping[str, float]) -> str:
        """What to say now.

        Args:
            running: seconds since the start, for each target that is being built.

        Returns:
            A line, or nothing when it is not time for one.
        """
        now = time.monotonic()
        if not running or now - self._since < self._wait:
            return ""
        self._since = now
        self._wait = min(2 * self._wait, LONGEST_SILENCE_S)
        return f"still running: {_ages(running)}"


def _ages(running: Mapping[str, float]) -> str:
    return ", ".join(f"{target} {int(age) // 60}:{int(age) % 60:02d}" for target, age in running.items())


class ConsoleMonitor:
    """Shows lines on a stream, and what is running: on a terminal in a progress line, else after silence.

    The progress line is taken away by the next line, and by a tick when nothing runs any more. Colours and
    other codes for terminals are left out where the stream is none.

    Args:
        stream: where to write; standard error by default, so that ``--json`` stays clean.
        quiet: show notes only.
        verbose: show the lines of kind ``other`` too.
    """

    def __init__(self, stream: TextIO | None = None, *, quiet: bool = False, verbose: bool = False) -> None:
        self._stream: TextIO = stream if stream is not None else sys.stderr
        self.wants_lines = not quiet
        self._verbose = verbose
        self._terminal = self._stream.isatty()
        self._progress = ""
        self._drawn_at = 0.0
        self._silence = Silence()

    def line(self, target: str, text: str, kind: str) -> None:
        """Show the line after its target's name."""
        if kind != "other" or self._verbose:
            self._write(f"{target}: {text}")

    def note(self, text: str) -> None:
        """Show the note."""
        self._write(text)

    def tick(self, running: dict[str, float]) -> None:
        """Say what is running, if it is time to: about once a second on a terminal, cut at its width."""
        if not self.wants_lines:
            return
        if not self._terminal:
            if text := self._silence.told(running):
                self._put(text + "\n")
            return
        now = time.monotonic()
        if running and now - self._drawn_at < 0.9:
            return
        self._clear()
        if running:
            self._drawn_at = now
            self._progress = f"[{len(running)} running] {_ages(running)}"
            # A line that wraps could not be cleared; the last column is the cursor's.
            self._put(self._progress[: shutil.get_terminal_size().columns - 1])

    def _write(self, text: str) -> None:
        self._clear()
        self._put((text if self._terminal else strip_ansi_text(text)) + "\n")
        self._silence.broken()

    def _clear(self) -> None:
        if self._progress:
            self._put("\r\033[K")
            self._progress = ""

    def _put(self, text: str) -> None:
        """Write; what cannot be written, as on a full disk, is not worth a build.

        Raises:
            BrokenPipeError: whoever watched has gone.
        """
        try:
            self._stream.write(text)
            self._stream.flush()
        except BrokenPipeError:
            raise
        except OSError:
            pass
