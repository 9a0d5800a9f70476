"""The lock of a target, held by whoever brings files into its folder until what they are is recorded."""

from __future__ import annotations

import fcntl
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ..workspace import Workspace


def target_lock(workspace: Workspace, env: str, target: str) -> Path:
    """The lock file of a target, held until the result of its build is recorded; its folder is made."""
    folder = workspace.state_dir / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{env}@{target.replace('/', '@')}.lock"


@contextmanager
def try_lock(workspace: Workspace, env: str, target: str) -> Iterator[bool]:
    """Take the lock of a target, unless somebody has it, or it is another user's; whether it was taken."""
    with ExitStack() as stack:
        try:
            lock = stack.enter_context(open(target_lock(workspace, env, target), "ab"))
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
        else:
            yield True
