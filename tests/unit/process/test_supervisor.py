"""The supervisor and its caller's side: whatever dies, nothing is left."""

from __future__ import annotations

import dataclasses
import errno
import os
import resource
import selectors
import signal
import socket
import subprocess
import sys
import time
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hybridcore.errors import PackerError
from hybridcore.process.children import Child, Children, supervisor_command, watched_parents
from hybridcore.process.limits import room_for
from hybridcore.process.wire import Channel
from tests.support.workspaces import WorkspaceFolder


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, other = socket.socketpair()
    with one, other:
        yield one, other


def test_the_supervisor_starts_without_site_packages() -> None:
    command = supervisor_command([1, 22])
    assert command[1:3] == ["-I", "-S"]
    assert command[-2:] == ["1", "22"]


def test_watched_processes_come_from_the_environment() -> None:
    assert watched_parents({"HYBRIDCORE_WATCH": ",12,x,,34"}) == [12, 34]
    assert watched_parents({}) == []


def test_an_end_that_the_state_does_not_take_is_in_the_log(
    pair: tuple[socket.socket, socket.socket], make_workspace: Callable[..., WorkspaceFolder]
) -> None:
    space = make_workspace()
    space.write("state/packer-hybrid.json", "damaged")
    run = {"op": "run", "workspace": str(space.root), "run_id": "r1", "folder": str(space.root / "images/r1")}
    with subprocess.Popen(supervisor_command([]), stdin=pair[1]) as child:
        pair[1].close()
        channel = Channel(pair[0])
        channel.send(run)
        channel.close()
        assert child.wait(60) == 0
    (line,) = (space.root / "logs/packer-hybrid.log").read_text().splitlines()
    assert "ERROR supervise: the end of run r1 cannot be written into the state: " in line
    assert "the state is damaged" in line


def next_event(children: Children) -> dict[str, object]:
    """The next event, one at a time."""
    if not pending.setdefault(children, []):
        with selectors.DefaultSelector() as selector:
            selector.register(children, selectors.EVENT_READ)
            while not pending[children]:
                assert selector.select(60), "the supervisor says nothing"
                pending[children] += children.events()
    return pending[children].pop(0)


pending: weakref.WeakKeyDictionary[Children, list[dict[str, object]]] = weakref.WeakKeyDictionary()


def program(code: str, folder: Path, **more: object) -> Child:
    """A program in Python, as a child of the name ``a``."""
    argv = (sys.executable, "-IS", "-c", code)
    return Child(key="a", argv=argv, env=dict(os.environ), cwd=folder, **more)


def test_the_parent_of_the_first_process_of_a_container_is_not_watched(tmp_path: Path) -> None:
    with Children(f"test-zero-{os.getpid()}", watched_parents({"HYBRIDCORE_WATCH": "0"})) as children:
        os.close(children.start(program("", tmp_path)))
        assert next_event(children)["event"] == "started"
        assert next_event(children) == {"event": "exit", "id": "a", "code": 0, "why": ""}


def test_what_is_said_to_a_dead_supervisor_is_lost_and_a_start_fails_and_leaves_nothing_open(
    tmp_path: Path,
) -> None:
    with Children(f"test-dead-{os.getpid()}") as children:
        os.kill(children.pid, signal.SIGKILL)
        with pytest.raises(PackerError, match="the supervisor was killed"):
            next_event(children)
        before = os.listdir("/proc/self/fd")
        with pytest.raises(ConnectionError):
            children.start(program("", tmp_path))
        assert os.listdir("/proc/self/fd") == before
        children.announce({"workspace": "w", "run_id": "r", "folder": "f"})
        children.stop("a")


def test_a_program_that_does_not_end_is_killed_after_its_own_grace(tmp_path: Path) -> None:
    code = (
        "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint(flush=True)\n"
        "time.sleep(60)"
    )
    with Children(f"test-grace-{os.getpid()}") as children:
        assert children.grace == 10
        pipe = children.start(program(code, tmp_path, grace=0.2))
        os.set_blocking(pipe, True)
        os.read(pipe, 1)
        begun = time.monotonic()
        children.stop("a")
        assert next_event(children)["event"] == "started"
        assert next_event(children)["code"] == -signal.SIGKILL
        assert 0.2 <= time.monotonic() - begun < 9
        os.close(pipe)


