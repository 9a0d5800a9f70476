"""Signals that were ignored when the tests were started, as `nohup` and `&` in a script have it."""

from __future__ import annotations

import signal
from collections.abc import Iterable
from pathlib import Path

# What tests send to the programs that they start.
NEEDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def ignored_of(pid: int) -> set[int]:
    """The signals among those that tests need that a process ignores: the bits of `SigIgn` in proc(5)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (mask,) = [int(line.split()[1], 16) for line in lines if line.startswith("SigIgn:")]
    return {int(number) for number in NEEDED if mask & 1 << number - 1}


def let_children_hear(numbers: Iterable[int]) -> None:
    """Have what we start hear these signals, while we go on as if they were ignored.

    A program inherits what is ignored, but not a handler: it starts with the default in its place.
    """
    for number in numbers:
        signal.signal(number, lambda *_: None)
