"""The kernel's notes of which files in a folder are opened; see inotify(7).

An open through a symbolic link is noted in the folder of the file itself, and nobody tells who opened it.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_IN_OPEN = 0x20
_IN_Q_OVERFLOW = 0x4000
_IN_ONLYDIR = 0x01000000
_IN_ISDIR = 0x40000000
_EVENT = struct.Struct("iIII")  # wd, mask, cookie, and the length of the name behind it
_READ = 1 << 16


class Inotify:
    """Folders in which it is noted what is opened.

    Raises:
        OSError: the kernel gives none, or no more of them.
    """

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None, use_errno=True)
        try:
            fd = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        except AttributeError:
            raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS)) from None
        self._fd = _checked(fd)

    def fileno(self) -> int:
        """Readable when there is something to read."""
        return self._fd

    def add(self, folder: str) -> int:
        """Watch a folder, though not those below it; gives the number of the watch.

        Raises:
            OSError: it is gone, or there may be no more watches.
        """
        mask = ctypes.c_uint32(_IN_OPEN | _IN_ONLYDIR)
        return _checked(self._libc.inotify_add_watch(self._fd, os.fsencode(folder), mask))

    def remove(self, watch: int) -> None:
        """Watch a folder no more; one that is gone is watched no more anyway."""
        self._libc.inotify_rm_watch(self._fd, watch)

    def read(self) -> Iterator[tuple[int, str]]:
        """What was opened since the last call: the number of the watch and the name of the file.

        Folders do not count. The number is -1 where the kernel had to leave out some.
        """
        while True:
            try:
                data = os.read(self._fd, _READ)
            except BlockingIOError:
                return
            at = 0
            while at < len(data):
                watch, mask, __, length = _EVENT.unpack_from(data, at)
                at += _EVENT.size
                name = data[at : at + length].rstrip(b"\0")
                at += length
                if mask & _IN_Q_OVERFLOW:
                    yield -1, ""
                elif mask & _IN_OPEN and not mask & _IN_ISDIR:
                    yield watch, os.fsdecode(name)

    def close(self) -> None:
        """Watch nothing more."""
        os.close(self._fd)


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def trouble() -> str:
    """Why the kernel gives no such notes here; an empty text where it does."""
    try:
        Inotify().close()
    except OSError as error:
        return f"inotify: {error.strerror}"
    return ""