def test_who_cancels_waits_for_the_longest_grace_of_what_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # By default half a second would be enough.
    monkeypatch.setattr("hybridcore.process.children.GRACE_S", -4.5)
    children = Children(f"test-wait-{os.getpid()}")
    cleans_up = (
        "import signal, time\nsignal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])\nprint(flush=True)\n"
        "signal.sigwait([signal.SIGTERM])\ntime.sleep(1.5)\nopen('cleaned', 'x')"
    )
    pipe = children.start(program(cleans_up, tmp_path, grace=60))
    os.set_blocking(pipe, True)
    os.read(pipe, 1)
    assert children.grace == 60
    children.__exit__(KeyboardInterrupt, None, None)
    os.close(pipe)
    assert (tmp_path / "cleaned").exists()


# Says half of a secret and waits; told to end, it says the other half, and goes on as Packer does.
CUT = """\
import os, signal
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
os.write(1, b"begun: canary-")
signal.sigwait([signal.SIGTERM])
os.write(1, b"half secret\\n1605862346,,ui,say,\\x1b[1;32mwhole canary-half secret%!(PACKER_COMMA) in colour"
    b"\\n\\x1b[0mwithout an end: canary-half secret")
"""


def test_what_comes_after_the_callers_end_is_logged_as_before_without_the_line_that_was_cut(
    tmp_path: Path,
) -> None:
    log = tmp_path / "build.log"
    child = program(CUT, tmp_path, log=log, secrets=("canary-half secret",))
    children = Children(f"test-cut-{os.getpid()}")
    pipe = children.start(child)
    os.set_blocking(pipe, True)
    assert os.read(pipe, 100) == b"begun: canary-"
    os.close(pipe)
    children.__exit__(KeyboardInterrupt, None, None)  # no goodbye, as when the caller dies
    assert log.read_text().splitlines() == [
        "",
        "hybridcore: the caller ended; the line that it was reading is left out",
        "whole ***, in colour",
        "without an end: ***",
        "hybridcore: build cancelled: the caller ended",
    ]


def test_500_programs_at_once_and_a_caller_that_starts_them_without_a_pause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both ends have much to say, and the sockets between them hold little."""
    pair = socket.socketpair

    def small_pair(*more: object) -> tuple[socket.socket, socket.socket]:
        ends = pair(*more)
        for end in ends:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
        return ends

    monkeypatch.setattr(socket, "socketpair", small_pair)
    count = 500
    environment = {**os.environ, "LARGE": "x" * 60_000}
    pipes: dict[str, int] = {}
    codes: dict[str, object] = {}
    with (
        room_for(count) as room,
        Children(f"test-many-{os.getpid()}") as children,
        selectors.DefaultSelector() as selector,
    ):
        assert room == count
        selector.register(children, selectors.EVENT_READ)
        while len(codes) < count:
            if children.has_room and len(pipes) < count:
                key = str(len(pipes))
                pipes[key] = children.start(Child(key=key, argv=("true",), env=environment, cwd=tmp_path))
                continue
            assert selector.select(60), "the caller and the supervisor wait for each other"
            for event in children.events():
                if event["event"] == "exit":
                    codes[event["id"]] = event["code"]
        for pipe in pipes.values():
            os.close(pipe)
    assert codes == dict.fromkeys(pipes, 0)


def test_a_supervisor_that_has_no_descriptor_left_says_so_and_goes_on(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (40, hard))
    try:
        children = Children(f"test-few-{os.getpid()}")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    with children:
        pipes, ends, started = [], {}, set()
        for number in range(30):
            child = program("import time; time.sleep(300)", tmp_path)
            pipes.append(children.start(dataclasses.replace(child, key=str(number))))
        while len(ends) + len(started) < 30:
            event = next_event(children)
            if event["event"] == "started":
                started.add(event["id"])
            else:
                ends[event["id"]] = event["not_started"]
        assert started
        assert ends
        assert set(ends.values()) == {os.strerror(errno.EMFILE)}
        for key in started:
            children.stop(key)
        ended = {str(next_event(children)["id"]) for _ in started}
        assert ended == started
        pipes.append(children.start(program("", tmp_path)))
        assert [next_event(children)["event"] for _ in range(2)] == ["started", "exit"]
        for pipe in pipes:
            os.close(pipe)
