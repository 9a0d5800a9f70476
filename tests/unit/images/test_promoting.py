"""A version of one environment becomes one of another, without a build, and lives on its own."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from typing import Any

import pytest

from hybridcore import images, state
from hybridcore.errors import ImagesError, LockError
from hybridcore.images import records
from hybridcore.images.changing import Change
from hybridcore.images.locks import try_lock
from hybridcore.images.names import Place, Reference
from tests.support.images import PROD, WEB, Shelf
from tests.support.workspaces import WorkspaceFolder


def bring(shelf: Shelf, number: int = 1, channel: str = "", **more: Any) -> Change:
    return images.promote(Reference(WEB, number), Place("prod", channel), workspace=shelf.workspace, **more)


def test_it_is_a_version_of_its_own_with_its_origin_and_the_same_content(shelf: Shelf) -> None:
    shelf.build(content="the disk")
    images.label(Reference(WEB, 1), workspace=shelf.workspace, labels={"owner": "web"})
    change = bring(shelf)
    assert (change.changed, change.image, change.version) == (True, PROD, 1)
    record = shelf.known().record(PROD, 1)
    assert record["origin"] == {"environment": "dev", "target": WEB.target, "version": 1}
    assert (record["environment"], record["labels"]) == ("prod", {"owner": "web"})
    assert shelf.file(PROD, 1).read_text() == "the disk"
    assert shelf.file(PROD, 1).is_relative_to(shelf.workspace.images / "prod")
    assert os.path.samefile(shelf.file(PROD, 1), shelf.file(WEB, 1)), "it costs no room"
    assert shelf.latest(PROD) == record["run"]
    entry = state.read(workspace=shelf.workspace)["images"][PROD.key]
    assert "fingerprint" not in entry, "what lies in this environment did not make it"


def test_retiring_the_origin_does_not_take_the_files(shelf: Shelf) -> None:
    for _ in range(4):
        shelf.build()
    bring(shelf)
    images.retire([WEB], workspace=shelf.workspace)
    assert shelf.known().numbers(WEB) == [4, 3]
    assert not (
        shelf.workspace.images / "dev" / WEB.target / (shelf.known().record(WEB, 1)["run"] or "")
    ).exists()
    assert shelf.file(PROD, 1).is_file()


def test_the_same_again_is_the_same_version(shelf: Shelf) -> None:
    shelf.build()
    bring(shelf)
    change = bring(shelf)
    assert (change.changed, change.version) == (False, 1)
    change = bring(shelf, channel="stable")
    assert (change.changed, shelf.known().channel(PROD, "stable")) == (True, 1)


def test_a_check_brings_nothing(shelf: Shelf) -> None:
    shelf.build()
    assert bring(shelf, check=True).changed
    assert not (shelf.workspace.images / "prod").exists()


def test_where_files_have_one_name_alone_they_are_copied(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.build(content="the disk")

    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    bring(shelf)
    assert shelf.file(PROD, 1).read_text() == "the disk"
    assert not os.path.samefile(shelf.file(PROD, 1), shelf.file(WEB, 1))


@pytest.mark.parametrize("harm", ["gone", "changed"])
def test_files_that_are_not_what_was_built_are_not_promoted(shelf: Shelf, harm: str) -> None:
    shelf.build(content="the disk")
    file = shelf.file(WEB, 1)
    if harm == "gone":
        file.unlink()
    else:
        file.write_text("THE DISK")
    with pytest.raises(ImagesError, match="its files are not as they were"):
        bring(shelf)
    assert not list((shelf.workspace.images / "prod" / WEB.target).iterdir())
    assert PROD not in shelf.known().images()


def test_a_revoked_version_is_not_promoted(shelf: Shelf) -> None:
    shelf.build()
    images.revoke(Reference(WEB, 1), workspace=shelf.workspace, reason="bad kernel")
    with pytest.raises(ImagesError, match="cannot be promoted to another environment"):
        bring(shelf)


def test_a_revocation_reaches_what_was_promoted(shelf: Shelf) -> None:
    shelf.build()
    bring(shelf, channel="stable")
    change = images.revoke(Reference(WEB, 1), workspace=shelf.workspace, reason="bad kernel")
    assert [(one.image, one.channel, one.after) for one in change.moved] == [(PROD, "stable", None)]
    assert shelf.latest(PROD) == ""


def test_a_full_disk_leaves_nothing_behind(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf.build()

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "link", full)
        with pytest.raises(OSError, match="No space left"):
            bring(shelf)
    assert not list((shelf.workspace.images / "prod" / WEB.target).iterdir())
    assert bring(shelf).version == 1


def test_what_one_who_died_left_is_no_hindrance(shelf: Shelf) -> None:
    shelf.build(content="the disk")
    run = shelf.known().record(WEB, 1)["run"] or ""
    folder = shelf.workspace.images / "prod" / WEB.target
    for name in (run, f".{run}.brought"):
        (folder / name).mkdir(parents=True)
        (folder / name / "half").touch()
    bring(shelf)
    assert sorted(path.name for path in folder.iterdir()) == sorted([run, "latest"])
    assert [path.name for path in (folder / run).iterdir()] == ["disk"]


def test_a_record_that_one_who_died_left_is_adopted(shelf: Shelf) -> None:
    shelf.build()
    bring(shelf)
    with state.transaction(workspace=shelf.workspace) as data:
        del data["images"][PROD.key]
    assert records.exists(shelf.workspace, PROD, 1)
    change = bring(shelf)
    assert (change.version, shelf.known().numbers(PROD)) == (1, [1])


def test_it_waits_for_who_builds_there(make_workspace: Callable[..., WorkspaceFolder]) -> None:
    space = make_workspace()
    space.settings("[state]\nlock_timeout = 0\n")
    shelf = Shelf(space.open())
    shelf.build()
    with try_lock(shelf.workspace, *PROD), pytest.raises(LockError, match="prod:linux/qemu/web is locked"):
        bring(shelf)


def test_files_that_lie_elsewhere_come_along(shelf: Shelf) -> None:
    record = shelf.record(WEB)
    outside = shelf.workspace.root / "elsewhere.qcow2"
    shutil.copy(shelf.workspace.root / (record["artifacts"] or [])[0]["files"][0]["path"], outside)  # type: ignore[index]
    record["artifacts"][0]["files"][0]["path"] = "elsewhere.qcow2"  # type: ignore[index]
    with state.transaction(workspace=shelf.workspace) as data:
        from hybridcore.images.versions import add

        add(data, shelf.workspace, WEB, record)
    bring(shelf)
    assert shelf.file(PROD, 1).read_bytes() == outside.read_bytes()
    assert shelf.file(PROD, 1).is_relative_to(shelf.workspace.images / "prod")
