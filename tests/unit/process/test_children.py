"""The caller's side of the supervisor: what it starts, what it hears, and what is gone when it leaves."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from hybridcore.errors import PackerError
from hybridcore.process.children import GRACE_S, Child, Children, supervisor_command, watched_parents
from tests.support.children import next_event, program


def test_the_supervisor_starts_without_site_packages() -> None:
    command = supervisor_command([1, 22])
    assert command[1:3] == ["-I", "-S"]
    assert command[-2:] == ["1", "22"]


def test_watched_processes_come_from_the_environment() -> None:
    assert watched_parents({"HYBRIDCORE_WATCH": ",12,x,,34"}) == [12, 34]
    assert watched_parents({}) == []


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


def test_a_child_gets_what_it_was_given_and_carries_the_mark_of_its_run(tmp_path: Path) -> None:
    code = "import os; e = os.environ; print(os.getcwd(), e['GIVEN'], e['HYBRIDCORE_RUN'], 'HOME' in e)"
    child = Child("a", (sys.executable, "-IS", "-c", code), {"GIVEN": "x"}, tmp_path)
    mark = f"test-given-{os.getpid()}"
    with Children(mark) as children:
        pipe = children.start(child)
        started, ended = next_event(children), next_event(children)
        assert (started["event"], started["id"]) == ("started", "a")
        assert ended == {"event": "exit", "id": "a", "code": 0, "why": ""}
        assert os.read(pipe, 1000).decode() == f"{tmp_path} x {mark}/a False\n"
        assert os.read(pipe, 1) == b""
        os.close(pipe)


def test_its_pipe_is_wide_and_does_not_wait(tmp_path: Path) -> None:
    with Children(f"test-pipe-{os.getpid()}") as children:
        pipe = children.start(program("import sys; sys.stdin.read(); input()", tmp_path))
        assert fcntl.fcntl(pipe, fcntl.F_GETPIPE_SZ) == 1 << 20
        assert not os.get_blocking(pipe)
        os.close(pipe)
        children.stop("a")


def test_a_pipe_that_cannot_be_made_wider_works_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(errno.EPERM, "the user's limit on pipes")

    monkeypatch.setattr(fcntl, "fcntl", refuse)
    with Children(f"test-narrow-{os.getpid()}") as children:
        pipe = children.start(program("print('said')", tmp_path))
        assert [next_event(children)["event"] for _ in "12"] == ["started", "exit"]
        assert os.read(pipe, 10) == b"said\n"
        os.close(pipe)


def test_a_program_that_is_not_there_is_told_as_an_event_and_the_batch_goes_on(tmp_path: Path) -> None:
    with Children(f"test-none-{os.getpid()}") as children:
        os.close(children.start(Child("none", ("/no/such/program",), {}, tmp_path)))
        event = next_event(children)
        assert (event["event"], event["id"]) == ("exit", "none")
        assert event["not_started"] == os.strerror(errno.ENOENT)
        os.close(children.start(program("raise SystemExit(3)", tmp_path)))
        assert [next_event(children).get("code") for _ in "12"] == [None, 3]


def test_who_leaves_by_an_exception_leaves_nothing_that_runs(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), Children(f"test-left-{os.getpid()}") as children:  # noqa: PT012
        pipe = children.start(program("import time; time.sleep(300)", tmp_path))
        pid = next_event(children)["pid"]
        assert Path(f"/proc/{pid}").exists()
        raise KeyboardInterrupt
    os.close(pipe)
    assert not Path(f"/proc/{pid}").exists()
    assert not Path(f"/proc/{children.pid}").exists()


def test_the_grace_is_that_of_what_runs_now(tmp_path: Path) -> None:
    with Children(f"test-graces-{os.getpid()}") as children:
        os.close(children.start(program("", tmp_path, grace=77)))
        assert children.grace == 77
        assert [next_event(children)["event"] for _ in "12"] == ["started", "exit"]
        assert children.grace == GRACE_S


def test_a_package_within_a_zip_is_found_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "payload.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("hybridcore/__init__.py", "")
        archive.writestr("hybridcore/caretaker.py", "import sys\ndef main(given): print(given, __file__)\n")
    monkeypatch.setattr("hybridcore.process.children.__file__", f"{file}/hybridcore/process/children.py")
    done = subprocess.run(supervisor_command([7]), capture_output=True, text=True, check=True)
    assert done.stdout == f"['7'] {file}/hybridcore/caretaker.py\n"


def test_what_a_supervisor_left_that_was_killed_is_ended_by_who_leaves(tmp_path: Path) -> None:
    with Children(f"test-orphan-{os.getpid()}") as children:
        pipe = children.start(program("import time; time.sleep(300)", tmp_path))
        assert next_event(children)["event"] == "started"
        os.kill(children.pid, signal.SIGKILL)
    os.set_blocking(pipe, True)
    assert os.read(pipe, 1) == b"", "who wrote into it has ended"
    os.close(pipe)
