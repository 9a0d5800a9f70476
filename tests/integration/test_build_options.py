"""Options of a build with the real Packers: retries, the environment, on_error, and plugins beside Packer."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.builds import hybrid
from tests.support.playbooks import Ansible
from tests.support.workspaces import WorkspaceFolder

pytestmark = pytest.mark.integration


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder]) -> WorkspaceFolder:
    return make_workspace()


def use(space: WorkspaceFolder, packer: Path) -> None:
    space.write("packer-hybrid.toml", f'[packer]\npath = "{packer}"\n')


def test_the_delay_before_a_retry_is_the_users(
    space: WorkspaceFolder, ansible: Ansible, tmp_path: Path
) -> None:
    space.null(inline=("echo connection refused", "exit 1"))
    done = hybrid(space, "build", "--env", "dev", "--retries", "2", "--retry-delay", "0.02")
    assert done.returncode == 3
    assert "linux/null/demo: attempt 1 failed, next in 0.02 s\n" in done.stderr
    assert "linux/null/demo: attempt 2 failed, next in 0.04 s\n" in done.stderr
    done = hybrid(space, "build", "--env", "dev", "--retries", "1", "--retry-delay", "-1")
    assert done.returncode == 1
    assert "retry_delay must be a number that is not negative, not -1" in done.stderr
    play = tmp_path / "play.yml"
    task = {"env": "dev", "workspace": str(space.root), "retries": 1, "retry_delay": 0.03}
    play.write_text(
        json.dumps(
            [
                {
                    "hosts": "localhost",
                    "gather_facts": False,
                    "tasks": [{"hybridcore.packer.packer_build": task}],
                }
            ]
        )
    )
    played = ansible.playbook(play, cwd=tmp_path)
    assert "linux/null/demo: attempt 1 failed, next in 0.03 s" in played.stdout


def test_a_variable_of_the_shell_reaches_packer_where_it_is_named(space: WorkspaceFolder) -> None:
    seen = space.root / "seen"
    space.null(inline=(f"echo [$ADDED] >> {seen}",))
    assert hybrid(space, "build", "--env", "dev", "--force", ADDED="from the shell").returncode == 0
    done = hybrid(space, "build", "--env", "dev", "--force", "--env-var", "ADDED", ADDED="from the shell")
    assert done.returncode == 0, done.stderr
    assert seen.read_text() == "[]\n[from the shell]\n"
