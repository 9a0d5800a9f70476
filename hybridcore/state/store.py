"""Reading, changing and writing the state, under its lock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import StateError
from . import schema
from .codec import decode, encode, is_sound
from .durable import COPY_SUFFIX, make_folder, read_file, replace
from .lock import Lock
from .place import durability_warning

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    from ..workspace import Workspace
    from .types import State

LOCK_NAME = "packer-hybrid.lock"
# The logger of warnings: a state that will not outlive its container, a wait for the lock.
LOGGER = "hybridcore.state"

_warned: set[Path] = set()  # workspaces about which this process has already warned


def read_content(file: Path) -> bytes | None:
    """The text of the state; ``None`` when nothing was written yet.

    Raises:
        StateError: it cannot be read, or it is gone although its last good copy is there.
    """
    content = read_file(file)
    if content is None and file.with_name(file.name + COPY_SUFFIX).exists():
        raise StateError(
            "the state is gone, but its last good copy is there",
            file=file,
            hint="packer-hybrid state repair restores the copy; to begin anew remove the copy too",
        )
    return content


def state_lock(
    workspace: Workspace,
    *,
    command: str,
    timeout: float | None = None,
    on_wait: Callable[[str], None] | None = None,
) -> Lock:
    """The lock of a workspace's state, not taken yet; its folder is made where it is missing."""
    folder = workspace.state_dir
    make_folder(folder)
    return Lock(
        folder / LOCK_NAME,
        command=command,
        timeout=workspace.settings.lock_timeout if timeout is None else timeout,
        on_wait=on_wait or _warn,
    )


def save(data: State, *, before: bytes | None, sound: bool, workspace: Workspace, always: bool) -> None:
    """Check a state and write it; the caller holds the lock.

    Args:
        data: the state.
        before: the text that is there now, known to be good; ``None`` when there is none.
        sound: whether ``before`` is as it was when it was checked and written.
        workspace: whose state.
        always: write also when nothing changed.

    Raises:
        StateError: it does not fit the schema, or cannot be written.
    """
    file = workspace.state_file
    if before is None and not always and data == schema.empty():
        return
    history = workspace.settings.history
    known = before if sound else None
    content = encode(data, file=file, history=history, before=known, always=always)
    if content is None:
        return
    if workspace.root not in _warned:
        _warned.add(workspace.root)
        warning = durability_warning(workspace)
        if warning:
            _warn(warning)
    replace(file, content, keep_copy=before is not None)


class Transaction:
    """See ``state.transaction``."""

    def __init__(
        self,
        workspace: Workspace,
        command: str,
        timeout: float | None,
        on_wait: Callable[[str], None] | None,
    ) -> None:
        self._workspace = workspace
        self._lock = state_lock(workspace, command=command, timeout=timeout, on_wait=on_wait)
        self._before: bytes | None = None
        self._sound = False
        self._data: State

    def __enter__(self) -> State:
        self._lock.acquire()
        try:
            file = self._workspace.state_file
            self._before = read_content(file)
            if self._before is None:
                self._data = schema.empty()
            else:
                self._sound = is_sound(self._before)
                self._data = decode(self._before, file=file, lazy=self._sound)
        except BaseException:
            self._lock.release()
            raise
        return self._data

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                save(
                    self._data,
                    before=self._before,
                    sound=self._sound,
                    workspace=self._workspace,
                    always=False,
                )
        finally:
            self._lock.release()


def _warn(sentence: str) -> None:
    import logging

    logging.getLogger(LOGGER).warning("%s", sentence)
