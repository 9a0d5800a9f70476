"""Lines of a build while it runs, as a person or a CI job gets them: on a terminal and through a pipe."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.builds import hybrid_command, hybrid_environment
from tests.support.playbooks import Ansible
from tests.support.workspaces import WorkspaceFolder

pytestmark = pytest.mark.integration

TARGET = "linux/null/lines"
LATENCY_S = 0.5
PATIENCE_S = 60.0  # after which a line that is not there will not come
LINES = 4
RED = "\033[31mred\033[0m"
PLAY = """\
- hosts: localhost
  gather_facts: false
  tasks:
    - hybridcore.packer.packer_build:
        env: dev
"""


class Watched:
    """A program that is looked at while it runs; its two outputs are one terminal, or one pipe."""

    def __init__(self, process: subprocess.Popen[bytes], output: int) -> None:
        self.process = process
        self.text = ""
        self._output = output

    def until(self, pattern: str, start: int = 0) -> re.Match[str]:
        """Wait for text that comes at or after `start`."""
        while not (found := re.compile(pattern).search(self.text, start)):
            assert self._read(), f"it ended without {pattern!r}:\n{self.text}"
        return found

    def end(self) -> int:
        """Read to the end; the exit code."""
        while self._read():
            pass
        return self.process.wait()

    def _read(self) -> bool:
        assert select.select([self._output], [], [], PATIENCE_S)[0], f"nothing more came:\n{self.text}"
        try:
            data = os.read(self._output, 1 << 16)
        except OSError:  # how a terminal says that nobody has it open any more
            data = b""
        self.text += data.decode()
        return bool(data)


@contextmanager
def watch(command: list[str], env: dict[str, str], cwd: Path, *, terminal: bool) -> Iterator[Watched]:
    """Start a program on a new terminal, or with a pipe; it has ended when this is left."""
    ours, theirs = os.openpty() if terminal else os.pipe()
    try:
        process = subprocess.Popen(
            command, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs
        )
    finally:
        os.close(theirs)
    try:
        with process:
            try:
                yield Watched(process, ours)
            finally:
                if process.poll() is None:
                    process.terminate()
    finally:
        os.close(ours)


class Gate:
    """A target whose lines say when they were printed, and that waits after each until it may go on.

    Args:
        space: where it is made.
    """

    def __init__(self, space: WorkspaceFolder) -> None:
        fifo = space.root / "go"
        os.mkfifo(fifo)
        self._fifo = os.open(fifo, os.O_RDWR)  # so that it may be opened for reading later
        space.null(TARGET, inline=("echo at $(date +%s.%N)", f"read go < {fifo}") * LINES)

    def go_on(self) -> None:
        """Let the target print its next line."""
        os.write(self._fifo, b"go\n")

    def close(self) -> None:
        os.close(self._fifo)


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder]) -> WorkspaceFolder:
    return make_workspace()


@pytest.fixture
def gate(space: WorkspaceFolder) -> Iterator[Gate]:
    made = Gate(space)
    yield made
    made.close()


def command_line(space: WorkspaceFolder, ansible: Ansible) -> tuple[list[str], dict[str, str]]:
    return hybrid_command(space, "build", "--env", "dev"), hybrid_environment()


def playbook(space: WorkspaceFolder, ansible: Ansible) -> tuple[list[str], dict[str, str]]:
    space.write("play.yml", PLAY)
    return [ansible.program("ansible-playbook"), "play.yml"], ansible.environment()


Start = Callable[[WorkspaceFolder, Ansible], tuple[list[str], dict[str, str]]]


@pytest.mark.parametrize("terminal", [True, False], ids=["terminal", "pipe"])
@pytest.mark.parametrize("start", [command_line, playbook])
def test_a_line_is_seen_within_half_a_second(
    gate: Gate,
    space: WorkspaceFolder,
    ansible: Ansible,
    any_packer: Path,
    start: Start,
    terminal: bool,
) -> None:
    space.use(any_packer)
    command, env = start(space, ansible)
    env.pop("PYTHONUNBUFFERED", None)
    if start is playbook and not terminal:
        env["PYTHONUNBUFFERED"] = "1"  # Ansible does not flush what it writes to a pipe
    took, seen = [], 0
    with watch(command, env, space.root, terminal=terminal) as watched:
        for _ in range(LINES):
            line = watched.until(r": at ([0-9.]+)\r?\n", seen)
            took.append(time.time() - float(line[1]))
            seen = line.end()
            gate.go_on()
        assert watched.end() == 0, watched.text
    # That each line was seen before the build went on is what the gate proves of all of them. The best of
    # their times is compared, since a busy machine may be late with some; a delay of ours would be in each.
    assert min(took) <= LATENCY_S, took


def test_an_interrupted_build_leaves_no_progress_line(gate: Gate, space: WorkspaceFolder) -> None:
    command = hybrid_command(space, "build", "--env", "dev")
    with watch(command, hybrid_environment(), space.root, terminal=True) as watched:
        # The build prints nothing more until it may go on, so the interruption finds this line drawn.
        watched.until(re.escape(f"[1 running] {TARGET} 0:"), watched.until(": at .*\n").end())
        watched.process.send_signal(signal.SIGINT)
        assert watched.end() == 130
    progress, _, after = watched.text.rpartition("[1 running]")[2].partition("\r\033[K")
    assert re.fullmatch(rf" {TARGET} \d:\d\d", progress), watched.text
    assert after.startswith("packer-hybrid: cancelled"), watched.text


@pytest.mark.parametrize(
    ("start", "terminal", "settings", "shown"),
    [
        (command_line, True, {}, RED),
        (command_line, False, {}, "red"),
        (playbook, True, {}, RED),
        (playbook, True, {"ANSIBLE_NOCOLOR": "1"}, "red"),
        (playbook, False, {}, "red"),
        (playbook, False, {"ANSIBLE_FORCE_COLOR": "1"}, RED),
    ],
)
def test_colours_of_a_build_are_shown_where_colours_are(
    space: WorkspaceFolder,
    ansible: Ansible,
    start: Start,
    terminal: bool,
    settings: dict[str, str],
    shown: str,
) -> None:
    space.null(TARGET, inline=(r"printf 'it is \\033[31mred\\033[0m.\\n'",))
    command, env = start(space, ansible)
    for name in ("ANSIBLE_NOCOLOR", "NO_COLOR"):
        env.pop(name, None)
    env |= {"TERM": "xterm", **settings}
    with watch(command, env, space.root, terminal=terminal) as watched:
        assert watched.end() == 0, watched.text
    assert f"it is {shown}." in watched.text


SAYS = "==> null.lines: Running local shell script"
DETAIL = "null.lines: a detail"
NOISE = "[INFO] Packer version"  # of Packer's own log, which is no message for people


@pytest.mark.parametrize(
    ("awx", "verbosity", "shown"),
    [
        (True, "-v", {SAYS}),
        (True, "-vv", {SAYS}),
        (False, "-v", {SAYS, DETAIL}),
        (False, "-vv", {SAYS, DETAIL, NOISE}),
    ],
)
def test_under_awx_only_what_packer_says_is_shown(
    space: WorkspaceFolder, ansible: Ansible, any_packer: Path, awx: bool, verbosity: str, shown: set[str]
) -> None:
    space.use(any_packer)
    space.null(TARGET, inline=("echo a detail",))
    space.write("play.yml", PLAY)
    env = {"PACKER_LOG": "1", **({"AWX_ISOLATED_DATA_DIR": str(space.root)} if awx else {})}
    done = ansible.playbook("play.yml", verbosity, cwd=space.root, env=env)
    assert done.returncode == 0, done.stdout
    assert {text for text in (SAYS, DETAIL, NOISE) if text in done.stdout} == shown
    (log,) = (space.root / "logs/builds").rglob("*.log")
    assert all(text in log.read_text() for text in (SAYS, DETAIL, NOISE))
