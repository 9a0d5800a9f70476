"""`live_command`: lines while they come, a faithful result, and nothing that outlives Ansible."""

from __future__ import annotations

import getpass
import json
import os
import select
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.playbooks import Ansible
from tests.support.programs import FakeProgram

pytestmark = pytest.mark.integration

TASK = "hybridcore.packer.live_command"
KEYS = {"changed", "rc", "lines", "msg"}


class Play:
    """Runs one task in a folder of its own."""

    def __init__(self, ansible: Ansible, folder: Path) -> None:
        self.ansible = ansible
        self.folder = folder
        folder.mkdir()

    def write(self, options: dict[str, Any], **keywords: Any) -> None:
        answer = {"content": "{{ answer | to_json }}", "dest": f"{self.folder}/answer.json", "mode": "0644"}
        tasks = [
            {TASK: options, "register": "answer", "ignore_errors": True, **keywords},
            {"ansible.builtin.copy": answer, "check_mode": False},
        ]
        play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": tasks}
        (self.folder / "play.yml").write_text(yaml.safe_dump([play], sort_keys=False))

    def run(
        self, options: dict[str, Any], *arguments: str, env: dict[str, str] | None = None, **keywords: Any
    ) -> tuple[dict[str, Any], str]:
        self.write(options, **keywords)
        done = self.ansible.playbook("play.yml", *arguments, cwd=self.folder, env=env)
        assert done.returncode == 0, done.stdout
        assert "Traceback" not in done.stdout
        return json.loads((self.folder / "answer.json").read_text()), done.stdout

    def start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [self.ansible.program("ansible-playbook"), "play.yml"],
            cwd=self.folder,
            env=self.ansible.environment({"PYTHONUNBUFFERED": "1"}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
        )


@pytest.fixture
def play(ansible: Ansible, tmp_path: Path) -> Play:
    return Play(ansible, tmp_path / "play")


def test_lines_are_shown_while_the_program_runs(play: Play) -> None:
    # The program goes on only when its first line has been seen, so the line came before the end of the task.
    script = "echo first; echo problem >&2; read go <go; printf '\\033[31mlast\\033[0m'"
    os.mkfifo(play.folder / "go")
    play.write({"argv": ["sh", "-c", script]})
    with play.start() as process:
        assert process.stdout is not None
        shown = []
        for line in process.stdout:
            shown.append(line.rstrip("\n"))
            if line == "problem\n":
                (play.folder / "go").write_text("on\n")
    assert process.returncode == 0
    assert [line for line in shown if line in ("first", "problem", "last")] == ["first", "problem", "last"]
    answer = json.loads((play.folder / "answer.json").read_text())
    assert {key: answer[key] for key in ("changed", "rc", "lines", "failed")} == {
        "changed": True,
        "rc": 0,
        "lines": ["first", "problem", "last"],
        "failed": False,
    }


def test_creates_and_check_mode_run_nothing(play: Play) -> None:
    options = {"argv": ["touch", "made"], "creates": "made"}
    would, _ = play.run(options, "--check")
    assert not (play.folder / "made").exists()
    did, _ = play.run(options)
    assert (play.folder / "made").exists()
    (play.folder / "made").write_text("mine")
    again, _ = play.run(options)
    assert [answer["changed"] for answer in (would, did, again)] == [True, True, False]
    assert [answer["rc"] for answer in (would, did, again)] == [0, 0, 0]
    assert [answer["failed"] for answer in (would, did, again)] == [False, False, False]
    assert would.keys() >= KEYS
    assert would.keys() == did.keys() == again.keys()


def test_a_failure_says_how_and_the_last_line(play: Play) -> None:
    answer, shown = play.run({"argv": ["sh", "-c", "echo going; echo no room >&2; exit 3"]})
    assert answer["failed"] is True
    assert answer["rc"] == 3
    assert answer["msg"] == "sh ended with exit code 3: no room"
    assert "\ngoing\nno room\n" in shown
    killed, _ = play.run({"argv": ["sh", "-c", "kill -9 $$"]})
    assert killed["failed"] is True
    assert (killed["rc"], killed["msg"]) == (-9, "sh ended with signal 9")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"argv": ["no-such-program"]}, "cannot start 'no-such-program': No such file or directory"),
        ({"argv": ["true"], "chdir": "nowhere"}, "/play/nowhere does not exist"),
        ({"argv": []}, "the argument list is empty"),
        ({"creates": "x"}, "missing required arguments: argv"),
    ],
)
def test_what_cannot_be_started_is_named(play: Play, options: dict[str, Any], said: str) -> None:
    answer, _ = play.run(options)
    assert answer["failed"] is True
    assert answer["changed"] is False
    assert said in answer["msg"]


