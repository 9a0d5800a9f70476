"""What follows from the state and the records: what is revoked, what is good, what a channel names."""

from __future__ import annotations

from typing import Any

import pytest

from hybridcore import state
from hybridcore.errors import ImagesError
from hybridcore.images import records
from hybridcore.images.names import Image, parse
from hybridcore.images.versions import point_at
from tests.support.images import BASE, PROD, WEB, Shelf

APP = Image("dev", "linux/qemu/app")
EARLY, LATE = "2026-01-01T00:00:00.000Z", "2099-01-01T00:00:00.000Z"


def revoke(shelf: Shelf, image: Image, number: int, **more: Any) -> None:
    with state.transaction(workspace=shelf.workspace) as data:
        entry = data["images"][image.key]
        word = {"recorded_at": EARLY, "reason": "bad kernel", "by": "root", **more}
        entry["revoked"] = {**(entry.get("revoked") or {}), str(number): word}  # type: ignore[dict-item]


@pytest.fixture
def family(shelf: Shelf) -> Shelf:
    """base@1 <- web@1 <- app@1, and base@2 <- web@2."""
    for _ in range(2):
        shelf.build(BASE)
    shelf.build(WEB, parent=f"{BASE}@1")
    shelf.build(WEB, parent=f"{BASE}@2")
    shelf.build(APP, parent=f"{WEB}@1")
    return shelf


def test_what_descends_from_a_revoked_version_is_revoked(family: Shelf) -> None:
    revoke(family, BASE, 1)
    known = family.known()
    for image in (WEB, APP):
        found = known.revoked(image, 1)
        assert found is not None
        assert found.to_dict() == {
            "at": EARLY,
            "recorded_at": EARLY,
            "reason": "bad kernel",
            "by": "root",
            "only_this": False,
            "inherited_from": f"{BASE}@1",
        }
    assert known.revoked(WEB, 2) is None
    own = known.revoked(BASE, 1)
    assert own is not None
    assert own.inherited_from is None


def test_only_this_spares_what_descends(family: Shelf) -> None:
    revoke(family, BASE, 1, only_this=True)
    assert family.known().revoked(BASE, 1)
    assert family.known().revoked(WEB, 1) is None


def test_an_own_revocation_counts_before_an_inherited_one(family: Shelf) -> None:
    revoke(family, BASE, 1)
    revoke(family, WEB, 1, reason="of its own")
    found = family.known().revoked(WEB, 1)
    assert found is not None
    assert (found.reason, found.inherited_from) == ("of its own", None)
    below = family.known().revoked(APP, 1)
    assert below is not None
    assert below.inherited_from == f"{WEB}@1"


def test_a_revocation_can_have_a_time(family: Shelf) -> None:
    revoke(family, BASE, 1, at="2026-06-01T00:00:00.000Z")
    before, after = (family.known(f"2026-{month}-01T00:00:00.000Z") for month in ("05", "07"))
    assert before.revoked(WEB, 1) is None
    announced = before.revocation(WEB, 1)
    assert announced is not None
    assert not announced.due
    assert after.revoked(WEB, 1) is not None


def test_a_clock_that_goes_back_does_not_undo_a_revocation(family: Shelf) -> None:
    revoke(family, BASE, 1, recorded_at=LATE)
    assert family.known(EARLY).revoked(BASE, 1)


def test_latest_is_the_newest_that_is_complete_and_not_revoked(shelf: Shelf) -> None:
    for complete in (True, True, False):
        shelf.build(complete=complete)
    assert shelf.known().latest(WEB) == 2
    revoke(shelf, WEB, 2)
    assert shelf.known().latest(WEB) == 1
    revoke(shelf, WEB, 1)
    assert shelf.known().latest(WEB) is None
    with pytest.raises(ImagesError, match="'latest' of dev:linux/qemu/web names no version that can be used"):
        shelf.known().resolve(parse(str(WEB)))


def test_a_reference_is_resolved(shelf: Shelf) -> None:
    shelf.build()
    shelf.build()
    with state.transaction(workspace=shelf.workspace) as data:
        data["images"][WEB.key]["channels"] = {"stable": [{"how": "promoted", "at": EARLY, "version": 1}]}
    known = shelf.known()
    for text, number in (("", 2), ("@latest", 2), ("@1", 1), ("@stable", 1)):
        assert known.resolve(parse(f"{WEB}{text}")) == number
    assert known.channels(WEB) == {"latest": 2, "stable": 1}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{WEB}@3", "has no version 3"),
        (f"{WEB}@edge", "has no channel 'edge'"),
        ("prod:linux/qemu/web", "there is no image prod:linux/qemu/web"),
        ("dev:linux/qemu/other@1", "there is no image"),
    ],
)
def test_what_is_not_there_is_one_clear_error(shelf: Shelf, text: str, said: str) -> None:
    shelf.build()
    shelf.build()
    with pytest.raises(ImagesError, match=said) as caught:
        shelf.known().resolve(parse(text))
    assert caught.value.hint


def test_descendants_are_found_through_all_generations(family: Shelf) -> None:
    known = family.known()
    assert known.children(BASE) == [WEB]
    assert known.descendants(BASE, 1) == [(WEB, 1), (APP, 1)]
    assert known.descendants(BASE, 2) == [(WEB, 2)]
    assert known.descendants(APP, 1) == []


def test_a_version_that_was_promoted_descends_from_where_it_came(shelf: Shelf) -> None:
    shelf.build()
    with state.transaction(workspace=shelf.workspace) as data:
        record = shelf.record(PROD)
        record = {
            **record,
            "version": 1,
            "origin": {"environment": "dev", "target": WEB.target, "version": 1},
        }
        records.write(shelf.workspace, PROD, record)
        point_at(data, PROD, record)
    revoke(shelf, WEB, 1)
    found = shelf.known().revoked(PROD, 1)
    assert found is not None
    assert found.inherited_from == f"{WEB}@1"


def test_versions_that_name_each_other_do_not_go_round_for_ever(shelf: Shelf) -> None:
    shelf.build(BASE, parent=f"{WEB}@1")
    shelf.build(WEB, parent=f"{BASE}@1")
    assert shelf.known().revoked(WEB, 1) is None
    revoke(shelf, BASE, 1)
    assert shelf.known().revoked(WEB, 1)


def test_a_parent_that_was_forgotten_revokes_nothing(shelf: Shelf) -> None:
    shelf.build(WEB, parent=f"{BASE}@1")
    assert shelf.known().is_good(WEB, 1)


def test_retired_numbers_are_not_there_and_their_records_are(shelf: Shelf) -> None:
    for _ in range(3):
        shelf.build()
    with state.transaction(workspace=shelf.workspace) as data:
        data["images"][WEB.key]["retired"] = [[1, 2]]
    known = shelf.known()
    assert known.numbers(WEB) == [3]
    assert (known.is_there(WEB, 2), known.is_good(WEB, 2)) == (False, False)
    assert known.record(WEB, 2)["version"] == 2
