"""`packer-hybrid logs`: the last log of a build, and following one that runs."""

import json
import os
import subprocess
import sys

import pytest

from hybridcore import logs, state

TARGET = "linux/null/a"


@pytest.fixture
def log(workspace):
    path = logs.build_log_path(workspace, "dev", TARGET, "20261122T000000.000Z-abcdef")
    path.parent.mkdir(parents=True)
    path.write_text("one\ntwo\n\x1b[1mthree")
    return path


def test_the_last_log_is_printed_and_named(cli, log, workspace):
    name = os.path.relpath(log, workspace.root)
    for argv in ([], [TARGET], [TARGET, "--env", "dev"], ["--env", "dev"], ["--follow"]):
        assert cli("logs", *argv) == (0, "one\ntwo\n\\x1b[1mthree\n", f"==> {name} <==\n")


def test_as_data(cli, log, workspace):
    code, out, _ = cli("--json", "logs", TARGET)
    assert code == 0
    assert json.loads(out) == {
        "path": os.path.relpath(log, workspace.root),
        "lines": ["one", "two", "\\x1b[1mthree"],
    }


@pytest.mark.parametrize("argv", [["linux/null/b"], ["--env", "prod"], ["../../etc"]])
def test_no_log_is_an_error_with_a_hint(cli, log, argv):
    code, out, err = cli("logs", *argv)
    assert (code, out) == (1, "")
    assert "there is no build log of" in err
    assert "packer-hybrid status lists what was built" in err


def test_an_environment_is_a_name(cli, log):
    code, _, err = cli("logs", "--env", "../x")
    assert code == 1
    assert "not the name of an environment" in err


def test_following_ends_with_its_target_though_the_batch_goes_on(workspace, log, repository):
    run_id, other = log.stem, "linux/qemu/other"
    with state.transaction(workspace=workspace) as data:
        data["running"][run_id] = {
            **state.process_identity(),
            "started_at": state.timestamp(),
            "environment": "dev",
            "targets": {TARGET: {"log_path": str(log.relative_to(workspace.root))}, other: {}},
        }
    argv = [sys.executable, "-m", "hybridcore", "--workspace", workspace.root, "logs", TARGET, "--follow"]
    with subprocess.Popen(
        argv, cwd=repository, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as follower:
        assert follower.stdout.readline() == "one\n"
        assert follower.poll() is None
        with state.transaction(workspace=workspace) as data:
            data["images"][f"dev/{TARGET}"] = {
                "target": TARGET,
                "environment": "dev",
                "last_attempt": {"status": "failed", "run": run_id, "at": state.timestamp()},
            }
        assert follower.stdout.read() == "two\n\\x1b[1mthree\n"
        assert follower.wait() == 0
    shown = subprocess.run(
        [*argv[:5], "--json", "status"], cwd=repository, capture_output=True, text=True, check=True
    )
    assert [entry["target"] for entry in json.loads(shown.stdout)["running"]] == [other]


def test_following_ends_when_the_build_does(workspace, log, repository):
    def running(identity):
        with state.transaction(workspace=workspace) as data:
            data["running"] = {
                "r1": {
                    **identity,
                    "started_at": state.timestamp(),
                    "targets": {TARGET: {"log_path": str(log.relative_to(workspace.root))}},
                }
            }

    running(state.process_identity())
    argv = [sys.executable, "-m", "hybridcore", "--workspace", workspace.root, "logs", TARGET, "--follow"]
    with subprocess.Popen(
        argv, cwd=repository, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as follower:
        assert [follower.stdout.readline() for _ in range(2)] == ["one\n", "two\n"]
        with open(log, "a") as file:
            file.write(" and a half\n")
        assert follower.stdout.readline() == "\\x1b[1mthree and a half\n"
        assert follower.poll() is None
        with open(log, "a") as file:
            file.write("last\n")
        running({**state.process_identity(), "pid_start_time": 1})  # it died
        assert follower.stdout.read() == "last\n"
        assert follower.wait() == 0
