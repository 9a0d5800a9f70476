"""The workspace: how it is found."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hybridcore import workspace
from hybridcore.errors import WorkspaceError


def test_found_from_below_and_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    outer, inner = tmp_path / "outer", tmp_path / "outer" / "a" / "b"
    inner.mkdir(parents=True)
    (outer / "packer-hybrid.toml").touch()
    other = tmp_path / "other"
    other.mkdir()
    (other / "packer-hybrid.toml").touch()
    monkeypatch.chdir(inner)
    assert workspace.find().root == outer
    monkeypatch.setenv("HYBRIDCORE_WORKSPACE", str(other))
    assert workspace.find().root == other
    assert workspace.find(inner).root == outer
    monkeypatch.delenv("HYBRIDCORE_WORKSPACE")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WorkspaceError, match=r"no packer-hybrid\.toml in .* or any folder above it"):
        workspace.find()


def test_a_link_to_a_workspace_is_resolved(tmp_path: Path) -> None:
    real = tmp_path / "real"
    real.mkdir()
    (real / "packer-hybrid.toml").touch()
    (tmp_path / "link").symlink_to(real)
    found = workspace.open_workspace(tmp_path / "link")
    assert found.root == real
    assert found.relative(real / "logs" / "x.log") == "logs/x.log"
    assert found.relative(tmp_path / "elsewhere") == str(tmp_path / "elsewhere")


@pytest.mark.parametrize("name", ["missing", "file"])
def test_what_is_no_workspace_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(WorkspaceError, match="is not a workspace"):
        workspace.open_workspace(tmp_path / name)


def test_settings_that_are_not_utf8(tmp_path: Path) -> None:
    (tmp_path / "packer-hybrid.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(WorkspaceError, match=r"packer-hybrid\.toml: is not UTF-8 at byte 0$"):
        workspace.open_workspace(tmp_path)


@pytest.mark.parametrize("env", ["", "..", "../dev", "a/b", ".dev", "-dev", "a b", "dév"])
def test_names_that_cannot_be_part_of_a_path(env: str) -> None:
    with pytest.raises(WorkspaceError, match="is not the name of an environment"):
        workspace.check_env(env)


def test_names_that_can(tmp_path: Path) -> None:
    assert [workspace.check_env(env) for env in ("dev", "prod-2", "a.b_c")] == ["dev", "prod-2", "a.b_c"]


def test_settings_that_are_no_plain_file_are_an_error_at_once(tmp_path: Path) -> None:
    file = tmp_path / "packer-hybrid.toml"
    os.mkfifo(file)
    with pytest.raises(WorkspaceError, match="cannot read the settings: it is no plain file"):
        workspace.open_workspace(tmp_path)
    file.unlink()
    file.symlink_to(file)
    with pytest.raises(WorkspaceError, match="cannot read the settings: Too many levels"):
        workspace.open_workspace(tmp_path)


def test_a_folder_that_is_a_circle_of_links_is_no_workspace(tmp_path: Path) -> None:
    circle = tmp_path / "circle"
    circle.symlink_to(circle)
    with pytest.raises(WorkspaceError, match="cannot read the settings: Too many levels"):
        workspace.open_workspace(circle)
    with pytest.raises(WorkspaceError, match=r"no packer-hybrid\.toml in"):
        workspace.find(circle)
