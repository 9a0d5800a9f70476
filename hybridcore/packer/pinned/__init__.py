"""Packer's plugins of a workspace: fetched, pinned, put where Packer checks them, and remembered."""

from __future__ import annotations

import re
import shutil
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from ... import state
from ...errors import Fault, HybridError, SourcesError
from ...monitor import NullMonitor
from ...sources import lockfile
from ...workspace import resolve
from ..program.capabilities import probe_workspace
from ..program.plugins import CHECKSUM, machine, within
from .checks import pin_of, problem, seen
from .fetching import fetch, in_mirror
from .results import LockedResult, PluginResult, PluginStatus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from ...monitor import Monitor
    from ...plugin_settings import PluginSetting
    from ...workspace import Workspace

__all__ = ["LockedResult", "PluginResult", "PluginStatus", "listed", "lock", "sync", "verify"]

_NEW = ".new"


def sync(
    names: Iterable[str] | None = None,
    *,
    offline: bool = False,
    check: bool = False,
    monitor: Monitor | None = None,
    workspace: Workspace | None = None,
) -> list[PluginResult]:
    """Install the plugins of the settings into the workspace's own folder, each in its one version.

    All of them are fetched and checked before any is put into place. Other versions of them go, since Packer
    would take the newest. A Packer that has its plugins built in needs none: it is said, and nothing is done.

    Args:
        names: addresses; all when not given.
        offline: no network; ``[offline] mirror`` comes before ``from``.
        check: only say what would change; nothing is fetched.
        monitor: who sees what is fetched.
        workspace: the workspace; found when not given.

    Returns:
        A result for each, sorted by address.

    Raises:
        SourcesError: at least one is not as it should be, and nothing was installed; has a fault for each.
        PackerError: there is no Packer.
        StateError: the state cannot be written.
    """
    space = resolve(workspace)
    watching = monitor or NullMonitor()
    wanted = _wanted(space, names)
    if not wanted:
        return []
    if why := _useless(space):
        watching.note(why)
        return []
    locked = _locked(space)
    if check:
        return [_planned(space, one, locked, offline=offline)[0] for one in wanted]
    with _alone(space, watching):
        planned, faults = [], []
        for one in wanted:
            try:
                result, todo = _planned(space, one, locked, offline=offline)
                if todo:
                    watching.note(f"fetching {one.source} {one.version}")
                    fetched = fetch(
                        one, pin_of(one, locked), space, space.plugins / _NEW, watching, offline=offline
                    )
                    result = replace(
                        result, sha256=fetched.sha256, path=str(fetched.place), warning=fetched.warning
                    )
                planned.append((one, result, fetched.file if todo else None))
            except (HybridError, OSError) as error:
                faults.append(space.entry_fault("plugins", one.source, error))
        if faults:
            raise SourcesError(f"{len(faults)} of {len(wanted)} plugins cannot be installed", faults=faults)
        for one, result, file in planned:
            _put(space, one, result, file)
        _record(space, [result for _setting, result, _path in planned])
    return [result for _setting, result, _path in planned]


def listed(*, workspace: Workspace | None = None) -> list[PluginStatus]:
    """Say what is installed in the workspace's folder, and what is pinned; nothing is run.

    Args:
        workspace: the workspace; found when not given.

    Returns:
        One entry for each plugin of the settings and of the folder, sorted by address and version.

    Raises:
        SourcesError: the lock file is damaged.
    """
    return seen(resolve(workspace))


def verify(names: Iterable[str] | None = None, *, workspace: Workspace | None = None) -> list[PluginStatus]:
    """Read each program again, and compare it with what is pinned.

    Args:
        names: addresses; everything in the workspace's folder when not given.
        workspace: the workspace; found when not given.

    Returns:
        As ``listed``; ``problem`` says what is wrong. A build would be refused for it under ``strict``.

    Raises:
        SourcesError: a name is not in the settings, or the lock file is damaged.
    """
    space = resolve(workspace)
    chosen = None if names is None else {one.source for one in _wanted(space, names)}
    return [one for one in seen(space) if chosen is None or one.source in chosen]


