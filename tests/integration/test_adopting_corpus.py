"""Real repositories adopted by one file: every image loads, nothing of what they hold changes."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from hybridcore import templates
from hybridcore.workspace import open_workspace
from tests.support.builds import hybrid
from tests.support.workspaces import WorkspaceFolder

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(
        "HYBRIDCORE_CORPUS" not in os.environ,
        reason="HYBRIDCORE_CORPUS is not set: it names the folder of real templates",
    ),
]

# What must be among the images of each, and what cannot work or fit.
REPOSITORIES = {
    "Pumba98+proxmox-packer-templates": (
        {"linux/proxmox/debian-12", "linux/proxmox/ubuntu-24.04", "windows/proxmox/windows-11"},
        "vyos-rolling.pkrvars.hcl: does not fit",
    ),
    "chef+bento": (
        {
            "linux/qemu/debian-12-x86_64",
            "windows/qemu/windows-2022-x86_64",
            "macos/parallels/macos-14-aarch64",
        },
        "",
    ),
    "vmware-samples+packer-examples-for-vsphere": (
        {"linux/vsphere/linux-debian-12", "windows/vsphere/windows-server-standard-core-2022"},
        "",
    ),
    "xoap-io+xoap-packer-templates": ({"windows/aws/w2022-2108-dc-dx-en"}, ""),
}


def files_of(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file() and path.relative_to(root).parts[0] not in ("logs", "packer-hybrid.toml")
    }


@pytest.mark.parametrize("name", REPOSITORIES)
def test_a_real_repository_is_adopted_by_one_file(name: str, tmp_path: Path) -> None:
    expected, refused = REPOSITORIES[name]
    root = tmp_path / "repository"
    shutil.copytree(Path(os.environ["HYBRIDCORE_CORPUS"]) / name, root)
    before = files_of(root)
    space = WorkspaceFolder(root)
    done = hybrid(space, "adopt", "--write")
    assert done.returncode == 0, done.stderr
    assert refused in done.stderr
    written = {line.removeprefix("written: ") for line in done.stdout.splitlines()}
    assert expected <= written
    assert {one.target for one in templates.load_catalogue(workspace=open_workspace(root))} == written
    assert hybrid(space, "adopt", "--check").returncode == 0
    assert files_of(root) == before
