"""Roles hand on what they were given and nothing else, so that `module_defaults` of a play hold."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.playbooks import Ansible
from tests.support.workspaces import WorkspaceFolder

pytestmark = pytest.mark.integration

TARGET = "linux/null/demo"
GROUP, MODULE = "group/hybridcore.packer.packer", "hybridcore.packer.packer_build"


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder]) -> WorkspaceFolder:
    made = make_workspace()
    made.null(TARGET, inline=("echo connection refused", "exit 1"))
    return made


@pytest.fixture
def play(ansible: Ansible, space: WorkspaceFolder, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Run a role with options under `module_defaults`, and give the result of its one target."""

    def run(role: str, defaults: dict[str, Any], **given: Any) -> dict[str, Any]:
        values = {"env": "dev", "targets": [TARGET], "workspace": str(space.root), **given}
        if role == "pipeline":
            values |= {"control_node": False, "sources": False}
        answer = tmp_path / "answer.json"
        content = {
            "hosts": "localhost",
            "connection": "local",
            "gather_facts": False,
            "module_defaults": defaults,
            "tasks": [
                {
                    "ansible.builtin.import_role": {"name": f"hybridcore.packer.{role}"},
                    "vars": {f"{role}_{name}": value for name, value in values.items()},
                    "ignore_errors": role == "build",
                },
                {"ansible.builtin.copy": {"content": "{{ build_result | to_json }}", "dest": str(answer)}},
            ],
        }
        (tmp_path / "play.yml").write_text(yaml.safe_dump([content], sort_keys=False))
        done = ansible.playbook("play.yml", cwd=tmp_path)
        assert done.returncode == 0, done.stdout
        (result,) = json.loads(answer.read_text())["results"]
        return dict(result)

    return run


@pytest.mark.parametrize("role", ["build", "pipeline"])
def test_defaults_of_a_play_hold_for_what_a_role_was_not_given(
    play: Callable[..., dict[str, Any]], space: WorkspaceFolder, role: str
) -> None:
    # Its assets are missing, so it must be off.
    space.write(f"templates/{TARGET}/stack.pkr.hcl", 'variable "enable_ansible" {\n  default = true\n}\n')
    defaults = {
        GROUP: {"provisioners": {"ansible": "{{ 1 > 2 }}"}},
        MODULE: {"retries": "{{ 2 - 1 }}", "retry_delay": 0.01, "only": ["null.demo"]},
    }
    result = play(role, defaults)
    assert result["attempts"] == 2
    assert "-only=null.demo" in result["command"]
    result = play(role, defaults, retries=0, force=True)
    assert result["attempts"] == 1
    assert {"-only=null.demo", "-force"} <= set(result["command"])


@pytest.mark.parametrize("role", ["build", "pipeline"])
def test_without_any_the_defaults_of_the_module_hold(play: Callable[..., dict[str, Any]], role: str) -> None:
    result = play(role, {})
    assert result["attempts"] == 1
    assert not [argument for argument in result["command"] if argument.startswith(("-only", "-force", "-on"))]


@pytest.mark.parametrize("role", ["build", "pipeline"])
def test_each_option_given_to_a_role_reaches_packer(play: Callable[..., dict[str, Any]], role: str) -> None:
    given = {"only": ["null.*"], "except": ["nothing"], "on_error": "abort", "force": True, "retries": 1}
    result = play(role, {}, retry_delay=0.01, **given)
    assert result["attempts"] == 2
    assert {"-only=null.*", "-except=nothing", "-on-error=abort", "-force"} <= set(result["command"])
