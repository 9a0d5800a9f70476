"""Which versions stay and which go, and what is said of each."""

from __future__ import annotations

from datetime import datetime

import pytest

from hybridcore.images.retention import Rules, Version, decide

NOW = datetime.fromisoformat("2026-11-24T00:00:00Z").timestamp()


def version(number: int, *, day: int = 20, good: bool = True, wanted: str = "") -> Version:
    built = f"2026-{'11' if day > 0 else '08'}-{abs(day) or 1:02}T00:00:00.000Z"
    return Version(number, built, good, (wanted,) if wanted else ())


def stay(versions: list[Version], rules: Rules) -> list[int]:
    return sorted(one.number for one in decide(versions, rules, now=NOW) if one.stays)


SIX = [version(number) for number in range(1, 7)]


@pytest.mark.parametrize(
    ("keep", "kept"), [(1, [6]), (2, [5, 6]), (9, [1, 2, 3, 4, 5, 6]), (0, [1, 2, 3, 4, 5, 6])]
)
def test_the_newest_good_ones_stay(keep: int, kept: list[int]) -> None:
    assert stay(SIX, Rules(keep=keep)) == kept


def test_what_is_wanted_stays_and_takes_no_place_from_others() -> None:
    versions = [version(1, wanted="the channel stable names it"), *SIX[1:]]
    decisions = decide(versions, Rules(keep=2), now=NOW)
    assert [(one.number, one.reason) for one in decisions if one.stays] == [
        (6, "it is the last good one"),
        (5, "it is one of the newest 2 good ones"),
        (1, "the channel stable names it"),
    ]
    assert {one.reason for one in decisions if not one.stays} == {"it is not one of the newest 2 good ones"}


def test_a_bad_version_drives_out_no_good_one_and_stays_to_be_looked_at() -> None:
    versions = [version(1), version(2), version(3, good=False), version(4, good=False)]
    assert stay(versions, Rules(keep=2)) == [1, 2, 3, 4]


def test_bad_versions_do_not_pile_up() -> None:
    versions = [version(1), *(version(number, good=False) for number in range(2, 9))]
    assert stay(versions, Rules(keep=2)) == [1, 7, 8]


def test_a_bad_version_goes_with_the_good_ones_of_its_time() -> None:
    versions = [version(1, good=False), version(2), version(3), version(4)]
    decisions = decide(versions, Rules(keep=2), now=NOW)
    assert [one.number for one in decisions if one.stays] == [4, 3]
    assert decisions[-1].reason == "it is not good, and older than the good ones that stay"


def test_what_is_too_old_goes_but_the_last_good_one() -> None:
    rules = Rules(keep=0, max_age="30d", max_age_s=30 * 86400)
    assert stay([version(1, day=-1), version(2, day=-2), version(3)], rules) == [3]
    assert stay([version(1, day=-1), version(2, day=-2)], rules) == [2]
    decisions = decide([version(1, day=-1), version(2)], rules, now=NOW)
    assert decisions[1].reason == "it is older than 30d"


def test_a_clock_that_went_back_makes_nothing_old() -> None:
    future = Version(1, "2027-01-01T00:00:00.000Z", True)
    rules = Rules(keep=0, max_age="1s", max_age_s=1)
    assert stay([future, Version(2, "2027-01-02T00:00:00.000Z", True)], rules) == [1, 2]


def test_each_decision_has_a_reason() -> None:
    for rules in (Rules(keep=0), Rules(keep=0, max_age="90d", max_age_s=90 * 86400), Rules(keep=3)):
        decisions = decide(SIX, rules, now=NOW)
        assert [one.number for one in decisions] == [6, 5, 4, 3, 2, 1]
        assert all(one.reason for one in decisions)
    assert decide(SIX, Rules(keep=0), now=NOW)[-1].reason == "no rule limits how many stay"
