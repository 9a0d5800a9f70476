"""What 10,000 versions of an image cost: to look one up, to promote one, and to tell the status."""

from __future__ import annotations

import json
import tempfile
import time
from pathlib import Path

from measure import emit, in_turn

from hybridcore import images, state
from hybridcore.cli.status import collect
from hybridcore.images import records, versions
from hybridcore.images.changing import assign
from hybridcore.images.names import Image, Reference
from hybridcore.workspace import Workspace

ROUNDS = 300
MANY = 10_000
WEB = Image("dev", "linux/qemu/web")
# On the disk of the checkout: a folder for temporary files is often no disk at all.
HERE = Path(__file__).resolve().parent


def fill(workspace: Workspace, count: int) -> None:
    """Make an image with so many versions, of which all but the last ten were retired."""
    file = {"path": "images/disk.qcow2", "size": 10**9, "sha256": "c" * 64}
    artifact = {"id": "VM", "builder_id": "transcend.qemu", "files": [file]}
    entry = {
        "target": WEB.target,
        "environment": WEB.env,
        "builder": "source.qemu.web",
        "fingerprint": "a" * 64,
        "inputs": {f"templates/{WEB.target}/{name}.pkr.hcl": "b" * 64 for name in "abcdef"},
        "artifacts": [artifact],
        "built_at": "2026-11-22T05:25:08.123Z",
        "duration_s": 312.5,
        "run": "r1",
    }
    with state.transaction(workspace=workspace):
        pass
    folder = records.folder(workspace, WEB)
    folder.mkdir(parents=True)
    record = versions.record_of(entry, None)
    for number in range(1, count + 1):
        record["version"] = number
        (folder / f"{number}.json").write_bytes(records.encode(record))
    with state.transaction(workspace=workspace) as data:
        versions.point_at(data, WEB, record)
        if count > 10:
            data["images"][WEB.key]["retired"] = [[1, count - 10]]


def median(act, rounds: int = ROUNDS) -> float:
    """The median duration of something, in seconds."""
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        act()
        times.append(time.perf_counter() - started)
    return sorted(times)[rounds // 2]


def main() -> None:
    """Print the rows."""
    with tempfile.TemporaryDirectory(dir=HERE) as one, tempfile.TemporaryDirectory(dir=HERE) as two:
        many, few = Workspace(Path(one)), Workspace(Path(two))
        fill(many, MANY)
        fill(few, 10)
        empty = Workspace(Path(two, "empty"))
        empty.root.mkdir()
        small = records.path(many, WEB, MANY)

        def read_small() -> None:
            json.loads(small.read_bytes())

        for workspace in (many, few):
            assign(Reference(WEB, (workspace is many and MANY) or 10), "stable", workspace=workspace)

        def status(workspace: Workspace) -> float:
            return median(lambda: collect(state.read(workspace=workspace), now=time.time()))

        emit(f"{MANY:,} versions: status; the same with 10", status(many), status(few), "<= 1.1")

        reference = images.parse(f"{WEB}@stable")
        times = in_turn(lambda: images.look_up(reference, workspace=many) and None, read_small, rounds=ROUNDS)
        emit(f"{MANY:,} versions: a lookup; one small JSON file read", *times, "<= 2")

        numbers = iter(range(10**9))

        def promote() -> None:
            assign(Reference(WEB, MANY - next(numbers) % 2), "stable", workspace=many)

        times = in_turn(promote, lambda: state.write(state.empty(), workspace=empty), rounds=ROUNDS)
        emit(f"{MANY:,} versions: a promotion; state.write of an empty state", *times, "<= 1.5")


if __name__ == "__main__":
    main()
