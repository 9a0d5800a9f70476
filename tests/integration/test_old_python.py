"""A Python that is too old fails the task with one sentence, on a host, and on the control node."""

from __future__ import annotations

import json

import pytest

from tests.support import interpreters
from tests.support.playbooks import CONNECTION, ELSEWHERE

pytestmark = pytest.mark.integration

PLAY = """\
- hosts: old
  gather_facts: false
  tasks:
    - name: Each module
      hybridcore.packer.{module}: {arguments}
"""
# Of each module, and without a broken option: what is wrong is Python alone.
ARGUMENTS = {
    "live_command": '{argv: ["true"]}',
    "packer_build": "{env: dev}",
    "packer_config": "{env: dev}",
    "packer_info": "{}",
    "packer_sources": "{state: synced}",
}


@pytest.mark.parametrize("version", ["3.8", "3.10"])
@pytest.mark.parametrize("module", ARGUMENTS)
def test_an_old_python_on_the_host_is_told_in_one_sentence(ansible, tmp_path, version, module):
    python = interpreters.find(version)
    if python is None:
        pytest.skip(f"there is no Python {version} on this machine")
    plugins = tmp_path / "connection_plugins"
    plugins.mkdir()
    (plugins / "elsewhere.py").write_text(CONNECTION)
    host = {**ELSEWHERE, "ansible_python_interpreter": str(python)}
    (tmp_path / "hosts.json").write_text(json.dumps({"all": {"hosts": {"old": host}}}))
    (tmp_path / "play.yml").write_text(PLAY.format(module=module, arguments=ARGUMENTS[module]))
    done = ansible.playbook(
        "play.yml", "-i", "hosts.json", cwd=tmp_path, env={"ANSIBLE_CALLBACK_RESULT_FORMAT": "json"}
    )
    assert done.returncode == 2, done.stdout
    assert f"hybridcore.packer needs Python 3.11 or newer, and this is {version}." in done.stdout
    assert "set ansible_python_interpreter" in done.stdout
    assert "Traceback" not in done.stdout
