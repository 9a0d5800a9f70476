"""The base disk without a virtual machine: what its target asks for, keeps, and says when that fails."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.builds import build_json, hybrid, wait_for
from tests.support.programs import FakeProgram
from tests.support.workspaces import WorkspaceFolder

pytestmark = pytest.mark.integration

DISK, IMAGE = "linux/null/debian-12-base", "linux/qemu/debian-12"
# The tree that mmdebstrap would make, small; its folder is named before the mirrors, behind the release.
MAKES = """
tree = arguments[arguments.index("bookworm") + 1]
os.makedirs(tree + "/boot/efi/EFI")
with open(tree + "/boot/efi/EFI/loader", "w") as file:
    file.write("x")
"""


@pytest.fixture
def space(repository: Path, make_workspace: Callable[..., WorkspaceFolder]) -> WorkspaceFolder:
    """A fresh clone, as far as it matters."""
    made = make_workspace()
    for name in ("templates", "environments"):
        shutil.rmtree(made.root / name)
        shutil.copytree(repository / name, made.root / name)
    shutil.copy(repository / "packer-hybrid.toml", made.root)
    return made


@pytest.fixture
def mmdebstrap(fake_program: Callable[[str], FakeProgram]) -> FakeProgram:
    program = fake_program("mmdebstrap")
    program.answer("", code=MAKES)
    return program


def test_a_fresh_clone_needs_no_values_and_says_what_would_be_built(space: WorkspaceFolder) -> None:
    for targets in ((IMAGE,), ("all",)):
        done = hybrid(space, "build", "--env", "dev", "--check", *targets)
        assert done.returncode == 5, done.stdout + done.stderr
        assert f"{IMAGE}: would be built\n  because never built\n" in done.stdout
        assert f"  because its parent {DISK} is built anew\n" in done.stdout
        assert f"{DISK}: would be built\n  because never built\n" in done.stdout
    assert not (space.root / "state/packer-hybrid.json").exists()
    assert not (space.root / "configs").exists()
    done = hybrid(space, "validate", "--env", "dev")
    assert done.returncode == 0, done.stdout
    assert f"not checked: {IMAGE}: its parent {DISK} was never built" in done.stdout
    assert f"valid: {DISK}" in done.stdout


def test_the_disk_is_made_once_of_what_is_asked_for(space: WorkspaceFolder, mmdebstrap: FakeProgram) -> None:
    space.write(
        f"environments/dev/{DISK}.pkrvars.hcl",
        'packages = ["puppet-agent", "jq"]\n'
        'mirrors  = ["deb [trusted=yes] http://mirror/debian bookworm main", "it\'s another"]\n'
        "size_mib = 1600\n",
    )
    said = build_json(space, DISK)
    (result,) = said["results"]
    (file,) = (file for artifact in result["artifacts"] for file in artifact["files"])
    disk = space.root / file["path"]
    assert disk.parent.name == result["log_path"].rpartition("/")[2].removesuffix(".log")
    info = subprocess.run(["qemu-img", "info", str(disk)], check=True, capture_output=True, text=True).stdout
    assert "file format: qcow2" in info
    assert "(1677721600 bytes)" in info
    (call,) = mmdebstrap.calls
    assert call.argv[-2:] == ["deb [trusted=yes] http://mirror/debian bookworm main", "it's another"]
    assert any(one.startswith("--include=") and one.endswith(",zstd,puppet-agent,jq") for one in call.argv)
    assert sorted(path.name for path in disk.parent.iterdir()) == [disk.name, "packer-manifest.json"]
    assert [path.name for path in (space.root / "images/.runs").iterdir()] == []
    assert build_json(space, DISK)["status"] == "unchanged"
    assert len(mmdebstrap.calls) == 1


def test_what_mmdebstrap_says_reaches_the_user_and_nothing_is_left(
    space: WorkspaceFolder, mmdebstrap: FakeProgram
) -> None:
    mmdebstrap.answer("", stderr="E: Unable to locate package no-such-package\n", exit_code=100)
    done = hybrid(space, "build", "--env", "dev", IMAGE)
    assert done.returncode == 3
    assert "E: Unable to locate package no-such-package" in done.stdout
    assert f"{IMAGE}: cancelled\n  not built: its parent {DISK} failed\n" in done.stdout
    assert not (space.root / "images/dev").exists()
    assert [path.name for path in (space.root / "images/.runs").iterdir()] == []


def run_by_hand(space: WorkspaceFolder, folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(space, folder), env=values(**env), capture_output=True, text=True, check=False
    )


def command(space: WorkspaceFolder, folder: Path) -> list[str]:
    return ["/bin/sh", str(space.root / "templates" / DISK / "make-image.sh"), f"{folder}/disk.qcow2"]


def values(**more: str) -> dict[str, str]:
    return {**os.environ, "SIZE_MIB": "1600", "PACKAGES": "", "MIRRORS": "", **more}


def test_a_program_that_is_missing_is_named_with_its_package(space: WorkspaceFolder, tmp_path: Path) -> None:
    done = run_by_hand(space, tmp_path / "made", PATH=f"{tmp_path}")
    assert done.returncode == 1
    assert "E: mmdebstrap was not found; on Debian: apt install mmdebstrap mtools" in done.stderr


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system with 16 MiB."""
    place = tmp_path / "small"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(place)], check=False, capture_output=True
    )
    if mounted.returncode:
        pytest.skip("a small file system cannot be mounted here: that takes root")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_is_seen_before_anything_is_made(
    space: WorkspaceFolder, full_disk: Path, mmdebstrap: FakeProgram
) -> None:
    done = run_by_hand(space, full_disk / "made")
    assert done.returncode == 1
    assert f"E: 16 MiB are free in {full_disk}/made, and making the disk takes 2048 MiB" in done.stderr
    assert mmdebstrap.calls == []


