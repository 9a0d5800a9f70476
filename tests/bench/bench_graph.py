"""Planning 1,000 targets, in chains of 5 that start from each other, against the same without parents."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

from measure import emit, in_turn

from hybridcore import pipeline, state
from hybridcore.images import versions
from hybridcore.images.names import Image
from hybridcore.packer.planning.plan import Planned, plan
from hybridcore.packer.program.capabilities import probe_workspace
from tests.support.workspaces import WorkspaceFolder

TARGETS, DEEP = 1000, 5
ROUNDS = 5
REQUEST = pipeline.Request(env="dev")


def make(folder: Path, *, parents: bool) -> WorkspaceFolder:
    """A workspace of which every image is there and unchanged."""
    space = WorkspaceFolder.create(folder)
    tables = []
    for number in range(TARGETS):
        target = space.null(name(number))
        table = f'[images."{target}"]\n'
        if parents and number % DEEP:
            table += f'parent = {{target = "{name(number - 1)}", variables = {{message = "checksum"}}}}\n'
        tables.append(table)
    space.settings("".join(tables))
    for level in range(DEEP):
        record(space, [one for one in planned(space) if int(one.template.target[-4:]) % DEEP == level])
    return space


def name(number: int) -> str:
    return f"linux/null/image{number:04}"


def planned(space: WorkspaceFolder) -> list[Planned]:
    """What a build does until it knows what is to be built."""
    where = space.open()
    prepared = pipeline.prepare(REQUEST, where)
    texts = {template.target: "" for template in prepared.templates}
    return plan(
        prepared.templates,
        env=REQUEST.env,
        workspace=where,
        capabilities=probe_workspace(where),
        options=REQUEST.options,
        rendered=texts,
    )


def record(space: WorkspaceFolder, made: list[Planned]) -> None:
    """Have the state say that these were built."""
    where = space.open()
    with state.transaction(workspace=where, command="a measurement") as data:
        for one in made:
            image = Image(REQUEST.env, one.template.target)
            path = f"images/{image.key}/R/disk"
            content = image.key.encode()
            space.write(path, image.key)
            file = {"path": path, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            entry = {
                "environment": image.env,
                "target": image.target,
                "fingerprint": one.fingerprint,
                "inputs": dict(one.inputs),
                "artifacts": [{"id": "VM", "files": [file]}],
                "built_at": state.timestamp(),
                "run": "R",
            }
            versions.add(data, where, image, versions.record_of(entry, None, parent=one.parent_record))


def main() -> None:
    """Make both workspaces, then plan in turn."""
    with tempfile.TemporaryDirectory() as folder:
        graph, plain = (make(Path(folder) / kind, parents=kind == "graph") for kind in ("graph", "plain"))
        for space in (graph, plain):
            if any(one.reasons for one in planned(space)):
                raise SystemExit("something would be built, so this measured nothing")
        took = in_turn(lambda: planned(graph), lambda: planned(plain), rounds=ROUNDS)
        row = f"planning a graph of {TARGETS:,} targets, {DEEP} deep / the same without parents"
        emit(row, *took, "<= 1.1")


if __name__ == "__main__":
    main()
