"""The role control_node: what is missing is installed, or named in one clear error."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.playbooks import Ansible

pytestmark = pytest.mark.integration

PLAY = """
- hosts: localhost
  gather_facts: false
  roles:
    - hybridcore.packer.control_node
"""
MISSING = [
    {"needs": "no-such-packer", "package": "packer"},
    {"needs": "/no/such/OVMF.fd", "package": "ovmf"},
    {"needs": "no-such-qemu-img", "package": "qemu-utils"},
    {"needs": "sh", "package": "dash"},
]
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(ansible: Ansible, tmp_path: Path) -> Run:
    (tmp_path / "play.yml").write_text(PLAY)

    def run_role(
        *arguments: str, env: dict[str, str] | None = None, **variables: object
    ) -> subprocess.CompletedProcess[str]:
        return ansible.playbook("play.yml", "-e", json.dumps(variables), *arguments, cwd=tmp_path, env=env)

    return run_role


def test_nothing_missing_changes_nothing(run: Run) -> None:
    done = run()
    assert done.returncode == 0, done.stdout
    assert "changed=0" in done.stdout


@pytest.mark.parametrize(
    ("variables", "reason"),
    [
        ({"control_node_install": False}, "control_node_install is false"),
        ({"control_node_is_debian": False}, "this is not Debian, so they are not installed here"),
    ],
    ids=["not wanted", "another distribution"],
)
def test_everything_missing_is_named_at_once(run: Run, variables: dict[str, object], reason: str) -> None:
    done = run(control_node_requirements=MISSING, **variables)
    assert done.returncode == 2
    said = " ".join(done.stdout.split())
    assert f"This control node lacks no-such-packer, /no/such/OVMF.fd, no-such-qemu-img; {reason}." in said
    assert "or what your distribution calls them, and run again: ovmf packer qemu-utils" in said
    assert "dash" not in said


def test_without_packer_and_qemu_on_path_the_packages_are_named(run: Run, tmp_path: Path) -> None:
    """The role's own list, with a PATH that lacks some of it."""
    programs = tmp_path / "programs"
    programs.mkdir()
    hidden = {"packer", "qemu-system-x86_64", "qemu-img", "mmdebstrap", "mcopy", "ssh-keygen", "git"}
    for program in Path("/usr/bin").iterdir():
        if program.name not in hidden:
            (programs / program.name).symlink_to(program)
    done = run(env={"PATH": str(programs)}, control_node_install=False)
    assert done.returncode == 2
    said = " ".join(done.stdout.split())
    assert "lacks packer, ssh-keygen, git, qemu-system-x86_64, qemu-img, mmdebstrap, mcopy;" in said
    assert "run again: git mmdebstrap mtools openssh-client packer qemu-system-x86 qemu-utils" in said


def test_check_mode_says_what_would_be_installed_and_installs_nothing(run: Run) -> None:
    requirements = [{"needs": "no-such-program", "package": "sl"}]
    done = run("--check", control_node_requirements=requirements)
    assert done.returncode == 0, done.stdout
    assert "changed=1" in done.stdout
    assert not Path("/usr/games/sl").exists()
