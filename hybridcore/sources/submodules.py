"""The repositories within a repository: at the commits that it pins, by the rules that hold for it.

No ``git submodule`` runs; of ``.gitmodules`` only paths and URLs count. Each submodule is a clone of
its own at its path, with a ``.git`` folder, made and moved by the same commands as the one that it lies in.
"""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import SourcesError
from . import addresses, contents, unfinished
from .shape import covers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..source_settings import SourceSetting
    from .git import Git
    from .records import Asked

_DEEPEST = 10
_HINT = "commit and push it elsewhere, or discard it with git"


@dataclass(frozen=True)
class Nested:
    """A submodule that has to be brought to its pin.

    Attributes:
        setting: as for a source; ``sha`` is the pin.
        folder: its place.
        clone: a new clone of it; None where there is one.
        finish: commit that an interrupted move got half of the work tree to; empty when it is whole.
    """

    setting: SourceSetting
    folder: Path
    clone: Path | None = None
    finish: str = ""


@dataclass(frozen=True)
class Changes:
    """What is to be done with the submodules of a source.

    Attributes:
        nested: those that are not at their pins, outer ones first.
        gone: clones of those that the commit has no more.
    """

    nested: tuple[Nested, ...] = ()
    gone: tuple[Path, ...] = ()


def wanted(
    setting: SourceSetting, git: Git, folder: Path, sha: str, pins: Mapping[str, str] | None = None
) -> Iterator[tuple[str, SourceSetting]]:
    """The submodules that a commit pins, of those that are checked out.

    Args:
        setting: the repository.
        git: runs git.
        folder: a clone that has the commit.
        sha: the commit.
        pins: what it pins, by path, where that is known.

    Returns:
        The path of each, and a source's setting for it.

    Raises:
        SourcesError: one has no URL, or one that may not be used.
    """
    pins = _pins(git, folder, sha) if pins is None else pins
    covered = {path: pin for path, pin in pins.items() if covers(setting.sparse, path)}
    urls = git.modules(folder, sha) if covered else {}
    for path, pin in covered.items():
        if path not in urls:
            raise SourcesError(f"the submodule {addresses.masked(path)} has no url in .gitmodules")
        url = absolute(setting.url, urls[path])
        if found := wrong(setting.url, url):
            raise SourcesError(f"the submodule {addresses.masked(path)}: {found}")
        yield (
            path,
            replace(
                setting,
                name=f"{setting.name}/{path}",
                url=url,
                ref="",
                sha=pin,
                sparse=(),
                refuse=tuple(kind for kind in setting.refuse if kind != "submodules"),
            ),
        )


def _pins(git: Git, folder: Path, sha: str) -> dict[str, str]:
    """The commits of submodules that a commit pins, by path."""
    return {entry.path: entry.sha for entry in git.entries(folder, sha) if entry.is_submodule}


def absolute(outer: str, url: str) -> str:
    """The URL of a submodule; one that begins with ``./`` or ``../`` starts at that of its repository.

    The rules are those of git-submodule(1), ``add``.
    """
    if not url.startswith(("./", "../")):
        return url
    base = outer.rstrip("/")
    while True:
        if url.startswith("./"):
            url = url[2:]
        elif url.startswith("../"):
            base, url = re.sub(r"[/:][^/:]*$", "", base), url[3:]
        else:
            return f"{base}/{url}"


def wrong(outer: str, url: str) -> str:
    """What keeps the URL of a submodule from being used; empty when nothing does.

    A repository from elsewhere names no path of this machine, and no server that is asked without protection
    where it was not itself: what is fetched would come from where nobody meant it to.
    """
    if found := addresses.wrong(url):
        return found[0]
    kinds = [_kind(outer), _kind(url)]
    if kinds[1] == "file" and kinds[0] != "file":
        return f"{addresses.shown(url)!r} is a path of this machine, and its repository comes from elsewhere"
    if kinds[1] in ("http", "git") and kinds[0] in ("https", "ssh"):
        return f"{addresses.shown(url)!r} is not protected on its way, and its repository is"
    return ""


