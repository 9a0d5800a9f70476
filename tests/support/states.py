"""A workspace for tests of the state, a state that has every field once, and what a test asks of both."""

import copy

import pytest

from hybridcore import state
from hybridcore.settings import Settings
from hybridcore.workspace import Workspace

TARGET = "linux/qemu/debian-12"
KEY = f"dev/{TARGET}"
NOW = "2026-11-22T05:25:08.123Z"

IMAGE = {
    "target": TARGET,
    "environment": "dev",
    "builder": "source.qemu.debian-12",
    "status": "built",
    "fingerprint": "a" * 64,
    "inputs": {"templates/linux/qemu/debian-12/build.pkr.hcl": "b" * 64},
    "artifacts": [
        {
            "id": "VM",
            "builder_id": "transcend.qemu",
            "files": [{"path": "images/dev/disk.qcow2", "size": 5, "sha256": "c" * 64}],
        }
    ],
    "built_at": NOW,
    "duration_s": 312.5,
    "log_path": "logs/builds/dev/linux/qemu/debian-12/20261122T052508.123Z-r1.log",
    "run": "r1",
    "last_attempt": {"status": "failed", "run": "r2", "at": NOW, "error": "no disk", "log_path": "logs/x"},
    "newest": 3,
    "version": 3,
    "unrecorded": False,
    "parents": ["dev/linux/qemu/base"],
    "channels": {"stable": [{"how": "promoted", "at": NOW, "version": 2, "by": "root", "reason": "good"}]},
    "revoked": {"1": {"recorded_at": NOW, "reason": "bad", "at": NOW, "by": "root", "only_this": True}},
    "labels": {"2": {"owner": "web"}},
    "holds": {"2": {"at": NOW, "reason": "audit", "by": "root"}},
    "retired": [[1, 1]],
}
RUN = {
    "id": "r1",
    "command": "build",
    "environment": "dev",
    "started_at": NOW,
    "finished_at": NOW,
    "status": "partial",
}
RUNNING = {
    "pid": 4711,
    "host": "ci-1",
    "boot_id": "b",
    "pid_start_time": 12,
    "started_at": NOW,
    "environment": "dev",
    "command": "build",
    "targets": {TARGET: {"log_path": "logs/y", "leaves": "a machine"}},
}


@pytest.fixture
def full():
    """A state that has every field once."""
    return copy.deepcopy(
        {
            **state.empty(),
            "packer": {"path": "/usr/bin/packer", "version": "1.9.4"},
            "plugins": {"github.com/hashicorp/qemu": "1.0.9"},
            "sources": {"examples": {"url": "https://e/x.git", "ref": "main", "sha": "1", "synced_at": NOW}},
            "manifests": {KEY: {"path": "images/dev/manifest.json", "sha256": "d" * 64, "run": "r1"}},
            "last_run": {**RUN, "targets": [TARGET]},
            "history": [
                {
                    **RUN,
                    "results": [
                        {
                            "target": TARGET,
                            "status": "failed",
                            "duration_s": 1,
                            "log_path": "l",
                            "error": "e",
                        }
                    ],
                }
            ],
            "running": {"r3": RUNNING},
            "images": {KEY: IMAGE},
        }
    )


@pytest.fixture
def workspace(tmp_path):
    root = tmp_path / "workspace"
    root.mkdir()
    (root / "packer-hybrid.toml").touch()
    return Workspace(root, Settings(history=5, lock_timeout=5))


@pytest.fixture
def add_image():
    """Put an image into a state, as a build does."""

    def add(data, name, **fields):
        target = f"linux/null/{name}"
        data["images"][f"dev/{target}"] = {"target": target, "environment": "dev", **fields}

    return add


def stored(workspace):
    """The state, without the time of its writing."""
    data = state.read(workspace=workspace)
    assert data.pop("updated_at")
    return data


def names(workspace):
    """What lies in the folder of the state."""
    return sorted(path.name for path in workspace.state_dir.iterdir())


def change(workspace, data):
    """Replace everything in the state by one transaction."""
    with state.transaction(workspace=workspace) as current:
        current.update(data)
