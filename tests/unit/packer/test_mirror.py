"""The folder that Packer gets: a mirror in which relative paths hold, and an old Packer's view of plugins."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from hybridcore import templates
from hybridcore.packer.mirror import compose, fill, make_mirror, own_manifests, plugin_requirements
from tests.support.workspaces import WorkspaceFolder

A, B = "linux/null/a", "linux/null/b"
PLUGINS = """\
packer {
  required_version = ">= 1.6"
  required_plugins {
    qemu = {
      version = "= 1.0.9"
      source  = "github.com/hashicorp/qemu"
    }
  }
}

variable "after" {}
"""


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder]) -> WorkspaceFolder:
    made = make_workspace()
    for target in (A, B):
        made.null(target)
    made.write(f"templates/{A}/files/data.txt", "data")
    made.write("templates/ansible/site.yml", "[]")
    made.write("templates/linux/common.sh", "common")
    made.write("sources/demo/x", "source")
    made.write(".hidden", "hidden")
    return made


def test_relative_paths_mean_what_they_mean_in_the_workspace(space: WorkspaceFolder, tmp_path: Path) -> None:
    folder = compose(templates.load(A, space.open()), tmp_path / "run", space.open(), with_plugins=True)
    assert folder == tmp_path / "run" / "templates" / A
    for path in (
        "build.pkr.hcl",
        "files/data.txt",
        "../b/build.pkr.hcl",
        "../../common.sh",
        "../../../ansible/site.yml",
        "../../../../sources/demo/x",
        "../../../../packer-hybrid.toml",
    ):
        assert (folder / path).read_text() == (space.root / "templates" / A / path).read_text(), path
    assert not (tmp_path / "run" / ".hidden").exists()


def test_what_packer_writes_stays_in_the_mirror(space: WorkspaceFolder, tmp_path: Path) -> None:
    before = sorted(path for path in space.root.rglob("*"))
    folder = compose(templates.load(A, space.open()), tmp_path / "run", space.open(), with_plugins=True)
    (folder / "output").mkdir()
    (folder / "output" / "disk").write_text("x")
    (folder / "packer-manifest.json").write_text("{}")
    assert sorted(path for path in space.root.rglob("*")) == before


def test_it_is_for_its_owner_only(space: WorkspaceFolder, tmp_path: Path) -> None:
    folder = compose(templates.load(A, space.open()), tmp_path / "run", space.open(), with_plugins=True)
    while folder != tmp_path:
        assert folder.stat().st_mode & 0o777 == 0o700
        assert not folder.is_symlink()
        folder = folder.parent


def test_targets_of_one_batch_have_folders_of_their_own(space: WorkspaceFolder, tmp_path: Path) -> None:
    here = space.open()
    both = [templates.load(target, here) for target in (A, B)]
    make_mirror(both, tmp_path / "run", here)
    first, second = (fill(one, tmp_path / "run", with_plugins=True) for one in both)
    (first / "output").write_text("a's")
    assert not (second / "output").exists()
    assert not (space.root / "templates" / A / "output").exists()
    # The next attempt finds nothing of the last one.
    assert not (fill(both[0], tmp_path / "run", with_plugins=True) / "output").exists()
    assert (second / "build.pkr.hcl").is_symlink()


def test_an_old_packer_gets_no_plugin_requirements(space: WorkspaceFolder, tmp_path: Path) -> None:
    file = space.write(f"templates/{A}/plugins.pkr.hcl", PLUGINS)
    template = templates.load(A, space.open())
    old = compose(template, tmp_path / "old", space.open(), with_plugins=False) / "plugins.pkr.hcl"
    text = old.read_text()
    assert "required_plugins" not in text
    assert "qemu" not in text
    assert "required_version" in text
    lines = PLUGINS.splitlines()
    assert text.splitlines().index('variable "after" {}') == lines.index('variable "after" {}')
    assert file.read_text() == PLUGINS
    new = compose(template, tmp_path / "new", space.open(), with_plugins=True) / "plugins.pkr.hcl"
    assert os.readlink(new) == str(file)


def test_files_without_plugin_requirements_are_left_as_they_are(space: WorkspaceFolder) -> None:
    assert plugin_requirements(templates.load(A, space.open())) == {}


@pytest.mark.parametrize(
    ("inside", "found"),
    [
        ('post-processor "manifest" {}', {"packer-manifest.json"}),
        ('post-processor "manifest" {\n output = "made.json"\n}', {"made.json"}),
        ('post-processor "manifest" {\n output = "${path.root}/out/../made.json"\n}', {"made.json"}),
        ('post-processor "manifest" {\n output = "out/made.json"\n}', {"out/made.json"}),
        ('post-processors {\n post-processor "manifest" {}\n}', {"packer-manifest.json"}),
        ('post-processor "manifest" {\n output = var.message\n}', set()),
        ('post-processor "manifest" {\n output = "/tmp/made.json"\n}', set()),
        ('post-processor "manifest" {\n output = "../made.json"\n}', set()),
        ('post-processor "shell-local" {\n output = "files"\n}', set()),
        ("post-processor {}", set()),
    ],
)
def test_the_manifests_that_a_template_has_written(
    space: WorkspaceFolder, inside: str, found: set[str]
) -> None:
    space.write(f"templates/{A}/more.pkr.hcl", f"build {{\n{inside}\n}}\n")
    assert own_manifests(templates.load(A, space.open())) == found


def test_a_manifest_that_somebody_left_is_no_part_of_a_build(space: WorkspaceFolder, tmp_path: Path) -> None:
    post = 'build {\n  post-processor "manifest" {\n    output = "made.json"\n  }\n}\n'
    space.write(f"templates/{A}/more.pkr.hcl", post)
    space.write(f"templates/{A}/made.json", "{}")
    space.write(f"templates/{A}/other.json", "{}")
    folder = compose(templates.load(A, space.open()), tmp_path / "run", space.open(), with_plugins=True)
    assert not os.path.lexists(folder / "made.json")
    assert (folder / "other.json").is_symlink()
