"""What ends a worker and its connection when a process ends that it depends on; real processes."""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

# A worker with a connection: it says the number of what it started, and waits for its result.
WORKER = """
import runpy, subprocess, sys
far = runpy.run_path(sys.argv[2])
connection = subprocess.Popen(["sleep", "300"], stdout=subprocess.DEVNULL)
with far["ended_with"]([0, int(sys.argv[1])]):
    print(connection.pid, flush=True)
    sys.stdin.read()
print("went on")
connection.kill()
connection.wait()
"""


@pytest.fixture
def far(plugin) -> ModuleType:
    return plugin("plugin_utils.far")


@pytest.fixture
def watched() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(["sleep", "300"]) as process:
        yield process
        process.kill()


def worker(far: ModuleType, pid: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WORKER, str(pid), str(far.__file__)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_the_parent_of_a_process(far: ModuleType, watched: subprocess.Popen[bytes]) -> None:
    assert far.parent_of(watched.pid) == os.getpid()
    assert far.parent_of(os.getpid()) == os.getppid()


def test_the_parent_of_a_process_whose_name_looks_like_the_fields_behind_it(
    far: ModuleType, tmp_path: Path
) -> None:
    program = shutil.copy(shutil.which("sleep"), tmp_path / "x) S 1 (y")
    with subprocess.Popen([program, "300"]) as process:
        try:
            assert far.parent_of(process.pid) == os.getpid()
        finally:
            process.kill()


def test_a_process_that_has_ended_has_no_parent(far: ModuleType) -> None:
    process = subprocess.Popen(["true"])
    process.wait()
    assert far.parent_of(process.pid) == 0


def test_the_worker_and_its_connection_end_with_a_process_that_is_watched(
    far: ModuleType,
    watched: subprocess.Popen[bytes],
) -> None:
    with worker(far, watched.pid) as process:
        assert process.stdout is not None
        pidfd = os.pidfd_open(int(process.stdout.readline()))
        watched.kill()
        assert process.wait(60) == -signal.SIGKILL
        assert process.stdout.read() == ""
    # Who adopts it takes its end; that it was told to end is seen by its descriptor.
    assert select.select([pidfd], [], [], 60)[0] == [pidfd]
    os.close(pidfd)


def test_the_worker_ends_where_a_process_that_is_watched_is_gone_already(far: ModuleType) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    with worker(far, gone.pid) as process:
        assert process.wait(60) == -signal.SIGKILL
        assert process.stdout is not None
        assert process.stdout.read() == ""


def test_the_worker_goes_on_when_the_block_ends_and_the_watched_live(
    far: ModuleType, watched: subprocess.Popen[bytes]
) -> None:
    with worker(far, watched.pid) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert process.stdin is not None
        process.stdin.close()
        assert process.stdout.read() == "went on\n"
        assert process.wait(60) == 0


def test_it_leaves_no_descriptor_open(far: ModuleType, watched: subprocess.Popen[bytes]) -> None:
    before = os.listdir("/proc/self/fd")
    for _ in range(3):
        with far.ended_with([watched.pid, 0]):
            pass
    assert os.listdir("/proc/self/fd") == before
