"""What a channel names, from its history alone."""

from __future__ import annotations

import pytest

from hybridcore.images import channels
from hybridcore.state.types import AssignmentEntry

AT = "2026-11-22T05:25:08.123Z"


def history(*moves: str) -> list[AssignmentEntry]:
    """`+3` promotes version 3, `-2` goes back to it, `!2` too since one was revoked, `!` to none."""
    how = {"+": "promoted", "-": "rolled_back", "!": "revoked"}
    found: list[AssignmentEntry] = []
    for move in moves:
        one: AssignmentEntry = {"how": how[move[0]], "at": AT}
        if move[1:]:
            one["version"] = int(move[1:])
        found.append(one)
    return found


@pytest.mark.parametrize(
    ("moves", "stack"),
    [
        ((), []),
        (("+1", "+2", "+3"), [1, 2, 3]),
        (("+1", "+2", "+1"), [2, 1]),
        (("+1", "+2", "+3", "-2"), [1, 2]),
        (("+1", "+2", "+3", "-2", "-1"), [1]),
        (("+1", "+2", "-1", "+3"), [1, 3]),
        (("+1", "+2", "!1", "+4"), [1, 4]),
        (("+1", "!"), []),
        (("-5",), [5]),
    ],
)
def test_a_history_reads_as_a_stack(moves: tuple[str, ...], stack: list[int]) -> None:
    assert channels.stack(history(*moves)) == stack


@pytest.mark.parametrize(
    ("moves", "bad", "now", "back"),
    [
        (("+1", "+2", "+3"), (), 3, 2),
        (("+1", "+2", "+3"), (3,), 2, 1),
        (("+1", "+2", "+3"), (2, 3), 1, None),
        (("+1", "+2", "+3"), (1, 2, 3), None, None),
        (("+1", "+2", "+3", "-2"), (), 2, 1),
        (("+1",), (), 1, None),
        ((), (), None, None),
    ],
)
def test_a_channel_names_the_newest_good_version_of_its_own_history(
    moves: tuple[str, ...], bad: tuple[int, ...], now: int | None, back: int | None
) -> None:
    found = history(*moves)
    assert channels.current(found, lambda number: number not in bad) == now
    assert channels.before(found, lambda number: number not in bad) == back


def test_a_history_does_not_grow_for_ever() -> None:
    found: list[AssignmentEntry] = []
    for number in range(1, 301):
        found = channels.assigned(found, {"how": "promoted", "at": AT, "version": number})
    assert len(found) == channels.MOST
    assert channels.current(found, lambda _: True) == 300
    assert channels.before(found, lambda _: True) == 299
