"""The lock of the state: one writer at a time, and a word about who it is.

``flock`` on a file that stays: the kernel frees the lock when its holder dies, so a dead holder never
blocks anybody. What the file says about the holder is for people alone and decides nothing.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from typing import TYPE_CHECKING

from ..errors import LockError, StateError
from .schema import timestamp

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# Pause between two tries: short at first, since a write takes milliseconds, then longer, so that many waiting
# processes cost nothing. A random share of it is waited, so that no process always comes second.
_FIRST_PAUSE_S = 0.001
_LONGEST_PAUSE_S = 0.02
_LENGTH = 2048  # of what the lock file says, in bytes
_COMMAND_LENGTH = 200  # characters, each at most six bytes as JSON
_TELL_AFTER_S = 0.5  # a wait that nobody would notice is not worth a message


class Lock:
    """An exclusive lock on a file, taken with ``acquire`` and given back with ``release``.

    Args:
        path: the lock file; made where it is missing, its folder must be there.
        command: what the holder does, shown to those who wait.
        timeout: seconds to wait at most; 0 tries once.
        on_wait: called once with a sentence, when waiting has begun to be noticeable.
        what: what is locked, for the messages.
        setting: what allows a longer wait, for the hint of the error.
    """

    def __init__(
        self,
        path: Path,
        *,
        command: str,
        timeout: float,
        on_wait: Callable[[str], None],
        what: str = "the state",
        setting: str = "lock_timeout in packer-hybrid.toml",
    ) -> None:
        self._what = what
        self._setting = setting
        self._path = path
        self._command = command
        self._timeout = timeout
        self._on_wait = on_wait
        self._fd = -1

    def acquire(self) -> None:
        """Take the lock, waiting for it.

        Raises:
            LockError: somebody else held it all the time.
            StateError: the file cannot be opened, or its file system has no locks.
        """
        try:
            fd = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o666)
        except OSError as error:
            raise StateError(
                f"cannot open the lock: {error.strerror}",
                file=self._path,
                hint="the folder and this file must be writable for whoever builds",
            ) from error
        try:
            self._wait(fd)
            self._tell_who(fd)
        except BaseException:
            os.close(fd)
            raise
        self._fd = fd

    def fileno(self) -> int:
        """The descriptor that holds the lock, to be shared with another process; -1 when it is not held."""
        return self._fd

    def release(self) -> None:
        """Give the lock back; does nothing when it is not held."""
        if self._fd >= 0:
            fd, self._fd = self._fd, -1
            os.close(fd)

    def _wait(self, fd: int) -> None:
        began = time.monotonic()
        pause = _FIRST_PAUSE_S
        told = False
        while not _try(fd, self._path):
            waited = time.monotonic() - began
            if waited >= self._timeout:
                raise LockError(
                    f"{self._what} is locked by {holder(fd)}; gave up after {waited:.1f} s",
                    file=self._path,
                    hint=f"wait for it to end, or allow a longer wait ({self._setting})",
                )
            if not told and waited >= _TELL_AFTER_S:
                told = True
                self._on_wait(
                    f"{self._what} is locked by {holder(fd)}; waiting up to {self._timeout - waited:.0f} s"
                )
            share = 0.5 + os.urandom(1)[0] / 255
            time.sleep(min(pause * share, max(self._timeout - waited, 0.0)))
            pause = min(pause * 2, _LONGEST_PAUSE_S)

    def _tell_who(self, fd: int) -> None:
        from json import dumps

        who = {
            "host": os.uname().nodename,
            "pid": os.getpid(),
            "since": timestamp(),
            "command": self._command[:_COMMAND_LENGTH],
        }
        # Written over the old text at the same length: a file that keeps its length costs the next fsync
        # nothing. So the file still names the last holder when nobody holds the lock.
        text = dumps(who).encode("ascii").ljust(_LENGTH)
        try:
            os.pwrite(fd, text, 0)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise StateError(f"cannot write the lock: {error.strerror}", file=self._path) from error
            # On a full disk the holder stays unnamed; whether the state can be written shows later.


def _try(fd: int, path: Path) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise StateError(
            f"this file system has no locks (flock: {error.strerror})",
            file=path,
            hint="put state/ on a local file system, or on NFS version 4 mounted with locks",
        ) from error
    return True


def holder(fd: int) -> str:
    """Who holds a lock, in words.

    Args:
        fd: the open lock file.

    Returns:
        For example ``packer-hybrid build (pid 4711 on ci-1, since 2026-11-22T05:25:08.123Z)``.
    """
    from json import loads

    try:
        found = loads(os.pread(fd, _LENGTH, 0))
        command = str(found["command"]) or "a command"
        text = f"{command} (pid {found['pid']} on {found['host']}, since {found['since']})"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process"  # it has just taken the lock, or is about to give it back
    return "".join(char if char.isprintable() else "?" for char in text[:300])
