"""What a real Packer finds in its mirror, and that what it writes stays there and is not lost."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from hybridcore.packer.results import Status
from tests.support.builds import Recorder, build, statuses
from tests.support.programs import FakeProgram
from tests.support.tools import Tools
from tests.support.workspaces import WorkspaceFolder

pytestmark = pytest.mark.integration

QEMU = """\
source "qemu" "machine" {
  disk_image       = true
  iso_url          = "disk.img"
  iso_checksum     = "none"
  output_directory = "output"
  communicator     = "none"
  qemu_binary      = "false"
  %s
}

build {
  sources = ["source.qemu.machine"]
}
"""
FILE = """\
source "file" "image" {
  content = "hello"
  target  = "%s"
}

build {
  sources = ["source.file.image"]
}
"""
# Writes a file beside an image, as `qemu-img convert` does, with the target that follows.
CONVERT = """\
source "file" "image" {
  content = "hello"
  target  = "output/image.txt"
}

build {
  sources = ["source.file.image"]

  post-processors {
    post-processor "shell-local" {
      inline = ["cp output/image.txt output/converted.raw", "mkdir -p scratch __pycache__", %s]
    }
%s
  }
}
"""


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder]) -> WorkspaceFolder:
    return make_workspace()


def content(folder: Path) -> dict[str, bytes]:
    """Every file below a folder, with what is in it."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("attribute", ['floppy_files = ["floppy"]', 'floppy_dirs = ["floppy"]'])
def test_a_folder_becomes_a_floppy_disk(
    space: WorkspaceFolder,
    any_packer: Path,
    tools: Tools,
    monkeypatch: pytest.MonkeyPatch,
    attribute: str,
) -> None:
    """Packer makes the disk before it starts the machine, which ends at once here."""
    monkeypatch.setenv("PACKER_PLUGIN_PATH", str(tools.plugins))
    space.use(any_packer)
    target = space.template("linux/qemu/machine", QEMU % attribute)
    space.write(f"templates/{target}/disk.img", "x" * 512)
    space.write(f"templates/{target}/floppy/drivers/net.inf", "driver")
    monitor = Recorder()
    assert build(space, monitor=monitor).status is Status.FAILED
    assert "Done copying files from floppy_files" in monitor.text
    if "floppy_dirs" in attribute:
        assert "Done copying paths from floppy_dirs" in monitor.text
    assert "is a directory" not in monitor.text
    assert "Error determining qemu version" in monitor.text  # the step after it, which comes to an end here


