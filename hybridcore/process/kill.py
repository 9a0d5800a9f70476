"""Ending what a program started, wherever it went: by its group, and by a mark in its environment."""

from __future__ import annotations

import os
import signal
import time

# Every process of a run carries its id in this variable.
RUN_MARK = "HYBRIDCORE_RUN"
_KILL_ROUNDS, _KILL_PAUSE_S = 100, 0.01


def kill_group(pgid: int) -> None:
    """Send SIGKILL to a process group, if there is one."""
    try:
        os.killpg(pgid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass


def marked(mark: str) -> list[int]:
    """Ids of the processes whose environment carries a mark: all that a build started, wherever they went.

    Args:
        mark: value of ``HYBRIDCORE_RUN``: ``<run>/<target>`` for one build, ``<run>`` for all of a run.
    """
    exact = f"{RUN_MARK}={mark}".encode()
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != os.getpid():
            try:
                with open(f"/proc/{name}/environ", "rb") as file:
                    names = file.read().split(b"\0")
                if any(entry == exact or entry.startswith(exact + b"/") for entry in names):
                    found.append(int(name))
            except OSError:
                continue  # it has ended, or is not ours
    return found


def kill_marked(mark: str) -> None:
    """Kill every process that carries a mark, also those that are started meanwhile, and see them gone.

    Gone means that they write no more: their folders can be removed then. A process that hangs in the
    kernel is left after a while.
    """
    for __ in range(_KILL_ROUNDS):
        found = marked(mark)
        if not found:
            return
        for pid in found:
            try:
                os.kill(pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                continue
        time.sleep(_KILL_PAUSE_S)
