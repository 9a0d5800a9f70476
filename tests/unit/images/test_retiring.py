"""Retiring: what the rules let go is removed and its number stays given; what is wanted is never removed."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable

import pytest

from hybridcore import state
from hybridcore.errors import ImagesError
from hybridcore.images import events, records, retiring
from hybridcore.images.locks import try_lock
from hybridcore.images.names import Image
from tests.support.images import BASE, WEB, Shelf
from tests.support.workspaces import WorkspaceFolder

REMOTE = Image("dev", "linux/vsphere/web")
NOW = "2026-11-22T05:25:08.123Z"


def runs(shelf: Shelf, image: Image = WEB) -> int:
    folder = shelf.workspace.images / image.env / image.target
    return len([path for path in folder.iterdir() if not path.is_symlink()])


def change(shelf: Shelf, image: Image = WEB, **fields: object) -> None:
    with state.transaction(workspace=shelf.workspace) as data:
        data["images"][image.key].update(fields)  # type: ignore[typeddict-item]


def gone(found: list[retiring.Retirement]) -> list[int]:
    return [one.version for one in found if one.retired]


def test_what_no_rule_keeps_is_retired_and_its_number_stays_given(shelf: Shelf) -> None:
    for _ in range(5):
        shelf.build()
    assert gone(retiring.retire([], workspace=shelf.workspace)) == [3, 2, 1]
    assert (shelf.known().numbers(WEB), runs(shelf)) == ([5, 4], 2)
    assert records.exists(shelf.workspace, WEB, 1)
    assert shelf.build() == 6
    told = [json.loads(line) for line in events.path(shelf.workspace).read_text().splitlines()]
    assert [(one["event"], one["version"]) for one in told] == [
        ("retired", 3),
        ("retired", 2),
        ("retired", 1),
    ]


def test_a_dry_run_says_for_each_version_why_and_changes_nothing(shelf: Shelf) -> None:
    for _ in range(4):
        shelf.build()
    before = shelf.workspace.state_file.read_bytes()
    found = retiring.retire([WEB], workspace=shelf.workspace, dry_run=True)
    assert [(one.version, one.stays) for one in found] == [(4, True), (3, True), (2, False), (1, False)]
    assert all(one.reason for one in found)
    assert (shelf.workspace.state_file.read_bytes(), runs(shelf)) == (before, 4)


def test_what_is_wanted_is_never_retired(shelf: Shelf) -> None:
    for _ in range(3):
        shelf.build(BASE)
    shelf.build(WEB, parent=f"{BASE}@1")
    for _ in range(5):
        shelf.build(WEB)
    change(
        shelf,
        channels={"stable": [{"how": "promoted", "at": NOW, "version": 2}]},
        holds={"3": {"at": NOW, "reason": "audit"}},
    )
    found = {(one.image, one.version): one for one in retiring.retire([], workspace=shelf.workspace)}
    assert found[WEB, 2].reason == "the channel stable names it"
    assert found[WEB, 3].reason == "it is held: audit"
    assert found[WEB, 6].reason == "the channel latest names it"
    assert shelf.known().numbers(WEB) == [6, 5, 3, 2]
    # Its only child went in the same step, so nothing stands on it any more.
    assert shelf.known().numbers(BASE) == [3, 2]


def test_a_parent_of_what_stays_stays(shelf: Shelf) -> None:
    for _ in range(4):
        shelf.build(BASE)
    shelf.build(WEB, parent=f"{BASE}@1")
    found = {(one.image, one.version): one for one in retiring.retire([BASE], workspace=shelf.workspace)}
    assert found[BASE, 1].reason == f"{WEB}@1 stands on it"
    assert shelf.known().numbers(BASE) == [4, 3, 1]


def test_rules_of_a_target_come_before_those_of_its_environment(
    make_workspace: Callable[..., WorkspaceFolder],
) -> None:
    space = make_workspace()
    space.settings(
        "[retention]\nkeep = 3\n[retention.environments.dev]\nkeep = 1\nmax_age = '9d'\n"
        "[retention.targets.'linux/qemu/web']\nkeep = 5\n"
    )
    where = space.open()
    assert retiring.rules_of(where, WEB).keep == 5
    assert retiring.rules_of(where, WEB).max_age == "9d"
    assert retiring.rules_of(where, BASE).keep == 1
    assert retiring.rules_of(where, Image("prod", "linux/qemu/base")).keep == 3
    assert retiring.rules_of(where, Image("prod", "linux/qemu/base")).max_age_s == 0


def test_one_version_is_retired_on_request(shelf: Shelf) -> None:
    for _ in range(3):
        shelf.build()
    assert gone(retiring.retire([WEB], workspace=shelf.workspace, version=2)) == [2]
    assert shelf.known().numbers(WEB) == [3, 1]
    with pytest.raises(ImagesError, match="was retired already"):
        retiring.retire([WEB], workspace=shelf.workspace, version=2)
    with pytest.raises(ImagesError, match="cannot be retired") as caught:
        retiring.retire([WEB], workspace=shelf.workspace, version=3)
    assert [fault.message for fault in caught.value.faults] == ["the channel latest names it"]
    with pytest.raises(ImagesError, match="has no version 9"):
        retiring.retire([WEB], workspace=shelf.workspace, version=9)


def remote(shelf: Shelf) -> None:
    """Versions that leave a machine on a platform and no file here."""
    for _ in range(4):
        number = shelf.build(REMOTE)
        file = records.path(shelf.workspace, REMOTE, number)
        record = {
            **records.read(shelf.workspace, REMOTE, number),
            "artifacts": [{"id": f"web-{number}", "files": []}],
        }
        file.write_bytes(records.encode({name: record[name] for name in record}))  # type: ignore[literal-required]


def test_what_lies_on_a_platform_is_retired_when_it_was_removed_there(shelf: Shelf) -> None:
    remote(shelf)
    found = retiring.retire([], workspace=shelf.workspace)
    assert gone(found) == []
    assert [(one.version, one.platform) for one in found if not one.stays] == [(2, "vsphere"), (1, "vsphere")]
    assert shelf.known().numbers(REMOTE) == [4, 3, 2, 1]
    assert gone(retiring.retire([], workspace=shelf.workspace, removed=True)) == [2, 1]
    assert shelf.known().numbers(REMOTE) == [4, 3]


def test_after_a_build_latest_follows_and_old_ones_go(shelf: Shelf) -> None:
    for _ in range(3):
        shelf.build()
    retiring.after_build(shelf.workspace, WEB)
    assert shelf.known().numbers(WEB) == [3, 2]
    assert shelf.latest() == shelf.known().record(WEB, 3)["run"]


def test_a_build_that_is_incomplete_moves_no_latest_and_drives_out_nothing(shelf: Shelf) -> None:
    first = shelf.build()
    for _ in range(2):
        shelf.build(complete=False)
    retiring.after_build(shelf.workspace, WEB)
    assert shelf.latest() == shelf.known().record(WEB, first)["run"]
    assert shelf.known().numbers(WEB) == [3, 2, 1]


def test_folders_that_a_killed_retirement_left_go_with_the_next(shelf: Shelf) -> None:
    for _ in range(4):
        shelf.build()
    change(shelf, retired=[[1, 2]])  # committed, and then it died
    assert runs(shelf) == 4
    retiring.after_build(shelf.workspace, WEB)
    assert runs(shelf) == 2
    assert shelf.file(WEB, 3).exists()


def test_folders_from_before_there_were_versions_go_as_the_rule_says(shelf: Shelf) -> None:
    folder = shelf.workspace.images / "dev" / WEB.target
    for day in (1, 2, 3):
        (folder / f"2026010{day}T000000.000Z-abcdef").mkdir(parents=True)
    shelf.build()
    retiring.after_build(shelf.workspace, WEB)
    assert sorted(path.name for path in folder.glob("2026010*")) == ["20260103T000000.000Z-abcdef"]
    shelf.build()
    retiring.after_build(shelf.workspace, WEB)
    assert not list(folder.glob("2026010*"))
    assert runs(shelf) == 2


def test_nothing_is_removed_while_somebody_builds_or_a_record_cannot_be_read(shelf: Shelf) -> None:
    for _ in range(4):
        shelf.build()
    change(shelf, retired=[[1, 2]])
    with try_lock(shelf.workspace, *WEB) as taken:
        assert taken
        retiring.clean(shelf.workspace, [WEB])
    assert runs(shelf) == 4
    records.path(shelf.workspace, WEB, 3).unlink()
    retiring.clean(shelf.workspace, [WEB])
    assert runs(shelf) == 4


def test_the_folder_of_a_run_that_goes_on_stays(shelf: Shelf) -> None:
    for _ in range(2):
        shelf.build()
    running = shelf.record(WEB)["run"] or ""
    with state.transaction(workspace=shelf.workspace) as data:
        data["running"][running] = {"pid": 1, "host": "here", "started_at": NOW}
    shutil.copytree(
        shelf.file(WEB, 1).parent, shelf.file(WEB, 1).parent.with_name("20260101T000000.000Z-abcdef")
    )
    retiring.clean(shelf.workspace, [WEB])
    assert runs(shelf) == 3
    assert (shelf.workspace.images / "dev" / WEB.target / running).is_dir()


def test_a_version_whose_record_cannot_be_read_stays(shelf: Shelf) -> None:
    for _ in range(4):
        shelf.build()
    records.path(shelf.workspace, WEB, 1).unlink()
    found = {one.version: one for one in retiring.retire([WEB], workspace=shelf.workspace)}
    assert (found[1].stays, found[2].stays) == (True, False)
    assert "is missing" in found[1].reason
