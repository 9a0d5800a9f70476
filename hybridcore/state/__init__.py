"""What was built from what: ``state/packer-hybrid.json``, kept as a small database.

``read`` gives it, ``transaction`` changes it, ``write`` replaces it. Every write is checked against
the schema, done under a lock, and either happens whole or not at all. docs/state.md has the fields.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .codec import decode, is_sound
from .identity import interrupted, liveness, process_identity, targets_of, unfinished
from .place import durability_warning
from .schema import SCHEMA_VERSION, STATUSES, empty, timestamp
from .store import Transaction, read_content, save, state_lock

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..workspace import Workspace
    from .repairing import Repair
    from .types import State

__all__ = [
    "SCHEMA_VERSION",
    "STATUSES",
    "durability_warning",
    "empty",
    "interrupted",
    "liveness",
    "peek",
    "process_identity",
    "read",
    "repair",
    "targets_of",
    "timestamp",
    "transaction",
    "unfinished",
    "write",
]


def read(*, workspace: Workspace | None = None) -> State:
    """Read the state. Takes no lock: what is read is one whole version.

    Args:
        workspace: whose state; the one that is found when not given.

    Returns:
        The state, of the present schema version, with every section; an empty one when nothing was
        written yet.

    Raises:
        StateError: it is damaged, not readable, or of a newer version.
    """
    file = _resolve(workspace).state_file
    content = read_content(file)
    return empty() if content is None else decode(content, file=file)


def peek(*, workspace: Workspace | None = None) -> State:
    """Read the state for a look at a few images; takes no lock.

    A text that is as it was when it was checked and written is not checked again, and of its images those are
    parsed that are looked at: the cost does not grow with their number.

    Args:
        workspace: whose state; the one that is found when not given.

    Returns:
        As ``read`` gives it; ``images`` is a mapping, but no ``dict``.

    Raises:
        StateError: what ``read`` raises.
    """
    file = _resolve(workspace).state_file
    content = read_content(file)
    return empty() if content is None else decode(content, file=file, lazy=is_sound(content))


def write(data: State, *, workspace: Workspace | None = None) -> None:
    """Replace the state; public interface.

    To change it use ``transaction``, which also sees to what others wrote.

    Args:
        data: the whole state; its ``updated_at`` is not looked at, and of ``history`` the newest
            runs are kept, as many as ``[state] history`` says.
        workspace: whose state; the one that is found when not given.

    Raises:
        StateError: ``data`` does not fit the schema (has faults), what is there is damaged or of a
            newer version and so not overwritten, or it cannot be written. The old state is intact.
        LockError: somebody else held the lock for too long.
    """
    workspace = _resolve(workspace)
    lock = state_lock(workspace, command="state.write")
    lock.acquire()
    try:
        before = read_content(workspace.state_file)
        sound = before is not None and is_sound(before)
        if before is not None and not sound:
            decode(before, file=workspace.state_file)  # raises where it is damaged or newer
        save(data, before=before, sound=sound, workspace=workspace, always=True)
    finally:
        lock.release()


def transaction(
    *,
    workspace: Workspace | None = None,
    command: str = "",
    timeout: float | None = None,
    on_wait: Callable[[str], None] | None = None,
) -> Transaction:
    """Change the state: ``with state.transaction() as data: data["plugins"]["qemu"] = "1.0.9"``.

    The lock is held from reading to writing, so no change of anybody is lost. When the block raises,
    nothing is written; when it changed nothing, neither.

    Args:
        workspace: whose state; the one that is found when not given.
        command: what is being done, shown to those who wait.
        timeout: seconds to wait for the lock; ``[state] lock_timeout`` when not given.
        on_wait: gets a sentence that says who holds the lock, once, when the wait is noticeable;
            when not given it is a warning of the logger ``hybridcore.state``.

    Returns:
        A context manager that gives the state as a dict.

    Raises:
        StateError: on entering, what ``read`` raises; on leaving, what ``write`` raises.
        LockError: on entering, somebody else held the lock for too long.
    """
    return Transaction(_resolve(workspace), command, timeout, on_wait)


def repair(*, workspace: Workspace | None = None, timeout: float | None = None) -> Repair:
    """Mend a damaged state; does nothing when it is sound.

    The damaged file stays beside the state under another name, the last good copy takes its place,
    and what that loses is said.

    Args:
        workspace: whose state; the one that is found when not given.
        timeout: seconds to wait for the lock; ``[state] lock_timeout`` when not given.

    Returns:
        What was done.

    Raises:
        StateError: the state is of a newer version, or a file could not be read, kept or written.
        LockError: somebody else held the lock for too long.
    """
    from .repairing import repair as mend

    return mend(_resolve(workspace), timeout=timeout)


def _resolve(workspace: Workspace | None) -> Workspace:
    if workspace is not None:
        return workspace  # so that `workspace`, which reads settings, is imported only where it is needed
    from ..workspace import find

    return find()
