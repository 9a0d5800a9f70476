"""`validate_schema` on rendered files, overlays, and values together with templates."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from hybridcore.config import generate_env_config, validate_schema
from hybridcore.errors import ConfigError
from tests.support.workspaces import WorkspaceFolder

TARGET = "linux/null/demo"
TEMPLATE = """\
variable "n" {
  type = number
}

variable "token" {
  type      = string
  sensitive = true
}

source "null" "demo" {
  communicator = "none"
}

build {
  sources = ["source.null.demo"]
}
"""


@pytest.fixture
def folder(make_workspace: Callable[..., WorkspaceFolder]) -> WorkspaceFolder:
    made: WorkspaceFolder = make_workspace()
    made.template(TARGET, TEMPLATE)
    return made


def faults(folder: WorkspaceFolder, *files: str | Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        validate_schema([folder.root / file for file in files], workspace=folder.open())
    return [str(fault) for fault in caught.value.faults]


def test_what_was_rendered_is_right(folder: WorkspaceFolder) -> None:
    folder.write("environments/dev/a.pkrvars.hcl", "n = 5\n")
    result = generate_env_config({"env": "dev", "targets": [TARGET]}, workspace=folder.open())
    validate_schema([result["files"][0]["path"]], workspace=folder.open())


def test_what_the_build_tells_of_a_parent_is_not_missed_in_what_was_rendered(folder: WorkspaceFolder) -> None:
    app = 'variable "disk" {\n  type = string\n}\n' + TEMPLATE.replace("demo", "app")
    folder.template("linux/null/app", app)
    folder.settings(
        '[images."linux/null/app"]\nparent = {target = "linux/null/demo", variables = {disk = "path"}}\n'
    )
    folder.write("environments/dev/a.pkrvars.hcl", "n = 5\n")
    result = generate_env_config({"env": "dev", "targets": ["linux/null/app"]}, workspace=folder.open())
    validate_schema([result["files"][0]["path"]], workspace=folder.open())


def test_a_rendered_file_that_was_edited(folder: WorkspaceFolder) -> None:
    path = f"configs/dev/{TARGET}.pkrvars.hcl"
    folder.write(path, 'n = "x"\nother = 1\ntoken = "hunter2"\n')
    found = faults(folder, path)
    assert [fault.split(" (")[0] for fault in found] == [
        f'{path}:1: n: expected number, found the string "x"',
        f"{path}:2: other: linux/null/demo does not declare it",
        f"{path}:3: token: a sensitive variable must not be given here",
    ]
    assert "hunter2" not in "".join(found)


def test_a_rendered_file_with_a_variable_missing(folder: WorkspaceFolder) -> None:
    path = f"configs/dev/{TARGET}.pkrvars.hcl"
    folder.write(path, "")
    (found,) = faults(folder, path)
    assert found.startswith(f"templates/{TARGET}/build.pkr.hcl:1: n: expected number, found no value")


def test_an_overlay_is_checked_against_the_targets_it_applies_to(folder: WorkspaceFolder) -> None:
    other = TEMPLATE.replace("demo", "other").replace("number", "string")
    folder.template("linux/null/other", other)
    for path in ("environments/dev/a.pkrvars.hcl", "environments/common/linux/null/demo.pkrvars.hcl"):
        folder.write(path, 'n = "x"\nfor_others = 1\n')
        (found,) = faults(folder, path)
        assert found.startswith(f'{path}:1: n: expected number, found the string "x"')
    folder.write("environments/dev/linux/null/other.pkrvars.hcl", 'n = "x"\n')
    validate_schema([folder.root / "environments/dev/linux/null/other.pkrvars.hcl"], workspace=folder.open())


def test_values_together_with_templates_anywhere(folder: WorkspaceFolder, tmp_path: Path) -> None:
    (tmp_path / "v.pkr.hcl").write_text('variable "n" {\n  type = number\n}\nvariable "s" {\n}\n')
    (tmp_path / "a.pkrvars.hcl").write_text('n = "x"\nundeclared = 1\n')
    (tmp_path / "b.pkrvars.hcl").write_text("n = 5\n")
    found = faults(folder, tmp_path / "v.pkr.hcl", tmp_path / "a.pkrvars.hcl")
    assert len(found) == 2
    assert f'{tmp_path}/a.pkrvars.hcl:1: n: expected number, found the string "x"' in found[0]
    assert "s: expected any, found no value" in found[1]
    (tmp_path / "b.pkrvars.hcl").write_text("n = 5\ns = 1\n")
    files = [tmp_path / name for name in ("v.pkr.hcl", "a.pkrvars.hcl", "b.pkrvars.hcl")]
    assert len(faults(folder, *files)) == 1, "for Packer each file must fit, not only the last"
    (tmp_path / "a.pkrvars.hcl").write_text("n = 4\n")
    validate_schema(files, workspace=folder.open())


def test_templates_alone_are_checked_for_their_declarations(folder: WorkspaceFolder, tmp_path: Path) -> None:
    (tmp_path / "v.pkr.hcl").write_text(
        'variable "n" {\n  type = nubmer\n}\nvariable "m" {\n  type = number\n}\n'
    )
    (found,) = faults(folder, tmp_path / "v.pkr.hcl")
    assert "v.pkr.hcl:2: n: the type is not valid" in found


def test_a_file_that_is_for_no_template(folder: WorkspaceFolder, tmp_path: Path) -> None:
    (tmp_path / "x.pkrvars.hcl").write_text("n = 5\n")
    assert "which template are these values for?" in faults(folder, tmp_path / "x.pkrvars.hcl")[0]


def test_a_file_that_is_missing_and_one_that_is_broken(folder: WorkspaceFolder, tmp_path: Path) -> None:
    (tmp_path / "v.pkr.hcl").write_text('variable "n" {\n')
    found = faults(folder, tmp_path / "v.pkr.hcl", tmp_path / "gone.pkrvars.hcl")
    assert any("gone.pkrvars.hcl: cannot be read" in fault for fault in found)
    assert any("v.pkr.hcl:" in fault and "column" in fault for fault in found)


def test_a_file_that_cannot_be_read_is_not_missing_values_too(
    folder: WorkspaceFolder, tmp_path: Path
) -> None:
    path = f"configs/dev/{TARGET}.pkrvars.hcl"
    folder.write(path, "n = \n")
    (fault,) = faults(folder, path)
    assert fault.startswith(f"{path}:1: column 5")
    (tmp_path / "v.pkr.hcl").write_text('variable "n" {\n}\n')
    os.mkfifo(tmp_path / "pipe.pkrvars.hcl")
    assert faults(folder, tmp_path / "v.pkr.hcl", tmp_path / "pipe.pkrvars.hcl") == [
        f"{tmp_path}/pipe.pkrvars.hcl: cannot be read: it is no plain file"
    ]
    os.mkfifo(tmp_path / "pipe.pkr.hcl")
    (fault,) = faults(folder, tmp_path / "pipe.pkr.hcl")
    assert "pipe.pkr.hcl: cannot be read: it is no plain file" in fault


def test_an_overlay_that_no_target_uses(folder: WorkspaceFolder) -> None:
    folder.write("environments/dev/linux/null/gone/a.pkrvars.hcl", "n = 5\n")
    (fault,) = faults(folder, "environments/dev/linux/null/gone/a.pkrvars.hcl")
    assert "no target uses these values" in fault
