"""Repositories within a repository, from real servers: cloned, moved, refused, and left as they were."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hybridcore import sources
from hybridcore.errors import SourcesError
from hybridcore.sources import runner
from hybridcore.sources.git import Git
from hybridcore.sources.trees import differences
from hybridcore.workspace import open_workspace
from tests.support.git_servers import SSHD, WebServer, git_daemon, make_certificate, ssh_server, web_server
from tests.support.remotes import Remote, git
from tests.support.sources import Space, snapshot

pytestmark = pytest.mark.integration

PASSWORD = "hunter2"  # of nobody
ON = "submodules = true\n"


@pytest.fixture
def space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Space:
    monkeypatch.setattr(runner, "_FIRST_PAUSE_S", 0.01)
    return Space.alone(tmp_path, monkeypatch)


class Inner:
    """`demo` with a submodule `lib/inner`, which has one of its own, `deep`; URLs are relative."""

    def __init__(self, space: Space) -> None:
        remotes = space.remote.folder.parent
        self.outer = space.remote
        self.inner = Remote(remotes / "inner")
        self.deep = Remote(remotes / "deep")
        self.deep_sha = self.deep.commit("deep.txt", "deep 1\n")
        add(self.inner, "../deep", "deep", self.deep_sha)
        self.inner_sha = self.inner.commit("inner.txt", "inner 1\n")
        add(self.outer, "../inner", "lib/inner", self.inner_sha)
        self.sha = self.outer.commit("file.txt", "outer 1\n")

    def follow(self) -> str:
        """A new commit of each; gives that of the outermost."""
        pin(self.inner, "deep", self.deep.commit("deep.txt", "deep 2\n"))
        pin(self.outer, "lib/inner", self.inner.commit("inner.txt", "inner 2\n"))
        return self.outer.commit("file.txt", "outer 2\n")


def add(remote: Remote, url: str, path: str, sha: str) -> None:
    """Pin a submodule without cloning it."""
    with open(remote.folder / ".gitmodules", "a") as file:
        file.write(f'[submodule "{path}"]\n\tpath = {path}\n\turl = {url}\n')
    (remote.folder / path).mkdir(parents=True)
    pin(remote, path, sha)


def pin(remote: Remote, path: str, sha: str) -> None:
    git(remote.folder, "update-index", "--add", "--cacheinfo", f"160000,{sha},{path}")


@pytest.fixture
def inner(space: Space, monkeypatch: pytest.MonkeyPatch) -> Inner:
    # `add --all` of the tests' remotes would take an empty folder for a submodule that was removed.
    def commit(self: Remote, path: str = "file.txt", text: str = "text\n") -> str:
        file = self.folder / path
        file.write_text(text)
        if (self.folder / ".gitmodules").exists():
            git(self.folder, "add", ".gitmodules")
        git(self.folder, "add", path)
        git(self.folder, "commit", "--quiet", "-m", path)
        return git(self.folder, "rev-parse", "HEAD")

    monkeypatch.setattr(Remote, "commit", commit)
    made = Inner(space)
    space.settings(more=ON)
    return made


def texts(space: Space) -> list[str]:
    places = ("file.txt", "lib/inner/inner.txt", "lib/inner/deep/deep.txt")
    return [(space.clone / path).read_text() for path in places]


def clone_update_nothing(space: Space, inner: Inner) -> None:
    assert [each.action for each in space.sync()] == ["cloned"]
    assert texts(space) == ["outer 1\n", "inner 1\n", "deep 1\n"]
    second = inner.follow()
    assert [(each.action, each.sha) for each in space.sync()] == [("updated", second)]
    assert texts(space) == ["outer 2\n", "inner 2\n", "deep 2\n"]
    before = snapshot(space.root)
    assert [each.action for each in space.sync()] == ["unchanged"]
    assert snapshot(space.root) == before


def test_they_are_cloned_and_follow_the_pins(space: Space, inner: Inner) -> None:
    clone_update_nothing(space, inner)
    # For people and their git the work tree is clean.
    assert git(space.clone, "status", "--porcelain") == ""


def test_over_http_with_a_password(
    space: Space, inner: Inner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask = tmp_path / "ask"
    ask.write_text(f'#!/bin/sh\ncase "$1" in User*) echo me;; *) echo {PASSWORD};; esac\n')
    ask.chmod(0o755)
    with web_server(WebServer(space.remote.folder.parent, users={"me": PASSWORD})) as web:
        space.settings(url=f"http://127.0.0.1:{web.port}/demo", more=ON)
        assert "could not read Username" in space.error()
        monkeypatch.setenv("GIT_ASKPASS", str(ask))
        clone_update_nothing(space, inner)
        assert any("/inner/" in path for _, path, _ in web.seen)
    everything = b"".join(path.read_bytes() for path in space.root.rglob("*") if path.is_file())
    assert PASSWORD.encode() not in everything


def test_over_https(space: Space, inner: Inner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority, certificate = make_certificate(tmp_path / "ca")
    with web_server(WebServer(space.remote.folder.parent), certificate) as web:
        space.settings(url=f"https://127.0.0.1:{web.port}/demo", more=ON)
        monkeypatch.setenv("GIT_SSL_CAINFO", str(authority))
        clone_update_nothing(space, inner)


def test_over_ssh(space: Space, inner: Inner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if SSHD is None:
        pytest.skip("there is no sshd: Debian's package openssh-server")
    with ssh_server(tmp_path / "sshd") as server:
        command = (
            f"ssh -F /dev/null -o BatchMode=yes -o UserKnownHostsFile={server.known_hosts} -i {server.key}"
        )
        monkeypatch.setenv("GIT_SSH_COMMAND", command)
        space.settings(url=f"{server.url}{space.remote.folder}", more=ON)
        clone_update_nothing(space, inner)


def test_over_the_git_protocol(space: Space, inner: Inner) -> None:
    with git_daemon(space.remote.folder.parent) as port:
        space.settings(url=f"git://127.0.0.1:{port}/demo", more=ON)
        clone_update_nothing(space, inner)


@pytest.fixture
def web(space: Space) -> Iterator[WebServer]:
    with web_server(WebServer(space.remote.folder.parent)) as server:
        space.settings(url=f"http://127.0.0.1:{server.port}/demo", more=ON)
        yield server


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("file:///etc", "is a path of this machine, and its repository comes from elsewhere"),
        ("/etc", "is a path of this machine, and its repository comes from elsewhere"),
        ("--upload-pack=/bin/true", "is not a URL that can be cloned"),
        ("ext::sh -c true", "is not a URL that can be cloned"),
        (f"https://me:{PASSWORD}@127.0.0.1/x", "has a password in it"),
    ],
)
def test_urls_that_are_refused(space: Space, web: WebServer, url: str, words: str) -> None:
    add(space.remote, url, "inner", "1" * 40)
    git(space.remote.folder, "add", ".gitmodules")
    git(space.remote.folder, "commit", "--quiet", "-m", "inner")
    error = space.error()
    assert words in error
    assert PASSWORD not in error
    assert not space.clone.exists()


def test_nothing_moves_when_one_cannot_be_fetched(space: Space, inner: Inner) -> None:
    space.sync()
    pin(inner.outer, "lib/inner", "1" * 40)
    inner.outer.commit("file.txt", "outer 2\n")
    assert f"does not give commit {'1' * 40}" in space.error()
    assert texts(space) == ["outer 1\n", "inner 1\n", "deep 1\n"]
    assert space.head() == inner.sha


def test_one_whose_files_are_too_large_is_refused(space: Space, inner: Inner) -> None:
    limit = f"{ON}max_mb = 1\n"
    space.settings(more=limit)
    space.sync()
    inner.deep_sha = inner.deep.commit("deep.txt", "\0" * 3_000_000)
    pin(inner.inner, "deep", inner.deep_sha)
    pin(inner.outer, "lib/inner", inner.inner.commit("inner.txt", "inner 2\n"))
    inner.outer.commit("file.txt", "outer 2\n")
    assert f"the files of commit {inner.deep_sha} have 3.0 MB, more than 1" in space.error()
    assert texts(space) == ["outer 1\n", "inner 1\n", "deep 1\n"]
    shutil.rmtree(space.clone)
    assert "more than 1" in space.error()
    assert not space.clone.exists()
    space.settings(more=f"{ON}max_mb = 4\n")
    assert [each.action for each in space.sync()] == ["cloned"]


def test_work_of_the_user_in_one_is_refused_and_kept(space: Space, inner: Inner) -> None:
    space.sync()
    deep = space.clone / "lib/inner/deep"
    (deep / "deep.txt").write_text("mine\n")
    inner.follow()
    assert f"{deep} has changes of its own: modified deep.txt" in space.error()
    assert (deep / "deep.txt").read_text() == "mine\n"
    (deep / "deep.txt").write_text("deep 1\n")
    git(deep, "commit", "--quiet", "--allow-empty", "-m", "mine")
    assert f"{deep} has commits of its own" in space.error()
    git(deep, "branch", "mine")
    git(deep, "checkout", "--quiet", "--detach", "HEAD^")
    assert [each.action for each in space.sync()] == ["updated"]


def test_one_that_is_missing_or_elsewhere_is_mended(space: Space, inner: Inner) -> None:
    space.sync()
    shutil.rmtree(space.clone / "lib/inner")
    assert [each.action for each in space.sync(check=True)] == ["updated"]
    assert not (space.clone / "lib/inner").exists()
    assert "offline nothing can be cloned" in space.error(offline=True)
    assert [each.action for each in space.sync()] == ["updated"]
    assert texts(space)[2] == "deep 1\n"
    inner.deep.commit("deep.txt", "deep 2\n")
    deep = space.clone / "lib/inner/deep"
    git(deep, "fetch", "--quiet")
    git(deep, "checkout", "--quiet", "--detach", "origin/main")
    assert "frozen is" in space.error(frozen=True)
    assert [each.action for each in space.sync()] == ["updated"]
    assert texts(space)[2] == "deep 1\n"


def test_one_that_went_is_removed_and_one_of_another_url_is_cloned_anew(space: Space, inner: Inner) -> None:
    space.sync()
    other = Remote(space.tmp_path / "remotes" / "other")
    sha = other.commit("inner.txt", "other\n")
    modules = inner.outer.folder / ".gitmodules"
    modules.write_text(modules.read_text().replace("../inner", "../other"))
    pin(inner.outer, "lib/inner", sha)
    inner.outer.commit("file.txt", "outer 2\n")
    assert [each.action for each in space.sync()] == ["updated"]
    assert (space.clone / "lib/inner/inner.txt").read_text() == "other\n"
    git(inner.outer.folder, "rm", "--quiet", "--cached", "lib/inner")
    inner.outer.commit("file.txt", "outer 3\n")
    assert [each.action for each in space.sync()] == ["updated"]
    assert not (space.clone / "lib/inner").exists()


def test_lock_and_builds_look_into_them(space: Space, inner: Inner) -> None:
    space.sync()
    workspace = open_workspace(space.root)
    assert differences({"demo": inner.sha}, workspace) == []
    sources.lock(workspace=workspace)
    (space.clone / "lib/inner/deep/deep.txt").write_text("mine\n")
    (fault,) = differences({"demo": inner.sha}, workspace)
    assert "lib/inner: the submodule deep differs from its commit: modified deep.txt" in fault.message
    with pytest.raises(SourcesError, match="differs from its commit"):
        sources.lock(workspace=workspace)


@pytest.mark.parametrize("checkouts", [1, 2, 3])
def test_a_move_that_is_ended_half_way_goes_on(
    space: Space, inner: Inner, monkeypatch: pytest.MonkeyPatch, checkouts: int
) -> None:
    """Killed before the first, the second or the third work tree is moved."""
    space.sync()
    second = inner.follow()
    code = f"""
