"""The layout of ``images/``: ``<env>/<target>/<run>/`` holds a version, and ``latest`` points to one.

Hidden entries are ours too: folders of running builds, Packer's cache, and what is being brought from another
environment.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from .. import atomic

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from ..workspace import Workspace

MANIFEST = "packer-manifest.json"
LATEST = "latest"


def target_folder(workspace: Workspace, env: str, target: str) -> Path:
    """The folder of a target's images.

    Args:
        workspace: where it lies.
        env: name of the environment.
        target: ``<os>/<platform>/<name>``.
    """
    return workspace.images.joinpath(env, *target.split("/"))


def packer_cache(workspace: Workspace) -> Path:
    """Where Packer keeps what it downloads, unless ``PACKER_CACHE_DIR`` says otherwise."""
    return workspace.images / ".packer_cache"


def point_latest_at(folder: Path) -> None:
    """Make ``latest`` beside the folder of a run point to it, in one step.

    Raises:
        OSError: it cannot.
    """
    link = folder.parent / LATEST
    new = atomic.temporary_name(link)
    os.symlink(folder.name, new)
    try:
        os.rename(new, link)
    except OSError:
        os.unlink(new)
        raise


def let_latest_follow(workspace: Workspace, env: str, target: str, run_id: str | None) -> None:
    """Make ``latest`` point to the folder of a run; where there is none, or it left no files, it goes.

    Args:
        workspace: where it lies.
        env: name of the environment.
        target: ``<os>/<platform>/<name>``.
        run_id: the run of the newest version that can be used, if there is one.

    Raises:
        OSError: it cannot.
    """
    folder = target_folder(workspace, env, target)
    link = folder / LATEST
    points_at = os.readlink(link) if link.is_symlink() else None
    if run_id and (folder / run_id).is_dir():
        if points_at != run_id:
            point_latest_at(folder / run_id)
    elif points_at is not None:
        link.unlink()


def remove(workspace: Workspace, env: str, target: str, run_id: str, *, kept: str) -> None:
    """Remove the image of a run; ``latest``, where it points there, points to the one that is kept.

    Args:
        workspace: where it lies.
        env: name of the environment.
        target: ``<os>/<platform>/<name>``.
        run_id: the run whose image goes, if it left one.
        kept: the run of the image that the state knows; empty when it knows none.
    """
    folder = target_folder(workspace, env, target)
    latest = folder / LATEST
    if latest.is_symlink() and os.readlink(latest) == run_id:
        latest.unlink()
        if kept and (folder / kept).is_dir():
            latest.symlink_to(kept)
    shutil.rmtree(folder / run_id, ignore_errors=True)


def run_folders(workspace: Workspace, env: str, target: str) -> list[str]:
    """The runs whose folders lie there, the oldest first; what is hidden is none of them."""
    try:
        with os.scandir(target_folder(workspace, env, target)) as entries:
            return sorted(
                entry.name
                for entry in entries
                if entry.is_dir(follow_symlinks=False) and not entry.name.startswith(".")
            )
    except (FileNotFoundError, NotADirectoryError):
        return []


def surplus(folders: Collection[str], *, known: Collection[str], spare: int) -> list[str]:
    """The folders that belong to no version: of retired ones, and of times before there were versions.

    Args:
        folders: the runs whose folders lie there.
        known: the runs of the versions that are there, those that the state names otherwise, and those that
            run.
        spare: how many folders of no version stay, the newest ones.

    Returns:
        Those to remove.
    """
    others = sorted(name for name in folders if name not in known)
    return others[: max(0, len(others) - spare)]
