"""The public functions of the room: which workspace they take, what they write, and what they only say."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hybridcore import config
from hybridcore.errors import ConfigError, TemplatesError, WorkspaceError
from tests.support.workspaces import WorkspaceFolder

TARGET = "linux/null/demo"
RENDERED = f"configs/dev/{TARGET}.pkrvars.hcl"


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder], monkeypatch: pytest.MonkeyPatch) -> WorkspaceFolder:
    """A workspace with one target, and the current folder in it."""
    space = make_workspace()
    space.null(TARGET)
    space.write("environments/dev/all.pkrvars.hcl", 'message = "one"\n')
    monkeypatch.chdir(space.root / "templates")
    monkeypatch.delenv("HYBRIDCORE_WORKSPACE", raising=False)
    return space


def test_the_workspace_is_found_from_the_current_folder(space: WorkspaceFolder) -> None:
    found = config.generate_env_config({"env": "dev"})
    assert [one["path"] for one in found["files"]] == [str(space.root / RENDERED)]
    assert 'message = "one"' in (space.root / RENDERED).read_text()
    config.validate_schema([space.root / RENDERED])


def test_a_workspace_that_is_given_counts(space: WorkspaceFolder, tmp_path: Path) -> None:
    other = WorkspaceFolder.create(tmp_path / "other")
    other.null("linux/null/elsewhere")
    found = config.generate_env_config({"env": "dev"}, workspace=other.open())
    assert [one["target"] for one in found["files"]] == ["linux/null/elsewhere"]
    unused = other.write("environments/dev/windows/x.pkrvars.hcl", "a = 1\n")
    with pytest.raises(ConfigError, match="no target uses these values"):
        config.validate_schema([unused], workspace=other.open())


def test_without_write_no_file_and_no_log_is_written(space: WorkspaceFolder) -> None:
    before = sorted(space.root.rglob("*"))
    found = config.generate_env_config({"env": "dev"}, write=False)
    assert found["files"][0]["changed"]
    assert sorted(space.root.rglob("*")) == before


def test_a_fault_is_raised_before_anything_is_written(space: WorkspaceFolder) -> None:
    space.write("environments/dev/all.pkrvars.hcl", "message = [1]\n")
    with pytest.raises(ConfigError) as caught:
        config.generate_env_config({"env": "dev"})
    assert [(fault.file, fault.line) for fault in caught.value.faults] == [
        ("environments/dev/all.pkrvars.hcl", 1)
    ]
    assert not (space.root / "configs").exists()
    with pytest.raises(TemplatesError, match="linux/null/gone does not exist"):
        config.generate_env_config({"env": "dev", "targets": ["linux/null/gone"]})


def test_files_are_checked_as_the_packer_of_that_version_reads_them(space: WorkspaceFolder) -> None:
    template = space.write("x.pkr.hcl", 'variable "x" {\n  type = (string)\n}\n')
    values = space.write("x.pkrvars.hcl", 'x = "a"\n')
    config.validate_schema([template, str(values)], packer_version="1.6.6")
    config.validate_schema([template, values])
    with pytest.raises(ConfigError) as caught:
        config.validate_schema([template, values], packer_version="1.9.4")
    assert [(fault.file, fault.line) for fault in caught.value.faults] == [("x.pkr.hcl", 1)]


def test_no_workspace_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HYBRIDCORE_WORKSPACE", raising=False)
    with pytest.raises(WorkspaceError):
        config.generate_env_config({"env": "dev"})
