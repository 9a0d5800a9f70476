"""Which files of a template are read, in which order, and what cannot be."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from hybridcore.errors import Fault, HclError
from hybridcore.templates.files import read_bodies, read_body
from tests.support.workspaces import WorkspaceFolder


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder]) -> WorkspaceFolder:
    return make_workspace()


def read(space: WorkspaceFolder, place: str) -> tuple[list[str], list[str]]:
    """The names of the files that were read, and the faults."""
    faults: list[Fault] = []
    bodies = read_bodies(space.root / place, space.open(), faults)
    return [path.name for path, _ in bodies], [str(fault) for fault in faults]


def test_a_folder_gives_its_templates_by_name_and_no_other_file(space: WorkspaceFolder) -> None:
    for name in ("b.pkr.hcl", "a.pkr.hcl", "B.pkr.hcl", "x.pkrvars.hcl", "in/c.pkr.hcl"):
        space.write(f"t/{name}", "")
    assert read(space, "t") == (["B.pkr.hcl", "a.pkr.hcl", "b.pkr.hcl"], [])
    space.write("t/A.pkr.json", "{}")
    assert read(space, "t") == (["B.pkr.hcl", "a.pkr.hcl", "b.pkr.hcl", "A.pkr.json"], [])


def test_one_file_is_read_alone_whatever_its_name(space: WorkspaceFolder) -> None:
    space.write("t/a.hcl", "x = 1\n")
    space.write("t/b.pkr.hcl", "")
    assert read(space, "t/a.hcl") == (["a.hcl"], [])


def test_what_cannot_be_read_is_a_fault_and_the_others_are_read(
    space: WorkspaceFolder, tmp_path: Path
) -> None:
    space.write("t/good.pkr.hcl", "")
    space.write("t/wrong.pkr.hcl", "a = 1\nb = = 2\n")
    os.mkfifo(space.root / "t/pipe.pkr.hcl")
    (space.root / "t/gone.pkr.hcl").symlink_to("nothing")
    (tmp_path / "outside.pkr.hcl").write_text("")
    (space.root / "t/out.pkr.hcl").symlink_to(tmp_path / "outside.pkr.hcl")
    names, faults = read(space, "t")
    assert names == ["good.pkr.hcl"]
    assert faults == [
        "t/gone.pkr.hcl: cannot be read: No such file or directory",
        "t/out.pkr.hcl: leads out of the workspace (copy the file)",
        "t/pipe.pkr.hcl: cannot be read: it is no plain file",
        't/wrong.pkr.hcl:2: column 5: expected a value, found "="',
    ]


def test_a_file_is_parsed_again_only_when_it_has_changed(space: WorkspaceFolder) -> None:
    file = space.write("t/a.pkr.hcl", "x = 1\n")
    workspace, faults = space.open(), list[Fault]()
    first = read_bodies(file, workspace, faults)[0][1]
    assert read_bodies(file, workspace, faults)[0][1] is first
    file.write_text("x = 2\n")
    os.utime(file, ns=(1, 1))
    assert read_bodies(file, workspace, faults)[0][1].attributes["x"].value == 2
    file.write_text("x = 33\n")
    os.utime(file, ns=(1, 1))  # of the same time, but not of the same size
    assert read_bodies(file, workspace, faults)[0][1].attributes["x"].value == 33


def test_comments_may_hold_other_bytes_than_utf8_and_values_may_not(tmp_path: Path) -> None:
    file = tmp_path / "a.pkr.hcl"
    file.write_bytes(b"# caf\xe9\nx = 1\n")
    assert read_body(file).attributes["x"].value == 1
    file.write_bytes(b'x = "\xe9"\n')
    with pytest.raises(HclError, match="not UTF-8") as caught:
        read_body(file)
    assert (caught.value.filename, caught.value.line) == (str(file), 1)
