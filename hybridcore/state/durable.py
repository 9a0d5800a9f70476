"""Files that are read whole and replaced whole: after a crash there is the old content or the new one.

Nothing else in the state touches its files. All of ``replace`` happens under the state's lock.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING

from .. import atomic
from ..errors import StateError
from .damage import DamagedStateError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

MAX_BYTES = 64 * 1024 * 1024
"""A state is about 1 kB an image; what is larger than this is not one."""

COPY_SUFFIX = ".bak"
"""The last good copy stands beside the state, under its name and this."""


def read_file(path: Path) -> bytes | None:
    """Read a file whole.

    Args:
        path: the file.

    Returns:
        Its content; ``None`` when there is none.

    Raises:
        StateError: it is no plain file, too large, or not readable.
    """
    try:
        # O_NONBLOCK: opening a named pipe must not wait for a writer.
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise _symlink(path) from error
        raise StateError(f"cannot read it: {error.strerror}", file=path) from error
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            kind = "a folder" if stat.S_ISDIR(status.st_mode) else "not a plain file"
            raise DamagedStateError(f"it is {kind}", file=path)
        if status.st_size > MAX_BYTES:
            size = f"{status.st_size:,} bytes, at most {MAX_BYTES:,} are read"
            raise DamagedStateError(size, file=path)
        parts: list[bytes] = []
        while part := os.read(fd, max(status.st_size, 1) if not parts else 4096):
            parts.append(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)
    except OSError as error:
        raise StateError(f"cannot read it: {error.strerror}", file=path) from error
    finally:
        os.close(fd)


def replace(path: Path, content: Sequence[bytes | memoryview], *, keep_copy: bool) -> None:
    """Replace a file, durably: temporary file, fsync, rename, fsync of the folder.

    Args:
        path: the file, made where it is missing; its permissions and owner are kept.
        content: all of the new content, in parts.
        keep_copy: make what is there now the last good copy.

    Raises:
        StateError: it did not work; the old content is still there.
    """
    size = sum(map(len, content))
    if size > MAX_BYTES:
        raise StateError(
            f"the state would be {size:,} bytes, at most {MAX_BYTES:,} can be read again",
            file=path,
            hint="a smaller [state] history in packer-hybrid.toml makes it smaller",
        )
    try:
        is_there = _is_there(path)
        remove_leftovers(path)
        with atomic.beside(path, content, durable=True) as temporary:
            if keep_copy and is_there:
                _keep_copy(path)
            os.rename(temporary, path)
    except OSError as error:
        where = error.filename or path.parent
        raise StateError(
            f"cannot write the state: {error.strerror} ({where}); what was there is unchanged",
            file=path,
            hint=_WRITE_HINTS.get(error.errno or 0, ""),
        ) from error
    try:
        atomic.sync_folder(path.parent)
    except OSError as error:
        raise StateError(
            f"the state was written, but would not outlive a power cut: {error.strerror}",
            file=path,
            hint="look at the disk; packer-hybrid state show says what is recorded",
        ) from error


_WRITE_HINTS = {
    errno.ENOSPC: "the disk is full: free some space and run it again",
    errno.EDQUOT: "the quota is used up: free some space and run it again",
    errno.EROFS: "the file system is mounted read-only",
    errno.EACCES: "the folder state/ must be writable for whoever builds",
    errno.EPERM: "the folder state/ must be writable for whoever builds",
    errno.ENOENT: "the folder of the workspace is gone",
}


def make_folder(folder: Path) -> None:
    """Make the folder of the state where it is missing, in a workspace that is there.

    Raises:
        StateError: it cannot be made.
    """
    try:
        os.mkdir(folder)
        atomic.sync_folder(folder.parent)
    except FileExistsError:
        pass
    except OSError as error:
        raise StateError(
            f"cannot make the folder of the state: {error.strerror}",
            file=folder,
            hint=_WRITE_HINTS.get(error.errno or 0, ""),
        ) from error


def remove_leftovers(path: Path) -> None:
    """Remove temporary files of writers that died; the caller holds the lock, so none is alive."""
    folder, prefix = path.parent, path.name + "."
    for name in os.listdir(folder):
        if name.endswith(atomic.TEMPORARY_SUFFIX) and name.startswith(prefix):
            _unlink(f"{folder}/{name}")


def _is_there(path: Path) -> bool:
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return False
    if stat.S_ISLNK(status.st_mode):
        raise _symlink(path)
    return True


def _symlink(path: Path) -> StateError:
    return StateError(
        "the state is a symbolic link, and replacing the file would cut it",
        file=path,
        hint="make state/ itself the link, or move the file here",
    )


def _keep_copy(path: Path) -> None:
    # A second name for the present file, so that no byte is written: link, then rename over the
    # copy before. At every moment there is a copy under its name.
    copy = f"{path}{COPY_SUFFIX}"
    link = f"{copy}{atomic.TEMPORARY_SUFFIX}"
    try:
        os.link(path, link, follow_symlinks=False)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.ENOSYS, errno.EACCES):
            raise
        # No hard links here (FAT, some network file systems): a real copy, with the same permissions.
        with atomic.beside(path, [read_file(path) or b""], durable=True) as content:
            os.rename(content, copy)
        return
    try:
        os.rename(link, copy)
    finally:
        # When both names already were the same file, rename did nothing and left the first.
        _unlink(link)


def _unlink(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass
