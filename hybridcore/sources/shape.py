"""How much of a repository lies on the disk: folders of it (sparse checkout), and its files of Git LFS."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from ..errors import SourcesError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ..source_settings import SourceSetting
    from .git import Git

# What `git lfs install --local` writes.
_LFS = {
    "filter.lfs.process": "git-lfs filter-process",
    "filter.lfs.clean": "git-lfs clean -- %f",
    "filter.lfs.smudge": "git-lfs smudge -- %f",
    "filter.lfs.required": "true",
}
# Not by `git sparse-checkout`, which moves settings to a second file that would have to be checked as well.
_SPARSE = {"core.sparsecheckout": "true", "core.sparsecheckoutcone": "true"}
_EVERYTHING = "/*\n"


def patterns(folders: Sequence[str]) -> str:
    """The content of ``info/sparse-checkout`` for some folders, as cone mode has it.

    Args:
        folders: relative to the repository, without a slash at either end; everything when empty.

    Returns:
        Lines that take the files of each folder above, and all below each folder that is named:
        git-sparse-checkout(1), "INTERNALS -- CONE MODE SET". A folder below another one that is named is
        covered by it.
    """
    if not folders:
        return _EVERYTHING
    named = {folder for folder in folders if not any(folder.startswith(other + "/") for other in folders)}
    above = {
        "/".join(parts[:length])
        for parts in (folder.split("/") for folder in named)
        for length in range(1, len(parts))
    }
    lines = ["/*", "!/*/"]
    for folder in sorted(named | above, key=lambda name: name.split("/")):
        lines += [f"/{folder}/"] + ([] if folder in named else [f"!/{folder}/*/"])
    return "\n".join(lines) + "\n"


def covers(folders: Sequence[str], path: str) -> bool:
    """Whether a sparse checkout of some folders has a path: below one of them, or beside the way to it."""
    above = path.rpartition("/")[0]
    return (
        not folders
        or not above
        or any(
            path.startswith(folder + "/") or folder == above or folder.startswith(above + "/")
            for folder in folders
        )
    )


def differs(setting: SourceSetting, folder: Path, settings: Mapping[str, str]) -> bool:
    """Whether a clone has to be set up otherwise.

    Args:
        setting: what is wanted.
        folder: the clone.
        settings: what its ``.git/config`` says.
    """
    if setting.lfs and any(settings.get(key) != value for key, value in _LFS.items()):
        return True
    return _written(folder) != patterns(setting.sparse)


def set_up(setting: SourceSetting, folder: Path, git: Git) -> None:
    """Set a clone up for what is wanted; a checkout brings the work tree after it.

    Raises:
        SourcesError: it cannot be set up.
        OSError: the same.
    """
    wanted = dict(_LFS) if setting.lfs else {}
    if setting.sparse or _written(folder) != _EVERYTHING:
        wanted |= _SPARSE
        file = _file(folder)
        file.parent.mkdir(exist_ok=True)
        file.write_text(patterns(setting.sparse), encoding="utf-8")
    for key, value in wanted.items():
        git.check(["config", key, value], folder=folder, doing=f"cannot set {key}")


def check_lfs(setting: SourceSetting) -> None:
    """Refuse files of Git LFS where the program for them is missing; their pointers would be no use."""
    if setting.lfs and shutil.which("git-lfs") is None:
        raise SourcesError("lfs is set, but the program 'git-lfs' was not found", hint="install git-lfs")


def _file(folder: Path) -> Path:
    return folder / ".git" / "info" / "sparse-checkout"


def _written(folder: Path) -> str:
    try:
        return _file(folder).read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return _EVERYTHING
