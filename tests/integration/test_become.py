"""Who runs a task: users without a name, `become` without sudo, and what is warned of beside a result."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.playbooks import Ansible
from tests.support.workspaces import WorkspaceFolder

pytestmark = pytest.mark.integration

PLAY = """\
- hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - hybridcore.packer.{task}
      register: answer
      ignore_errors: true
    - ansible.builtin.copy:
        content: "{{{{ answer | to_json }}}}"
        dest: "{folder}/answer.json"
        mode: "0644"
      become: false
"""
LIVE = "live_command: {argv: [echo, hello]}"
# A user of this number that no file names, who owns what we own.
NAMELESS = ("unshare", "--user", "--map-user=12345", "env", "-u", "USER", "-u", "LOGNAME")


def programs_but(folder: Path, hidden: str) -> str:
    """A PATH with every program of this one but some."""
    folder.mkdir()
    for place in reversed(os.environ["PATH"].split(os.pathsep)):
        for program in Path(place).glob("*"):
            link = folder / program.name
            link.unlink(missing_ok=True)
            if program.name != hidden:
                link.symlink_to(program)
    return str(folder)


@pytest.mark.parametrize("arguments", [(), ("--become", "--become-user", "root")])
def test_a_user_without_a_name_runs_tasks(
    ansible: Ansible, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    stand_in = tmp_path / "sudo"
    stand_in.write_text('#!/bin/sh\nwhile [ "${1#-}" != "$1" ]; do shift; done\nexec "$@"\n')
    stand_in.chmod(0o755)
    (tmp_path / "play.yml").write_text(PLAY.format(task=LIVE, folder=tmp_path))
    done = subprocess.run(
        [
            *NAMELESS,
            ansible.program("ansible-playbook"),
            "play.yml",
            *arguments,
            "-e",
            f"ansible_become_exe={stand_in}",
        ],
        cwd=tmp_path,
        env=ansible.environment({"HOME": str(tmp_path)}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    answer = json.loads((tmp_path / "answer.json").read_text())
    assert answer["lines"] == ["hello"], answer["msg"]


@pytest.mark.parametrize("task", [LIVE, "packer_info: {}"], ids=["live_command", "packer_info"])
def test_a_missing_sudo_is_told_in_words(ansible: Ansible, tmp_path: Path, task: str) -> None:
    (tmp_path / "play.yml").write_text(PLAY.format(task=task, folder=tmp_path))
    env = {"LOGNAME": "somebody-else", "PATH": programs_but(tmp_path / "programs", "sudo")}
    done = ansible.playbook("play.yml", "--become", cwd=tmp_path, env=env)
    assert done.returncode == 0, done.stdout
    answer = json.loads((tmp_path / "answer.json").read_text())
    assert answer["failed"] is True
    assert "cannot become root: the program 'sudo' was not found" in answer["msg"]
    assert "install" in answer["error"]["hint"]
    assert "/bin/sh" not in done.stdout


@pytest.fixture
def volatile() -> Iterator[WorkspaceFolder]:
    """A workspace on a file system that goes with a container."""
    folder = Path(tempfile.mkdtemp(dir="/dev/shm"))
    yield WorkspaceFolder.create(folder / "workspace")
    shutil.rmtree(folder)


def test_that_a_state_will_not_stay_is_told_once_and_by_ansible(
    ansible: Ansible, tmp_path: Path, volatile: WorkspaceFolder
) -> None:
    volatile.null()
    task = f"packer_build: {{env: dev, workspace: {volatile.root}}}"
    (tmp_path / "play.yml").write_text(PLAY.format(task=task, folder=tmp_path))
    done = ansible.playbook("play.yml", cwd=tmp_path, env={"container": "podman"})
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("the state lies on tmpfs, which goes with this container") == 1
    assert "warning: the state lies on tmpfs" in done.stdout
    assert "errantly" not in done.stdout
