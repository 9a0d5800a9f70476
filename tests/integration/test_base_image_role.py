"""The role base_image without a virtual machine: what it keeps, and what it says when something is wrong."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.playbooks import Ansible
from tests.support.programs import FakeProgram

pytestmark = pytest.mark.integration

PLAY = """
- hosts: localhost
  gather_facts: false
  roles:
    - hybridcore.packer.base_image
  tasks:
    - ansible.builtin.copy:
        content: "{{ {'path': base_image_path, 'checksum': base_image_checksum} | to_json }}"
        dest: "{{ playbook_dir }}/facts.json"
        mode: "0644"
      check_mode: false
"""


class Role:
    """The role, run in a workspace of its own."""

    def __init__(self, ansible: Ansible, folder: Path) -> None:
        self.ansible = ansible
        self.folder = folder
        self.kept = folder / "images/base"
        folder.mkdir()
        (folder / "packer-hybrid.toml").touch()
        (folder / "play.yml").write_text(PLAY)

    def run(self, *arguments: str, **variables: object) -> subprocess.CompletedProcess[str]:
        return self.ansible.playbook(
            "play.yml", "-e", json.dumps(variables), *arguments, cwd=self.folder, env={"COLUMNS": "1000"}
        )

    @property
    def facts(self) -> dict[str, str]:
        found: dict[str, str] = json.loads((self.folder / "facts.json").read_text())
        return found

    def files(self) -> list[str]:
        return sorted(path.name for path in self.kept.iterdir()) if self.kept.exists() else []


@pytest.fixture
def role(ansible: Ansible, tmp_path: Path) -> Role:
    return Role(ansible, tmp_path / "space")


@pytest.fixture
def finished(tmp_path: Path) -> tuple[str, str]:
    """A finished image to fetch: its URL and its checksum."""
    content = b"not really a disk\n" * 1000
    path = tmp_path / "finished.qcow2"
    path.write_bytes(content)
    return f"file://{path}", "sha256:" + hashlib.sha256(content).hexdigest()


def text_of(done: subprocess.CompletedProcess[str]) -> str:
    """What Ansible said, its folded lines joined."""
    return " ".join(done.stdout.split())


def test_a_finished_image_is_fetched_once(role: Role, finished: tuple[str, str]) -> None:
    url, checksum = finished
    done = role.run(base_image_url=url, base_image_checksum=checksum)
    assert done.returncode == 0, done.stdout
    name = f"download-{checksum.removeprefix('sha256:')[:12]}.qcow2"
    assert role.facts == {"path": str(role.kept / name), "checksum": checksum}
    assert role.files() == [name, f"{name}.sha256"]
    subprocess.run(["sha256sum", "--check", f"{name}.sha256"], cwd=role.kept, check=True, capture_output=True)

    Path(url.removeprefix("file://")).unlink()
    again = role.run(base_image_url=url, base_image_checksum=checksum)
    assert again.returncode == 0, again.stdout
    assert "changed=0" in again.stdout
    assert role.facts["checksum"] == checksum


def test_a_wrong_checksum_is_one_clear_error_and_leaves_nothing(
    role: Role, finished: tuple[str, str]
) -> None:
    done = role.run(base_image_url=finished[0], base_image_checksum="sha256:" + "0" * 64)
    assert done.returncode == 2
    assert 'The step "Download the base image" failed' in text_of(done)
    assert "The checksum for" in text_of(done)
    assert role.files() == []


def test_an_image_that_nobody_checked_is_refused(role: Role, finished: tuple[str, str]) -> None:
    done = role.run(base_image_url=finished[0])
    assert done.returncode == 2
    assert "base_image_url needs base_image_checksum" in text_of(done)
    assert role.files() == []


def test_a_folder_without_a_workspace_is_named(ansible: Ansible, tmp_path: Path) -> None:
    (tmp_path / "play.yml").write_text(PLAY)
    done = ansible.playbook("play.yml", cwd=tmp_path)
    assert done.returncode == 2
    assert f"there is no packer-hybrid.toml in {tmp_path} or above it" in text_of(done)


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


def test_a_full_disk_is_seen_before_anything_is_made(role: Role, full_disk: Path) -> None:
    done = role.run(base_image_dir=str(full_disk / "base"))
    assert done.returncode == 2
    said = text_of(done)
    assert f"{full_disk}/base has 16 MiB free, and making the base image takes 2048 MiB" in said
    assert list((full_disk / "base").iterdir()) == []


def test_a_disk_that_fills_while_fetching_leaves_nothing(role: Role, full_disk: Path, tmp_path: Path) -> None:
    large = tmp_path / "large.qcow2"
    large.write_bytes(os.urandom(32 << 20))
    checksum = "sha256:" + hashlib.sha256(large.read_bytes()).hexdigest()
    done = role.run(
        base_image_dir=str(full_disk / "base"), base_image_url=f"file://{large}", base_image_checksum=checksum
    )
    assert done.returncode == 2
    assert "The base image could not be made" in text_of(done)
    assert list((full_disk / "base").iterdir()) == []


def test_what_mmdebstrap_says_reaches_the_user_and_nothing_is_left(
    role: Role, fake_program: Callable[[str], FakeProgram]
) -> None:
    fake_program("mmdebstrap").answer(
        "", stderr="E: Unable to locate package no-such-package\n", exit_code=100
    )
    done = role.run(base_image_packages=["no-such-package"])
    assert done.returncode == 2
    said = text_of(done)
    assert "Make a bootable disk from Debian's packages (a minute or two)" in said
    assert "E: Unable to locate package no-such-package" in said
    assert role.files() == []


def test_another_recipe_makes_another_file_and_check_mode_makes_none(role: Role) -> None:
    names = []
    for packages in ([], [], ["puppet-agent"]):
        done = role.run("--check", base_image_packages=packages)
        assert done.returncode == 0, done.stdout
        names.append(role.facts["path"])
    assert names[0] == names[1] != names[2]
    assert role.facts["checksum"] == "sha256:" + "0" * 64
    assert role.files() == []


def test_of_two_runs_that_made_the_same_image_the_first_one_wins(repository: Path, tmp_path: Path) -> None:
    publish = repository / "roles/base_image/files/publish.sh"
    place = tmp_path / "kept" / "image.qcow2"
    place.parent.mkdir()
    for content in ("first", "second"):
        made = tmp_path / content
        made.write_text(content)
        subprocess.run(["sh", str(publish), str(made), str(place)], check=True)
    assert place.read_text() == "first"
    digest = hashlib.sha256(b"first").hexdigest()
    assert (tmp_path / "kept/image.qcow2.sha256").read_text() == f"{digest}  image.qcow2\n"


def test_what_a_killed_run_left_is_removed_and_what_is_in_use_stays(repository: Path, tmp_path: Path) -> None:
    for name in (".making-dead", ".making-used", ".making-download", "other"):
        (tmp_path / name).mkdir()
        if name != ".making-download":
            (tmp_path / name / "root").mkdir()
    script = repository / "roles/base_image/files/remove-left.sh"
    command = ["flock", "--no-fork", str(tmp_path / ".making-used"), "sh", str(script), str(tmp_path)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert done.stdout == f"{tmp_path}/.making-dead\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == [".making-download", ".making-used", "other"]
