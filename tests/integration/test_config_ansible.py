"""`packer_config` and the role `config`, run by `ansible-playbook`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.playbooks import Ansible
from tests.support.workspaces import WorkspaceFolder

pytestmark = pytest.mark.integration

TASK = "hybridcore.packer.packer_config"
TARGET = "linux/null/demo"
SECRET = "correct horse battery staple"


@pytest.fixture
def folder(tmp_path: Path) -> WorkspaceFolder:
    made = WorkspaceFolder.create(tmp_path / "workspace")
    made.null(TARGET)
    made.write(
        f"templates/{TARGET}/more.pkr.hcl",
        'variable "cpus" {\n  type = number\n}\n'
        'variable "token" {\n  type = string\n  sensitive = true\n}\n'
        'variable "enable_puppet" {\n  type = bool\n  default = false\n}\n',
    )
    made.write("environments/dev/a.pkrvars.hcl", "cpus = 2\nunknown = 1\n")
    return made


def play(
    ansible: Ansible, folder: WorkspaceFolder, tasks: list[dict[str, Any]], *arguments: str, **keywords: Any
) -> tuple[int, str]:
    content = [{"hosts": "localhost", "gather_facts": False, "tasks": tasks, **keywords}]
    folder.write("play.yml", yaml.safe_dump(content, sort_keys=False))
    done = ansible.playbook("play.yml", *arguments, cwd=folder.root)
    assert "Traceback" not in done.stdout
    return done.returncode, done.stdout


def render(
    ansible: Ansible, folder: WorkspaceFolder, *arguments: str, **options: Any
) -> tuple[dict[str, Any], str]:
    tasks = [
        {"name": "Render", TASK: {"env": "dev", **options}, "register": "rendered"},
        {
            "ansible.builtin.copy": {
                "content": "{{ rendered | to_json }}",
                "dest": f"{folder.root}/result.json",
            },
            "check_mode": False,
            "diff": False,
        },
    ]
    code, output = play(ansible, folder, tasks, *arguments)
    assert code == 0, output
    result: dict[str, Any] = json.loads((folder.root / "result.json").read_text())
    return result, output


def test_check_mode_and_diff_mode_predict_what_a_run_does(ansible: Ansible, folder: WorkspaceFolder) -> None:
    path = folder.root / f"configs/dev/{TARGET}.pkrvars.hcl"
    predicted, output = render(ansible, folder, "--check", "--diff")
    assert not path.exists()
    assert "+cpus" in output
    done, _ = render(ansible, folder, "--diff")
    assert predicted == done
    assert done["changed"] is True
    (file,) = done["files"]
    assert set(file) == {"target", "path", "sha256", "changed", "origins", "sensitive", "unchecked"}
    assert file["path"] == str(path)
    assert file["origins"]["cpus"] == "environments/dev/a.pkrvars.hcl:1"
    assert file["sensitive"] == ["token"]
    assert done["warnings"] == ["environments/dev/a.pkrvars.hcl:2: unknown: no target declares this variable"]
    assert done["diff"][0]["after"] == path.read_text()
    again, _ = render(ansible, folder, "--diff")
    assert again["changed"] is False
    assert again["diff"] == []


def test_warnings_are_shown(ansible: Ansible, folder: WorkspaceFolder) -> None:
    _, output = render(ansible, folder)
    assert "[WARNING]: environments/dev/a.pkrvars.hcl:2: unknown: no target declares this variable" in output


def test_vars_for_all_and_for_one_target(ansible: Ansible, folder: WorkspaceFolder) -> None:
    folder.null("linux/null/other")
    result, _ = render(
        ansible,
        folder,
        targets=["linux/null/other", {"target": TARGET, "vars": {"cpus": "{{ 2 * 4 }}"}}],
        vars={"message": "from {{ inventory_hostname }}"},
    )
    assert [file["target"] for file in result["files"]] == ["linux/null/other", TARGET]
    text = Path(result["files"][1]["path"]).read_text()
    assert "cpus    = 8\n" in text
    assert 'message = "from localhost"\n' in text


def test_faults_in_words_and_as_data(ansible: Ansible, folder: WorkspaceFolder) -> None:
    folder.write("environments/dev/a.pkrvars.hcl", 'cpus = "two"\nmessage = []\n')
    code, output = play(ansible, folder, [{TASK: {"env": "dev"}}])
    assert code == 2
    assert "environments/dev/a.pkrvars.hcl:1: cpus: expected number, found the string" in output
    assert "environments/dev/a.pkrvars.hcl:2: message: expected string, found an empty list" in output
    assert '"error": "ConfigError"' in output
    assert not (folder.root / "configs").exists()


def test_a_sensitive_value_is_refused_and_never_printed_by_us(
    ansible: Ansible, folder: WorkspaceFolder
) -> None:
    folder.write("secret.yml", json.dumps({"my_secret": SECRET}))
    tasks = [{TASK: {"env": "dev", "vars": {"token": "{{ my_secret }}"}}}]
    code, output = play(ansible, folder, tasks, "-vvvv", "-e", "@secret.yml")
    assert code == 2
    assert "token: a sensitive variable must not be given here" in output
    assert SECRET not in output


def test_a_secret_in_the_old_file_is_not_in_the_diff(ansible: Ansible, folder: WorkspaceFolder) -> None:
    folder.write(f"configs/dev/{TARGET}.pkrvars.hcl", f'token = "{SECRET}"\n')
    _, output = render(ansible, folder, "--diff")
    assert "-token = (sensitive)" in output
    assert SECRET not in output


def test_a_switch_without_its_assets_fails(ansible: Ansible, folder: WorkspaceFolder) -> None:
    code, output = play(ansible, folder, [{TASK: {"env": "dev", "provisioners": {"puppet": True}}}])
    assert code == 2
    assert "templates/puppet/manifests/site.pp" in output
    folder.write("templates/puppet/manifests/site.pp", "include site\n")
    result, _ = render(ansible, folder, provisioners={"puppet": True})
    assert result["files"][0]["origins"]["enable_puppet"] == "provisioners"
    result, _ = render(ansible, folder)
    assert "enable_puppet" not in Path(result["files"][0]["path"]).read_text()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, "missing required arguments: env"),
        ({"env": "dev", "surprise": 1}, "surprise"),
        ({"env": "dev", "vars": "text"}, "vars"),
        ({"env": "dev", "provisioners": {"chef": True}}, "chef"),
        ({"env": "dev", "provisioners": {"puppet": "perhaps"}}, "perhaps"),
        ({"env": "stage"}, "there are: dev"),
        ({"env": "dev", "targets": ["linux/null/nope"]}, "linux/null/nope does not exist"),
        ({"env": "dev", "targets": [5]}, "a target is a text"),
        ({"env": "dev", "targets": [{"name": TARGET}]}, "a target is a text"),
    ],
)
def test_wrong_options_fail(
    ansible: Ansible, folder: WorkspaceFolder, options: dict[str, Any], words: str
) -> None:
    code, output = play(ansible, folder, [{TASK: options}])
    assert code == 2
    assert words in output


def test_module_defaults_of_the_action_group(
    ansible: Ansible, folder: WorkspaceFolder, tmp_path: Path
) -> None:
    (tmp_path / "plays").mkdir()
    tasks = [{TASK: {"targets": [TARGET]}}]
    defaults = {"group/hybridcore.packer.packer": {"workspace": str(folder.root), "env": "dev"}}
    code, output = play(ansible, folder, tasks, module_defaults=defaults)
    assert code == 0, output
    assert (folder.root / f"configs/dev/{TARGET}.pkrvars.hcl").is_file()


def test_async_is_refused(ansible: Ansible, folder: WorkspaceFolder) -> None:
    code, output = play(ansible, folder, [{TASK: {"env": "dev"}, "async": 60}])
    assert code != 0
    assert "async" in output


def test_the_module_itself_when_the_host_is_elsewhere(ansible: Ansible, folder: WorkspaceFolder) -> None:
    """With `become` to somebody else the action plugin ships the module; its answer is the same."""
    here, _ = render(ansible, folder)
    path = Path(here["files"][0]["path"])
    module = [
        {
            TASK: {"env": "dev", "workspace": str(folder.root)},
            "register": "rendered",
            "vars": {"ansible_connection": "ssh", "ansible_ssh_executable": str(_fake_ssh(folder))},
        },
        {
            "ansible.builtin.copy": {
                "content": "{{ rendered | to_json }}",
                "dest": f"{folder.root}/shipped.json",
            }
        },
    ]
    before = path.stat().st_mtime_ns
    code, output = play(ansible, folder, module)
    assert code == 0, output
    shipped = json.loads((folder.root / "shipped.json").read_text())
    assert shipped["files"][0]["sha256"] == here["files"][0]["sha256"]
    assert shipped["changed"] is False
    assert path.stat().st_mtime_ns == before


def _fake_ssh(folder: WorkspaceFolder) -> Path:
    """A program that takes ssh's arguments and runs the last one here, so that no server is needed."""
    program = folder.write("fake-ssh", '#!/bin/sh\nfor last; do :; done\nexec /bin/sh -c "$last"\n')
    program.chmod(0o755)
    return program


def test_the_role(ansible: Ansible, folder: WorkspaceFolder) -> None:
    code, output = play(
        ansible,
        folder,
        [{"ansible.builtin.debug": {"var": "config_rendered.files[0].origins.cpus"}}],
        roles=[
            {
                "role": "hybridcore.packer.config",
                "config_env": "dev",
                "config_targets": [TARGET],
                "config_vars": {"cpus": 3},
            }
        ],
    )
    assert code == 0, output
    assert '"config_rendered.files[0].origins.cpus": "caller"' in output


def test_the_role_refuses_wrong_arguments(ansible: Ansible, folder: WorkspaceFolder) -> None:
    code, output = play(ansible, folder, [], roles=[{"role": "hybridcore.packer.config"}])
    assert code == 2
    assert "config_env" in output
