"""A state may lack every field that is optional, and hold null there: whoever reads it does without."""

from __future__ import annotations

import copy
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hybridcore import cli, state
from hybridcore.state import schema
from tests.support.builds import build, statuses
from tests.support.programs import FakePacker
from tests.support.workspaces import WorkspaceFolder

TARGET, OTHER = "linux/null/a", "linux/null/b"
SUCCESS = """\
1605862346,null.x,artifact-count,1
1605862346,null.x,artifact,0,builder-id,null
1605862346,null.x,artifact,0,id,Null
1605862346,null.x,artifact,0,files-count,1
1605862346,null.x,artifact,0,file,0,result.txt
1605862346,null.x,artifact,0,end
"""
# As the schema has them.
SOURCE = {"url": "u", "ref": "main", "sha": "0" * 40, "synced_at": "2026-11-22T00:00:00.000Z"}


def optional(kind: schema.Kind, value: Any, where: tuple[object, ...] = ()) -> Iterator[tuple[object, ...]]:
    """The path of every field of a value that the schema does not require."""
    if isinstance(kind, schema.Record):
        for name, item in value.items():
            if name not in kind.required:
                yield (*where, name)
            if item is not None:
                yield from optional(kind.fields[name], item, (*where, name))
    elif isinstance(kind, schema.Table):
        for name, item in value.items():
            yield from optional(kind.value, item, (*where, name))
    elif isinstance(kind, schema.Items):
        for number, item in enumerate(value):
            yield from optional(kind.item, item, (*where, number))


def without(data: dict[str, Any], path: tuple[object, ...], *, null: bool) -> dict[str, Any]:
    changed: Any = copy.deepcopy(data)
    holder = changed
    for name in path[:-1]:
        holder = holder[name]
    if null:
        holder[path[-1]] = None
    else:
        del holder[path[-1]]
    return changed


def test_every_reader_does_without_every_optional_field(
    make_workspace: Callable[..., WorkspaceFolder],
    fake_packer: FakePacker,
    capsys: pytest.CaptureFixture[str],
) -> None:
    space = make_workspace()
    for target in (TARGET, OTHER):
        space.null(target)
    fake_packer.answer("build", stdout=SUCCESS, code="open('result.txt', 'w').write('x')")
    assert statuses(build(space, TARGET, OTHER)) == {TARGET: "built", OTHER: "built"}
    where = space.open()
    data = dict(state.read(workspace=where))
    data["images"] = {key: copy.deepcopy(data["images"][key]) for key in data["images"]}
    gone = subprocess.Popen(["true"])
    gone.wait()
    data["sources"] = {"one": SOURCE}
    data["running"] = {
        "20261122T000000.000Z-abcdef": {
            **state.process_identity(gone.pid),
            "pid_start_time": 1,
            "started_at": "2026-11-22T00:00:00.000Z",
            "environment": "dev",
            "command": "a test",
            "targets": {TARGET: {"log_path": "logs/a.log", "leaves": "a machine"}},
        }
    }
    cases = [
        without(data, path, null=null)
        for name, kind in schema.SECTIONS.items()
        if data[name] is not None
        for path in optional(kind, data[name], (name,))
        for null in (True, False)
    ]
    assert len(cases) > 60
    for case in cases:
        assert schema.check(case) == []
        file = where.state_file
        file.write_text(json.dumps(case))
        for command in (["status"], ["--json", "status"], ["state", "history"], ["state", "show"], ["logs"]):
            assert cli.main(["--workspace", str(space.root), *command]) == 0, (command, case)
        build(space, TARGET, OTHER, check=True)
        report = build(space, TARGET, OTHER)  # it settles the run that is dead, too
        assert all(result.status.ok for result in report.results)
        after = state.read(workspace=where)
        assert after["running"] == {}
        assert "20261122T000000.000Z-abcdef" in [run["id"] for run in after["history"]]
    capsys.readouterr()


def test_a_state_of_required_fields_alone(
    make_workspace: Callable[..., WorkspaceFolder], capsys: pytest.CaptureFixture[str]
) -> None:
    space = make_workspace()
    space.null(TARGET)
    data = state.empty() | {
        "images": {f"dev/{TARGET}": {"target": TARGET, "environment": "dev"}},
        "history": [{"id": "r1"}],
        "last_run": {"id": "r1"},
        "running": {
            "r2": {"pid": os.getpid(), "host": os.uname().nodename, "started_at": SOURCE["synced_at"]}
        },
    }
    file: Path = space.open().state_file
    file.parent.mkdir()
    file.write_text(json.dumps(data))
    for command in (["status"], ["--json", "status"], ["state", "history"], ["state", "show"]):
        assert cli.main(["--workspace", str(space.root), *command]) == 0
    assert "r1" in capsys.readouterr().out
