"""A writer that is killed anywhere leaves the old state or the new one, and blocks nobody."""

import json
import re
import subprocess
import sys
from collections import Counter

import pytest

from hybridcore import state
from hybridcore.settings import Settings
from hybridcore.workspace import Workspace

pytestmark = pytest.mark.integration

# The two calls of kill(2) with signal 0 mark where the transaction begins and ends in a trace.
WRITER = """
import os, sys
sys.path.insert(0, {repository!r})
from pathlib import Path
import hybridcore.state as state
from hybridcore.workspace import Workspace
workspace = Workspace(Path({root!r}))
os.kill(os.getpid(), 0)
with state.transaction(workspace=workspace, command="writer") as data:
    data["plugins"]["writer"] = "new"
os.kill(os.getpid(), 0)
"""


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path, Settings(lock_timeout=5))


def strace(options, code):
    # A fixed hash seed: each run makes the same calls, so that the n-th is the n-th again.
    return subprocess.run(
        ["strace", "-qq", *options, sys.executable, "-S", "-B", "-c", code],
        env={"PYTHONHASHSEED": "0", "PATH": "/usr/bin:/bin"},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )


def calls_of_a_write(code):
    """Every system call between the two marks: its name, and which one of that name in the process it is."""
    done = strace([], code)
    assert done.returncode == 0, done.stderr
    counts = Counter()
    inside = False
    found = []
    for line in done.stderr.splitlines():
        name = re.match(r"(\w+)\(", line)
        if not name:
            continue
        counts[name[1]] += 1
        if line.startswith("kill("):
            inside = not inside
        elif inside:
            found.append((name[1], counts[name[1]]))
    return found


def fresh(workspace):
    """The old state, with a copy, as after some runs."""
    for old in ("older", "old"):
        data = state.empty()
        data["plugins"]["writer"] = old
        if workspace.state_file.exists():
            state.write(data, workspace=workspace)
        else:
            with state.transaction(workspace=workspace) as current:
                current.update(data)


def check_after_a_kill(workspace):
    """What is there is whole, what was kept is good, nobody is blocked; gives old or new."""
    value = state.read(workspace=workspace)["plugins"]["writer"]
    assert value in ("old", "new")
    copy = json.loads((workspace.state_dir / "packer-hybrid.json.bak").read_bytes())
    assert copy["plugins"]["writer"] in ("older", "old")
    with state.transaction(workspace=workspace, timeout=0) as data:
        data["plugins"]["after"] = "1"
    names = {path.name for path in workspace.state_dir.iterdir()}
    assert names == {"packer-hybrid.json", "packer-hybrid.json.bak", "packer-hybrid.lock"}
    return value


def test_killed_at_every_system_call_of_a_write(workspace, repository):
    code = WRITER.format(repository=str(repository), root=str(workspace.root))
    fresh(workspace)
    calls = calls_of_a_write(code)
    names = [name for name, _ in calls]
    for name in ("flock", "openat", "write", "fsync", "rename", "unlink"):
        assert name in names, names
    assert names.count("fsync") == 2  # the file, then the folder
    outcomes = []
    for name, number in calls:
        for path in workspace.state_dir.iterdir():
            path.unlink()
        fresh(workspace)
        killed = strace(["-o", "/dev/null", "-e", f"inject={name}:signal=KILL:when={number}"], code)
        assert killed.returncode in (-9, 137), (name, number, killed)
        outcomes.append(check_after_a_kill(workspace))
    # First always the old state, from one call on always the new one.
    assert outcomes == sorted(outcomes, reverse=True)
    assert set(outcomes) == {"old", "new"}


def test_an_error_of_every_system_call_of_a_write(workspace, repository):
    """The same with calls that fail instead: the state is the old or the new one, or both are told apart."""
    code = WRITER.format(repository=str(repository), root=str(workspace.root))
    fresh(workspace)
    calls = calls_of_a_write(code)
    chosen = [call for call in calls if call[0] in ("write", "fsync", "rename", "link", "linkat", "fchmod")]
    assert len(chosen) >= 6
    for name, number in chosen:
        for path in workspace.state_dir.iterdir():
            path.unlink()
        fresh(workspace)
        failed = strace(["-o", "/dev/null", "-e", f"inject={name}:error=EIO:when={number}"], code)
        assert failed.returncode == 1
        assert "StateError" in failed.stderr.splitlines()[-1], failed.stderr
        outcome = check_after_a_kill(workspace)
        assert outcome == ("new" if "power cut" in failed.stderr else "old"), (name, number)


KILLS = """
import os, random, select, signal, sys
sys.path.insert(0, {repository!r})
from pathlib import Path
from hybridcore import state
from hybridcore.workspace import Workspace
workspace = Workspace(Path({root!r}))
dice = random.Random(7)
confirmed = 0
reached = killed_early = 0
for kill in range({kills}):
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(ours)
        while True:
            with state.transaction(workspace=workspace, timeout=0) as data:
                count = int(data["plugins"].get("count", "0")) + 1
                data["plugins"]["count"] = str(count)
                target = f"linux/null/t{{count % 50}}"
                image = {{"target": target, "environment": "dev", "run": str(count)}}
                data["images"]["dev/" + target] = image
            os.write(theirs, b"%d " % count)
    os.close(theirs)
    # A random moment: somewhere in the first transactions of this child.
    select.select([], [], [], dice.random() * 0.02)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    said = b""
    while part := os.read(ours, 65536):
        said += part
    os.close(ours)
    if said:
        confirmed = int(said.split()[-1])
    data = state.read(workspace=workspace)
    found = int(data["plugins"].get("count", "0"))
    # What was confirmed is there; at most the write that was not confirmed any more is there too.
    assert found in (confirmed, confirmed + 1), (kill, confirmed, found)
    if found:
        image = data["images"][f"dev/linux/null/t{{found % 50}}"]
        assert image["run"] == str(found), (kill, image, found)
    killed_early += found == confirmed
    reached += found == confirmed + 1
    confirmed = found
print(confirmed, killed_early, reached)
"""


def test_a_thousand_random_kills_lose_no_confirmed_write(workspace, repository):
    code = KILLS.format(repository=str(repository), root=str(workspace.root), kills=1000)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    writes, _, _ = map(int, done.stdout.split())
    assert writes > 100  # the kills met writers at work
    with state.transaction(workspace=workspace, timeout=0) as data:
        data["plugins"]["after"] = "1"
    assert not list(workspace.state_dir.glob("*.tmp"))
