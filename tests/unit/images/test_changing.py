"""Channels, revocations, labels and holds: what a change does, and what it refuses."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest

from hybridcore import images, state
from hybridcore.errors import ImagesError
from hybridcore.images import events, records
from hybridcore.images.changing import Change, assign
from hybridcore.images.names import Image, Place, Reference, parse
from tests.support.images import BASE, WEB, Shelf
from tests.support.workspaces import WorkspaceFolder

FUTURE = "2099-01-01T00:00:00.000Z"


def promote(shelf: Shelf, number: int, channel: str = "stable", **more: Any) -> Change:
    return assign(Reference(WEB, number), channel, workspace=shelf.workspace, **more)


def revoke(shelf: Shelf, text: str, **more: Any) -> Change:
    return images.revoke(parse(text), workspace=shelf.workspace, **{"reason": "bad kernel", **more})


def restore(shelf: Shelf, text: str) -> Change:
    return images.restore(parse(text), workspace=shelf.workspace)


def stable(shelf: Shelf) -> int | None:
    return shelf.known().channel(WEB, "stable")


def told(shelf: Shelf) -> list[tuple[str, int | None]]:
    lines = events.path(shelf.workspace).read_text().splitlines()
    return [(one["event"], one["version"]) for one in map(json.loads, lines)]


@pytest.fixture
def three(shelf: Shelf) -> Shelf:
    for _ in range(3):
        shelf.build()
    return shelf


def test_a_channel_names_what_was_promoted_and_its_history_says_who_and_why(three: Shelf) -> None:
    change = promote(three, 1, reason="tests passed")
    assert (change.changed, change.version, stable(three)) == (True, 1, 1)
    assert [one.to_dict() for one in change.moved] == [
        {"image": str(WEB), "channel": "stable", "before": None, "after": 1, "reason": "tests passed"}
    ]
    promote(three, 3)
    first, second = three.known().history(WEB, "stable")
    assert (first["how"], first["version"], first["reason"]) == ("promoted", 1, "tests passed")
    assert first["by"] == second["by"] == events.who()
    assert told(three) == [("promoted", 1), ("promoted", 3)]


def test_the_same_again_changes_nothing(three: Shelf) -> None:
    promote(three, 1)
    before = three.workspace.state_file.read_bytes()
    assert not promote(three, 1).changed
    assert three.workspace.state_file.read_bytes() == before


def test_a_check_changes_nothing_and_says_what_it_would(three: Shelf) -> None:
    promote(three, 1)
    promote(three, 2)
    before = three.workspace.state_file.read_bytes()
    assert promote(three, 3, check=True).moved[0].after == 3
    assert images.rollback(WEB, "stable", workspace=three.workspace, check=True).moved[0].after == 1
    assert revoke(three, f"{WEB}@2", check=True).moved[0].after == 1
    assert three.workspace.state_file.read_bytes() == before
    assert told(three) == [("promoted", 1), ("promoted", 2)]


def test_what_must_not_be_used_is_not_promoted(three: Shelf) -> None:
    three.build(complete=False)
    revoke(three, f"{WEB}@1")
    with pytest.raises(ImagesError, match="cannot be promoted") as caught:
        promote(three, 1)
    assert "bad kernel" in caught.value.faults[0].message
    with pytest.raises(ImagesError) as caught:
        promote(three, 4)
    assert "incomplete" in caught.value.faults[0].message
    with pytest.raises(ImagesError, match="has no version 9"):
        promote(three, 9)
    assert "stable" not in three.known().channels(WEB)


def test_a_channel_can_demand_more(make_workspace: Callable[..., WorkspaceFolder]) -> None:
    space = make_workspace()
    space.settings('[channels.stable]\nchecks = true\nattestation = true\nmin_age = "3d"\n')
    shelf = Shelf(space.open())
    shelf.build()
    with pytest.raises(ImagesError) as caught:
        promote(shelf, 1)
    assert [fault.message.partition(" demands ")[2][:6] for fault in caught.value.faults] == [
        "an age",
        "an att",
        "checks",
    ]
    assert promote(shelf, 1, "edge").changed


def test_a_rollback_goes_back_step_by_step_and_no_further(three: Shelf) -> None:
    for number in (1, 2, 3):
        promote(three, number)
    for number in (2, 1):
        assert images.rollback(WEB, "stable", workspace=three.workspace).version == number
        assert stable(three) == number
    with pytest.raises(ImagesError, match="cannot go back"):
        images.rollback(WEB, "stable", workspace=three.workspace)
    with pytest.raises(ImagesError, match="has no channel 'edge'"):
        images.rollback(WEB, "edge", workspace=three.workspace)
    with pytest.raises(ImagesError, match="managed"):
        images.rollback(WEB, "latest", workspace=three.workspace)


def test_revoking_what_a_channel_names_rolls_it_back_in_its_own_history_and_says_so(three: Shelf) -> None:
    promote(three, 1)
    promote(three, 3)
    change = revoke(three, f"{WEB}@3")
    assert [(one.before, one.after) for one in change.moved] == [(3, 1)]  # not 2: it was never named
    assert (stable(three), three.known().latest(WEB)) == (1, 2)
    assert three.known().history(WEB, "stable")[-1]["how"] == "revoked"
    assert three.latest() == three.known().record(WEB, 2)["run"]
    assert told(three)[-2:] == [("revoked", 3), ("rolled_back", 1)]


def test_restoring_moves_no_channel(three: Shelf) -> None:
    promote(three, 1)
    promote(three, 3)
    revoke(three, f"{WEB}@3")
    change = restore(three, f"{WEB}@3")
    assert (change.changed, change.moved, stable(three)) == (True, (), 1)
    assert three.known().revoked(WEB, 3) is None
    assert three.known().latest(WEB) == 3
    assert three.latest() == three.known().record(WEB, 3)["run"]
    assert not restore(three, f"{WEB}@3").changed


def test_a_channel_whose_every_version_is_revoked_names_none(three: Shelf) -> None:
    promote(three, 1)
    revoke(three, f"{WEB}@1")
    assert stable(three) is None
    restore(three, f"{WEB}@1")
    assert stable(three) is None
    with pytest.raises(ImagesError, match="names no version"):
        three.known().resolve(parse(f"{WEB}@stable"))
    assert promote(three, 1).changed
    assert stable(three) == 1


def test_channels_of_what_descends_roll_back_too(shelf: Shelf) -> None:
    for _ in range(2):
        shelf.build(BASE)
    for number in (2, 1):
        shelf.build(WEB, parent=f"{BASE}@{number}")
        promote(shelf, 3 - number)
    change = revoke(shelf, f"{BASE}@1")
    assert [(one.image, one.before, one.after) for one in change.moved] == [(WEB, 2, 1)]
    assert f"with it {WEB}@2" in change.said
    with pytest.raises(ImagesError, match="is revoked with dev:linux/qemu/base@1") as caught:
        restore(shelf, f"{WEB}@2")
    assert "restore dev:linux/qemu/base@1" in caught.value.hint


def test_a_revocation_of_later_is_written_down_before_it_is_taken_back(
    three: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    promote(three, 1)
    promote(three, 2)
    change = revoke(three, f"{WEB}@2", at=FUTURE)
    assert (change.moved, stable(three)) == ((), 2)
    later = "2099-06-01T00:00:00.000Z"
    assert three.known(later).channel(WEB, "stable") == 1
    monkeypatch.setattr(state, "timestamp", lambda *_: later)
    change = restore(three, f"{WEB}@2")
    assert [(one.before, one.after) for one in change.moved] == [(2, 1)]
    assert stable(three) == 1


def test_revoking_again_changes_nothing_and_sooner_does(three: Shelf) -> None:
    revoke(three, f"{WEB}@2", at=FUTURE)
    assert not revoke(three, f"{WEB}@2", at=FUTURE).changed
    assert revoke(three, f"{WEB}@2").changed
    assert not revoke(three, f"{WEB}@2", reason="another word").changed
    assert revoke(three, f"{WEB}@2", only_this=True).changed


def test_a_version_must_be_named(three: Shelf) -> None:
    with pytest.raises(ImagesError, match="names no version") as caught:
        revoke(three, str(WEB))
    assert caught.value.hint == f"say which one, as in {WEB}@3"


def test_two_promotions_at_once_are_both_in_the_history(three: Shelf) -> None:
    threads = [threading.Thread(target=promote, args=(three, number)) for number in (1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    history = three.known().history(WEB, "stable")
    assert sorted(one["version"] or 0 for one in history) == [1, 2, 3]
    assert stable(three) == history[-1]["version"]


def test_a_damaged_record_elsewhere_does_not_stop_a_revocation(three: Shelf) -> None:
    other = Image("dev", "linux/qemu/other")
    three.build(other)
    assign(Reference(other, 1), "stable", workspace=three.workspace)
    records.path(three.workspace, other, 1).unlink()
    assert revoke(three, f"{WEB}@1").changed
    assert three.known().history(other, "stable")[-1]["version"] == 1


def test_labels_are_set_and_removed(three: Shelf) -> None:
    where, which = three.workspace, Reference(WEB, 2)
    change = images.label(which, workspace=where, labels={"owner": "web", "os": "12"})
    assert (change.before, change.after) == ({}, {"owner": "web", "os": "12"})
    assert not images.label(which, workspace=where, labels={"os": "12"}).changed
    images.label(which, workspace=where, labels={}, removed=["os"])
    assert three.known().labels(WEB, 2) == {"owner": "web"}
    assert three.known().labels(WEB, 1) == {}


def test_a_version_is_held_and_let_go(three: Shelf) -> None:
    where, which = three.workspace, Reference(WEB, 1)
    assert images.hold(which, workspace=where, reason="audit").changed
    assert not images.hold(which, workspace=where, reason="audit").changed
    images.retire([], workspace=where)
    assert three.known().numbers(WEB) == [3, 2, 1]
    assert images.hold(which, workspace=where, release=True).changed
    assert not images.hold(which, workspace=where, release=True).changed
    images.retire([], workspace=where)
    assert three.known().numbers(WEB) == [3, 2]
    with pytest.raises(ImagesError, match="was retired"):
        images.hold(which, workspace=where)


def test_a_place_in_the_same_environment_needs_a_channel(three: Shelf) -> None:
    with pytest.raises(ImagesError, match="is in the environment dev already"):
        images.promote(Reference(WEB, 1), Place("dev"), workspace=three.workspace)
