"""Which process is which, also after its number was given to another, or the machine was started anew."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .types import ProcessEntry, RunningEntry, RunningTargetEntry, State


def process_identity(pid: int | None = None) -> ProcessEntry:
    """What tells a process from every other one.

    Args:
        pid: the process; this one when not given.

    Returns:
        ``pid``, ``host``, ``boot_id`` (of the kernel) and ``pid_start_time`` (clock ticks from boot to
        its start; ``None`` when there is no such process), as an entry of ``running`` has them.
    """
    number = os.getpid() if pid is None else pid
    return {
        "pid": number,
        "host": os.uname().nodename,
        "boot_id": _boot_id(),
        "pid_start_time": _start_time(number),
    }


def liveness(entry: ProcessEntry) -> str:
    """Whether the process of an entry of ``running`` still lives.

    Args:
        entry: ``pid``, ``host``, ``boot_id`` and ``pid_start_time``.

    Returns:
        ``alive``, ``gone``, or ``unknown``: it ran on another host, or in another container.
    """
    if entry.get("host") != os.uname().nodename:
        return "unknown"
    if entry.get("boot_id") and entry["boot_id"] != _boot_id():
        return "gone"
    started = _start_time(entry["pid"])
    if started is None:
        return "gone"
    if entry.get("pid_start_time") is not None and entry["pid_start_time"] != started:
        return "gone"  # its number went to another process
    return "alive"


def interrupted(data: State) -> list[str]:
    """The runs that the state calls running although their process is gone.

    Args:
        data: the state.

    Returns:
        Their ids, oldest first.
    """
    running = data["running"]
    dead = [run for run, entry in running.items() if liveness(entry) == "gone"]
    return sorted(dead, key=lambda run: (str(running[run].get("started_at")), run))


def targets_of(entry: RunningEntry) -> Mapping[str, RunningTargetEntry]:
    """What an entry of ``running`` says of each of its targets."""
    return entry.get("targets") or {}


def unfinished(data: State, run_id: str) -> Mapping[str, RunningTargetEntry]:
    """The targets of a run that the state calls running whose end is not recorded yet.

    Args:
        data: the state.
        run_id: names the run.

    Returns:
        What the entry says of each of them.
    """
    entry = data["running"][run_id]

    def ended(target: str) -> bool:
        image = data["images"].get(f"{entry.get('environment')}/{target}")
        attempt = image.get("last_attempt") if image else None
        return attempt is not None and attempt["run"] == run_id

    return {target: facts for target, facts in targets_of(entry).items() if not ended(target)}


def _boot_id() -> str:
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""  # no /proc; pid and start time must do


def _start_time(pid: int) -> int | None:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            # proc(5): the name in parentheses may hold anything; after it, field 3 is the state
            # and field 22 the start time.
            fields = file.read().rpartition(b")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in (b"Z", b"X") else int(fields[19])
