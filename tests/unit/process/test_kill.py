"""Marked processes are found, and end."""

from __future__ import annotations

import os
import subprocess
import sys

from hybridcore.process.kill import RUN_MARK, kill_marked, marked


def start(mark: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(["sleep", "300"], env={**os.environ, RUN_MARK: mark}, start_new_session=True)


def test_marked_processes_are_found_and_killed_and_no_others() -> None:
    run = f"test-{os.getpid()}"
    mine, other, longer = start(f"{run}/a"), start(f"{run}/b"), start(f"{run}0/a")
    try:
        assert marked(f"{run}/a") == [mine.pid]
        assert sorted(marked(run)) == sorted([mine.pid, other.pid])
        kill_marked(f"{run}/a")
        assert mine.wait(10) == -9
        assert other.poll() is None
        kill_marked(run)
        assert other.wait(10) == -9
        assert longer.poll() is None
    finally:
        for child in (mine, other, longer):
            child.kill()
            child.wait()


def test_a_process_that_keeps_starting_others_is_ended() -> None:
    run = f"test-forks-{os.getpid()}"
    code = (
        # It ends by itself, should it not be ended.
        "import subprocess, time\nprint('begun', flush=True)\nend = time.monotonic() + 60\n"
        "while time.monotonic() < end:\n"
        "    subprocess.Popen(['sleep', '60'], start_new_session=True)\n    time.sleep(0.001)\n"
    )
    child = subprocess.Popen(
        [sys.executable, "-IS", "-c", code],
        env={**os.environ, RUN_MARK: run},
        stdout=subprocess.PIPE,
    )
    assert child.stdout is not None
    try:
        child.stdout.readline()
        kill_marked(run)
        assert marked(run) == []
    finally:
        kill_marked(run)
        child.wait()
        child.stdout.close()