def _kind(url: str) -> str:
    if url.startswith("/"):
        return "file"
    return url.partition("://")[0] if "://" in url else "ssh"


def fill(asked: Asked, setting: SourceSetting, git: Git, folder: Path, sha: str, level: int = 1) -> None:
    """Clone the submodules of a new clone, which is checked out, into their places.

    Args:
        asked: what was asked for.
        setting: the repository.
        git: runs git.
        folder: the new clone.
        sha: the commit that is checked out.
        level: how deep it lies.

    Raises:
        SourcesError: one cannot be cloned.
    """
    for path, inner in wanted(setting, git, folder, sha):
        if level > _DEEPEST:
            raise SourcesError(f"submodules are nested more than {_DEEPEST} deep")
        _check_way(folder, path)
        _clone(asked, inner, git, folder / path, level)


def _clone(asked: Asked, setting: SourceSetting, git: Git, folder: Path, level: int) -> None:
    if asked.offline:
        raise SourcesError(f"the submodule {setting.name} is missing, and offline nothing can be cloned")
    git.clone(setting, folder)
    if not git.commit(folder, setting.sha):
        git.fetch_commit(setting, folder, setting.sha)
    contents.check(setting, git, folder, setting.sha)
    contents.check_size(setting, git, folder, setting.sha)
    if setting.lfs:
        git.fetch_lfs(setting, folder, setting.sha)
    git.checkout(setting, folder, setting.sha)
    fill(asked, setting, git, folder, setting.sha, level + 1)


def prepare(
    asked: Asked,
    setting: SourceSetting,
    git: Git,
    folder: Path,
    sha: str,
    *,
    old: tuple[str, ...],
    begun: bool,
    level: int = 1,
) -> Changes:
    """Look at the submodules of a clone, and fetch or clone beside it what is missing.

    Args:
        asked: what was asked for.
        setting: the repository.
        git: runs git.
        folder: its clone.
        sha: the commit that it is to be at, which is there.
        old: the commits that a sync may have brought it to.
        begun: whether a sync was ended half way, so that locks may have been left.
        level: how deep it lies.

    Returns:
        What is to be done.

    Raises:
        SourcesError: one is not as it should be; nothing has moved.
    """
    if level > _DEEPEST:
        raise SourcesError(f"submodules are nested more than {_DEEPEST} deep")
    # The pins that syncs may have brought each path to; a commit that is not there, as in a check, had none.
    pinned = {
        commit: _pins(git, folder, commit)
        for commit in dict.fromkeys(old)
        if commit and (commit == sha or git.commit(folder, commit))
    }
    pins: dict[str, list[str]] = {}
    for path, pin in (item for each in pinned.values() for item in each.items()):
        pins.setdefault(path, []).append(pin)
    nested: list[Nested] = []
    gone: list[Path] = []
    now = dict(wanted(setting, git, folder, sha, pinned.get(sha)))
    for path in sorted(pins.keys() - now.keys()):
        if _is_clone(folder / path):
            _look(git, folder / path, pins[path], "")
            gone.append(folder / path)
    for path, inner in now.items():
        place = folder / path
        _check_way(folder, path)
        known = [*pins.get(path, ()), inner.sha]
        if _is_clone(place) and git.settings(place).get("remote.origin.url") != inner.url:
            _look(git, place, known, "")
            gone.append(place)
        if not _is_clone(place) or place in gone:
            new = None if asked.check else unfinished.clone_folder(asked.space.sources, "inner") / "tree"
            if new:
                _clone(asked, inner, git, new, level)
            nested.append(Nested(inner, place, new))
            continue
        if begun and not asked.check:
            unfinished.unlock(place)
        head, half = _look(git, place, known, inner.sha)
        if asked.frozen and head != inner.sha and not half:
            raise SourcesError(f"the submodule {inner.name} is at {head}, frozen is {inner.sha}")
        if head != inner.sha and not git.commit(place, inner.sha):
            if asked.check:
                nested.append(Nested(inner, place))
                continue
            if asked.offline:
                raise SourcesError(f"commit {inner.sha} is not in {place}, and offline it cannot be fetched")
            git.fetch(inner, place)
            if not git.commit(place, inner.sha):
                git.fetch_commit(inner, place, inner.sha)
        contents.check(inner, git, place, inner.sha)
        if head != inner.sha:
            contents.check_size(inner, git, place, inner.sha)
        if head != inner.sha or half:
            nested.append(Nested(inner, place, finish=half))
        deeper = prepare(
            asked,
            inner,
            git,
            place,
            inner.sha,
            old=(head, *pins.get(path, ())),
            begun=begun,
            level=level + 1,
        )
        nested += deeper.nested
        gone += deeper.gone
    return Changes(tuple(nested), tuple(gone))


