"""What a version gives to those who use it, and which versions nobody gets."""

from __future__ import annotations

import hashlib

import pytest

from hybridcore import state
from hybridcore.errors import ImagesError
from hybridcore.images import look_up
from hybridcore.images.lookup import values_of
from hybridcore.images.names import Image
from tests.support.images import BASE, WEB, Shelf

NOW = "2026-11-22T05:25:08.123Z"


def revoke(shelf: Shelf, image: Image, number: int) -> None:
    with state.transaction(workspace=shelf.workspace) as data:
        data["images"][image.key]["revoked"] = {str(number): {"recorded_at": NOW, "reason": "bad kernel"}}


def test_a_version_gives_path_digest_and_name(shelf: Shelf) -> None:
    shelf.build(content="the disk")
    found = look_up(f"{WEB}@latest", workspace=shelf.workspace)
    assert found.to_dict() == {
        "image": str(WEB),
        "version": 1,
        "path": str(shelf.file(WEB, 1)),
        "checksum": f"sha256:{hashlib.sha256(b'the disk').hexdigest()}",
        "id": "VM",
        "name": "disk",
    }


def test_of_several_files_it_is_the_largest(shelf: Shelf) -> None:
    record = shelf.record(WEB)
    record["artifacts"] = [
        {"id": "VM", "files": [{"path": "a.nvram", "size": 5}, {"path": "images/big.qcow2", "size": 50}]}
    ]
    found = values_of(WEB, record, shelf.workspace)
    assert (found.path, found.checksum, found.name) == (
        str(shelf.workspace.root / "images/big.qcow2"),
        "",
        "big.qcow2",
    )


def test_on_a_platform_it_has_an_id_and_no_file(shelf: Shelf) -> None:
    record = shelf.record(WEB)
    record["artifacts"] = [{"id": "folder/web-7"}]
    found = values_of(WEB, record, shelf.workspace)
    assert found.to_dict() == {
        "image": str(WEB),
        "version": 0,
        "path": None,
        "checksum": None,
        "id": "folder/web-7",
        "name": "web-7",
    }


def test_a_revoked_version_is_not_given_unless_it_is_allowed(shelf: Shelf) -> None:
    shelf.build(BASE)
    shelf.build(WEB, parent=f"{BASE}@1")
    revoke(shelf, BASE, 1)
    for image in (BASE, WEB):
        with pytest.raises(ImagesError, match=r"is not to be used: revoked .*bad kernel"):
            look_up(f"{image}@1", workspace=shelf.workspace)
        assert look_up(f"{image}@1", workspace=shelf.workspace, allow_revoked=True).version == 1


def test_an_incomplete_version_is_not_given_unless_it_is_allowed(shelf: Shelf) -> None:
    shelf.build(complete=False)
    with pytest.raises(ImagesError, match="incomplete: its checks did not pass"):
        look_up(f"{WEB}@1", workspace=shelf.workspace)
    assert look_up(f"{WEB}@1", workspace=shelf.workspace, allow_revoked=True).version == 1


def test_a_retired_version_is_not_given_at_all(shelf: Shelf) -> None:
    for _ in range(2):
        shelf.build()
    with state.transaction(workspace=shelf.workspace) as data:
        data["images"][WEB.key]["retired"] = [[1, 1]]
    with pytest.raises(ImagesError, match="was retired: its files are gone"):
        look_up(f"{WEB}@1", workspace=shelf.workspace, allow_revoked=True)
