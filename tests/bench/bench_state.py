"""What the state's safety costs, against a bare write, fsync, rename and fsync of the folder."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from measure import emit, in_turn

from hybridcore import state
from hybridcore.workspace import Workspace

ROUNDS = 200
# On the disk of the checkout: a folder for temporary files is often no disk at all.
HERE = Path(__file__).resolve().parent


def image(number: int) -> dict[str, Any]:
    """An entry as a build of a QEMU image leaves it, about 1.2 kB."""
    target = f"linux/qemu/debian-{number}"
    return {
        "target": target,
        "environment": "dev",
        "builder": f"source.qemu.debian-{number}",
        "status": "built",
        "fingerprint": "a" * 64,
        "inputs": {f"templates/{target}/{name}.pkr.hcl": "b" * 64 for name in "abcdef"},
        "artifacts": [
            {
                "id": "VM",
                "builder_id": "transcend.qemu",
                "files": [{"path": f"images/dev/{target}/disk.qcow2", "size": 10**9, "sha256": "c" * 64}],
            }
        ],
        "built_at": "2026-11-22T05:25:08.123Z",
        "duration_s": 312.5,
        "log_path": f"logs/builds/dev/{target}/20261122T052508.123Z-r1.log",
        "run": "r1",
    }


def images(count: int) -> dict[str, Any]:
    """A state with so many images."""
    data = state.empty()
    data["images"] = {f"dev/linux/qemu/debian-{number}": image(number) for number in range(count)}
    return data


def bare(folder: Path, content: bytes) -> None:
    """What any program has to do to replace a file durably."""
    temporary = f"{folder}/bare.tmp"
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    os.write(fd, content)
    os.fsync(fd)
    os.close(fd)
    os.rename(temporary, f"{folder}/bare.json")
    fd = os.open(folder, os.O_RDONLY)
    os.fsync(fd)
    os.close(fd)


def race(row: str, budget: str, workspace: Workspace, ours: Callable[[], None]) -> None:
    """Measure ours against the bare write of the same bytes, in the same folder."""
    content = workspace.state_file.read_bytes()
    times = in_turn(ours, lambda: bare(workspace.state_dir, content), rounds=ROUNDS)
    emit(f"{row}, {len(content):,} bytes; bare write + fsync + rename + fsync of folder", *times, budget)


def main() -> None:
    """Print the rows."""
    with tempfile.TemporaryDirectory(dir=HERE) as folder:
        workspace = Workspace(Path(folder))
        for count in (5, 20):
            data = images(count)
            state.write(data, workspace=workspace)
            name = f"state.write, {count} images"
            race(name, "<= 1.2", workspace, lambda data=data: state.write(data, workspace=workspace))

        state.write(images(1000), workspace=workspace)
        rounds = iter(range(ROUNDS))

        def rebuild() -> None:
            number = next(rounds)
            with state.transaction(workspace=workspace) as data:
                data["images"][f"dev/linux/qemu/debian-{number}"] = {**image(number), "run": "r2"}

        race("a transaction with 1,000 images", "<= 2", workspace, rebuild)


if __name__ == "__main__":
    main()
