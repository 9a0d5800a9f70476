"""What the state's safety costs, against a bare write, fsync, rename and fsync of the folder."""

import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from hybridcore import state
from hybridcore.workspace import Workspace

ROUNDS = 60


def image(number):
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


def images(count):
    data = state.empty()
    data["images"] = {f"dev/linux/qemu/debian-{number}": image(number) for number in range(count)}
    return data


def bare(folder, content):
    temporary = f"{folder}/bare.tmp"
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
    os.write(fd, content)
    os.fsync(fd)
    os.close(fd)
    os.rename(temporary, f"{folder}/bare.json")
    fd = os.open(folder, os.O_RDONLY)
    os.fsync(fd)
    os.close(fd)


def race(row, budget, workspace, ours):
    """Time both in turn, so that a slow moment of the disk meets both; the medians count."""
    times = {"ours": [], "theirs": []}
    content = workspace.state_file.read_bytes()
    for number in range(ROUNDS):
        begin = time.perf_counter()
        ours(number)
        middle = time.perf_counter()
        bare(workspace.state_dir, content)
        times["ours"].append(middle - begin)
        times["theirs"].append(time.perf_counter() - middle)
    mine, other = statistics.median(times["ours"]), statistics.median(times["theirs"])
    print(
        json.dumps(
            {
                "row": f"{row}, {len(content):,} bytes, against bare write, fsync, rename, fsync of the folder",
                "ours": round(mine, 6),
                "theirs": round(other, 6),
                "ratio": round(mine / other, 2),
                "budget": budget,
            }
        ),
        flush=True,
    )


def main():
    with tempfile.TemporaryDirectory(dir=Path(__file__).resolve().parents[2] / "state") as folder:
        workspace = Workspace(Path(folder))
        few = images(20)
        state.write(few, workspace=workspace)
        race("state.write, 20 images", 1.2, workspace, lambda _: state.write(few, workspace=workspace))

        state.write(images(1000), workspace=workspace)

        def transaction(number):
            with state.transaction(workspace=workspace) as data:
                data["images"][f"dev/linux/qemu/debian-{number}"] = {
                    **image(number),
                    "run": f"r{time.time()}",
                }

        race("a transaction with 1,000 images", 2, workspace, transaction)


if __name__ == "__main__":
    main()
