"""`packer_sources` and the role `sources`, run by `ansible-playbook`."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
import yaml

from tests.support.playbooks import Ansible
from tests.support.remotes import Remote, git
from tests.support.tools import Tools
from tests.support.workspaces import WorkspaceFolder

pytestmark = pytest.mark.integration

TASK = "hybridcore.packer.packer_sources"


@pytest.fixture
def remote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Remote:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    remote = Remote(tmp_path / "remotes" / "demo")
    remote.commit()
    (tmp_path / "packer-hybrid.toml").write_text(f'[sources.demo]\nurl = "{remote.url}"\n')
    return remote


def play(ansible: Ansible, folder: Path, tasks: list[dict], *arguments: str, **keywords) -> tuple[int, str]:
    content = [{"hosts": "localhost", "gather_facts": False, "tasks": tasks, **keywords}]
    (folder / "play.yml").write_text(yaml.safe_dump(content, sort_keys=False))
    done = ansible.playbook("play.yml", *arguments, cwd=folder)
    return done.returncode, done.stdout


def results(ansible: Ansible, folder: Path, *arguments: str, **options: object) -> list[dict]:
    tasks = [
        {"name": "Sync", TASK: options or None, "register": "synced", "diff": "--diff" in arguments},
        {"copy": {"content": "{{ synced | to_json }}", "dest": f"{folder}/result.json"}, "check_mode": False},
    ]
    code, output = play(ansible, folder, tasks, *arguments)
    assert code == 0, output
    return json.loads((folder / "result.json").read_text())


def test_clone_then_unchanged_then_update(ansible: Ansible, tmp_path: Path, remote: Remote) -> None:
    first = results(ansible, tmp_path)
    assert (first["changed"], first["results"][0]["action"]) == (True, "cloned")
    again = results(ansible, tmp_path)
    assert (again["changed"], again["results"][0]["action"]) == (False, "unchanged")
    second = remote.commit(text="two\n")
    updated = results(ansible, tmp_path, names=["demo"])
    assert (updated["changed"], updated["results"][0]["sha"]) == (True, second)


def test_check_mode_predicts_and_returns_the_same_keys(
    ansible: Ansible, tmp_path: Path, remote: Remote
) -> None:
    predicted = results(ansible, tmp_path, "--check", "--diff")
    assert not (tmp_path / "sources").exists()
    done = results(ansible, tmp_path, "--diff")
    assert predicted == done
    assert done["diff"]["before"] == ""
    assert done["diff"]["after"] == f"demo {done['results'][0]['sha']}\n"


def test_a_dirty_tree_fails_the_task_in_words_and_as_data(
    ansible: Ansible, tmp_path: Path, remote: Remote
) -> None:
    results(ansible, tmp_path)
    (tmp_path / "sources" / "demo" / "note.txt").write_text("mine\n")
    code, output = play(ansible, tmp_path, [{TASK: None}])
    assert code == 2
    assert "has changes of its own: untracked note.txt" in output
    assert '"error": "SourcesError"' in output
    assert "Traceback" not in output


def test_plugins_too(ansible: Ansible, tmp_path: Path, remote: Remote, tools: Tools) -> None:
    source = "github.com/hashicorp/qemu"
    settings = f'[packer]\npath = "{tools.packer}"\n'
    settings += f'[plugins."{source}"]\nversion = "1.0.9"\nfrom = "{tools.plugins}"\n'
    (tmp_path / "packer-hybrid.toml").write_text(settings)
    assert results(ansible, tmp_path)["plugins"] == []
    predicted = results(ansible, tmp_path, "--check", "--diff", plugins=True, lock=True)
    assert not (tmp_path / ".packer-plugins").exists()
    done = results(ansible, tmp_path, "--diff", plugins=True, lock=True)
    assert (predicted["changed"], predicted["diff"]) == (done["changed"], done["diff"])
    assert done["diff"]["after"] == f"{source} 1.0.9\n"
    (plugin,) = done["plugins"]
    assert plugin["action"] == "installed"
    assert Path(plugin["path"]).is_file()
    assert plugin["sha256"] in (tmp_path / "packer-hybrid.lock").read_text()
    again = results(ansible, tmp_path, plugins=True, lock=True)
    assert (again["changed"], again["plugins"][0]["action"]) == (False, "unchanged")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"nmaes": ["demo"]}, "Unsupported parameters"),
        ({"frozen": "perhaps"}, "frozen"),
        ({"workspace": "/does/not/exist"}, "is not a workspace"),
    ],
)
def test_wrong_options(ansible: Ansible, tmp_path: Path, remote: Remote, options: dict, words: str) -> None:
    code, output = play(ansible, tmp_path, [{TASK: options}])
    assert code == 2
    assert words in output
    assert not (tmp_path / "sources").exists()


def test_module_defaults_by_action_group(ansible: Ansible, tmp_path: Path, remote: Remote) -> None:
    defaults = {"group/hybridcore.packer.packer": {"workspace": "/does/not/exist"}}
    code, output = play(ansible, tmp_path, [{TASK: None}], module_defaults=defaults)
    assert code == 2
    assert "/does/not/exist is not a workspace" in output


def test_the_defaults_that_the_guide_shows_suit_every_module_of_the_group(
    ansible: Ansible, tmp_path: Path, remote: Remote, repository: Path
) -> None:
    _, _, rest = (repository / "docs" / "usage.md").read_text().partition("module_defaults:\n")
    shown = yaml.safe_load("module_defaults:\n" + rest.partition("```")[0])
    env = shown["module_defaults"]["group/hybridcore.packer.packer"]["env"]
    (tmp_path / "environments" / env).mkdir(parents=True)
    target = WorkspaceFolder(tmp_path).null()
    group = yaml.safe_load((repository / "meta" / "runtime.yml").read_text())["action_groups"]["packer"]
    # The build is the first by its name, and makes the version that some of the others need.
    options = {
        "packer_channel": {"image": f"{env}:{target}@1", "place": "stable"},
        "packer_version": {"image": f"{env}:{target}@1", "labels": {"owner": "web"}},
    }
    tasks = [{f"hybridcore.packer.{name}": options.get(name)} for name in sorted(group)]
    code, output = play(ansible, tmp_path, tasks, **shown)
    assert code == 0, output
    assert f"ok={len(group)}" in output


def test_the_module_itself_where_the_host_is_elsewhere(
    ansible: Ansible, tmp_path: Path, remote: Remote
) -> None:
    """`become` to another user ships the module, as a host elsewhere does; a script stands in for sudo."""
    tasks = [{TASK: {"workspace": str(tmp_path)}, "register": "synced"}, {"debug": {"var": "synced.results"}}]
    become = {"become": True, "become_user": "nobody", "become_exe": str(tmp_path / "sudo")}
    (tmp_path / "sudo").write_text('#!/bin/sh\nwhile [ "$1" != /bin/sh ]; do shift; done\nexec "$@"\n')
    (tmp_path / "sudo").chmod(0o755)
    variables = {"ansible_shell_allow_world_readable_temp": True}
    code, output = play(ansible, tmp_path, tasks, **become, vars=variables)
    assert code == 0, output
    assert '"action": "cloned"' in output


def test_the_role(ansible: Ansible, tmp_path: Path, remote: Remote) -> None:
    sha = remote.commit(text="two\n")
    role = {"import_role": {"name": "hybridcore.packer.sources"}}
    show = {"debug": {"msg": "{{ sources_synced.results[0].sha }}"}}
    code, output = play(ansible, tmp_path, [role, show])
    assert code == 0, output
    assert sha in output
    code, output = play(ansible, tmp_path, [role], vars={"sources_names": "nope"})
    assert code == 2
    assert "no source 'nope'" in output


def test_the_lock_file_and_a_warning(ansible: Ansible, tmp_path: Path, remote: Remote) -> None:
    first = results(ansible, tmp_path, lock=True)
    lock = tmp_path / "packer-hybrid.lock"
    assert first["results"][0]["sha"] in lock.read_text()
    assert results(ansible, tmp_path, lock=True)["changed"] is False
    lock.unlink()
    assert results(ansible, tmp_path, "--check", lock=True)["changed"] is True
    assert not lock.exists()
    assert results(ansible, tmp_path, lock=True)["changed"] is True
    remote.commit(text="two\n")
    assert results(ansible, tmp_path, frozen=True)["changed"] is False
    git(remote.folder, "commit", "--quiet", "--amend", "-m", "rewritten")
    results(ansible, tmp_path)
    git(remote.folder, "commit", "--quiet", "--amend", "-m", "rewritten again")
    assert "was rewritten" in results(ansible, tmp_path)["warnings"][0]
    code, output = play(ansible, tmp_path, [{TASK: {"frozen": True}}])
    assert code == 2
    assert f"frozen is {first['results'][0]['sha']}" in output
