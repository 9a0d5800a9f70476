"""How many files this process, and the supervisor that it starts, may have open."""

from __future__ import annotations

import os
import resource
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# Descriptors that a running program takes: in this process its pipe, its lock and its log, in the supervisor
# its pipe, its lock and its pidfd. The spare ones are for all else that is open, such as the few more that a
# program takes while it is being started.
_EACH = 3
_SPARE = 64


@contextmanager
def room_for(programs: int) -> Iterator[int]:
    """Raise the soft limit of open files for as long as so many programs may run at a time.

    What is started meanwhile inherits the limit. The hard limit stays; see getrlimit(2).

    Args:
        programs: how many.

    Yields:
        How many there is room for: as many, or fewer where the hard limit is too low, at least 1.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    others = len(os.listdir("/proc/self/fd")) + _SPARE
    needed = others + programs * _EACH
    if soft == resource.RLIM_INFINITY or soft >= needed:
        yield programs
        return
    raised = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, raised), hard))
    try:
        yield max(1, min(programs, (raised - others) // _EACH))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
