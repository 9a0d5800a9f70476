"""Who sees a build while it runs: nobody, a terminal, or Ansible's display."""

from __future__ import annotations

import shutil
import sys
import time
from typing import Protocol, TextIO


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


class ConsoleMonitor:
    """Shows lines on a stream, and a progress line under them where the stream is a terminal.

    Args:
        stream: where to write; standard error by default, so that ``--json`` stays clean.
        quiet: show notes only.
        verbose: show the lines of kind ``other`` too.
    """

    def __init__(self, stream: TextIO | None = None, *, quiet: bool = False, verbose: bool = False) -> None:
        self._stream = stream if stream is not None else sys.stderr
        self.wants_lines = not quiet
        self._verbose = verbose
        self._terminal = self._stream.isatty()
        self._progress = ""
        self._shown_at = 0.0

    def line(self, target: str, text: str, kind: str) -> None:
        """Show the line after its target's name."""
        if kind != "other" or self._verbose:
            self._write(f"{target}: {text}")

    def note(self, text: str) -> None:
        """Show the note."""
        self._write(text)

    def tick(self, running: dict[str, float]) -> None:
        """Draw the progress line anew, about once a second, on a terminal, cut at its width."""
        now = time.monotonic()
        if not self._terminal or not self.wants_lines or now - self._shown_at < 0.9:
            return
        self._shown_at = now
        self._clear()
        if running:
            parts = [f"{target} {int(age) // 60}:{int(age) % 60:02d}" for target, age in running.items()]
            self._progress = f"[{len(running)} running] " + ", ".join(parts)
            # A line that wraps could not be cleared; the last column is the cursor's.
            self._stream.write(self._progress[: shutil.get_terminal_size().columns - 1])
            self._stream.flush()

    def _write(self, text: str) -> None:
        self._clear()
        self._stream.write(text + "\n")
        self._stream.flush()

    def _clear(self) -> None:
        if self._progress:
            self._stream.write("\r\033[K")
            self._progress = ""
