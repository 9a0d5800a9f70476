"""Working on several repositories below ``sources/`` at a time: alone there, and seen by the caller."""

from __future__ import annotations

import os
import shutil
import time
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

from ..errors import Fault, HybridError, SourcesError
from . import unfinished
from .git import Git
from .runner import NO_MIRRORS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path
    from typing import TypeVar

    from ..monitor import Monitor
    from ..source_settings import SourceSetting
    from ..workspace import Workspace
    from .records import Asked

    T = TypeVar("T")

# Network latency, not processor time, is what most of them wait for.
_AT_A_TIME = 8
_TICK_S = 0.5


@contextmanager
def working(
    asked: Asked, monitor: Monitor | None, mirrors: Mapping[str, Path] = NO_MIRRORS
) -> Iterator[Work]:
    """Work below ``sources/``: alone, unless it is a check, which writes nothing.

    Args:
        asked: what was asked for.
        monitor: who sees it.
        mirrors: as for ``Work``.

    Raises:
        SourcesError: there is no git, or ``sources/`` cannot be used.
        LockError: another sync runs in this workspace, and the time to wait for it is over.
    """
    home = asked.space.sources
    _check_home(asked.space)
    if asked.check:
        yield Work(asked.space, monitor, offline=asked.offline, mirrors=mirrors)
        return
    try:
        home.mkdir(exist_ok=True)
        with _locked(asked.space, monitor):
            mark = unfinished.mark(home)
            yield Work(asked.space, monitor, mark, offline=asked.offline, mirrors=mirrors)
    except OSError as error:
        raise SourcesError(f"cannot work in {home}: {error.strerror}") from error


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


class Work:
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
                return self._space.entry_fault("sources", setting.name, error)
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
