"""Where a task runs, and what Ansible gives to it; whole tasks are in tests/integration/."""

from __future__ import annotations

import getpass
import os
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from tests.support.playbooks import Become


@pytest.fixture
def core_action(plugin) -> ModuleType:
    return plugin("plugin_utils.core_action")


@pytest.fixture
def action(core_action: ModuleType):
    """`action(become, transport=..., **task)`: an action before its task runs."""

    def make(become: Become | None = None, *, transport: str = "local", **task: object) -> Any:
        made = core_action.CoreAction.__new__(core_action.CoreAction)
        made.MODULE = "packer_build"
        made._connection = SimpleNamespace(become=become, transport=transport)
        made._templar = SimpleNamespace(template=lambda value: value)
        made._task = SimpleNamespace(**{"module_defaults": None, "environment": None, **task})
        return made

    return make


def test_a_task_runs_here_on_a_local_connection_as_ourselves(action) -> None:
    me = getpass.getuser()
    assert action()._is_here()
    assert action(Become(become_user=me))._is_here()
    assert not action(Become(become_user="somebody-else"))._is_here()
    assert not action(transport="ssh")._is_here()


def test_a_user_without_a_name_has_an_empty_one(
    core_action: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    for error in (KeyError, OSError):

        def fail(error: type[Exception] = error) -> str:
            raise error("no name")

        monkeypatch.setattr(getpass, "getuser", fail)
        assert core_action.user_name() == ""


def test_a_missing_sudo_is_said_in_words(action, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    fault = action(Become(become_user="root"))._no_sudo()
    assert str(fault).startswith("cannot become root: the program 'sudo' was not found")
    assert "'/opt/sudo'" in str(action(Become(become_user="root", become_exe="/opt/sudo"))._no_sudo())
    assert action(Become("su", become_user="root"))._no_sudo() is None
    assert action(Become(become_user="root"), transport="ssh")._no_sudo() is None
    assert action()._no_sudo() is None
    (tmp_path / "sudo").write_text("#!/bin/sh\n")
    (tmp_path / "sudo").chmod(0o755)
    assert action(Become(become_user="root"))._no_sudo() is None


def test_defaults_of_the_module_win_over_those_of_its_group_and_the_last_over_the_first(action) -> None:
    defaults = [
        {"group/hybridcore.packer.packer": {"env": "dev", "workspace": "a"}, "other.module": {"env": "x"}},
        {"hybridcore.packer.packer_build": {"env": "prod"}},
    ]
    assert action(module_defaults=defaults)._module_defaults() == {"env": "prod", "workspace": "a"}
    assert action()._module_defaults() == {}


def test_the_environment_of_a_task_is_texts(action) -> None:
    entries = [{"A": 1, "B": "b"}, {"A": 2}, "no dictionary"]
    assert action(environment=entries)._task_environment() == {"A": "2", "B": "b"}
    assert action()._task_environment() == {}


def test_ansible_and_what_started_it_are_watched(action, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWX_ISOLATED_DATA_DIR", raising=False)
    assert action()._ansible()[-1] == os.getppid()
    alone = len(action()._ansible())
    monkeypatch.setenv("AWX_ISOLATED_DATA_DIR", "/runner")
    under = action()._ansible()
    assert len(under) == alone + 1
    assert under[-2] == os.getppid()
    assert under[-1] != os.getppid()
