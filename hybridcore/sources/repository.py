"""One repository: what is there, what should be there, and the way from one to the other.

``prepare`` finds every fault and uses the network, and leaves the work tree as it is; ``move`` does the rest.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import SourcesError
from . import contents, lockfile, shape, signatures, submodules, unfinished
from .addresses import masked, shown
from .git import Git, commit_of, ref_names
from .lockfile import LOCK_FILE
from .records import SHA, Asked, Prepared, SourceResult
from .submodules import Changes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ..source_settings import SourceSetting
    from ..state.types import SourceEntry


def prepare(asked: Asked, setting: SourceSetting, git: Git) -> Prepared:
    """Look at one repository, ask its remote, and fetch or clone beside it what is missing.

    Args:
        asked: what was asked for.
        setting: the repository.
        git: runs git.

    Returns:
        What is to be done.

    Raises:
        SourcesError: it is not as it should be; nothing of it has moved.
        ProcessError: git cannot be started.
    """
    shape.check_lfs(setting)
    folder = asked.space.sources / setting.name
    begun = unfinished.begun(folder)
    found = inspect(folder, setting, git, begun)
    if found is None:
        return _clone(asked, setting, git, folder)
    if begun and not asked.check:
        unfinished.unlock(folder)
    head = found.head
    sha = _target(asked, setting, git, folder, {head, begun} if found.half else {head}, head)
    own = _own_commit(asked, setting, git, folder, begun) if sha != head else ""
    if not (asked.frozen or asked.offline or asked.check) and _has_news(
        asked, setting, git, folder, sha, head
    ):
        with unfinished.noted(folder, sha):
            _fetch(setting, git, folder, sha)
        # Before, the remote had them; or it has them now, where they were pushed from elsewhere.
        own = own and _own_commit(asked, setting, git, folder, begun)
    if own:
        raise SourcesError(
            f"{folder} has commits of its own, {own} the newest, that the remote does not have",
            hint="push them, or put them on a branch and check out the commit that was synced",
        )
    if sha != head:
        _check_commit(setting, git, folder, sha)
    # A note may be left of a change that was not brought to its end.
    reshape = shape.differs(setting, folder, found.settings) or bool(
        begun and (setting.sparse or setting.lfs)
    )
    inner = Changes()
    if setting.submodules and (sha == head or git.commit(folder, sha)):
        inner = submodules.prepare(asked, setting, git, folder, sha, old=(head, begun), begun=bool(begun))
    prepared = Prepared(
        setting,
        folder,
        head,
        sha,
        inner=inner,
        finish=begun if found.half else "",
        reshape=reshape,
        warning=_warning(asked, setting, git, folder, sha),
    )
    if (setting.refuse or setting.verify) and (sha == head or git.commit(folder, sha)):
        contents.check(setting, git, folder, sha)
        signatures.check(setting, asked.space.root, git, folder, sha)
    if asked.frozen:
        _check_tree(asked, setting, git, folder, sha)
    if setting.lfs and prepared.action == "updated" and not asked.check:
        _fetch_lfs(asked, setting, git, folder, sha)
    if sha != head or prepared.finish:
        _check_move(prepared, git)
    return prepared


def move(prepared: Prepared, git: Git) -> SourceResult:
    """Bring one repository to where it should be. The note that is left goes once the state knows.

    Args:
        prepared: the repository, and what is to be done with it.
        git: runs git.

    Returns:
        What it was and what it is.

    Raises:
        SourcesError: git cannot; the next sync goes on from there.
        OSError: files cannot be written.
    """
    folder, sha = prepared.folder, prepared.sha
    if prepared.clone:
        unfinished.begin(folder, sha)
        prepared.clone.rename(folder)
    elif prepared.action == "updated":
        _check_out(prepared, git)
    return prepared.result()


def _check_out(prepared: Prepared, git: Git) -> None:
    folder, sha = prepared.folder, prepared.sha
    setting = prepared.setting
    if prepared.finish:
        git.checkout(setting, folder, prepared.finish, finish=True)
    unfinished.begin(folder, sha)
    try:
        submodules.remove(prepared.inner)
        git.checkout(setting, folder, sha)
        if prepared.reshape:
            shape.set_up(setting, folder, git)
            git.reshape(setting, folder)
        submodules.move(prepared.inner, git)
    except SourcesError as error:
        if git.status(folder).dirty:  # with submodules that are not at their pins
            raise SourcesError(error.message, hint="mend it and sync again; it goes on from there") from None
        unfinished.end(folder)
        raise


@dataclass(frozen=True)
class Found:
    """A clone as it lies there.

    Attributes:
        head: the commit that is checked out.
        half: whether the work tree is half of a move from there.
        settings: what its ``.git/config`` says.
    """

    head: str
    half: bool
    settings: Mapping[str, str]


def inspect(folder: Path, setting: SourceSetting, git: Git, begun: str) -> Found | None:
    """Look at a clone; None without one. Refuses what is not ours to touch."""
    if folder.is_symlink():
        raise SourcesError(
            f"{folder} is a symbolic link", hint="remove it; sync keeps its clones in folders of their own"
        )
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return None
    inside = folder / ".git"
    if not inside.is_dir() or inside.is_symlink() or (inside / "commondir").exists():
        raise SourcesError(f"{folder} is not a git clone of its own", hint="move it away, and sync again")
    settings = git.settings(folder)
    url = settings.get("remote.origin.url", "")
    if url != setting.url:
        raise SourcesError(
            f"{folder} is a clone of {shown(url) or 'nothing'}, the settings say {shown(setting.url)}",
            hint="move it away and sync again, or correct the url",
        )
    status = git.status(folder, submodules="all" if setting.submodules else "dirty")
    dirty: Sequence[str] = status.dirty
    half = bool(begun and dirty and git.commit(folder, begun))
    if half:
        dirty = unfinished.foreign(git, folder, status.head, begun)
    if dirty:
        names = ", ".join(masked(text) for text in dirty[:5])
        more = len(dirty) - 5
        raise SourcesError(
            f"{folder} has changes of its own: {names}" + (f" and {more} more" if more > 0 else ""),
            hint="commit and push them elsewhere, or discard them with git",
        )
    if not begun and (inside / "index.lock").exists():
        raise SourcesError(
            f"{inside / 'index.lock'} is there: another git is at work in it, or was killed",
            hint="wait for it to end, or remove the file",
        )
    return Found(status.head, half, settings)


def _target(
    asked: Asked, setting: SourceSetting, git: Git, folder: Path, allowed: set[str], head: str
) -> str:
    """The commit that an existing clone should be at."""
    if asked.frozen:
        sha = _frozen(asked, setting)
        if sha not in allowed:
            raise SourcesError(
                f"{folder} is at {head}, frozen is {sha}", hint="sync without frozen to move it there"
            )
        return sha
    if asked.offline:
        sha = _offline(asked, setting, git, folder, head)
    else:
        sha = _wish(setting, lambda: git.remote_refs(setting), f"at {masked(setting.url)}")
    return sha


def _warning(asked: Asked, setting: SourceSetting, git: Git, folder: Path, sha: str) -> str:
    """What a remote did to a ref that nobody should do to what others build from."""
    recorded = known(asked, setting)
    if not recorded or recorded == sha or _is_commit(setting) or asked.frozen:
        return ""
    tag = f"refs/tags/{setting.ref.removeprefix('refs/tags/')}"
    if setting.ref and git.local_refs(folder).get(tag):
        return f"the tag {setting.ref!r} has moved from {recorded} to {sha}"
    if git.commit(folder, sha) and git.commit(folder, recorded) and git.is_rewritten(folder, recorded, sha):
        branch = setting.ref or "the default branch"
        return f"the history of {branch!r} was rewritten: {recorded} is not in {sha}"
    return ""


def _has_news(asked: Asked, setting: SourceSetting, git: Git, folder: Path, sha: str, head: str) -> bool:
    """Whether there is something to fetch.

    What the remote said is kept in the clone, for a time without network: once, when it is new.
    """
    told = not _is_commit(setting) and known(asked, setting) != sha
    return told or (sha != head and not git.commit(folder, sha))


def _own_commit(asked: Asked, setting: SourceSetting, git: Git, folder: Path, begun: str) -> str:
    """A commit at HEAD that neither the remote has, as far as is known, nor a sync brought; empty if none."""
    recorded = _sha(asked.recorded.get(setting.name))
    return git.unpublished(folder, [sha for sha in (recorded, begun) if sha])


def _offline(asked: Asked, setting: SourceSetting, git: Git, folder: Path, head: str) -> str:
    """The commit that a clone should be at as far as is known: by the last sync, else by the last fetch."""
    # A clone without a wish of the user stays where it is.
    sha = head
    if setting.ref or setting.sha:
        recorded = known(asked, setting)
        refs = dict.fromkeys(ref_names(setting.ref), recorded) if recorded else None
        sha = _wish(setting, lambda: git.local_refs(folder) if refs is None else refs, "in the clone")
    if sha != head and not git.commit(folder, sha):
        raise SourcesError(f"commit {sha} is not in {folder}, and offline it cannot be fetched")
    return sha


def _is_commit(setting: SourceSetting) -> bool:
    """Whether the settings name a commit, so that there is nothing to look up."""
    return bool(SHA.fullmatch(setting.ref) or (setting.sha and not setting.ref))


def _wish(setting: SourceSetting, refs: Callable[[], dict[str, str]], where: str) -> str:
    """The commit that the settings want; ``refs`` is only called when they name something to look up."""
    if _is_commit(setting):
        return setting.ref or setting.sha
    sha = commit_of(refs(), setting.ref)
    if not sha:
        what = f"no branch and no tag {setting.ref!r}" if setting.ref else "no commit"
        raise SourcesError(
            f"there is {what} {where}", hint="a commit is given by its full id; correct ref in the settings"
        )
    if setting.sha and sha != setting.sha:
        raise SourcesError(
            f"{setting.ref!r} is commit {sha} {where}, but pinned is {setting.sha}",
            hint="look at what changed, then set sha to it, or leave out ref to stay",
        )
    return sha


def known(asked: Asked, setting: SourceSetting) -> str:
    """The commit that the state recorded for the same url and ref; empty without one."""
    entry = asked.recorded.get(setting.name)
    same = entry is not None and (entry["url"], entry.get("ref") or "") == (setting.url, setting.ref)
    return _sha(entry) if same else ""


def _sha(entry: SourceEntry | None) -> str:
    """The commit of an entry; empty where there is none."""
    return (entry.get("sha") if entry else None) or ""


def _frozen(asked: Asked, setting: SourceSetting) -> str:
    """The one commit that frozen allows: that of the lock file, else the pin, else what was recorded."""
    if asked.locked is not None:
        entry = asked.locked.get(setting.name)
        hint = f"packer-hybrid sources lock {setting.name}, after a look at what it would bring"
        if entry is None:
            raise SourcesError(f"frozen, but {LOCK_FILE} has no entry for it", hint=hint)
        if (entry.url, entry.ref) != (setting.url, setting.ref):
            raise SourcesError(f"frozen, but {LOCK_FILE} has it with another url or ref", hint=hint)
        if setting.sha not in ("", entry.sha):
            raise SourcesError(f"{LOCK_FILE} has commit {entry.sha}, but pinned is {setting.sha}", hint=hint)
        return entry.sha
    sha = setting.sha or known(asked, setting)
    if not sha:
        raise SourcesError(
            "frozen, but it has no sha and the state has no record of this url and ref",
            hint="sync once without frozen, or give it a sha",
        )
    return sha


def _check_tree(asked: Asked, setting: SourceSetting, git: Git, folder: Path, sha: str) -> None:
    """Refuse files that are not those of the lock file."""
    if asked.locked is None:
        return
    tree, locked = lockfile.digest(git, folder, sha, setting.sparse), asked.locked[setting.name].tree
    if tree != locked:
        raise SourcesError(
            f"the files of commit {sha} have the digest {tree}, {LOCK_FILE} has {locked}",
            hint="sparse may be another than it was; else do not use them, and find out who changed what",
        )


def _clone(asked: Asked, setting: SourceSetting, git: Git, folder: Path) -> Prepared:
    """Clone beside the place, check the pin, and check out."""
    if asked.offline:
        raise SourcesError(f"{folder} is missing, and offline nothing can be cloned", hint="sync online once")
    frozen = _frozen(asked, setting) if asked.frozen else ""
    where = f"at {masked(setting.url)}"
    if asked.check:
        sha = frozen or _wish(setting, lambda: git.remote_refs(setting), where)
        return Prepared(setting, folder, "", sha)
    new = unfinished.clone_folder(asked.space.sources, setting.name) / setting.name
    git.clone(setting, new)
    refs = git.local_refs(new)
    sha = frozen or _wish(setting, lambda: refs, where)
    if sha not in refs.values() and not git.commit(new, sha):
        git.fetch_commit(setting, new, sha)
    _check_commit(setting, git, new, sha)
    contents.check(setting, git, new, sha)
    signatures.check(setting, asked.space.root, git, new, sha)
    if setting.sparse or setting.lfs:
        shape.set_up(setting, new, git)
    if setting.lfs:
        _fetch_lfs(asked, setting, git, new, sha)
    git.checkout(setting, new, sha)
    if setting.submodules:
        submodules.fill(asked, setting, git, new, sha)
    if asked.frozen:
        _check_tree(asked, setting, git, new, sha)
    return Prepared(setting, folder, "", sha, clone=new)


def _fetch(setting: SourceSetting, git: Git, folder: Path, sha: str) -> None:
    """Fetch what the remote has, and a commit that may be beside all of it."""
    git.fetch(setting, folder)
    if not git.commit(folder, sha):
        git.fetch_commit(setting, folder, sha)


def _fetch_lfs(asked: Asked, setting: SourceSetting, git: Git, folder: Path, sha: str) -> None:
    """Fetch the files of Git LFS of a commit; offline see that they are there."""
    if not asked.offline:
        git.fetch_lfs(setting, folder, sha)
    elif missing := git.missing_lfs(folder, sha):
        raise SourcesError(
            f"files of Git LFS are not in {folder}, and offline cannot be fetched: {missing[0]}"
        )


def _check_commit(setting: SourceSetting, git: Git, folder: Path, sha: str) -> None:
    """Refuse the id of a tag in place of a commit's, and files that are too many to write."""
    commit = git.commit(folder, sha)
    if commit and commit != sha:
        raise SourcesError(f"{sha} is a tag, not a commit", hint=f"its commit is {commit}; write that one")
    if commit:
        contents.check_size(setting, git, folder, sha)


def _check_move(prepared: Prepared, git: Git) -> None:
    """Refuse a move by which a file of a user would get lost."""
    folder = prepared.folder
    if prepared.finish or not git.commit(folder, prepared.sha):
        return  # what is half there was looked at; in a check the commit may be missing
    for path in git.added(folder, prepared.before, prepared.sha):
        if os.path.lexists(folder / path):
            raise SourcesError(
                f"cannot check out {prepared.sha}: {folder / masked(path)} is in the way",
                hint="git ignores this file, the new commit has it; move it away",
            )