def test_a_folder_becomes_a_cd(
    space: WorkspaceFolder,
    tools: Tools,
    fake_program: Callable[[str], FakeProgram],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """The program that would make the CD copies what Packer gives it."""
    monkeypatch.setenv("PACKER_PLUGIN_PATH", str(tools.plugins))
    space.use(tools.packer)
    program = tmp_path / "fake-bin" / "xorriso"
    fake_program("xorriso")
    program.unlink(missing_ok=True)
    cd = tmp_path / "cd"
    program.write_text(f'#!/bin/sh\nfor last in "$@"; do :; done\ncp -r "$last" {cd}\nexit 1\n')
    program.chmod(0o755)
    target = space.template("linux/qemu/machine", QEMU % 'cd_files = ["cd"]')
    space.write(f"templates/{target}/disk.img", "x" * 512)
    space.write(f"templates/{target}/cd/deep/user-data", "#cloud-config")
    assert build(space).status is Status.FAILED
    assert content(cd) == {"cd/deep/user-data": b"#cloud-config"}


@pytest.mark.parametrize("where", ["folder", "link", "file"])
def test_an_output_that_somebody_left_is_neither_written_nor_taken(
    space: WorkspaceFolder, any_packer: Path, tmp_path: Path, where: str
) -> None:
    """Else dev and prod write into the same place, and the next build is another one."""
    space.use(any_packer)
    target = space.template("linux/file/image", FILE % "output/image.txt")
    left = space.root / "templates" / target / "output"
    if where == "link":
        (tmp_path / "elsewhere").mkdir()
        left.symlink_to(tmp_path / "elsewhere")
    else:
        left.mkdir()
    (left / (".gitkeep" if where == "folder" else "image.txt")).write_text("by hand")
    before = content(space.root / "templates"), content(tmp_path / "elsewhere")
    (result,) = build(space).results
    assert result.status is Status.BUILT, result.errors
    assert result.warnings == ()
    assert (content(space.root / "templates"), content(tmp_path / "elsewhere")) == before
    ((file,),) = (one.files for one in result.artifacts)
    assert (space.root / file.path).read_text() == "hello"
    assert file.path == f"images/dev/{target}/latest/image.txt".replace(
        "latest", os.readlink(space.root / "images/dev" / target / "latest")
    )
    assert statuses(build(space)) == {target: "unchanged"}


def test_each_target_and_each_attempt_has_a_mirror_of_its_own(space: WorkspaceFolder) -> None:
    there = "test ! -e ../met && touch ../met && test ! -e ../../../met && touch ../../../met"
    names = [space.null(f"linux/null/{name}", inline=(there,)) for name in "abc"]
    assert set(statuses(build(space)).values()) == {"built"}
    assert set(statuses(build(space, force=True)).values()) == {"built"}
    assert not (space.root / "met").exists()
    assert sorted(os.listdir(space.root / "templates/linux/null")) == ["a", "b", "c"]
    assert len(names) == 3


def test_hidden_files_are_there(space: WorkspaceFolder, any_packer: Path) -> None:
    space.use(any_packer)
    space.write(".tool-versions", "x")
    target = space.null(inline=("cat .answers ../../../../.tool-versions",))
    space.write(f"templates/{target}/.answers", "y")
    assert build(space).status is Status.BUILT


def test_what_lies_beside_an_artifact_is_kept_and_named(space: WorkspaceFolder, any_packer: Path) -> None:
    """`qemu-img convert` and the like make files that Packer does not know."""
    space.use(any_packer)
    more = '"echo x > scratch/log.txt", "echo x > __pycache__/y.pyc"'
    target = space.template("linux/file/image", CONVERT % (more, ""))
    (result,) = build(space).results
    assert result.status is Status.BUILT, result.errors
    run = space.root / "images/dev" / target / "latest"
    kept, lost = result.warnings
    assert content(run).keys() == {"image.txt", "converted.raw", "packer-manifest.json"}
    assert (run / "converted.raw").read_text() == "hello"
    for text, name in ((kept, "output/converted.raw"), (lost, "scratch/log.txt")):
        assert f"no artifact names {name}: " in text
        assert 'post-processor "artifice"' in text
    assert f"kept in images/dev/{target}/{os.readlink(run)}, unchecked" in kept
    assert "not kept" in lost
    assert [file.path.rpartition("/")[2] for one in result.artifacts for file in one.files] == ["image.txt"]


def test_what_artifice_names_is_an_artifact_and_nothing_is_said(
    space: WorkspaceFolder, any_packer: Path
) -> None:
    space.use(any_packer)
    remedy = '    post-processor "artifice" {\n      files = ["output/converted.raw"]\n    }'
    space.template("linux/file/image", CONVERT % ('"true"', remedy))
    (result,) = build(space).results
    assert result.status is Status.BUILT, result.errors
    assert result.warnings == ()
    names = {file.path.rpartition("/")[2] for one in result.artifacts for file in one.files}
    assert names >= {"converted.raw"}


def test_a_large_result_of_an_earlier_run_by_hand_is_not_written_over(space: WorkspaceFolder) -> None:
    remedy = '    post-processor "artifice" {\n      files = ["output/converted.raw"]\n    }'
    target = space.template("linux/file/image", CONVERT % ('"true"', remedy))
    old = space.write(f"templates/{target}/output/converted.raw", "x" * (1 << 21))
    (result,) = build(space).results
    assert result.status is Status.BUILT, result.errors
    assert old.stat().st_size == 1 << 21
    (file,) = (file for one in result.artifacts for file in one.files if file.path.endswith(".raw"))
    assert file.size == len("hello")


def test_what_a_build_made_is_named_where_nothing_of_the_image_is_a_file(space: WorkspaceFolder) -> None:
    space.null(inline=("for n in 1 2 3 4 5 6 7; do echo x > made$n; done",))
    (result,) = build(space).results
    (warning,) = result.warnings
    assert warning.startswith("no artifact names made1, made2, made3, made4, made5 and 2 more: not kept")
