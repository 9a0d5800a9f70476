import os
import subprocess
import sys

import pytest

from hybridcore import state


@pytest.fixture
def child():
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def test_this_process_is_alive():
    assert state.liveness(state.process_identity()) == "alive"


def test_a_child_is_alive_until_it_ends(child):
    entry = state.process_identity(child.pid)
    assert entry["pid"] == child.pid
    assert entry["pid_start_time"] >= state.process_identity()["pid_start_time"]
    assert state.liveness(entry) == "alive"
    child.kill()
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert state.liveness(entry) == "gone"  # a zombie runs no more
    child.wait()
    assert state.liveness(entry) == "gone"


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"pid_start_time": 1}, "gone"),
        ({"boot_id": "another"}, "gone"),
        ({"host": "another"}, "unknown"),
        ({"host": "another", "boot_id": "another"}, "unknown"),
        ({"pid_start_time": None, "boot_id": None}, "alive"),
    ],
)
def test_a_number_alone_is_no_proof(change, word):
    assert state.liveness({**state.process_identity(), **change}) == word


def test_a_process_name_with_parentheses_does_not_confuse(tmp_path):
    program = tmp_path / "a) S 1 (b"
    program.symlink_to("/bin/cat")
    with subprocess.Popen([program], stdin=subprocess.PIPE) as process:
        entry = state.process_identity(process.pid)
        # From proc_pid_stat(5): it began after this process, in the same boot.
        assert entry["pid_start_time"] >= state.process_identity()["pid_start_time"]
        process.stdin.close()


def test_interrupted_lists_dead_runs_oldest_first():
    alive = state.process_identity()
    dead = {**alive, "pid_start_time": 1}
    data = state.empty()
    data["running"] = {
        "r1": {**dead, "started_at": "2026-11-22T05:25:09.000Z"},
        "r2": {**alive, "started_at": "2026-11-22T05:25:08.000Z"},
        "r3": {**dead, "started_at": "2026-11-22T05:25:07.000Z"},
        "r4": {**dead, "host": "another", "started_at": "2026-11-22T05:25:06.000Z"},
    }
    assert state.interrupted(data) == ["r3", "r1"]
