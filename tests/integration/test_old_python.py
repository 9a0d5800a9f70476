"""A Python that is too old fails the task with one sentence, on a host, and on the control node."""

from __future__ import annotations

import json

import pytest
import yaml

from tests.support import interpreters, programs_of_python
from tests.support.commands import to_its_end
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
    "packer_channel": "{image: 'dev:linux/qemu/web@1', place: stable}",
    "packer_config": "{env: dev}",
    "packer_images_info": "{}",
    "packer_info": "{}",
    "packer_sources": "{}",
    "packer_version": "{image: 'dev:linux/qemu/web@1', held: true}",
}
LOOKUPS = {"image": "dev:linux/qemu/web", "targets": "all"}


def test_every_module_and_lookup_is_tried(repository):
    for folder, tried in (("modules", ARGUMENTS), ("lookup", LOOKUPS)):
        assert {file.stem for file in (repository / "plugins" / folder).glob("*.py")} == set(tried)


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


@pytest.mark.slow
def test_an_old_python_of_ansible_itself_is_told_in_one_sentence(ansible, tmp_path):
    """On the control node the modules, and the lookups, run in the process of Ansible."""
    python = interpreters.find("3.10")
    if python is None:
        pytest.skip("there is no Python 3.10 on this machine")
    programs = programs_of_python.environment("ansible-core==2.17.14", python=python)
    tasks = [{f"hybridcore.packer.{name}": yaml.safe_load(given)} for name, given in ARGUMENTS.items()]
    tasks += [
        {"debug": {"msg": f"{{{{ lookup('hybridcore.packer.{name}', '{term}') }}}}"}}
        for name, term in LOOKUPS.items()
    ]
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "tasks": [{**task, "ignore_errors": True} for task in tasks],
    }
    (tmp_path / "play.yml").write_text(yaml.safe_dump([play]))
    done = to_its_end(
        [programs / "ansible-playbook", "play.yml"],
        cwd=tmp_path,
        env=ansible.environment({"ANSIBLE_CALLBACK_RESULT_FORMAT": "json"}),
    )
    assert done.returncode == 0, done.stdout
    told = done.stdout.count("hybridcore.packer needs Python 3.11 or newer, and this is 3.10.")
    assert (told, f"ignored={told}" in done.stdout) == (len(tasks), True), done.stdout
    assert "Traceback" not in done.stdout
