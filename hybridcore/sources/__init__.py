"""Repositories that templates take plugins and examples from: cloned, pinned and remembered."""

from __future__ import annotations

import re
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import Fault, SourcesError
from ..workspace import resolve as resolve_workspace
from . import addresses, comparing, lockfile, unfinished
from .mirrors import export as bare
from .mirrors import repositories as mirrored
from .records import SHA, Asked, LockResult, SourceDiff, SourceResult
from .repository import move, prepare
from .working import working

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path

    from ..monitor import Monitor
    from ..source_settings import SourceSetting
    from ..state.types import SourceEntry
    from ..workspace import Workspace

__all__ = ["LockResult", "SourceDiff", "SourceResult", "diff", "export", "lock", "sync"]

# What git refuses in a ref name (git-check-ref-format), and what it takes for an option.
_BAD_REF = re.compile(r"^-|[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//|/$|\.$|\.lock$")


def sync(
    names: Iterable[str] | None = None,
    *,
    frozen: bool = False,
    offline: bool = False,
    check: bool = False,
    keep_going: bool = False,
    monitor: Monitor | None = None,
    workspace: Workspace | None = None,
) -> list[SourceResult]:
    """Bring the repositories under ``sources/`` to where the settings want them.

    What the settings want is, for each ``[sources.NAME]``: the commit that ``ref`` means at the remote,
    which must be ``sha`` where both are given; ``sha`` itself without ``ref``; else the default branch.
    Nothing of a user is ever overwritten: a repository with changes of its own is an error. All of them are
    looked at, and what they need is fetched, before anything moves. The state records what was reached.

    Args:
        names: the repositories to sync; all when not given.
        frozen: nothing may move. What is there must be at the commit of the lock file, with files of its
            digest; without a lock file at its ``sha``, or where the state says the last sync left it. What is
            missing is cloned at exactly that commit.
        offline: no network: only commits that are in the clones already, or in ``[offline] mirror``.
        check: only say what a sync would do; asks the remotes, writes nothing.
        keep_going: sync the others when one is not as it should be; otherwise nothing moves then.
        monitor: who sees what is fetched, and that a remote is asked again.
        workspace: the workspace; found as ``workspace.find`` does when not given.

    Returns:
        A result for each repository, sorted by name.

    Raises:
        SourcesError: at least one is not as it should be; has a fault for each, with its line in the
            settings.
        LockError: another sync runs in this workspace, and the time to wait for it is over.
        StateError: the state cannot be read or written.
    """
    space = resolve_workspace(workspace)
    with nullcontext() if check else _logged(space):
        wanted = _wanted(space, names)
        recorded = _recorded(space)
        if not wanted and (names is not None or not recorded):
            return []
        asked = Asked(space, recorded, frozen, offline, check, _locked_sources(space) if frozen else None)
        mirrors = mirrored(space) if offline else {}
        with working(asked, monitor, mirrors) as work:
            prepared, faults = work.each(
                wanted,
                lambda setting: prepare(
                    replace(asked, offline=offline and setting.url not in mirrors), setting, work.git
                ),
            )
            if check or not keep_going:
                hint = "" if check else "nothing was moved; keep_going (--keep-going) syncs the others"
                _raise(faults, len(wanted), "synced", hint=hint)
            if check:
                return [each.result() for each in prepared]
            ready = {each.setting.name: each for each in prepared}
            able = [each.setting for each in prepared]
            results, more = work.each(able, lambda setting: move(ready[setting.name], work.git))
            _record(space, results, recorded, forget=names is None)
        _raise(faults + more, len(wanted), "synced")
        return results


def lock(
    names: Iterable[str] | None = None, *, check: bool = False, workspace: Workspace | None = None
) -> list[LockResult]:
    """Write the commits and digests that the last sync left into ``packer-hybrid.lock``, for ``frozen``.

    Args:
        names: the repositories to lock, the entries of others stay; all when not given.
        check: only say what would change.
        workspace: the workspace; found as ``workspace.find`` does when not given.

    Returns:
        A result for each repository, sorted by name.

    Raises:
        SourcesError: at least one is not where the last sync left it; nothing is written.
        LockError: a sync runs in this workspace, and the time to wait for it is over.
        StateError: the state cannot be read.
    """
    space = resolve_workspace(workspace)
    wanted = _wanted(space, names)
    written = lockfile.read(space) or lockfile.LockFile({}, {})
    before = written.sources
    asked = Asked(space, _recorded(space), frozen=True, offline=True, check=check)
    with working(asked, None) as work:
        entries, faults = work.each(wanted, lambda setting: comparing.lock(asked, setting, work.git))
        _raise(faults, len(wanted), "locked")
        new = {setting.name: entry for setting, entry in zip(wanted, entries, strict=True)}
        kept = {name: entry for name, entry in before.items() if names is not None and name not in new}
        if not check and {**kept, **new} != before:
            lockfile.write(space, lockfile.LockFile({**kept, **new}, written.plugins))
    return [
        LockResult(
            name=name,
            sha=entry.sha,
            tree=entry.tree,
            before=before[name].sha if name in before else "",
            changed=before.get(name) != entry,
        )
        for name, entry in new.items()
    ]


