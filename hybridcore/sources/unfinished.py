"""Work that a sync has begun: noted before, so that the next one can tell its own half from a user's changes.

Below ``sources/`` a clone is made in ``.clone-NAME-*``, and while ``NAME`` is moved ``.moving-NAME`` holds
the commit that it is moved to. Git checks a commit out file by file, in an order of its own: each file is
removed and written anew, and only then the index is replaced. So after a kill or on a full disk each path
is as it was, or as it will be, or missing, or a beginning of what it will be; everything else is a user's.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from .. import atomic, temporary
from ..process.kill import kill_marked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .git import Git

_CLONE, _MOVING = ".clone-", ".moving-"


def mark(sources: Path) -> str:
    """What every git of a sync of this folder carries in its environment."""
    found = sources.stat()
    return f"sources-{found.st_dev}-{found.st_ino}"


def sweep(sources: Path) -> None:
    """End what a killed sync left running, and remove its half clones. The caller holds the lock.

    Raises:
        OSError: something of it cannot be removed.
    """
    clones = list(sources.glob(f"{_CLONE}*"))
    notes = list(sources.glob(f"{_MOVING}*"))
    if clones or notes:
        kill_marked(mark(sources))
    for left in clones:
        shutil.rmtree(left, onerror=_unless_gone)
    for note in notes:
        if not (sources / note.name.removeprefix(_MOVING)).is_dir():
            note.unlink()  # of a clone that has gone, or a note that was not finished itself


def _unless_gone(function: object, path: object, info: tuple[object, BaseException, object]) -> None:
    """A git that was told to end removes its half clone itself, at the same time."""
    if not isinstance(info[1], FileNotFoundError):
        raise info[1]


def clone_folder(sources: Path, name: str) -> Path:
    """Make a folder beside the place of a clone; ``sweep`` removes it."""
    return Path(tempfile.mkdtemp(prefix=f"{_CLONE}{name}-", dir=sources))


def begin(folder: Path, sha: str) -> None:
    """Note the commit that a clone is being moved to.

    Raises:
        OSError: it cannot be noted; then nothing may be moved.
    """
    atomic.replace(_note(folder), sha.encode("ascii"), durable=True)


def end(folder: Path) -> None:
    """Forget the note: the clone is where it belongs, and the state knows, or nothing has moved."""
    _note(folder).unlink(missing_ok=True)


@contextmanager
def noted(folder: Path, sha: str) -> Iterator[None]:
    """Have a note while a block runs, unless there is one of a move already, which stays."""
    if begun(folder):
        yield
        return
    begin(folder, sha)
    try:
        yield
    finally:
        end(folder)


def begun(folder: Path) -> str:
    """The commit that a clone was being moved to; empty when nothing was begun."""
    try:
        return _note(folder).read_text(encoding="ascii")
    except FileNotFoundError:
        return ""


def unlock(folder: Path) -> None:
    """Remove the locks and the half packs that a killed git left in a clone that was being moved."""
    inside = folder / ".git"
    locks = [inside / f"{name}.lock" for name in ("index", "HEAD", "packed-refs", "shallow", "config")]
    for left in (*locks, *inside.glob("refs/**/*.lock"), *inside.glob("objects/pack/tmp_*")):
        left.unlink(missing_ok=True)


def foreign(git: Git, folder: Path, head: str, wanted: str) -> list[str]:
    """The paths that an interrupted move cannot explain.

    Args:
        git: runs git.
        folder: the checkout; nothing in it is written.
        head: the commit that the move began at.
        wanted: the commit that it was to end at, which is in the clone.

    Returns:
        The paths that are a user's, sorted.
    """
    with temporary.folder() as place:
        new = git.differing(folder, place / "new", wanted)
        old = git.differing(folder, place / "old", head)
    before = git.files(folder, head)
    return sorted(
        path
        for path, kind in new.items()
        if kind != "R"
        and not (path in before and path not in old)
        and not (kind == "C" and _is_beginning(git, folder, wanted, path))
    )


def _is_beginning(git: Git, folder: Path, sha: str, path: str) -> bool:
    """Whether a file is the first part of what it is in a commit."""
    file = folder / path
    return stat.S_ISREG(os.lstat(file).st_mode) and git.content(folder, sha, path).startswith(
        file.read_bytes()
    )


def _note(folder: Path) -> Path:
    return folder.with_name(_MOVING + folder.name)