def stand_in(program: FakeProgram, *lines: str) -> None:
    program.path.write_text("\n".join(("#!/bin/sh", *lines, "")))


def test_a_user_who_may_not_become_root_is_told(
    space: WorkspaceFolder,
    tmp_path: Path,
    mmdebstrap: FakeProgram,
    fake_program: Callable[[str], FakeProgram],
) -> None:
    fake_program("id").answer("", stdout="1000\n")
    fake_program("sudo").answer("", stderr="sudo: a password is required\n", exit_code=1)
    done = run_by_hand(space, tmp_path / "made")
    assert done.returncode == 1
    assert "E: the disk is made by root: this user needs sudo that asks for no password" in done.stderr
    assert mmdebstrap.calls == []


def test_what_root_does_for_another_user_ends_with_who_wanted_it(
    space: WorkspaceFolder, tmp_path: Path, fake_program: Callable[[str], FakeProgram]
) -> None:
    """Nobody but root can end a process of root, so it must end by itself when what started it is killed."""
    fake_program("id").answer("", stdout="1000\n")
    stand_in(fake_program("sudo"), 'shift; exec setsid --wait "$@"')
    stand_in(
        fake_program("mmdebstrap"),
        f"mkdir -p {tmp_path}/made/root",
        f"sleep 300 & echo $! > {tmp_path}/new; mv {tmp_path}/new {tmp_path}/began; wait",
    )
    by_hand: subprocess.Popen[Any] = subprocess.Popen(
        command(space, tmp_path / "made"), env=values(), stdin=subprocess.DEVNULL
    )
    wait_for((tmp_path / "began").exists, "mmdebstrap runs")
    by_hand.kill()
    by_hand.wait()
    wait_for(lambda: not (tmp_path / "made/root").exists(), "root's part has cleaned up")
    running = subprocess.run(["pgrep", "-f", f"{tmp_path}/"], check=False, capture_output=True, text=True)
    assert running.stdout.split() == []
