import errno
import fcntl
import json
import os
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from hybridcore import state
from hybridcore.errors import EXIT_LOCKED, LockError, StateError
from hybridcore.settings import Settings
from hybridcore.state import lock

HOLD = """
import sys
sys.path.insert(0, {repository!r})
from pathlib import Path
from hybridcore import state
from hybridcore.workspace import Workspace
with state.transaction(workspace=Workspace(Path({root!r})), command="packer-hybrid build"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def held(workspace, repository):
    """Another process that holds the lock until its standard input ends."""
    code = HOLD.format(repository=str(repository), root=str(workspace.root))
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


def enter(workspace, **options):
    with state.transaction(workspace=workspace, **options) as data:
        data["plugins"]["x"] = "1"


def test_a_timeout_is_an_error_of_its_own_and_names_the_holder(workspace, held):
    with pytest.raises(LockError) as caught:
        enter(workspace, timeout=0)
    assert caught.value.exit_code == EXIT_LOCKED
    assert f"packer-hybrid build (pid {held.pid} on {os.uname().nodename}, since 20" in caught.value.message
    assert caught.value.file.endswith("state/packer-hybrid.lock")
    assert not workspace.state_file.exists()


def test_the_hint_names_what_allows_a_longer_wait(workspace, held):
    with pytest.raises(LockError) as caught:
        enter(workspace, timeout=0)
    assert "lock_timeout in packer-hybrid.toml" in caught.value.hint
    other = lock.Lock(
        workspace.state_dir / "packer-hybrid.lock",
        command="",
        timeout=0,
        on_wait=print,
        setting="--lock-timeout",
    )
    with pytest.raises(LockError) as caught:
        other.acquire()
    assert caught.value.hint == "wait for it to end, or allow a longer wait (--lock-timeout)"


def test_write_and_repair_wait_for_the_lock_too(workspace, held):
    workspace = replace(workspace, settings=Settings(lock_timeout=0))
    with pytest.raises(LockError):
        state.write(state.empty(), workspace=workspace)
    with pytest.raises(LockError):
        state.repair(workspace=workspace)


def test_reading_waits_for_nobody(workspace, held):
    assert state.read(workspace=workspace) == state.empty()


def test_who_waits_is_told_once_who_holds_it_and_for_how_long(workspace, held, monkeypatch):
    monkeypatch.setattr(lock, "_TELL_AFTER_S", 0.0)
    told = []

    def on_wait(sentence):
        told.append(sentence)
        held.stdin.close()  # the holder ends, so the wait does

    enter(workspace, timeout=60, on_wait=on_wait)
    assert len(told) == 1
    assert f"packer-hybrid build (pid {held.pid} on " in told[0]
    assert "waiting up to 60 s" in told[0]
    assert state.read(workspace=workspace)["plugins"] == {"x": "1"}


def test_without_a_listener_the_wait_is_a_warning(workspace, held, monkeypatch, caplog):
    monkeypatch.setattr(lock, "_TELL_AFTER_S", 0.0)
    with pytest.raises(LockError):
        enter(workspace, timeout=0.05)
    assert [(record.name, record.levelname) for record in caplog.records] == [("hybridcore.state", "WARNING")]
    assert f"pid {held.pid}" in caplog.text


def test_the_lock_of_a_dead_holder_is_free_at_once(workspace, held):
    held.send_signal(signal.SIGKILL)
    held.wait()
    enter(workspace, timeout=0)
    assert state.read(workspace=workspace)["plugins"] == {"x": "1"}


def test_two_threads_of_one_process_exclude_each_other(workspace):
    with state.transaction(workspace=workspace, command="first"), pytest.raises(LockError, match="first"):
        enter(workspace, timeout=0)


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_file_system_without_locks_is_a_clear_error(workspace, monkeypatch, number):
    def no_locks(_fd, _operation):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", no_locks)
    with pytest.raises(StateError, match="this file system has no locks") as caught:
        enter(workspace)
    assert not isinstance(caught.value, LockError)
    assert "local file system" in caught.value.hint
    assert not workspace.state_file.exists()


def test_a_linked_lock_is_refused(workspace, tmp_path):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    workspace.state_dir.mkdir()
    (workspace.state_dir / "packer-hybrid.lock").symlink_to(victim)
    with pytest.raises(StateError, match="cannot open the lock"):
        enter(workspace)
    assert victim.read_text() == "precious"


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        (b"", "another process"),
        (b"\xff\xfe", "another process"),
        (b'{"pid": 1}', "another process"),
        (b"[]", "another process"),
        (
            json.dumps({"pid": 1, "host": "h\x1b[2J", "since": "s", "command": "c\nfake"}).encode(),
            "c?fake (pid 1 on h?[2J, since s)",
        ),
    ],
)
def test_what_the_lock_file_says_is_not_trusted(tmp_path, content, shown):
    (tmp_path / "lock").write_bytes(content)
    fd = os.open(tmp_path / "lock", os.O_RDONLY)
    try:
        assert lock.holder(fd) == shown
    finally:
        os.close(fd)


def test_a_long_command_leaves_the_lock_file_readable(workspace):
    with (
        state.transaction(workspace=workspace, command="\u20ac" * 5000),
        pytest.raises(LockError, match="\u20ac\u20ac"),
    ):
        enter(workspace, timeout=0)
