"""The layout of ``images/``: ``<env>/<target>/<run>/`` holds the files of an image, ``latest`` points to one.

Hidden entries are ours too: folders of running builds, and Packer's cache.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from .. import atomic, state

if TYPE_CHECKING:
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


def prune(workspace: Workspace, env: str, target: str) -> None:
    """Remove old images of a target.

    The last ones stay, as many as ``[build] keep_images`` says, and those that the state names.

    Args:
        workspace: where they lie.
        env: name of the environment.
        target: ``<os>/<platform>/<name>``.
    """
    folder = target_folder(workspace, env, target)
    if not folder.is_dir():
        return
    image = state.read(workspace=workspace)["images"].get(f"{env}/{target}")
    runs = sorted(path for path in folder.iterdir() if path.is_dir() and not path.is_symlink())
    named = {image.get("run"), *(image.get("others") or {}).values()} if image else set()
    for path in runs[: -max(1, workspace.settings.keep_images)]:
        if path.name not in named:
            shutil.rmtree(path, ignore_errors=True)