def _is_clone(folder: Path) -> bool:
    return (folder / ".git").is_dir() and not folder.is_symlink()


def _check_way(folder: Path, path: str) -> None:
    """Refuse a path that a symbolic link takes elsewhere, and what is no clone and no empty folder there."""
    place = folder / path
    if Path(os.path.realpath(place)) != Path(os.path.realpath(folder)) / path:
        raise SourcesError(f"a symbolic link leads the submodule {addresses.masked(path)} elsewhere")
    if place.exists() and not _is_clone(place) and not (place.is_dir() and not any(place.iterdir())):
        raise SourcesError(f"{place} is not a clone of its own", hint="move it away, and sync again")


def _look(git: Git, folder: Path, known: list[str], wanted_sha: str) -> tuple[str, str]:
    """Where a submodule is, and the commit that an ended move got half of it to; refuses what a user did."""
    git.settings(folder)  # before git reads them, which could run programs
    status = git.status(folder, submodules="all")
    half = ""
    if status.dirty:
        there = [sha for sha in dict.fromkeys([*known, wanted_sha]) if sha and git.commit(folder, sha)]
        half = next((sha for sha in there if not unfinished.foreign(git, folder, status.head, sha)), "")
        if not half:
            names = addresses.masked(", ".join(status.dirty[:5]))
            raise SourcesError(f"{folder} has changes of its own: {names}", hint=_HINT)
    if own := git.unpublished(folder, known):
        raise SourcesError(
            f"{folder} has commits of its own, {own} the newest, that its remote does not have",
            hint="push them, or put them on a branch and check out the commit that was synced",
        )
    return status.head, half


def remove(changes: Changes) -> None:
    """Remove what the commit has no more, before the repository itself is moved.

    Raises:
        OSError: something cannot be removed.
    """
    for folder in changes.gone:
        shutil.rmtree(folder)


def move(changes: Changes, git: Git) -> None:
    """Bring the submodules to their pins, once the repository is at its commit.

    Raises:
        SourcesError: git cannot; the next sync goes on from there.
        OSError: files cannot be written.
    """
    for one in changes.nested:
        if one.clone:
            one.folder.parent.mkdir(parents=True, exist_ok=True)
            one.clone.rename(one.folder)
            continue
        if one.finish:
            git.checkout(one.setting, one.folder, one.finish, finish=True)
        git.checkout(one.setting, one.folder, one.setting.sha)


def difference(git: Git, folder: Path, sha: str) -> str:
    """What of the submodules is not what a commit pins; empty when nothing is.

    Args:
        git: runs git.
        folder: the clone.
        sha: the commit that is checked out.
    """
    for entry in git.entries(folder, sha):
        place = folder / entry.path
        if not entry.is_submodule:
            continue
        name = addresses.masked(entry.path)
        if not _is_clone(place):
            return f"the submodule {name} is missing"
        git.settings(place)
        status = git.status(place, submodules="all")
        if status.head != entry.sha:
            return f"the submodule {name} is at {status.head or 'no commit'}, and {entry.sha} is pinned"
        if status.dirty:
            return f"the submodule {name} differs from its commit: {addresses.masked(status.dirty[0])}"
        if deeper := difference(git, place, entry.sha):
            return f"{name}: {deeper}"
    return ""
