"""What a channel names: computed from the history of its assignments, and from what is good now.

A history is a list of assignments, the newest last, as the state keeps it. Whatever moved a channel back
took it to a version that it had named before, so the history reads as a stack: a promotion lays a version
on it, a way back takes off what lies above.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..state.types import AssignmentEntry

MOST = 100
"""Assignments of a channel that are remembered; ``state/events.jsonl`` has more."""

PROMOTED = "promoted"
ROLLED_BACK = "rolled_back"
REVOKED = "revoked"
"""How a channel came to its version: by hand, back by hand, or back since a version was revoked."""


def stack(history: Sequence[AssignmentEntry]) -> list[int]:
    """The versions that a channel would go back through, the present one last; each stands there once."""
    found: list[int] = []
    for one in history:
        version = one.get("version")
        if version is None:
            found = []
        elif one["how"] == PROMOTED:
            found = [*(other for other in found if other != version), version]
        else:
            found = found[: found.index(version) + 1] if version in found else [version]
    return found


def current(history: Sequence[AssignmentEntry], is_good: Callable[[int], bool]) -> int | None:
    """The version that a channel names now.

    Args:
        history: its assignments.
        is_good: whether a version is there, complete and not revoked.

    Returns:
        The newest good version of its own history, from the present one back; None when there is none.
    """
    return next(filter(is_good, reversed(stack(history))), None)


def before(history: Sequence[AssignmentEntry], is_good: Callable[[int], bool]) -> int | None:
    """The version that a channel goes back to; None when its history has no other good one."""
    now = current(history, is_good)
    below = stack(history)
    below = below[: below.index(now)] if now is not None else []
    return next(filter(is_good, reversed(below)), None)


def assigned(history: Sequence[AssignmentEntry], assignment: AssignmentEntry) -> list[AssignmentEntry]:
    """A history with one more assignment; the oldest ones go where there are too many."""
    return [*history, assignment][-MOST:]
