"""What the bench scripts share: run two things in turn, on the same machine, and print the row."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.support.commands import to_its_end


def in_turn(ours: Callable[[], None], theirs: Callable[[], None], *, rounds: int) -> tuple[float, float]:
    """Run both, one after the other, several times.

    Args:
        ours: what we measure.
        theirs: what we compare with.
        rounds: how often; in every second round the order is the other one.

    Returns:
        The median duration of each, in seconds.
    """
    times: dict[str, list[float]] = {"ours": [], "theirs": []}
    for number in range(rounds):
        pair = [("ours", ours), ("theirs", theirs)]
        for name, act in pair if number % 2 == 0 else reversed(pair):
            started = time.perf_counter()
            act()
            times[name].append(time.perf_counter() - started)
    return statistics.median(times["ours"]), statistics.median(times["theirs"])


def run_quietly(
    argv: Sequence[str | Path], *, cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> None:
    """Run a program that must succeed; what it said is shown only when it did not."""
    done = to_its_end(
        [str(part) for part in argv],
        cwd=cwd,
        env=None if env is None else dict(env),
        errors="replace",
    )
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, argv))} ended with {done.returncode}:\n{done.stdout[-4000:]}")


def compiled(env: Mapping[str, str]) -> dict[str, str]:
    """An environment in which Python keeps compiled files, as it does for a user."""
    return {name: value for name, value in env.items() if name != "PYTHONDONTWRITEBYTECODE"}


def emit(row: str, ours: float, theirs: float, budget: str) -> None:
    """Print the row; the ratio is ours divided by theirs."""
    line = {"row": row, "ours": ours, "theirs": theirs, "ratio": ours / theirs, "budget": budget}
    print(json.dumps(line), flush=True)
