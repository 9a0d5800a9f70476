"""What prints nothing for an hour is waited for and told of: a builder, and a program of `live_command`."""

from __future__ import annotations

import io
import os
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hybridcore import live, monitor
from hybridcore.monitor import ConsoleMonitor
from tests.support.builds import build, hybrid_command, hybrid_environment, state_of, statuses
from tests.support.playbooks import Ansible
from tests.support.workspaces import WorkspaceFolder

pytestmark = pytest.mark.integration

HOUR_S = 3600.0
TARGET = "linux/null/silent"


class Silent:
    """A workspace with a target that says one line and then nothing until it is released."""

    def __init__(self, space: WorkspaceFolder) -> None:
        self.space = space
        self._fifo = space.root / "released"
        os.mkfifo(self._fifo)
        space.null(TARGET, inline=("echo waiting", f"read line < {self._fifo}", "echo released"))

    def release(self) -> None:
        """Let the build go on; it must have come to its read."""
        writer = os.open(self._fifo, os.O_WRONLY | os.O_NONBLOCK)
        os.write(writer, b"go\n")
        os.close(writer)


@pytest.fixture
def silent(make_workspace: Callable[..., WorkspaceFolder]) -> Silent:
    return Silent(make_workspace())


class FastClock(ConsoleMonitor):
    """A console beside which the clock goes on by two minutes with each look at a build that is silent.

    Args:
        monkeypatch: of the test.
        release: called once, when the build has run for an hour by this clock.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, release: Callable[[], None]) -> None:
        self.stream = io.StringIO()
        super().__init__(self.stream)
        self._ahead = 0.0
        self._release: Callable[[], None] | None = release
        real = time.monotonic
        monkeypatch.setattr(time, "monotonic", lambda: real() + self._ahead)

    def tick(self, running: dict[str, float]) -> None:
        super().tick(running)
        if ": waiting\n" in self.stream.getvalue():
            self._ahead += 120
        if self._release and running.get(TARGET, 0) >= HOUR_S:
            self._release()
            self._release = None


def test_an_hour_of_silence_is_waited_for(
    silent: Silent, any_packer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent.space.use(any_packer)
    console = FastClock(monkeypatch, silent.release)
    report = build(silent.space, monitor=console)
    assert statuses(report) == {TARGET: "built"}
    (result,) = report.results
    assert (result.attempts, result.errors) == (1, ())
    assert result.duration_s >= HOUR_S
    said = console.stream.getvalue()
    before, _, after = said.partition(": waiting\n")
    silence = after.partition(": released\n")[0].splitlines()[:-1]
    assert "still running" not in before
    assert 10 <= len(silence) <= 30
    assert all(line.startswith(f"still running: {TARGET} ") for line in silence)
    log = (silent.space.root / str(result.log_path)).read_text()
    assert "waiting" in log
    assert "still running" not in log


def test_silence_ends_with_the_timeout(
    silent: Silent, any_packer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    silent.space.use(any_packer)
    console = FastClock(monkeypatch, lambda: pytest.fail("it ran for an hour"))
    report = build(silent.space, monitor=console, timeout=1800)
    assert statuses(report) == {TARGET: "timed_out"}
    assert report.results[0].errors[0] == "no end after 1800 s, the timeout"
    assert f"{TARGET}: stopped after 1800 s, its timeout" in console.stream.getvalue()
    assert state_of(silent.space)["running"] == {}


def until_told(command: list[str], silent: Silent, env: dict[str, str], cwd: Path) -> str:
    """Run a build by a command whose output is a pipe, and release it when it is said to be running still."""
    seen = []
    with subprocess.Popen(
        command, env=env, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as child:
        assert child.stdout is not None
        for line in child.stdout:
            seen.append(line)
            if "still running" in line:
                silent.release()
    assert child.returncode == 0, "".join(seen)
    return "".join(seen)


def test_a_pipe_is_told_after_ten_seconds(silent: Silent) -> None:
    command = hybrid_command(silent.space, "build", "--env", "dev")
    said = until_told(command, silent, hybrid_environment(), silent.space.root)
    assert said.count("still running") == 1
    assert said.index(": waiting") < said.index(f"still running: {TARGET} 0:1") < said.index(": released")


def test_the_console_of_ansible_is_told_after_ten_seconds(silent: Silent, ansible: Ansible) -> None:
    space = silent.space
    playbook = space.write(
        "play.yml",
        "- hosts: localhost\n  gather_facts: false\n"
        "  tasks:\n    - hybridcore.packer.packer_build:\n        env: dev\n",
    )
    command = [ansible.program("ansible-playbook"), str(playbook)]
    said = until_told(command, silent, ansible.environment({"PYTHONUNBUFFERED": "1"}), space.root)
    assert said.count("still running") == 1
    assert said.index(": waiting") < said.index(f"still running: {TARGET} 0:1") < said.index(": released")


class QuickHours:
    """A clock that goes on by a second with each look at it, for an hour from each `waiting` on.

    Args:
        release: called at the end of each hour.
    """

    def __init__(self, release: Callable[[], object]) -> None:
        self.lines: list[str] = []
        self.gaps: list[float] = []
        self._now = self._last = self._end = 0.0
        self._release = release

    def monotonic(self) -> float:
        self._now += 1.0 if self._end else 0.0
        return self._now

    def line(self, text: str) -> None:
        """Take a line of the program."""
        if text == "waiting":
            self._end = self._now + HOUR_S
        else:
            self.gaps.append(self._now - self._last)
        self.lines.append(text.rpartition(":")[0] or text)
        self._last = self._now
        if 0 < self._end <= self._now:
            self._end = 0.0
            self._release()


def test_a_silent_program_is_named_ever_less_often(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fifo = tmp_path / "go"
    os.mkfifo(fifo)
    go = os.open(fifo, os.O_RDWR)  # open until the end: a reader that comes between two hours finds no end
    clock = QuickHours(lambda: os.write(go, b"go\n"))
    monkeypatch.setattr(live, "time", clock)
    monkeypatch.setattr(monitor, "time", clock)
    monkeypatch.setattr(live, "_TICK_S", 0)
    script = f"for i in 1 2; do echo waiting; read go < {fifo}; done"
    argv = ["/usr/bin/timeout", "60", "sh", "-c", script]
    code, lines = live.run(argv, cwd=tmp_path, env=dict(os.environ), line=clock.line)
    os.close(go)
    assert (code, lines) == (0, ["waiting", "waiting"])
    due = [10, 20, 40, 80, 160, *[300] * 11]
    hour = ["waiting", *["still running: timeout"] * len(due)]
    assert [re.sub(r" \d+$", "", line) for line in clock.lines] == hour * 2
    assert all(0 <= gap - wait <= 3 for gap, wait in zip(clock.gaps, due * 2, strict=True)), clock.gaps