def test_the_environment_is_the_tasks_and_secrets_are_masked(play: Play) -> None:
    secret = "correct horse battery"
    env = {"NOT_PASSED": "1", "ARM_CLIENT_SECRET": secret}
    script = 'echo "$MINE,$NOT_PASSED,$PWD,$ARM_CLIENT_SECRET"'
    (play.folder / "below").mkdir()
    options = {"argv": ["sh", "-c", script], "chdir": "below"}
    answer, shown = play.run(options, env=env, environment={"MINE": "yes"})
    assert answer["lines"] == [f"yes,,{play.folder}/below,***"]
    assert secret not in shown


def test_the_supervisor_runs_as_root_with_sudo(
    play: Play, fake_program: Callable[[str], FakeProgram]
) -> None:
    # The stand-in does to its caller's descriptors and environment what sudo does, and is asked as sudo is.
    code = "os.closerange(3, 1000); os.execvpe(arguments[1], arguments[1:], {'PATH': os.defpath})"
    sudo = fake_program("sudo")
    sudo.answer("-n", code=code)
    env = {"LOGNAME": f"not-{getpass.getuser()}", "PATH": os.environ["PATH"]}
    options = {"argv": ["sh", "-c", 'echo "$HOME $LOGNAME $PATH"']}
    answer, shown = play.run(options, env=env, become=True)
    assert answer["lines"] == ["/root root /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
    assert f"\n{answer['lines'][0]}\n" in shown
    assert sudo.calls[0].argv == ["-n", "true"]
    assert any("caretaker" in " ".join(call.argv) for call in sudo.calls)

    sudo.answer("-n", stderr="sudo: a password is required\n", exit_code=1)
    refused, _ = play.run(options, env=env, become=True)
    assert refused["failed"] is True
    assert "sudo -n does not work: sudo: a password is required" in refused["msg"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_a_killed_ansible_leaves_no_process(play: Play, number: signal.Signals) -> None:
    # One process of the program's own group, and one that left it.
    play.write({"argv": ["sh", "-c", "setsid sleep 300 & echo pids $$ $!; wait"]})
    with play.start() as process:
        assert process.stdout is not None
        words = next(line for line in process.stdout if line.startswith("pids ")).split()
        ends = [os.pidfd_open(int(pid)) for pid in words[1:]]
        process.send_signal(number)
        process.stdout.read()
    assert all(_ends(descriptor) for descriptor in ends)


def test_ansible_ends_when_it_is_interrupted_while_lines_pass(play: Play) -> None:
    """A worker that dies between two lines must not take the lock of Ansible's queue with it."""
    play.write({"argv": ["sh", "-c", "yes many lines"]})
    for _ in range(4):
        with play.start() as process:
            assert process.stdout is not None
            shown = (line for line in process.stdout if line.startswith("many lines"))
            for _line, _number in zip(shown, range(200), strict=False):
                pass
            process.send_signal(signal.SIGINT)
            ended = os.pidfd_open(process.pid)
            process.stdout.read()
            assert _ends(ended)


def test_the_timeout_of_the_task_ends_the_program(play: Play) -> None:
    play.write({"argv": ["sh", "-c", "echo pid $$; exec sleep 300"]}, timeout=4)
    with play.start() as process:
        assert process.stdout is not None
        pid = int(next(line for line in process.stdout if line.startswith("pid ")).split()[1])
        end = os.pidfd_open(pid)
        process.stdout.read()
    assert _ends(end)
    assert json.loads((play.folder / "answer.json").read_text())["failed"] is True


def _ends(descriptor: int, timeout_s: float = 20) -> bool:
    try:
        ended = bool(select.select([descriptor], [], [], timeout_s)[0])
        if not ended:
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        return ended
    finally:
        os.close(descriptor)
