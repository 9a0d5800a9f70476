"""Repositories that templates take plugins and examples from: cloned, pinned and remembered."""

from __future__ import annotations

import os
import re
import shutil
import time
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from ..errors import Fault, HybridError, SourcesError
from ..settings import SETTINGS_FILE
from ..workspace import resolve as resolve_workspace
from . import addresses, comparing, lockfile, unfinished
from .git import Git
from .mirrors import export as bare
from .mirrors import repositories as mirrored
from .records import SHA, Asked, LockResult, SourceDiff, SourceResult
from .repository import move, prepare
from .runner import NO_MIRRORS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from contextlib import AbstractContextManager
    from pathlib import Path
    from typing import TypeVar

    from ..monitor import Monitor
    from ..source_settings import SourceSetting
    from ..state.types import SourceEntry
    from ..workspace import Workspace

    T = TypeVar("T")

__all__ = ["LockResult", "SourceDiff", "SourceResult", "diff", "export", "lock", "sync"]

# Network latency, not processor time, is what most of them wait for.
_AT_A_TIME = 8
_TICK_S = 0.5
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
        with _working(asked, monitor, mirrors) as work:
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
    with _working(asked, None) as work:
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
    with _working(asked, monitor) as work:
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

    with _working(asked, None) as work:
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


@contextmanager
def _working(
    asked: Asked, monitor: Monitor | None, mirrors: Mapping[str, Path] = NO_MIRRORS
) -> Iterator[_Work]:
    """Work below ``sources/``: alone, unless it is a check, which writes nothing."""
    home = asked.space.sources
    _check_home(asked.space)
    if asked.check:
        yield _Work(asked.space, monitor, offline=asked.offline, mirrors=mirrors)
        return
    try:
        home.mkdir(exist_ok=True)
        with _locked(asked.space, monitor):
            mark = unfinished.mark(home)
            yield _Work(asked.space, monitor, mark, offline=asked.offline, mirrors=mirrors)
    except OSError as error:
        raise SourcesError(f"cannot work in {home}: {error.strerror}") from error


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
            Fault(f"{name}: {message}", file=space.root / SETTINGS_FILE, line=_line(space, name), hint=hint)
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


def _line(space: Workspace, name: str) -> int | None:
    """The line of ``[sources.NAME]`` in the settings file."""
    header = re.compile(rf"\s*\[\s*sources\s*\.\s*[\"']?{re.escape(name)}[\"']?\s*\]")
    text = (space.root / SETTINGS_FILE).read_text(encoding="utf-8")
    return next((number for number, line in enumerate(text.splitlines(), 1) if header.match(line)), None)


def _check_home(space: Workspace) -> None:
    """Refuse a ``sources`` that is no folder, or that a symbolic link takes out of the workspace."""
    if shutil.which("git") is None:
        raise SourcesError("the program 'git' was not found", hint="install git, or correct PATH")
    home = space.sources
    if os.path.lexists(home) and not home.is_dir():
        raise SourcesError(f"{home} is not a folder", hint="move it away")
    if not space.holds(home):
        raise SourcesError(
            f"{home} is a symbolic link out of the workspace, to {os.path.realpath(home)}",
            hint="remove the link; sync keeps its clones inside the workspace",
        )


@contextmanager
def _locked(space: Workspace, monitor: Monitor | None) -> Iterator[None]:
    """Let one sync at a time work below ``sources/``, and clear away what a killed one left there."""
    from ..state.lock import Lock

    lock = Lock(
        space.sources / ".lock",
        command="sources sync",
        timeout=space.settings.lock_timeout,
        on_wait=monitor.note if monitor else lambda text: None,
        what=f"the folder {space.sources}",
    )
    lock.acquire()
    try:
        unfinished.sweep(space.sources)
        try:
            yield
        finally:
            unfinished.sweep(space.sources)
    finally:
        lock.release()


class _Work:
    """Works on several repositories at a time, and shows from the caller's own thread what goes on.

    Args:
        space: the workspace.
        monitor: who sees it.
        mark: what every git carries.
        offline: whether no git may use the network.
        mirrors: repositories of this machine in place of URLs, offline.
    """

    def __init__(
        self,
        space: Workspace,
        monitor: Monitor | None,
        mark: str = "",
        *,
        offline: bool,
        mirrors: Mapping[str, Path],
    ) -> None:
        # A name with what git does for it, or with nothing when it has ended.
        self._events: SimpleQueue[tuple[str, str]] = SimpleQueue()
        self._space = space
        self._monitor = monitor
        self.git = Git(
            mark, lambda name, text: self._events.put((name, text)), offline=offline, mirrors=mirrors
        )

    def each(
        self, settings: list[SourceSetting], work: Callable[[SourceSetting], T]
    ) -> tuple[list[T], list[Fault]]:
        """Do something with each: what came of it, and the faults, both in their order."""
        from concurrent.futures import ThreadPoolExecutor

        def one(setting: SourceSetting) -> T | Fault:
            try:
                return work(setting)
            except (HybridError, OSError) as error:
                return self._fault(setting, error)
            finally:
                self._events.put((setting.name, ""))

        with ThreadPoolExecutor(max_workers=_AT_A_TIME) as pool:
            try:
                futures = [pool.submit(one, setting) for setting in settings]
                self._show([setting.name for setting in settings])
            except BaseException:
                self.git.stop()
                raise
        outcomes = [future.result() for future in futures]
        faults = [outcome for outcome in outcomes if isinstance(outcome, Fault)]
        return [outcome for outcome in outcomes if not isinstance(outcome, Fault)], faults

    def _show(self, names: list[str]) -> None:
        """Show what comes until all have ended."""
        began = time.monotonic()
        running = set(names)
        while running:
            try:
                name, text = self._events.get(timeout=_TICK_S)
            except Empty:
                if self._monitor:
                    age = time.monotonic() - began
                    self._monitor.tick(dict.fromkeys(sorted(running), age))
                continue
            if not text:
                running.discard(name)
            elif self._monitor:
                self._monitor.line(name, text, "say")
        if self._monitor:
            self._monitor.tick({})

    def _fault(self, setting: SourceSetting, error: HybridError | OSError) -> Fault:
        hint = error.hint if isinstance(error, HybridError) else ""
        text = error.message if isinstance(error, HybridError) else str(error)
        file, line = self._space.root / SETTINGS_FILE, _line(self._space, setting.name)
        return Fault(f"{setting.name}: {text}", file=file, line=line, hint=hint)


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
