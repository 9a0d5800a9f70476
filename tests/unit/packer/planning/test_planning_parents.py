"""What is known of a parent: out of its entry of the state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hybridcore.packer.planning.parents import of_entry, recorded
from tests.support.workspaces import WorkspaceFolder


def entry(*artifacts: dict[str, Any]) -> dict[str, Any]:
    return {"target": "linux/qemu/base", "environment": "dev", "run": "R1", "artifacts": list(artifacts)}


def test_of_several_files_the_largest_is_the_disk(make_workspace: Callable[..., WorkspaceFolder]) -> None:
    where = make_workspace().open()
    files = [
        {"path": "images/dev/x/efivars.fd", "size": 500, "sha256": "e" * 64},
        {"path": "images/dev/x/base.qcow2", "size": 9000, "sha256": "d" * 64},
    ]
    found = of_entry("linux/qemu/base", entry({"id": "Null"}, {"id": "VM", "files": files}), where)
    assert found is not None
    assert found.path == f"{where.root}/images/dev/x/base.qcow2"
    assert (found.checksum, found.name, found.id) == (f"sha256:{'d' * 64}", "base.qcow2", "VM")
    assert found.digest == f"R1 sha256:{'d' * 64}"


@pytest.mark.parametrize(
    ("known", "name"),
    [
        ("100", "100"),
        ("debian-12-base", "debian-12-base"),
        ("/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/images/base", "base"),
    ],
)
def test_of_a_platform_it_is_the_id(
    make_workspace: Callable[..., WorkspaceFolder], known: str, name: str
) -> None:
    found = of_entry("linux/proxmox/base", entry({"id": ""}, {"id": known}), make_workspace().open())
    assert found is not None
    assert (found.id, found.name, found.path, found.checksum) == (known, name, "", "")
    assert found.digest == f"R1 {known}"


def test_what_was_never_built_is_no_image(make_workspace: Callable[..., WorkspaceFolder]) -> None:
    where = make_workspace().open()
    assert of_entry("linux/qemu/base", None, where) is None
    failed = {"target": "linux/qemu/base", "environment": "dev", "last_attempt": {"status": "failed"}}
    assert of_entry("linux/qemu/base", failed, where) is None


def test_the_parent_of_an_image_is_one_of_its_inputs() -> None:
    assert recorded({"inputs": {"packer": "1.9.4", "parent linux/qemu/base": "R1 sha256:00"}}) == {
        "target": "linux/qemu/base",
        "version": "R1",
    }
    assert recorded({"inputs": {"packer": "1.9.4"}}) is None
    assert recorded({}) is None
