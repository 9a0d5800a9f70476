"""What a commit may not have: what the settings refuse, and files that are larger than they allow."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ..errors import SourcesError
from .addresses import masked

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ..source_settings import SourceSetting
    from .git import Entry, Git

_LINK = "120000"
_WORDS = {
    "links": "symbolic links that may leave the workspace",
    "submodules": "submodules",
    "lfs": "files of Git LFS",
}


def check(setting: SourceSetting, git: Git, folder: Path, sha: str) -> None:
    """Refuse a commit that has what the settings refuse.

    Args:
        setting: the source, with ``refuse``.
        git: runs git.
        folder: a clone that has the commit.
        sha: the commit.

    Raises:
        SourcesError: it has; names each kind and some of the paths.
    """
    if not setting.refuse:
        return
    entries = git.entries(folder, sha)
    found: dict[str, list[str]] = {}
    for kind, path in _found(entries, setting, git, folder):
        found.setdefault(kind, []).append(path)
    if found:
        texts = [f"{_WORDS[kind]} ({_some(paths)})" for kind, paths in sorted(found.items())]
        raise SourcesError(
            f"commit {sha} has {' and '.join(texts)}", hint="refuse of the source says what it may not have"
        )


def check_size(setting: SourceSetting, git: Git, folder: Path, sha: str) -> None:
    """Refuse a commit whose files have more than ``max_mb``.

    Args:
        setting: the source, or as for one.
        git: runs git.
        folder: a clone that has the commit.
        sha: the commit.

    Raises:
        SourcesError: they have more.
    """
    if setting.max_mb and (size := git.size(folder, sha)) > setting.max_mb * 1_000_000:
        raise SourcesError(
            f"the files of commit {sha} have {size / 1e6:.1f} MB, more than {setting.max_mb}",
            hint="max_mb of the source allows more",
        )


def leaves(path: str, target: str) -> bool:
    """Whether a symbolic link may lead out of the workspace, whatever other links it passes through.

    Args:
        path: where it lies, relative to its repository, which lies at ``sources/NAME``.
        target: what it holds.

    Returns:
        True for an absolute target, more steps up than there are folders, and a step up after a name, since
        that name may be a link itself.
    """
    parts = [part for part in target.split("/") if part not in ("", ".")]
    ups = next((number for number, part in enumerate(parts) if part != ".."), len(parts))
    return target.startswith("/") or ".." in parts[ups:] or ups > 2 + path.count("/")


def _found(entries: list[Entry], setting: SourceSetting, git: Git, folder: Path) -> Iterator[tuple[str, str]]:
    if "submodules" in setting.refuse:
        yield from (("submodules", entry.path) for entry in entries if entry.is_submodule)
    if "links" in setting.refuse:
        links = [entry for entry in entries if entry.mode == _LINK]
        for link, target in zip(links, git.blobs(folder, [link.sha for link in links]), strict=True):
            if leaves(link.path, target.decode("utf-8", "surrogateescape")):
                yield "links", link.path
    if "lfs" in setting.refuse:
        named = [entry for entry in entries if entry.path.rpartition("/")[2] == ".gitattributes"]
        for entry, text in zip(named, git.blobs(folder, [entry.sha for entry in named]), strict=True):
            if re.search(rb"\bfilter=lfs\b", text):
                yield "lfs", entry.path


def _some(paths: list[str]) -> str:
    more = len(paths) - 3
    return masked(", ".join(paths[:3])) + (f" and {more} more" if more > 0 else "")