import os, signal
from hybridcore.sources.git import Git
from hybridcore.workspace import open_workspace
from hybridcore import sources
done, left = Git.checkout, [{checkouts}]
def checkout(self, *arguments, **more):
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)
    done(self, *arguments, **more)
Git.checkout = checkout
sources.sync(workspace=open_workspace({str(space.root)!r}))
"""
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode == -signal.SIGKILL
    assert [each.sha for each in space.sync()] == [second]
    assert texts(space) == ["outer 2\n", "inner 2\n", "deep 2\n"]


def test_a_file_of_one_that_is_half_written_is_finished(
    space: Space, inner: Inner, monkeypatch: pytest.MonkeyPatch
) -> None:
    space.sync()
    second = inner.follow()

    def checkout(self: Git, setting: object, folder: Path, sha: str, *, finish: bool = False) -> None:
        if folder.name == "inner":
            (folder / "inner.txt").write_text("inn")
            raise SourcesError("no space left")
        done(self, setting, folder, sha, finish=finish)  # type: ignore[arg-type]

    done = Git.checkout
    with monkeypatch.context() as patch:
        patch.setattr(Git, "checkout", checkout)
        assert "no space left" in space.error()
    assert [each.sha for each in space.sync()] == [second]
    assert texts(space) == ["outer 2\n", "inner 2\n", "deep 2\n"]


def test_a_path_that_a_link_takes_elsewhere_is_refused(space: Space, inner: Inner, tmp_path: Path) -> None:
    space.sync()
    (tmp_path / "away").mkdir()
    shutil.rmtree(space.clone / "lib")
    (space.clone / "lib").symlink_to(tmp_path / "away")
    error = space.error()
    assert "leads the submodule" in error or "has changes of its own" in error
    assert list((tmp_path / "away").iterdir()) == []


def test_wanted_and_refused(space: Space) -> None:
    space.settings(more=ON + 'refuse = ["submodules"]\n')
    assert "submodules are wanted and refused" in space.error()