def lock(
    names: Iterable[str] | None = None, *, check: bool = False, workspace: Workspace | None = None
) -> list[LockedResult]:
    """Write version and digest of the installed plugins into ``packer-hybrid.lock``.

    The digests of other machines stay while the version is the same, so that one file serves several.

    Args:
        names: addresses, the entries of others stay; all when not given.
        check: only say what would change.
        workspace: the workspace; found when not given.

    Returns:
        A result for each, sorted by address.

    Raises:
        SourcesError: at least one is not installed, or is not what the settings pin; nothing is written.
    """
    space = resolve(workspace)
    wanted = _wanted(space, names)
    content = lockfile.read(space) or lockfile.LockFile({}, {})
    there = within([space.plugins])
    new: dict[str, lockfile.LockedPlugin] = {}
    faults = []
    for one in wanted:
        program = there.get(one.source, {}).get(one.version)
        wrong = problem(one, program, {})
        if program is None or wrong.broken:
            faults.append(space.entry_fault("plugins", one.source, SourcesError(wrong.text, hint=wrong.hint)))
            continue
        old = content.plugins.get(one.source)
        kept = old.programs if old and old.version == one.version else {}
        new[one.source] = lockfile.LockedPlugin(one.version, {**kept, machine(): wrong.sha256})
    if faults:
        raise SourcesError(f"{len(faults)} of {len(wanted)} plugins cannot be locked", faults=faults)
    others = {source: old for source, old in content.plugins.items() if names is not None}
    if not check and {**others, **new} != content.plugins:
        lockfile.write(space, lockfile.LockFile(content.sources, {**others, **new}))
    return [
        LockedResult(source, one.version, one.programs[machine()], content.plugins.get(source) != one)
        for source, one in new.items()
    ]


def _wanted(space: Workspace, names: Iterable[str] | None) -> list[PluginSetting]:
    settings = space.settings.plugins
    if names is None:
        return list(settings.values())
    known = ", ".join(settings) or "none"
    faults = [
        Fault(f"there is no plugin {name!r}", hint=f"the settings have {known}")
        for name in names
        if name not in settings
    ]
    if faults:
        raise SourcesError("the plugins are not set up right", faults=faults)
    return [settings[name] for name in sorted(set(names))]


def _useless(space: Workspace) -> str:
    """Why the Packer of the workspace needs no plugins; empty when it does."""
    packer = probe_workspace(space)
    if packer.has_init:
        return ""
    return f"Packer {packer.version} has its plugins built in and looks for no others: nothing was installed"


def _locked(space: Workspace) -> Mapping[str, lockfile.LockedPlugin]:
    content = lockfile.read(space)
    return content.plugins if content else {}


def _planned(
    space: Workspace,
    one: PluginSetting,
    locked: Mapping[str, lockfile.LockedPlugin],
    *,
    offline: bool,
) -> tuple[PluginResult, bool]:
    """What a sync makes of one plugin, and whether it has to be fetched."""
    there = within([space.plugins]).get(one.source, {})
    program = there.get(one.version)
    state_of = problem(one, program, locked)
    before = ", ".join(there)
    todo = program is None or state_of.broken
    bundled = offline and in_mirror(one, space) is not None
    if todo and not one.origin and not bundled:
        raise SourcesError(f"{state_of.text}, and its settings have no from", hint="say where it comes from")
    if todo and offline and not bundled and re.match(r"https?://", one.origin):
        raise SourcesError("it is not installed, and offline nothing can be fetched", hint="sync online once")
    action = "unchanged" if before == one.version and not todo else "updated" if before else "installed"
    result = PluginResult(
        source=one.source,
        version=one.version,
        sha256=pin_of(one, locked) if todo else state_of.sha256,
        before=before,
        path="" if todo or program is None else str(program),
        changed=action != "unchanged",
        action=action,
    )
    return result, todo


def _put(space: Workspace, one: PluginSetting, result: PluginResult, file: Path | None) -> None:
    """Put a program into place, with its digest beside it, and take other versions away."""
    folder = space.plugins / one.source
    for version, program in within([space.plugins]).get(one.source, {}).items():
        if version != one.version or file is not None:
            # Without its digest Packer takes it for none, so it goes first.
            program.with_name(program.name + CHECKSUM).unlink(missing_ok=True)
            program.unlink(missing_ok=True)
    if file is not None:
        folder.mkdir(parents=True, exist_ok=True)
        place = folder / file.name
        file.rename(place)
        # Last, so that what was put there half is none for Packer.
        place.with_name(place.name + CHECKSUM).write_text(result.sha256, encoding="ascii")


def _record(space: Workspace, results: Sequence[PluginResult]) -> None:
    known = state.peek(workspace=space)["plugins"]
    if all(known.get(result.source) == result.version for result in results):
        return
    with state.transaction(workspace=space) as data:
        data["plugins"] |= {result.source: result.version for result in results}


@contextmanager
def _alone(space: Workspace, monitor: Monitor) -> Iterator[None]:
    """One at a time works in the folder of plugins; what a killed one left there goes."""
    from ...state.lock import Lock

    home = space.plugins
    if home.is_symlink() or (home.exists() and not home.is_dir()):
        raise SourcesError(f"{home} is no folder of its own", hint="move it away")
    home.mkdir(exist_ok=True)
    lock = Lock(
        home / ".lock",
        command="plugins sync",
        timeout=space.settings.lock_timeout,
        on_wait=monitor.note,
        what=f"the folder {home}",
    )
    lock.acquire()
    try:
        shutil.rmtree(home / _NEW, ignore_errors=True)
        try:
            yield
        finally:
            shutil.rmtree(home / _NEW, ignore_errors=True)
    finally:
        lock.release()
