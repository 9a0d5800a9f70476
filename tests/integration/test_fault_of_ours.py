"""An error in the collection's own code, which nobody foresaw: the task says so, and shows no secret."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from tests.support.playbooks import CONNECTION, ELSEWHERE, Ansible
from tests.support.workspaces import WorkspaceFolder

pytestmark = pytest.mark.integration

OPTION, VARIABLE, NAMED = "correct horse battery", "troubador and three", "staple 28 bits\nof entropy"
FAULT = """

def build(request, **_):
    import os
    try:
        raise KeyError(os.environ["PKR_VAR_token"])
    except KeyError:
        raise ValueError(f"{os.environ['PROXMOX_PASSWORD']} or {request.options.secrets['password']} is odd")
"""


@pytest.fixture
def faulty(repository: Path, tmp_path: Path) -> Ansible:
    """Ansible with a copy of this collection whose builds raise an error that quotes secrets."""
    copy = tmp_path / "collections" / "ansible_collections" / "hybridcore" / "packer"
    for name in ("plugins", "meta"):
        shutil.copytree(repository / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    pipeline = copy / "plugins" / "module_utils" / "hybridcore" / "pipeline.py"
    pipeline.write_text(pipeline.read_text() + FAULT)
    return Ansible(tmp_path / "collections", home=tmp_path / "ansible-home")


# For a module Ansible itself shows the task's environment from -vvv on.
@pytest.mark.parametrize(
    ("variables", "verbosity"), [({}, "-vvvv"), (ELSEWHERE, "-vv")], ids=["here", "elsewhere"]
)
def test_a_fault_of_ours_fails_the_task_and_shows_no_secret(
    faulty: Ansible, make_workspace: Callable[..., WorkspaceFolder], variables: dict[str, str], verbosity: str
) -> None:
    space = make_workspace()
    space.null()
    space.write("connection_plugins/elsewhere.py", CONNECTION)
    build = {
        "hybridcore.packer.packer_build": {"env": "dev", "secrets": {"password": "{{ password }}"}},
        "environment": {"PKR_VAR_token": VARIABLE, "PROXMOX_PASSWORD": NAMED},
        "vars": variables,
        "register": "answer",
        "ignore_errors": True,
    }
    copy = {"copy": {"content": "{{ answer | to_json }}", "dest": str(space.root / "answer.json")}}
    play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": [build, copy]}
    (space.root / "play.yml").write_text(yaml.safe_dump([play], sort_keys=False))
    (space.root / "vars.yml").write_text(yaml.safe_dump({"password": OPTION}))
    env = {"ANSIBLE_DISPLAY_TRACEBACK": "error"}
    done = faulty.playbook("play.yml", verbosity, "-e", "@vars.yml", cwd=space.root, env=env)
    assert done.returncode == 0, done.stdout
    answer = json.loads((space.root / "answer.json").read_text())
    assert (answer["failed"], answer["changed"]) == (True, False)
    assert answer["msg"].startswith(
        "a fault in hybridcore.packer, not in your input: ValueError: *** or *** is"
    )
    assert "report it" in answer["msg"]
    assert "in build\n" in done.stdout
    assert "KeyError: ***" in done.stdout
    for secret in (OPTION, VARIABLE, *NAMED.splitlines()):
        assert secret not in done.stdout
        assert secret not in json.dumps(answer)
