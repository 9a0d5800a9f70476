"""What all modules share: paths for the next task, errors as results, options that are not shown."""

from __future__ import annotations

import errno
import os
import select
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from ansible.module_utils.basic import AnsibleModule

SECRET = "correct horse battery"
# A module whose output nobody reads any more.
MODULE = """
import importlib, signal, sys
sys.path.insert(0, sys.argv[1])
core_module = importlib.import_module(sys.argv[2])
core_module._end_with_the_connection()
print("ready", file=sys.stderr, flush=True)
while True:
    signal.pause()
"""


@pytest.fixture
def core_module(plugin) -> ModuleType:
    return plugin("module_utils.core_module")


@pytest.fixture
def module(core_module: ModuleType, monkeypatch: pytest.MonkeyPatch):
    """`module(**params)`: one that has taken its options; its `answers` are what it tells Ansible."""
    answers: list[object] = []
    monkeypatch.setattr(AnsibleModule, "exit_json", lambda self, **answer: answers.append(answer))
    monkeypatch.setattr(AnsibleModule, "fail_json", lambda self, msg, **more: answers.append((msg, more)))
    monkeypatch.setattr(
        AnsibleModule, "log", lambda self, msg, log_args=None: answers.append((msg, log_args))
    )

    def make(**params: object):
        made = core_module._Module.__new__(core_module._Module)
        made.params, made.answers = params, answers
        return made

    return make


def test_the_workspace_that_is_named_or_the_nearest(
    core_module: ModuleType, make_workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    near, named = make_workspace("near"), make_workspace("named")
    monkeypatch.chdir(near.root)
    assert core_module.open_workspace({"workspace": str(named.root)}).root == named.root
    assert core_module.open_workspace({"workspace": None}).root == near.root


def test_paths_of_a_result_are_absolute(core_module: ModuleType, make_workspace) -> None:
    root = make_workspace().root
    where = core_module.open_workspace({"workspace": str(root)})
    entry = {
        "log_path": "logs/a.log",
        "manifest_path": "/else/where.json",
        "artifacts": [{"files": [{"path": "images/a", "size": 1}]}, {"id": "ami"}, {"files": None}],
    }
    core_module.make_paths_absolute(entry, where)
    assert entry == {
        "log_path": f"{root}/logs/a.log",
        "manifest_path": "/else/where.json",
        "artifacts": [{"files": [{"path": f"{root}/images/a", "size": 1}]}, {"id": "ami"}, {"files": None}],
    }


def test_paths_that_a_result_does_not_have_stay_away(core_module: ModuleType, make_workspace) -> None:
    where = core_module.open_workspace({"workspace": str(make_workspace().root)})
    for entry in ({}, {"log_path": None, "manifest_path": "", "artifacts": None}):
        before = dict(entry)
        core_module.make_paths_absolute(entry, where)
        assert entry == before


def test_an_error_of_the_core_is_a_failure_with_all_of_its_faults(core_module: ModuleType, plugin) -> None:
    errors = plugin("module_utils.hybridcore.errors")
    faults = [
        errors.Fault("one is wrong", file="a.toml", line=3, hint="mend it"),
        errors.Fault("two as well"),
    ]
    found = core_module.failure(errors.ConfigError("the options are not right", faults=faults))
    assert (found["failed"], found["changed"]) == (True, False)
    assert "a.toml:3: one is wrong (mend it)" in found["msg"]
    assert "two as well" in found["msg"]
    assert found["error"]["error"] == "ConfigError"
    assert {fault["message"] for fault in found["error"]["faults"]} == {"one is wrong", "two as well"}
    assert "msg" not in found["error"]


def test_an_error_of_a_file_names_the_file(core_module: ModuleType) -> None:
    found = core_module.failure(PermissionError(errno.EACCES, "Permission denied", "/srv/x"))
    assert found["failed"] is True
    assert "/srv/x" in found["msg"]
    assert "Permission denied" in found["msg"]


def test_a_fault_of_ours_is_told_without_secrets(core_module: ModuleType) -> None:
    try:
        raise ValueError(f"{SECRET} is odd")
    except ValueError:
        found = core_module.fault_of_ours([SECRET])
    assert SECRET not in repr(found)
    assert found["failed"] is True
    assert found["msg"].startswith("a fault in hybridcore.packer, not in your input: ValueError: ")
    assert "is odd" in found["exception"]


def test_what_extra_env_holds_is_not_shown_whether_it_ends_well_or_not(module) -> None:
    made = module(extra_env={"TOKEN": SECRET}, env="dev")
    made.exit_json(changed=True)
    made.fail_json("it failed", error={})
    well, (msg, ill) = made.answers
    shown = {"module_args": {"extra_env": "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER", "env": "dev"}}
    assert (well["invocation"], well["changed"]) == (shown, True)
    assert (msg, ill["invocation"], ill["error"]) == ("it failed", shown, {})
    assert made.params["extra_env"] == {"TOKEN": SECRET}, "the call needs them as they are"


@pytest.mark.parametrize(
    ("params", "logged"),
    [({"extra_env": {"A": SECRET}}, []), ({"extra_env": {}}, [("run", {})]), ({}, [("run", {})])],
)
def test_options_with_extra_env_do_not_reach_the_log_of_the_system(module, params, logged) -> None:
    made = module(**params)
    made.log("run", {})
    assert made.answers == logged


def test_a_module_ends_when_nobody_can_read_its_result(
    core_module: ModuleType, collections_path: Path
) -> None:
    ours, theirs = os.pipe()
    with subprocess.Popen(
        [sys.executable, "-c", MODULE, str(collections_path), core_module.__name__],
        stdout=theirs,
        stderr=subprocess.PIPE,
    ) as process:
        os.close(theirs)
        assert process.stderr is not None
        assert process.stderr.readline() == b"ready\n"
        assert process.poll() is None
        assert select.select([process.stderr], [], [], 0)[0] == []
        os.close(ours)
        # As a signal ends it: what it runs is ended by its own handlers.
        assert process.wait(60) == 128 + 15
