"""How a good build becomes a version, and what the next writer makes of what a dead one left."""

from __future__ import annotations

import json
import shutil

import pytest

from hybridcore import state
from hybridcore.errors import ImagesError, StateError
from hybridcore.images import records, versions
from hybridcore.state.types import ImageEntry
from tests.support.images import PROD, WEB, Shelf


def settle(shelf: Shelf) -> int:
    with state.transaction(workspace=shelf.workspace) as data:
        return versions.settle(data, shelf.workspace, WEB)


def entry(shelf: Shelf) -> ImageEntry:
    return state.read(workspace=shelf.workspace)["images"][WEB.key]


def without_pointer(shelf: Shelf) -> None:
    """A record as a writer leaves it that is killed before the state names it."""
    number = shelf.known().newest(WEB) + 1 if WEB.key in shelf.known().data["images"] else 1
    with state.transaction(workspace=shelf.workspace):
        records.write(shelf.workspace, WEB, {**shelf.record(WEB), "version": number})


def test_good_builds_are_numbered_from_one_on_for_each_image(shelf: Shelf) -> None:
    assert [shelf.build(), shelf.build(), shelf.build(PROD), shelf.build()] == [1, 2, 1, 3]
    found = entry(shelf)
    assert (found["newest"], found["version"], found["run"]) == (3, 3, shelf.known().record(WEB, 3)["run"])


def test_the_record_says_what_the_image_was_made_of(shelf: Shelf) -> None:
    shelf.build()
    record = shelf.known().record(WEB, 1)
    assert record["packer"] == "1.9.4"
    assert record["plugins"] == {"github.com/hashicorp/qemu": "1.0.9"}
    assert record["sources"] == {"site": "0" * 40}
    assert record["artifacts"] == entry(shelf).get("artifacts")
    assert (record["checks"], record["contents"], record["attestation"]) == (None, None, None)


def test_a_record_without_a_pointer_is_adopted_where_its_files_are_there(shelf: Shelf) -> None:
    shelf.build()
    without_pointer(shelf)
    assert shelf.known().numbers(WEB) == [1]
    assert settle(shelf) == 1
    assert shelf.known().numbers(WEB) == [2, 1]
    assert entry(shelf)["run"] == shelf.known().record(WEB, 2)["run"]
    assert shelf.build() == 3


def test_a_record_without_a_pointer_is_removed_where_they_are_not(shelf: Shelf) -> None:
    shelf.build()
    without_pointer(shelf)
    newest = max(path for path in shelf.file(WEB, 1).parents[1].iterdir() if not path.is_symlink())
    shutil.rmtree(newest)
    assert settle(shelf) == 0
    assert not records.exists(shelf.workspace, WEB, 2)
    assert shelf.build() == 2


def test_versions_that_an_older_state_does_not_know_are_known_again(shelf: Shelf) -> None:
    shelf.build()
    older = state.read(workspace=shelf.workspace)
    for _ in range(3):
        shelf.build()
    shutil.rmtree(shelf.file(WEB, 2).parent)
    state.write(older, workspace=shelf.workspace)
    assert settle(shelf) == 3
    assert shelf.known().numbers(WEB) == [4, 3, 1]  # the files of the second are gone: it counts as retired
    assert shelf.build() == 5


def test_a_state_that_cannot_be_written_leaves_a_version_for_the_next_writer(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.build()

    def full(*_: object, **__: object) -> None:
        raise StateError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr("hybridcore.state.store.replace", full)
        with pytest.raises(StateError):
            shelf.build()
    assert shelf.known().numbers(WEB) == [1]
    assert shelf.build() == 3
    assert shelf.known().numbers(WEB) == [3, 2, 1]


def test_a_number_is_not_given_again_after_an_image_was_forgotten(shelf: Shelf) -> None:
    shelf.build()
    records.keep_last(shelf.workspace, PROD, 41)
    assert shelf.build(PROD) == 42


def old_state(shelf: Shelf) -> None:
    """The state as schema version 1 had it: one build, and no records."""
    shelf.build()
    data = json.loads(shelf.workspace.state_file.read_text())
    data["schema_version"] = 1
    del data["checksum"]
    for name in ("newest", "version"):
        del data["images"][WEB.key][name]
    data["images"]["dev/linux/null/failed"] = {"target": "linux/null/failed", "environment": "dev"}
    shelf.workspace.state_file.write_text(json.dumps(data))
    shutil.rmtree(records.folder(shelf.workspace, WEB))


def test_what_was_there_before_versions_is_version_1(shelf: Shelf) -> None:
    old_state(shelf)
    before = shelf.workspace.state_file.read_bytes()
    known = shelf.known()
    assert known.images() == [WEB]
    assert known.latest(WEB) == 1
    assert (known.workspace.root / (known.record(WEB, 1)["artifacts"] or [])[0]["files"][0]["path"]).is_file()  # type: ignore[index]
    assert shelf.workspace.state_file.read_bytes() == before, "reading changes nothing"
    assert not records.exists(shelf.workspace, WEB, 1)


def test_the_next_writer_gives_version_1_its_record(shelf: Shelf) -> None:
    old_state(shelf)
    said = shelf.known().record(WEB, 1)
    assert shelf.build() == 2
    assert "unrecorded" not in entry(shelf)
    assert {**shelf.known().record(WEB, 1), "recorded_at": ""} == {**said, "recorded_at": ""}
    assert shelf.known().numbers(WEB) == [2, 1]


def test_a_migration_that_was_cut_off_is_gone_on_with(shelf: Shelf) -> None:
    old_state(shelf)
    state.write(state.read(workspace=shelf.workspace), workspace=shelf.workspace)  # not the records
    assert entry(shelf).get("unrecorded") is True
    assert shelf.known().record(WEB, 1)["version"] == 1
    with state.transaction(workspace=shelf.workspace) as data:
        record = versions.record_of(data["images"][WEB.key], None)
        records.write(shelf.workspace, WEB, record)  # the record, and then it died
    assert settle(shelf) == 0
    assert "unrecorded" not in entry(shelf)
    assert shelf.build() == 2


def test_a_left_record_that_was_edited_is_an_error_and_stays(shelf: Shelf) -> None:
    shelf.build()
    without_pointer(shelf)
    file = records.path(shelf.workspace, WEB, 2)
    file.write_text(file.read_text().replace("1.9.4", "1.9.5"))
    with pytest.raises(ImagesError, match="was edited"):
        shelf.build()
    assert file.exists()


@pytest.mark.parametrize(
    ("ranges", "number", "joined"),
    [
        ([], 3, [[3, 3]]),
        ([[1, 2]], 3, [[1, 3]]),
        ([[1, 2], [4, 5]], 3, [[1, 5]]),
        ([[1, 2]], 9, [[1, 2], [9, 9]]),
        ([[1, 9]], 4, [[1, 9]]),
        ([[5, 6]], 1, [[1, 1], [5, 6]]),
    ],
)
def test_retired_numbers_are_kept_as_ranges(
    ranges: list[list[int]], number: int, joined: list[list[int]]
) -> None:
    assert versions.with_number(ranges, number) == joined
