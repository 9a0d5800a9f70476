"""Repositories in a folder of this machine that stand for their servers: used offline, and made for it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import SourcesError
from . import submodules

if TYPE_CHECKING:
    from ..source_settings import SourceSetting
    from ..workspace import Workspace
    from .git import Git

MANIFEST = "bundle.json"
"""What lies in a bundle: ``repositories`` by URL, and ``files`` with digests."""
REPOSITORIES = "repositories"


def manifest(space: Workspace) -> dict[str, dict[str, str]]:
    """What the mirror of a workspace says is in it.

    Args:
        space: the workspace.

    Returns:
        ``repositories``: paths in the mirror by URL, and ``files``: SHA-256 by path; nothing where there is
        no mirror, or one that is a plain folder of repositories.

    Raises:
        SourcesError: it is damaged, or a path leaves the mirror.
    """
    if space.mirror is None or not (space.mirror / MANIFEST).is_file():
        return {REPOSITORIES: {}, "files": {}}
    file = space.mirror / MANIFEST
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        found = {table: dict(data[table]) for table in (REPOSITORIES, "files")}
    except (ValueError, KeyError, TypeError) as error:
        raise SourcesError(f"the bundle is damaged: {error}", file=file, hint="make it anew") from error
    for path in [*found[REPOSITORIES].values(), *found["files"]]:
        if not isinstance(path, str) or Path(path).is_absolute() or ".." in Path(path).parts:
            raise SourcesError(
                f"the bundle names {path!r}, which is not in it", file=file, hint="make it anew"
            )
    return found


def repositories(space: Workspace) -> dict[str, Path]:
    """The repositories of the mirror, by the URL that they stand for.

    Besides what a bundle names, ``NAME.git``, ``NAME.bundle`` or ``NAME`` in the mirror stands for a source.

    Args:
        space: the workspace.

    Raises:
        SourcesError: the mirror is missing or damaged.
    """
    if space.mirror is None:
        return {}
    if not space.mirror.is_dir():
        raise SourcesError(f"the mirror {space.mirror} is not there", hint="[offline] mirror names it")
    found = {}
    for name, setting in space.settings.sources.items():
        for path in (space.mirror / f"{name}{ending}" for ending in (".git", ".bundle", "")):
            if path.exists():
                found[setting.url] = path
                break
    for url, place in manifest(space)[REPOSITORIES].items():
        found[url] = space.mirror / place
    return found


def export(git: Git, setting: SourceSetting, clone: Path, sha: str, folder: Path) -> dict[str, Path]:
    """Make bare repositories of a clone and of its submodules, without any network.

    Args:
        git: runs git.
        setting: the source.
        clone: its clone.
        sha: the commit that is checked out.
        folder: where the bare repositories are made.

    Returns:
        The bare repositories by URL.

    Raises:
        SourcesError: the clone has not all that is needed.
    """
    if setting.lfs or setting.filter:
        what = "files of Git LFS" if setting.lfs else "what filter leaves out"
        raise SourcesError(
            f"{what} cannot be bundled", hint="use a folder of mirrors that git itself made, or leave it out"
        )
    bare = folder / f"{re.sub(r'[^A-Za-z0-9._-]', '@', setting.name)}.git"
    _bare(git, clone, sha, bare, setting.ref)
    found = {setting.url: bare}
    if setting.submodules:
        for path, inner in submodules.wanted(setting, git, clone, sha):
            found |= export(git, inner, clone / path, inner.sha, folder)
    return found


def _bare(git: Git, clone: Path, sha: str, bare: Path, ref: str) -> None:
    """A bare repository with the remote's branches and tags as the clone knows them."""
    doing = f"cannot bundle {clone}"
    there = f"--git-dir={bare}"
    git.check(["init", "--quiet", "--bare", "--template=", str(bare)], doing=doing)
    for key in ("uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant"):
        git.check([there, "config", key, "true"], doing=doing)
    specs = ["+refs/remotes/origin/*:refs/heads/*", "+refs/tags/*:refs/tags/*", "+HEAD:refs/hybridcore/pin"]
    arguments = [there, "fetch", "--quiet", "--no-tags", "--update-shallow", "--no-write-fetch-head"]
    git.check([*arguments, str(clone), *specs], extra={"GIT_ALLOW_PROTOCOL": "file"}, doing=doing)
    git.check([there, "update-ref", "-d", "refs/heads/HEAD"], doing=doing)
    code, out, _error = git.run(["symbolic-ref", "refs/remotes/origin/HEAD"], folder=clone)
    default = "" if code else out.decode("ascii", "replace").strip().removeprefix("refs/remotes/origin/")
    if default:
        git.check([there, "symbolic-ref", "HEAD", f"refs/heads/{default}"], doing=doing)
    # What was synced, though the clone may have seen newer commits since.
    branch = ref.removeprefix("refs/heads/") or default
    code, *__ = git.run([there, "rev-parse", "--verify", "--quiet", f"refs/heads/{branch}"])
    if branch and not code:
        git.check([there, "update-ref", f"refs/heads/{branch}", sha], doing=doing)
