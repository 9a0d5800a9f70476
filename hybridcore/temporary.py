"""Temporary files of our own, and folders for them; what a killed process left is removed by a later one."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX = "hybridcore-"
# Locked for as long as the folder is in use: the kernel lets go of it when its owner dies.
_IN_USE = ".in-use"


@contextmanager
def folder() -> Iterator[Path]:
    """Make a folder, for its owner only, that goes with the block."""
    made = Path(tempfile.mkdtemp(prefix=PREFIX))
    try:
        with open(made / f"{_IN_USE}.new", "wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            os.rename(lock.name, made / _IN_USE)  # so that nobody finds it unlocked
            yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def write(path: Path, data: bytes) -> None:
    """Write a new file, for its owner only (0600), whatever the umask is.

    Args:
        path: the file, which must not be there yet.
        data: what goes into it.

    Raises:
        OSError: it cannot be written, or is there.
    """
    with open(path, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(data)


def sweep() -> None:
    """Remove the folders whose owners are dead."""
    for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*/{_IN_USE}"):
        try:
            with open(left, "rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(left.parent, ignore_errors=True)
        except OSError:
            continue  # in use, somebody else's, or just removed
