"""Forgetting an image whose target is no more."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hybridcore import images, state
from hybridcore.errors import ImagesError
from hybridcore.images import records
from hybridcore.images.forgetting import orphans
from hybridcore.images.names import Image, Reference
from hybridcore.images.versions import add
from tests.support.images import BASE, WEB, Shelf
from tests.support.workspaces import WorkspaceFolder

REMOTE = Image("dev", "linux/vsphere/web")


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder]) -> WorkspaceFolder:
    return make_workspace()


@pytest.fixture
def shelf(space: WorkspaceFolder) -> Shelf:
    return Shelf(space.open())


def test_all_of_it_goes_but_its_last_number(space: WorkspaceFolder, shelf: Shelf) -> None:
    for _ in range(3):
        shelf.build()
    shelf.build(BASE)
    space.write(f"logs/builds/{WEB.key}/run.log", "x")
    space.write(f"configs/{WEB.key}.pkrvars.hcl", "x")
    space.write(f"state/inputs/{WEB.key}.json", "{}")
    assert orphans(shelf.workspace) == [BASE, WEB]
    removed = images.forget(WEB, workspace=shelf.workspace)
    assert sorted(removed) == sorted(
        [
            f"images/{WEB.key}",
            f"logs/builds/{WEB.key}",
            f"configs/{WEB.key}.pkrvars.hcl",
            f"state/inputs/{WEB.key}.json",
            "state",
        ]
    )
    assert [name for name in removed if name != "state" and (shelf.workspace.root / name).exists()] == []
    assert shelf.known().images() == [BASE]
    assert not records.exists(shelf.workspace, WEB, 1)
    assert shelf.build() == 4


def test_a_target_that_is_there_is_not_forgotten(space: WorkspaceFolder, shelf: Shelf) -> None:
    shelf.build()
    space.null(WEB.target)
    assert orphans(shelf.workspace) == []
    with pytest.raises(ImagesError, match="is there, and would be built again"):
        images.forget(WEB, workspace=shelf.workspace)


def test_what_something_needs_is_not_forgotten(shelf: Shelf) -> None:
    shelf.build(BASE)
    shelf.build(WEB, parent=f"{BASE}@1")
    images.hold(Reference(BASE, 1), workspace=shelf.workspace, reason="audit")
    with pytest.raises(ImagesError, match="is not forgotten") as caught:
        images.forget(BASE, workspace=shelf.workspace)
    assert [fault.message for fault in caught.value.faults] == [
        f"{BASE}@1 is held: audit",
        f"{WEB}@1 stands on it",
    ]


def test_what_lies_on_a_platform_is_retired_first(shelf: Shelf) -> None:
    record = shelf.record(REMOTE)
    record["artifacts"] = [{"id": "web-1"}]
    with state.transaction(workspace=shelf.workspace) as data:
        add(data, shelf.workspace, REMOTE, record)
    with pytest.raises(ImagesError) as caught:
        images.forget(REMOTE, workspace=shelf.workspace)
    assert caught.value.faults[0].message == f"{REMOTE}@1 lies on vSphere"


def test_a_check_removes_nothing_and_an_unknown_image_is_refused(shelf: Shelf) -> None:
    shelf.build()
    assert images.forget(WEB, workspace=shelf.workspace, check=True)
    assert shelf.file(WEB, 1).exists()
    with pytest.raises(ImagesError, match="nothing is known of"):
        images.forget(BASE, workspace=shelf.workspace)


def test_one_who_died_on_the_way_is_gone_on_with(shelf: Shelf) -> None:
    shelf.build()
    with state.transaction(workspace=shelf.workspace) as data:
        records.keep_last(shelf.workspace, WEB, 1)
        del data["images"][WEB.key]  # and then it died
    images.forget(WEB, workspace=shelf.workspace)
    assert not (shelf.workspace.images / WEB.key).exists()
    assert shelf.build() == 2
