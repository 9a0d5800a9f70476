"""The log of one build: its format, and what happens when it cannot be written."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class BuildLog:
    """Writes the log of a build, all its attempts in one file; made with its folder by the first record.

    What cannot be written is left out, whole, and counted where the log goes on: a log must not stop a build.

    Args:
        path: the file; what is there stays, and new records follow.

    Attributes:
        path: the file.
        trouble: why something is missing in it; empty while nothing is.
        begun: whether anything was written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.trouble = ""
        self.begun = False
        self._fd = -1
        self._missing = 0

    def attempt(self, number: int, run_id: str, command: Sequence[str]) -> None:
        """Packer is started.

        Args:
            number: of the attempt, from 1.
            run_id: names the run.
            command: as it may be shown.
        """
        self._write(f"hybridcore: attempt {number}, run {run_id}: {' '.join(command)}\n")

    def output(self, data: bytes) -> None:
        """Packer printed something; masked already."""
        self._write(data)

    def crash(self, text: str) -> None:
        """Packer left a crash log; masked already."""
        self._write(f"\nhybridcore: Packer left a crash log:\n{text}")

    def taken_over(self) -> None:
        """The supervisor goes on with the log, in the middle of a line that the caller took with it."""
        self._write("\nhybridcore: the caller ended; the line that it was reading is left out\n")

    def cancelled(self, why: str) -> None:
        """The build was cancelled after its caller had ended."""
        self._write(f"\nhybridcore: build cancelled: {why}\n")

    def close(self) -> None:
        """Let go of the file; the next record opens it again."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            try:
                os.close(fd)
            except OSError as error:  # some file systems say only now that nothing was written
                self.trouble = self.trouble or _why(error)

    def _write(self, record: str | bytes) -> None:
        data = record.encode("utf-8", "backslashreplace") if isinstance(record, str) else record
        note = b""
        if self._missing:
            note = f"\nhybridcore: {self._missing} bytes are missing here: {self.trouble}\n".encode()
        try:
            if self._fd < 0:
                self._fd = self._open()
            _append(self._fd, note + data)
        except OSError as error:
            self._missing += len(data)
            self.trouble = _why(error)
            return
        self._missing = 0
        self.begun = True

    def _open(self) -> int:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            return os.open(self.path, flags, 0o640)
        except FileNotFoundError:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            return os.open(self.path, flags, 0o640)


def _append(fd: int, data: bytes) -> None:
    """Write a whole record, or nothing of it where that fails, as on a full disk."""
    size = os.fstat(fd).st_size
    left = memoryview(data)
    try:
        while left:
            left = left[os.write(fd, left) :]
    except OSError:
        if len(left) < len(data):
            os.ftruncate(fd, size)
        raise


def _why(error: OSError) -> str:
    return error.strerror or str(error)
