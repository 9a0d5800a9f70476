"""One repository: what is there, what should be there, and the way from one to the other."""

from __future__ import annotations

import re
import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from ..errors import SourcesError
from .git import Git, masked, resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from ..workspace import SourceSetting, Workspace

SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True)
class SourceResult:
    """One repository after a sync.

    Attributes:
        name: its name in the settings, and its folder below ``sources/``.
        url: where it comes from.
        ref: branch, tag or commit asked for; empty for the default branch.
        sha: commit that is checked out now.
        before: commit that was checked out before; empty when there was no clone.
        path: the folder, absolute.
        changed: whether it was cloned or moved.
        action: ``cloned``, ``updated`` or ``unchanged``.
    """

    name: str
    url: str
    ref: str
    sha: str
    before: str
    path: str
    changed: bool
    action: str

    def to_dict(self) -> dict[str, Any]:
        """The result as data, for ``--json`` and for Ansible."""
        return asdict(self)


@dataclass(frozen=True)
class Plan:
    """What one sync was asked for.

    Attributes:
        space: the workspace.
        recorded: what the state says of the sources, by name.
        frozen: nothing may move.
        offline: nothing may use the network.
        check: nothing may be written.
    """

    space: Workspace
    recorded: Mapping[str, Mapping[str, Any]]
    frozen: bool
    offline: bool
    check: bool


def sync_one(plan: Plan, setting: SourceSetting, git: Git) -> SourceResult:
    """Bring one repository to where its setting wants it.

    Args:
        plan: what was asked for.
        setting: the repository.
        git: runs git.

    Returns:
        What it was and what it is; in a check, what it would be.

    Raises:
        SourcesError: it is not as it should be; nothing of it has moved.
        ProcessError: git cannot be started.
    """
    folder = plan.space.sources / setting.name
    before = _inspect(folder, setting, git)
    if before is None:
        sha, action = _clone(plan, setting, git, folder), "cloned"
        before = ""
    else:
        sha = _target(plan, setting, git, folder, before)
        action = "unchanged" if sha == before else "updated"
        if action == "updated":
            _move(plan, setting, git, folder, sha)
    return SourceResult(
        name=setting.name,
        url=setting.url,
        ref=setting.ref,
        sha=sha,
        before=before,
        path=str(folder),
        changed=action != "unchanged",
        action=action,
    )


def _inspect(folder: Path, setting: SourceSetting, git: Git) -> str | None:
    """The commit that is checked out, or None without a clone; refuses what is not ours to touch."""
    if folder.is_symlink():
        raise SourcesError(
            f"{folder} is a symbolic link", hint="remove it; sync keeps its clones in folders of their own"
        )
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return None
    inside = folder / ".git"
    if not inside.is_dir() or inside.is_symlink() or (inside / "commondir").exists():
        raise SourcesError(f"{folder} is not a git clone of its own", hint="move it away, and sync again")
    url = git.settings(folder).get("remote.origin.url", "")
    if url != setting.url:
        raise SourcesError(
            f"{folder} is a clone of {masked(url) or 'nothing'}, the settings say {masked(setting.url)}",
            hint="move it away and sync again, or correct the url",
        )
    status = git.status(folder)
    if status.dirty:
        shown = ", ".join(masked(text) for text in status.dirty[:5])
        more = len(status.dirty) - 5
        raise SourcesError(
            f"{folder} has changes of its own: {shown}" + (f" and {more} more" if more > 0 else ""),
            hint="commit and push them elsewhere, or discard them with git",
        )
    return status.head


def _target(plan: Plan, setting: SourceSetting, git: Git, folder: Path, head: str) -> str:
    """The commit that an existing clone should be at."""
    if plan.frozen:
        sha = _frozen(plan, setting)
        if head != sha:
            raise SourcesError(
                f"{folder} is at {head}, frozen is {sha}", hint="sync without frozen to move it there"
            )
        return sha
    if plan.offline:
        # A clone without a wish of the user stays where it is.
        if not setting.ref and not setting.sha:
            return head
        return _wish(setting, lambda: git.local_refs(folder), "in the clone")
    return _wish(setting, lambda: git.remote_refs(setting.url, setting.ref), f"at {masked(setting.url)}")


def _wish(setting: SourceSetting, refs: Callable[[], dict[str, str]], where: str) -> str:
    """The commit that the settings want; ``refs`` is only called when they name something to look up."""
    if setting.sha and not setting.ref:
        return setting.sha
    if SHA.fullmatch(setting.ref):
        return setting.ref
    sha = resolve(refs(), setting.ref)
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


def _frozen(plan: Plan, setting: SourceSetting) -> str:
    """The one commit that frozen allows: the pin, or what the state recorded for the same url and ref."""
    if setting.sha:
        return setting.sha
    entry = plan.recorded.get(setting.name, {})
    if (entry.get("url"), entry.get("ref", "")) != (setting.url, setting.ref) or not entry.get("sha"):
        raise SourcesError(
            "frozen, but it has no sha and the state has no record of this url and ref",
            hint="sync once without frozen, or give it a sha",
        )
    return str(entry["sha"])


def _clone(plan: Plan, setting: SourceSetting, git: Git, folder: Path) -> str:
    """Clone beside the place, check the pin, check out, and only then put it in place."""
    if plan.offline:
        raise SourcesError(f"{folder} is missing, and offline nothing can be cloned", hint="sync online once")
    if plan.check:
        if plan.frozen:
            return _frozen(plan, setting)
        return _wish(setting, lambda: git.remote_refs(setting.url, setting.ref), f"at {masked(setting.url)}")
    frozen = _frozen(plan, setting) if plan.frozen else ""
    place = Path(tempfile.mkdtemp(prefix=f".clone-{setting.name}-", dir=plan.space.sources))
    try:
        new = place / setting.name
        git.clone(setting.url, new)
        refs = git.local_refs(new)
        sha = frozen or _wish(setting, lambda: refs, f"at {masked(setting.url)}")
        if sha not in refs.values() and not git.has_commit(new, sha):
            git.fetch_commit(setting.url, new, sha)
        git.checkout(new, sha)
        new.rename(folder)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return sha


def _move(plan: Plan, setting: SourceSetting, git: Git, folder: Path, sha: str) -> None:
    """Fetch what is missing, and check a commit out, unless commits of the user would get lost."""
    if not plan.offline and not plan.check and not git.has_commit(folder, sha):
        git.fetch(setting.url, folder)
        if not git.has_commit(folder, sha):
            git.fetch_commit(setting.url, folder, sha)
    lost = git.unpublished(folder, str(plan.recorded.get(setting.name, {}).get("sha", "")))
    if lost:
        raise SourcesError(
            f"{folder} has commits of its own, {lost} the newest, that the remote does not have",
            hint="push them, or put them on a branch and check out the commit that was synced",
        )
    if plan.offline and not git.has_commit(folder, sha):
        raise SourcesError(f"commit {sha} is not in {folder}, and offline it cannot be fetched")
    if not plan.check:
        git.checkout(folder, sha)
