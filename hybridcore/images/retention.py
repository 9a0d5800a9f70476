"""Which versions stay and which go, and why: rules without files and without the state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Rules:
    """How many versions of an image stay, and how old they get.

    Attributes:
        keep: the newest good ones that stay; 0 is no limit.
        max_age: an age as it was written, as in ``90d``, for people; empty is no limit.
        max_age_s: the same in seconds; 0 is no limit.
    """

    keep: int = 2
    max_age: str = ""
    max_age_s: int = 0


@dataclass(frozen=True)
class Version:
    """What the rules look at of one version.

    Attributes:
        number: its number.
        built_at: when it was built, RFC 3339; empty where nobody knows.
        good: complete and not revoked.
        wanted: what names it or stands on it, a few words each; no rule lets it go then.
    """

    number: int
    built_at: str
    good: bool
    wanted: tuple[str, ...] = ()


@dataclass(frozen=True)
class Decision:
    """Whether a version stays.

    Attributes:
        number: its number.
        stays: whether it does.
        reason: why it stays, or goes.
    """

    number: int
    stays: bool
    reason: str


def decide(versions: Sequence[Version], rules: Rules, *, now: float) -> list[Decision]:
    """Say for each version of an image whether it stays.

    What is wanted and the last good one stay whatever the rules say. Of the others those go that are older
    than ``max_age``, or that ``keep`` newer good ones have left behind. One that is not good never counts
    among those that ``keep`` lets stay, so that a bad build drives out no good one; it stays to be looked
    at while it is newer than these, as many as ``keep`` says.

    Args:
        versions: those that are there.
        rules: of the image.
        now: seconds since the epoch.

    Returns:
        One decision a version, the newest first.
    """
    newest_first = sorted(versions, key=lambda one: -one.number)
    good = [one.number for one in newest_first if one.good]
    bad = [one.number for one in newest_first if not one.good]
    oldest_kept = good[: rules.keep][-1] if rules.keep and len(good) >= rules.keep else 0
    return [_decide(one, rules, good, bad, oldest_kept, now) for one in newest_first]


def _decide(
    one: Version, rules: Rules, good: list[int], bad: list[int], oldest_kept: int, now: float
) -> Decision:
    if one.wanted:
        return Decision(one.number, True, "; ".join(one.wanted))
    if good and one.number == good[0]:
        return Decision(one.number, True, "it is the last good one")
    if rules.max_age_s and _age(one, now) > rules.max_age_s:
        return Decision(one.number, False, f"it is older than {rules.max_age}")
    kind = "good ones" if one.good else "ones that are not good"
    if rules.keep and one.number not in (good if one.good else bad)[: rules.keep]:
        return Decision(one.number, False, f"it is not one of the newest {rules.keep} {kind}")
    if one.number < oldest_kept:
        return Decision(one.number, False, "it is not good, and older than the good ones that stay")
    if rules.keep:
        return Decision(one.number, True, f"it is one of the newest {rules.keep} {kind}")
    young = f", and it is not older than {rules.max_age}" if rules.max_age_s else ""
    return Decision(one.number, True, f"no rule limits how many stay{young}")


def _age(one: Version, now: float) -> float:
    """Seconds since it was built; of one from the future, as after a clock that went back, none."""
    return max(0.0, now - datetime.fromisoformat(one.built_at).timestamp()) if one.built_at else 0.0
