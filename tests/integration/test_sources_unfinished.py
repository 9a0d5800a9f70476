"""Syncs that are ended in the middle: by a signal, by the end of git, by a full disk."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from hybridcore.process.kill import kill_marked, marked
from hybridcore.sources import unfinished
from tests.support.builds import wait_for
from tests.support.remotes import Remote, git
from tests.support.sources import Space, snapshot

pytestmark = pytest.mark.integration

FILES = [f"file{number}.txt" for number in range(6)]


class Halted:
    """A workspace whose second sync stops in the middle of writing its files, so that it can be ended there.

    The user's own git has a filter for these files; it writes two of them and then waits.
    """

    def __init__(self, space: Space, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.space = space
        self.hold, self.waits = tmp_path / "hold", tmp_path / "waits"
        script = tmp_path / "smudge"
        script.write_text(
            f"#!/bin/sh\n[ -e {self.hold} ] || exec cat\necho x >> {self.hold}\n"
            f"[ $(wc -l < {self.hold}) -ge 3 ] || exec cat\necho $$ > {self.waits}\nexec sleep 600\n"
        )
        script.chmod(0o755)
        config = tmp_path / "gitconfig"
        config.write_text(f'[filter "slow"]\n\tsmudge = {script}\n')
        monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
        remote = space.remote
        (remote.folder / ".gitattributes").write_text("*.txt filter=slow\n")
        for name in FILES[1:]:
            (remote.folder / name).write_text("old\n")
        self.old = remote.commit(FILES[0], "old\n")
        space.sync()
        for name in FILES[1:-1]:
            (remote.folder / name).write_text("new\n" * 1000)
        git(remote.folder, "mv", FILES[-1], "moved.txt")
        self.new = remote.commit(FILES[0], "new\n" * 1000)

    def start(self) -> subprocess.Popen[str]:
        """Begin a sync, and come back when half of its files are written."""
        self.hold.touch()
        command = [sys.executable, "-m", "hybridcore", "--workspace", str(self.space.root), "sources", "sync"]
        run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        wait_for(lambda: self.waits.exists() or run.poll() is not None, "half of the files")
        assert run.poll() is None, run.communicate()
        self.hold.unlink()
        return run

    def check_whole(self, text: str) -> None:
        clone = self.space.clone
        assert [(clone / name).read_text() for name in FILES[:-1]] == [text] * (len(FILES) - 1)
        assert git(clone, "-c", "filter.slow.smudge=cat", "status", "--porcelain") == ""
        assert not list((clone / ".git").rglob("*.lock"))
        assert sorted(path.name for path in (self.space.root / "sources").iterdir()) == [".lock", "demo"]


@pytest.fixture
def space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Space:
    return Space.alone(tmp_path, monkeypatch)


@pytest.fixture
def halted(space: Space, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Halted:
    return Halted(space, tmp_path, monkeypatch)


def end(halted: Halted, how: str) -> None:
    """End a sync in the middle of its move."""
    run = halted.start()
    if how == "git":
        mark = unfinished.mark(halted.space.root / "sources")
        for pid in marked(mark):
            os.kill(pid, signal.SIGKILL)
    else:
        run.send_signal(signal.SIGINT if how == "interrupt" else signal.SIGKILL)
    _, error = run.communicate(timeout=60)
    assert run.returncode == {"git": 1, "interrupt": 130, "kill": -signal.SIGKILL}[how]
    if how == "git":
        assert "git was ended by signal 9" in error
        assert "it goes on from there" in error
    assert git(halted.space.clone, "rev-parse", "HEAD") == halted.old
    # Where the sync itself was killed nobody was left to remove the lock.
    assert (halted.space.clone / ".git" / "index.lock").exists() is (how == "kill")


@pytest.mark.parametrize("how", ["interrupt", "kill", "git"])
def test_the_next_sync_goes_on_where_one_was_ended(halted: Halted, how: str) -> None:
    end(halted, how)
    (result,) = halted.space.sync()
    assert (result.action, result.before, result.sha) == ("updated", halted.old, halted.new)
    halted.check_whole("new\n" * 1000)
    assert not marked(unfinished.mark(halted.space.root / "sources"))
    assert [result.action for result in halted.space.sync()] == ["unchanged"]


def test_a_half_move_may_go_back(halted: Halted) -> None:
    end(halted, "kill")
    halted.space.settings(sha=halted.old)
    assert [(each.action, each.sha) for each in halted.space.sync(offline=True)] == [("updated", halted.old)]
    halted.check_whole("old\n")


def test_a_file_that_is_half_written_is_finished(halted: Halted) -> None:
    end(halted, "kill")
    written = [name for name in FILES if (halted.space.clone / name).exists()]
    part = next(name for name in written if "new" in (halted.space.clone / name).read_text())
    (halted.space.clone / part).write_text("new\n" * 10 + "ne")
    halted.space.sync()
    halted.check_whole("new\n" * 1000)


@pytest.mark.parametrize("change", ["modified", "untracked", "ignored"])
def test_changes_of_the_user_in_a_half_move_are_kept(halted: Halted, change: str) -> None:
    end(halted, "kill")
    name = {"modified": FILES[0], "untracked": "note.md"}.get(change, "moved.txt")
    if change == "ignored":
        (halted.space.clone / ".git" / "info").mkdir(exist_ok=True)
        (halted.space.clone / ".git" / "info" / "exclude").write_text("moved.txt\n")
    (halted.space.clone / name).write_text("mine\n")
    assert f"has changes of its own: {name}" in halted.space.error()
    assert (halted.space.clone / name).read_text() == "mine\n"
    (halted.space.clone / name).unlink()
    halted.space.sync()
    halted.check_whole("new\n" * 1000)


def test_a_check_of_a_half_move_says_what_a_sync_would_do_and_writes_nothing(halted: Halted) -> None:
    end(halted, "git")
    before = snapshot(halted.space.root)
    predicted = halted.space.sync(check=True)
    assert snapshot(halted.space.root) == before
    assert predicted == halted.space.sync()


def test_frozen_goes_on_with_a_half_move(halted: Halted) -> None:
    halted.space.settings(sha=halted.new)
    end(halted, "kill")
    assert [result.sha for result in halted.space.sync(frozen=True)] == [halted.new]
    halted.check_whole("new\n" * 1000)


def test_a_commit_that_no_branch_leads_to_is_known_after_a_kill_before_the_record(space: Space) -> None:
    second = space.remote.commit(text="two\n")
    git(space.remote.folder, "reset", "--quiet", "--hard", space.first)
    space.sync()
    git(space.clone, "fetch", "--quiet", "origin", second)
    unfinished.begin(space.clone, second)
    git(space.clone, "checkout", "--quiet", "--detach", second)
    assert [(result.before, result.sha) for result in space.sync()] == [(second, space.first)]


LOCKS = {"checkout": "index.lock", "fetch": "packed-refs.lock"}


@pytest.mark.parametrize("command", LOCKS)
@pytest.mark.parametrize("whole", [False, True])
def test_a_git_that_is_killed_before_its_first_file_leaves_no_lock(
    space: Space, tmp_path: Path, command: str, whole: bool
) -> None:
    """A script in the place of git ends as a killed one does, its lock left, alone or with the sync."""
    space.sync()
    git(space.remote.folder, "branch", "gone")
    space.sync()
    git(space.clone, "pack-refs", "--all")
    git(space.remote.folder, "branch", "--quiet", "--delete", "gone")
    second = space.remote.commit(text="two\n")
    programs = tmp_path / "bin"
    programs.mkdir()
    end = f"touch {space.clone}/.git/{LOCKS[command]}; kill -9 {'$PPID ' if whole else ''}$$"
    (programs / "git").write_text(
        f'#!/bin/sh\ncase " $* " in *" {command} "*) {end} ;; esac\nexec {shutil.which("git")} "$@"\n'
    )
    (programs / "git").chmod(0o755)
    path = f"{programs}{os.pathsep}{os.environ['PATH']}"
    sync = [sys.executable, "-m", "hybridcore", "--workspace", str(space.root), "sources", "sync"]
    done = subprocess.run(sync, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False)
    assert done.returncode == (-signal.SIGKILL if whole else 1)
    assert whole or "git was ended by signal 9" in done.stderr
    assert [each.sha for each in space.sync()] == [second]
    assert sorted(path.name for path in (space.root / "sources").iterdir()) == [".lock", "demo"]


def test_a_lock_of_another_git_is_told(space: Space) -> None:
    space.sync()
    (space.clone / ".git" / "index.lock").touch()
    assert "another git is at work in it, or was killed" in space.error()
    assert (space.clone / ".git" / "index.lock").exists()


def test_a_refused_move_leaves_no_note(space: Space) -> None:
    """Where git refuses before it has written anything, nothing is unfinished."""
    space.remote.commit(".gitignore", "a\n")
    space.sync()
    (space.clone / "a").write_text("mine\n")
    space.remote.commit(".gitignore", "b\n")
    git(space.remote.folder, "rm", "--quiet", ".gitignore")
    space.remote.commit("a/b", "theirs\n")
    assert "cannot check out" in space.error()
    assert (space.clone / "a").read_text() == "mine\n"
    assert sorted(path.name for path in (space.root / "sources").iterdir()) == [".lock", "demo"]


def test_a_full_disk_in_the_middle_of_a_move(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The workspace lies on a small file system of its own, in a mount namespace of its own."""
    command = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=6m", "none", str(disk)]
    if not shutil.which("unshare") or subprocess.run([*command, *mount], capture_output=True).returncode:
        pytest.skip("this user may not mount a file system of his own")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    remote = Remote(tmp_path / "remote")
    remote.commit(FILES[0], "old\n")
    text = """
import os, pathlib, subprocess, sys
from hybridcore import sources, workspace
from hybridcore.errors import SourcesError
from tests.support.remotes import git
disk, remote = map(pathlib.Path, sys.argv[1:])
(disk / "packer-hybrid.toml").write_text('[sources.demo]\\nurl = "file://' + str(remote) + '"\\n')
space = workspace.open_workspace(disk)
(first,) = sources.sync(workspace=space)
for number in range(40):
    (remote / f"file{number}.txt").write_text(f"{number}\\n" * 50_000)
git(remote, "add", "--all")
git(remote, "commit", "--quiet", "-m", "large")
ballast = disk / "ballast"
ballast.write_bytes(bytes(3 << 20))
try:
    sources.sync(workspace=space)
except SourcesError as error:
    print("first:", error, file=sys.stderr)
else:
    sys.exit("the disk was not full")
sizes = [file.stat().st_size for file in (disk / "sources" / "demo").glob("file*")]
print("sizes:", sizes, file=sys.stderr)
assert max(sizes) >= 100_000 > min(sizes), "not in the middle"
ballast.unlink()
(second,) = sources.sync(workspace=space)
assert (second.action, second.before) == ("updated", first.sha), second
assert git(disk / "sources" / "demo", "status", "--porcelain") == ""
assert len(list((disk / "sources" / "demo").glob("file*"))) == 40
"""
    run = subprocess.run(
        [
            *(*command, "sh", "-c", f'{" ".join(mount)} && exec "$0" "$@"'),
            *(sys.executable, "-c", text, str(disk), str(remote.folder)),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stderr


class Silent:
    """A server that takes connections, reads what comes, and never says a word."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self._connections: list[socket.socket] = []
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                self._connections.append(self.socket.accept()[0])
            except OSError:
                return

    def close(self) -> None:
        self.socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        for each in (*self._connections, self.socket):
            each.close()


@pytest.fixture
def silent() -> Iterator[Silent]:
    server = Silent()
    yield server
    server.close()


@pytest.mark.parametrize("scheme", ["git", "http", "ssh"])
@pytest.mark.parametrize("check", [False, True])
def test_a_silent_server_is_given_up(space: Space, silent: Silent, scheme: str, check: bool) -> None:
    space.settings(url=f"{scheme}://127.0.0.1:{silent.port}/x", more="stall = 1\nretries = 0\n")
    message = space.error(check=check)
    assert "nothing came for 1 s" in message or "Operation too slow" in message
    assert not marked(unfinished.mark(space.root / "sources") if not check else "none")


def test_a_command_of_git_that_takes_too_long_is_ended(space: Space, silent: Silent) -> None:
    space.settings(url=f"git://127.0.0.1:{silent.port}/x", more="timeout = 1\n")
    assert "git clone did not end within 1 s" in space.error()


@pytest.mark.slow
def test_syncs_that_are_ended_at_any_moment_never_block_the_next(space: Space) -> None:
    """At 40 random moments the sync is killed or interrupted, or its git killed."""
    random = Random(1)
    commits = []
    for version in range(3):
        for number in range(1500):
            file = space.remote.folder / f"d{number % 50}" / f"f{number}.txt"
            file.parent.mkdir(exist_ok=True)
            if file.exists() and random.random() < 0.1:
                file.unlink()
            else:
                file.write_text(f"{version} {number}\n" * random.randrange(1, 300))
        commits.append(space.remote.commit("version.txt", f"{version}\n"))
    began = time.monotonic()
    space.settings(sha=commits[0])
    space.sync()
    longest = time.monotonic() - began + 0.4
    command = [sys.executable, "-m", "hybridcore", "--workspace", str(space.root), "sources", "sync"]
    for _ in range(40):
        sha = random.choice(commits)
        space.settings(sha=sha)
        if random.random() < 0.1:
            shutil.rmtree(space.clone)
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
            time.sleep(random.random() * longest)
            how = random.choice([signal.SIGKILL, signal.SIGINT, None])
            if how is not None:
                run.send_signal(how)
            else:
                kill_marked(unfinished.mark(space.root / "sources"))
        if random.random() < 0.7:
            assert [each.sha for each in space.sync()] == [sha]
            assert git(space.clone, "status", "--porcelain") == ""
            assert space.head() == sha
            assert not list((space.clone / ".git").rglob("*.lock"))
            assert sorted(path.name for path in (space.root / "sources").iterdir()) == [".lock", "demo"]
