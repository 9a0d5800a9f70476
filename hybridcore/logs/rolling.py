"""A log file that rolls at a size, with any number of processes writing to it.

Each record is written under ``flock`` on the log file itself. Whoever finds it full renames it and
the older ones while holding that lock; the others, who waited for the lock on the renamed file, see
that the name now means another file and open that one. So no line is lost, torn or doubled, and a
process that dies with the lock frees it. A process killed between two renames leaves a gap in the
numbers, which the next roll fills.
"""

from __future__ import annotations

import fcntl
import logging
import os
import sys
from typing import TYPE_CHECKING

from .format import escape

if TYPE_CHECKING:
    from pathlib import Path


# The logger that tells of a log which cannot be written; without a handler it goes to standard error.
LOGGER = "hybridcore.logs"


class RollingHandler(logging.Handler):
    """Appends records to a file that is shared by processes.

    Args:
        path: the file; it and its folder are made when the first record comes.
        max_bytes: size in bytes that the file does not exceed, unless one record does; 0 means no limit.
        backup_count: full files that are kept, as ``path.1`` (the newest) to ``path.<backup_count>``.
    """

    def __init__(self, path: Path, *, max_bytes: int, backup_count: int) -> None:
        super().__init__()
        self._path = path
        self._name = os.fspath(path)
        self._max_bytes = max_bytes
        self._backup_count = backup_count
        self._fd = -1
        self._inode = 0
        self._pid = 0
        self._complained = False

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record.

        Where that fails it is said once on standard error, where there is one: a log that cannot be written
        must not stop a build.
        """
        try:
            line = self.format(record).encode() + b"\n"
        except (TypeError, ValueError):
            self.handleError(record)  # the message and its arguments do not fit: a fault of ours
            return
        try:
            self._write(line)
        except OSError as error:
            self._complain("write", error)

    def close(self) -> None:
        """Close the file."""
        self.acquire()
        try:
            self._close()
        finally:
            self.release()
        super().close()

    def _write(self, line: bytes) -> None:
        if self._pid != os.getpid():
            # A lock belongs to the opened file, which a fork shares: a child opens its own.
            self._close()
            self._pid = os.getpid()
        while not self._try_write(line):
            self._close()

    def _try_write(self, line: bytes) -> bool:
        """Write a line, unless the open file was renamed: the name then means another file."""
        if self._fd < 0:
            self._open()
        fcntl.flock(self._fd, fcntl.LOCK_EX)
        try:
            try:
                status = os.stat(self._name)
            except FileNotFoundError:
                return False
            if status.st_ino != self._inode:
                return False
            full = self._max_bytes and status.st_size and status.st_size + len(line) > self._max_bytes
            if full and self._roll():
                return False
            self._append(line, status.st_size)
            return True
        finally:
            fcntl.flock(self._fd, fcntl.LOCK_UN)

    def _append(self, line: bytes, size: int) -> None:
        written = 0
        try:
            while written < len(line):
                written += os.write(self._fd, line[written:])
        except OSError:
            os.ftruncate(self._fd, size)  # the disk is full: no half record
            raise

    def _roll(self) -> bool:
        """Rename the file and the older ones; whether that worked. The caller holds the lock."""
        try:
            # Up to the first number that is free: a killed process may have left a gap, which this fills.
            free = 1
            while free < self._backup_count and os.path.lexists(f"{self._name}.{free}"):
                free += 1
            for number in range(free - 1, 0, -1):
                os.rename(f"{self._name}.{number}", f"{self._name}.{number + 1}")
            if self._backup_count:
                os.rename(self._name, f"{self._name}.1")
            else:
                os.unlink(self._name)
        except OSError as error:
            self._complain("roll", error)  # the file grows on, and no line is lost
            return False
        return True

    def _open(self) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            self._fd = os.open(self._name, flags, 0o666)
        except FileNotFoundError:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(self._name, flags, 0o666)
        self._inode = os.fstat(self._fd).st_ino

    def _close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _complain(self, what: str, error: OSError) -> None:
        if not self._complained:
            self._complained = True
            sentence = f"hybridcore: cannot {what} the log {self._name}: {error.strerror}"
            listeners = logging.getLogger(LOGGER)
            try:
                if listeners.handlers:  # as under Ansible, whose standard error is not ours
                    listeners.warning("%s", escape(sentence))
                elif sys.stderr is not None:
                    sys.stderr.write(escape(sentence) + "\n")
                    sys.stderr.flush()
            except OSError:
                pass  # nobody is left to hear it
