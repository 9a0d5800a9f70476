# SPDX-FileCopyrightText: The hybridcore.packer authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt):
# it is part of Ansible's own process, and imports its code.

"""A task whose module runs elsewhere: whatever ends Ansible ends the connection, and with it the module."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import threading
from collections.abc import Iterable, Iterator


@contextlib.contextmanager
def ended_with(watched: Iterable[int]) -> Iterator[None]:
    """End this worker and its connection when one of some processes ends while the block runs.

    Ansible's worker lives on where ansible-playbook was killed by SIGKILL, and waits for the module.

    Args:
        watched: ids of processes; 0, the parent of a container's first process, is passed over.
    """
    over, end = os.pipe()
    poll = select.poll()
    poll.register(over, select.POLLIN)
    pidfds = []
    for pid in filter(None, watched):
        try:
            pidfds.append(os.pidfd_open(pid))
        except ProcessLookupError:
            _end()
        poll.register(pidfds[-1], select.POLLIN)

    def wait() -> None:
        if over not in dict(poll.poll()):
            _end()

    waiting = threading.Thread(target=wait, daemon=True)
    waiting.start()
    try:
        yield
    finally:
        os.close(end)
        waiting.join()
        for descriptor in (over, *pidfds):
            os.close(descriptor)


def _end() -> None:
    """End what this process started, such as ssh, and then it, without a result: nobody waits for one."""
    for pid in _children(os.getpid()):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGKILL)


def _children(parent: int) -> list[int]:
    """The processes that a process started, by the fourth field of proc_pid_stat(5)."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit() and parent_of(int(name)) == parent]


def parent_of(pid: int) -> int:
    """The parent of a process; 0 when it has ended."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return int(file.read().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0
