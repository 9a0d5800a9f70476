"""The action of live_command: when it becomes root itself, and what it gives to the program."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.playbooks import Become


@pytest.fixture
def action(plugin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """`action(become)`: an action of a user who is not root."""
    monkeypatch.setattr(plugin("plugin_utils.core_action"), "user_name", lambda: "somebody")
    module = plugin("action.live_command").ActionModule

    def make(become: Become | None = None, transport: str = "local", **task: object) -> Any:
        made = module.__new__(module)
        made._connection = SimpleNamespace(become=become, transport=transport)
        made._loader = SimpleNamespace(get_basedir=lambda: str(tmp_path))
        made._templar = SimpleNamespace(template=lambda value: value)
        made._task = SimpleNamespace(environment=[{"EXTRA": "1", "PATH": "/own"}], **task)
        return made

    return make


@pytest.mark.parametrize(
    ("become", "command"),
    [
        (Become(become_user="root"), ["sudo", "-n"]),
        (Become("ansible.builtin.sudo", become_user="root", become_exe="/opt/sudo"), ["/opt/sudo", "-n"]),
        (Become("su", become_user="root"), []),
        (Become(become_user="other"), []),
        (Become(become_user="root", become_pass="secret"), []),
        (Become(become_user="somebody"), []),
        (None, []),
    ],
)
def test_it_becomes_root_by_sudo_without_a_password_alone(action, become: Become, command: list[str]) -> None:
    assert action(become)._sudo() == command
    assert action(become, transport="ssh")._sudo() == []


def test_it_runs_here_where_it_can_become_root_itself(action) -> None:
    assert action(Become(become_user="root"))._is_here()
    assert not action(Become("su", become_user="root"))._is_here()


def test_paths_are_relative_to_the_playbook(action, tmp_path: Path) -> None:
    params: dict[str, Any] = {"creates": "made", "chdir": None}
    action()._complete(params)
    assert (params["creates"], params["chdir"], params["sudo"]) == (f"{tmp_path}/made", str(tmp_path), [])
    params = {"creates": None, "chdir": "/srv"}
    action()._complete(params)
    assert (params["creates"], params["chdir"]) == (None, "/srv")


def test_the_environment_is_roots_where_it_becomes_root_and_the_tasks_wins(
    action, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    params: dict[str, Any] = {"creates": None, "chdir": None}
    action(Become(become_user="root"))._complete(params)
    assert (params["environment"]["HOME"], params["environment"]["USER"]) == ("/root", "root")
    assert (params["environment"]["EXTRA"], params["environment"]["PATH"]) == ("1", "/own")
    action()._complete(params)
    assert params["environment"]["HOME"] == "/home/somebody"
