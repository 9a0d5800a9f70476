"""The supervisor: what it owns ends in time, what it is told arrives, and what comes late is logged."""

from __future__ import annotations

import dataclasses
import errno
import os
import resource
import selectors
import signal
import socket
import time
from pathlib import Path

import pytest

from hybridcore.process.children import Child, Children
from hybridcore.process.limits import room_for
from tests.support.children import next_event, program


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
