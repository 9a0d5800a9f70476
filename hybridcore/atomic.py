"""Files that are replaced whole: a reader finds the old content or the new one, never a part of it.

The new content goes into a temporary file beside the old one, which is then renamed over it. Its name is
random and it is made exclusively, so that writers at once never share one; a process id would not do, since
threads have the same, and so have the first processes of two containers.
"""

from __future__ import annotations

import contextlib
import os
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

TEMPORARY_SUFFIX = ".tmp"


def temporary_name(path: Path) -> str:
    """A name beside a file that nobody else has: the file's own, something random, and ``.tmp``."""
    return f"{path}.{os.urandom(8).hex()}{TEMPORARY_SUFFIX}"


def replace(path: Path, content: bytes, *, durable: bool = False) -> None:
    """Write a file, or replace it.

    Args:
        path: the file, in a folder that exists. The permissions and the owner of an old file are kept; a
            symbolic link is replaced.
        content: all of the new content.
        durable: flush the file and its folder to the disk, so that it outlives a power cut.

    Raises:
        OSError: it did not work. The old content is still there, unless flushing the folder failed.
    """
    with beside(path, [content], durable=durable) as new:
        os.rename(new, path)
    if durable:
        sync_folder(path.parent)


@contextmanager
def beside(path: Path, content: Iterable[bytes | memoryview], *, durable: bool = False) -> Iterator[str]:
    """Write a temporary file beside a file, for the block to rename; it is removed when the block fails.

    Args:
        path: the file that is to be replaced; the temporary one gets its permissions and its owner.
        content: all of the new content, in parts.
        durable: flush the temporary file to the disk.

    Returns:
        The path of the temporary file.

    Raises:
        OSError: it cannot be written.
    """
    old = _replaced(path)
    temporary = temporary_name(path)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    fd = os.open(temporary, flags, 0o666 if old is None else 0o600)
    try:
        try:
            if old is not None:
                _take_over(fd, old)
            for part in content:
                rest = memoryview(part)
                while rest:
                    rest = rest[os.write(fd, rest) :]
            if durable:
                os.fsync(fd)
        finally:
            os.close(fd)
        yield temporary
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def sync_folder(folder: Path) -> None:
    """Make renames in a folder durable."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _replaced(path: Path) -> os.stat_result | None:
    """The status of the plain file that is there; None where there is none."""
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return None
    return status if stat.S_ISREG(status.st_mode) else None


def _take_over(fd: int, old: os.stat_result) -> None:
    if (old.st_uid, old.st_gid) != (os.geteuid(), os.getegid()):
        try:
            os.fchown(fd, old.st_uid, old.st_gid)
        except PermissionError:
            pass  # only root may give files away; the folder's rights say who may write
    os.fchmod(fd, stat.S_IMODE(old.st_mode))