def diff(
    names: Iterable[str] | None = None,
    *,
    offline: bool = False,
    monitor: Monitor | None = None,
    workspace: Workspace | None = None,
) -> list[SourceDiff]:
    """Say which commits a sync would bring; fetches what is missing and moves nothing.

    Args:
        names: the repositories to look at; all when not given.
        offline: no network.
        monitor: who sees what is fetched.
        workspace: the workspace; found as ``workspace.find`` does when not given.

    Returns:
        A result for each repository, sorted by name, compared with the lock file, else with the last sync.

    Raises:
        SourcesError: at least one could not be synced.
        LockError: a sync runs in this workspace, and the time to wait for it is over.
        StateError: the state cannot be read.
    """
    space = resolve_workspace(workspace)
    wanted = _wanted(space, names)
    locked = _locked_sources(space)
    asked = Asked(space, _recorded(space), frozen=False, offline=offline, check=False, locked=locked)
    with working(asked, monitor) as work:
        found, faults = work.each(wanted, lambda setting: comparing.diff(asked, setting, work.git))
    _raise(faults, len(wanted), "compared")
    return found


def export(folder: Path, *, workspace: Workspace) -> dict[str, Path]:
    """Make bare repositories of all sources, for a place without network.

    Args:
        folder: where they are made.
        workspace: the workspace.

    Returns:
        They, and those of submodules, by URL.

    Raises:
        SourcesError: one is not where the last sync left it, or has not all that is needed.
        LockError: a sync runs in this workspace, and the time to wait for it is over.
    """
    wanted = _wanted(workspace, None)
    if not wanted:
        return {}
    asked = Asked(workspace, _recorded(workspace), frozen=True, offline=True, check=False)
    folder.mkdir(parents=True)

    def one(setting: SourceSetting) -> dict[str, Path]:
        sha = comparing.lock(asked, setting, work.git).sha
        return bare(work.git, setting, workspace.sources / setting.name, sha, folder)

    with working(asked, None) as work:
        found, faults = work.each(wanted, one)
    _raise(faults, len(wanted), "bundled")
    return {url: path for each in found for url, path in each.items()}


def _logged(space: Workspace) -> AbstractContextManager[object]:
    """Have the shared log say that a sync begins, and how it ended."""
    from .. import logs

    return logs.recorded("sources", "sync", workspace=space)


def _recorded(space: Workspace) -> dict[str, SourceEntry]:
    """What the state says of the sources, by name."""
    from .. import state

    return state.read(workspace=space)["sources"]


def _locked_sources(space: Workspace) -> Mapping[str, lockfile.Locked] | None:
    """What the lock file says of sources; None without such a file, or where it has plugins alone."""
    content = lockfile.read(space)
    return None if content is None or (content.plugins and not content.sources) else content.sources


def _raise(faults: list[Fault], of: int, done: str, *, hint: str = "") -> None:
    if faults:
        raise SourcesError(f"{len(faults)} of {of} sources cannot be {done}", faults=faults, hint=hint)


def _wanted(space: Workspace, names: Iterable[str] | None) -> list[SourceSetting]:
    """The settings of the repositories asked for, all of them checked before anything is touched."""
    settings = space.settings.sources
    chosen = sorted(settings) if names is None else sorted(set(names))
    faults = []
    for name in chosen:
        if name not in settings:
            known = ", ".join(sorted(settings)) or "none"
            faults.append(Fault(f"there is no source {name!r}", hint=f"the settings have {known}"))
            continue
        faults += [
            space.entry_fault("sources", name, SourcesError(message, hint=hint))
            for message, hint in _wrong(settings[name])
        ]
    if faults:
        raise SourcesError("the sources are not set up right", faults=faults)
    return [settings[name] for name in chosen]


def _wrong(setting: SourceSetting) -> Iterator[tuple[str, str]]:
    if wrong := addresses.wrong(setting.url):
        yield wrong
    if setting.signers and not setting.verify:
        yield "signers is set, but verify is not", "verify is ssh or gpg"
    if setting.submodules and "submodules" in setting.refuse:
        yield "submodules are wanted and refused", "leave one of them out"
    if setting.filter and setting.max_mb:
        yield "max_mb cannot be checked where filter leaves files out", "leave one of them out"
    if setting.ref and _BAD_REF.search(setting.ref):
        yield f"{setting.ref!r} is not a branch, tag or commit", "as in main, v1.2.0 or refs/heads/main"
    if setting.sha and not SHA.fullmatch(setting.sha):
        yield f"sha {setting.sha!r} is not a full commit id", "40 lower-case hexadecimal digits"
    if setting.sha and SHA.fullmatch(setting.ref) and setting.ref != setting.sha:
        yield f"ref is commit {setting.ref}, but sha is {setting.sha}", "leave one of them out"


def _record(
    space: Workspace, results: list[SourceResult], recorded: Mapping[str, SourceEntry], *, forget: bool
) -> None:
    """Write what differs from the state in one transaction; ``forget`` drops what the settings dropped."""
    from .. import state
    from ..logs import get_logger

    new: dict[str, SourceEntry] = {}
    for result in results:
        entry: SourceEntry = {"url": result.url, "ref": result.ref, "sha": result.sha}
        known = recorded.get(result.name)
        if known is None or entry.items() - known.items():
            new[result.name] = entry
    gone = [name for name in recorded if name not in space.settings.sources] if forget else []
    if new or gone:
        with state.transaction(workspace=space) as data:
            for name in gone:
                data["sources"].pop(name, None)
            for name, entry in new.items():
                data["sources"][name] = {**entry, "synced_at": state.timestamp()}
    log = get_logger("sources", workspace=space)
    for result in results:
        unfinished.end(space.sources / result.name)
        moved = f" (was {result.before})" if result.action == "updated" else ""
        log.info("%s %s: %s%s", result.action, result.name, result.sha, moved, extra={"command": "sync"})
        if result.warning:
            log.warning("%s: %s", result.name, result.warning, extra={"command": "sync"})
