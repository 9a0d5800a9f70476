"""How much of a repository is fetched and checked out: depth, filter, sparse, Git LFS; what is refused."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from hybridcore.sources import unfinished
from tests.support.git_servers import WebServer, web_server
from tests.support.remotes import Remote, git
from tests.support.sources import Space

pytestmark = pytest.mark.integration


@pytest.fixture
def space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Space:
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")  # Debian's git-lfs sets itself up for everybody
    return Space.alone(tmp_path, monkeypatch)


@pytest.fixture
def web(space: Space) -> Iterator[WebServer]:
    with web_server(WebServer(space.remote.folder.parent)) as server:
        yield server


def url(web: WebServer) -> str:
    return f"http://127.0.0.1:{web.port}/demo"


def commits(space: Space) -> int:
    return int(git(space.clone, "rev-list", "--count", "HEAD"))


def missing(space: Space) -> int:
    """How many objects the clone has promised to it, without having them."""
    listed = git(space.clone, "rev-list", "--objects", "--all", "--missing=print")
    return sum(line.startswith("?") for line in listed.splitlines())


def files(space: Space) -> list[str]:
    paths = space.clone.rglob("*")
    return sorted(
        str(path.relative_to(space.clone)) for path in paths if path.is_file() and ".git" not in path.parts
    )


@pytest.mark.parametrize("kind", ["path", "file", "http"])
def test_depth(space: Space, web: WebServer, kind: str) -> None:
    git(space.remote.folder, "tag", "v1")
    for number in range(5):
        space.remote.commit(text=f"{number}\n")
    address = {"path": str(space.remote.folder), "file": space.remote.url, "http": url(web)}[kind]
    space.settings(url=address, ref="main", more="depth = 2\n")
    space.sync()
    assert commits(space) == 2
    for number in range(5):
        second = space.remote.commit(text=f"more {number}\n")
    assert [(each.action, each.sha) for each in space.sync()] == [("updated", second)]
    assert commits(space) == 2
    space.settings(url=address, ref="v1", more="depth = 2\n")
    assert [each.sha for each in space.sync()] == [space.first]
    space.settings(url=address, ref="main")
    last = space.remote.commit(text="last\n")
    assert [each.sha for each in space.sync()] == [last]
    assert commits(space) == 12
    assert git(space.clone, "status", "--porcelain") == ""


def test_a_shallow_clone_without_a_record_is_updated(space: Space) -> None:
    """What the remote had before counts as the remote's, though its new history does not lead there."""
    space.settings(ref="main", more="depth = 1\n")
    space.sync()
    shutil.rmtree(space.root / "state")
    space.remote.commit(text="two\n")
    third = space.remote.commit(text="three\n")
    assert [(each.action, each.sha) for each in space.sync()] == [("updated", third)]


def test_commits_of_the_user_in_a_shallow_clone_are_kept(space: Space) -> None:
    space.settings(ref="main", more="depth = 1\n")
    space.sync()
    git(space.clone, "commit", "--quiet", "--allow-empty", "-m", "mine")
    space.remote.commit(text="two\n")
    assert "has commits of its own" in space.error()


def test_filter_leaves_out_what_is_not_needed(space: Space, web: WebServer) -> None:
    for number in range(5):
        last = space.remote.commit(text=f"{number}\n" * 100)
    space.settings(url=url(web), ref="main", more='filter = "blob:none"\n')
    space.sync()
    assert space.head() == last
    assert missing(space) == 5
    second = space.remote.commit(text="more\n")
    assert [each.sha for each in space.sync()] == [second]
    assert (space.clone / "file.txt").read_text() == "more\n"
    assert missing(space) == 5
    assert [each.action for each in space.sync()] == ["unchanged"]
    space.settings(url=url(web), sha=space.first, more='filter = "blob:none"\n')
    assert "transport 'http' not allowed" in space.error(offline=True)
    assert space.head() == second
    assert git(space.clone, "status", "--porcelain") == ""
    assert [each.sha for each in space.sync()] == [space.first]


def test_sparse(space: Space, web: WebServer) -> None:
    for path in ("a/x/deep.txt", "a/here.txt", "a/y/other.txt", "b/b.txt", "c/it's.txt"):
        last = space.remote.commit(path, "text\n")
    shape = 'filter = "blob:none"\nsparse = ["a/x", "c"]\n'
    space.settings(url=url(web), ref="main", more=shape)
    assert [each.sha for each in space.sync()] == [last]
    some = ["a/here.txt", "a/x/deep.txt", "c/it's.txt", "file.txt"]
    assert files(space) == some
    assert git(space.clone, "sparse-checkout", "list").splitlines() == ["a/x", "c"]
    assert [each.action for each in space.sync()] == ["unchanged"]
    space.remote.commit("b/more.txt", "text\n")
    last = space.remote.commit("a/x/more.txt", "text\n")
    assert [each.sha for each in space.sync()] == [last]
    assert files(space) == sorted([*some, "a/x/more.txt"])
    space.settings(url=url(web), ref="main", more='filter = "blob:none"\nsparse = ["b"]\n')
    assert [each.action for each in space.sync(check=True)] == ["updated"]
    assert [(each.action, each.sha) for each in space.sync()] == [("updated", last)]
    assert files(space) == ["b/b.txt", "b/more.txt", "file.txt"]
    space.settings(url=url(web), ref="main")
    assert [each.action for each in space.sync()] == ["updated"]
    assert len(files(space)) == 8
    assert [each.action for each in space.sync()] == ["unchanged"]
    assert git(space.clone, "status", "--porcelain") == ""


def test_a_change_of_sparse_that_was_ended_half_way_goes_on(space: Space) -> None:
    """Set up already, but no file is written yet: the note tells."""
    space.remote.commit("a/a.txt", "text\n")
    last = space.remote.commit("b/b.txt", "text\n")
    space.settings(ref="main", more='sparse = ["a"]\n')
    space.sync()
    unfinished.begin(space.clone, last)
    (space.clone / ".git" / "info" / "sparse-checkout").write_text("/*\n!/*/\n/b/\n")
    space.settings(ref="main", more='sparse = ["b"]\n')
    assert [each.action for each in space.sync()] == ["updated"]
    assert files(space) == ["b/b.txt", "file.txt"]
    assert [each.action for each in space.sync()] == ["unchanged"]


@pytest.fixture
def lfs(space: Space, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Remote:
    """A remote with a file of Git LFS, which the user's git knows nothing of."""
    if shutil.which("git-lfs") is None:
        pytest.skip("git-lfs is not installed")
    install = ["git", "lfs", "install", "--local"]
    subprocess.run(install, cwd=space.remote.folder, check=True, capture_output=True)
    (space.remote.folder / ".gitattributes").write_text("*.bin filter=lfs -text\n")
    space.remote.commit("disk.bin", "large\n")
    assert git(space.remote.folder, "show", "HEAD:disk.bin").startswith("version https://git-lfs")
    return space.remote


def test_lfs(space: Space, lfs: Remote) -> None:
    space.settings(ref="main", more="lfs = true\n")
    space.sync()
    assert (space.clone / "disk.bin").read_text() == "large\n"
    assert [each.action for each in space.sync()] == ["unchanged"]
    second = lfs.commit("disk.bin", "larger\n")
    assert [each.sha for each in space.sync()] == [second]
    assert (space.clone / "disk.bin").read_text() == "larger\n"
    assert git(space.clone, "status", "--porcelain") == ""
    assert [each.action for each in space.sync(offline=True)] == ["unchanged"]
    third = lfs.commit("disk.bin", "largest\n")
    git(space.clone, "fetch", "--quiet", "origin")
    space.settings(sha=third, more="lfs = true\n")
    assert "disk.bin" in space.error(offline=True)
    assert (space.clone / "disk.bin").read_text() == "larger\n"


def test_lfs_of_a_clone_that_has_pointers(space: Space, lfs: Remote) -> None:
    space.sync()
    assert (space.clone / "disk.bin").read_text().startswith("version https://git-lfs")
    space.settings(more="lfs = true\n")
    assert [each.action for each in space.sync(check=True)] == ["updated"]
    assert [each.action for each in space.sync()] == ["updated"]
    assert (space.clone / "disk.bin").read_text() == "large\n"
    assert [each.action for each in space.sync()] == ["unchanged"]


def test_lfs_without_its_program_is_refused(
    space: Space, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    git_program = shutil.which("git")
    assert git_program
    (programs / "git").symlink_to(git_program)
    monkeypatch.setenv("PATH", str(programs))
    space.settings(more="lfs = true\n")
    assert "the program 'git-lfs' was not found" in space.error()


@pytest.mark.parametrize("kind", ["links", "submodules", "lfs"])
def test_what_a_commit_may_not_have(space: Space, kind: str) -> None:
    folder = space.remote.folder
    if kind == "links":
        (folder / "a").mkdir()
        for name, target in (("in", "../file.txt"), ("ws", "../../../templates"), ("out", "../../../../etc")):
            (folder / "a" / name).symlink_to(target)
        words = "symbolic links that may leave the workspace (a/out)"
    elif kind == "submodules":
        inner = Remote(space.tmp_path / "remotes" / "inner")
        inner.commit()
        allowed = ("-c", "protocol.file.allow=always")
        git(folder, *allowed, "submodule", "--quiet", "add", inner.url, "inner")
        words = "submodules (inner)"
    else:
        (folder / ".gitattributes").write_text("*.bin filter=lfs -text\n")
        words = "files of Git LFS (.gitattributes)"
    second = space.remote.commit("more.txt")
    space.settings(more=f'refuse = ["{kind}"]\n')
    assert words in space.error()
    assert not space.clone.exists()
    space.settings()
    assert [each.sha for each in space.sync()] == [second]
    space.settings(more=f'refuse = ["{kind}"]\n')
    for options in ({}, {"frozen": True}, {"offline": True}, {"check": True}):
        assert words in space.error(**options)
    git(folder, "reset", "--quiet", "--hard", space.first)
    assert [each.sha for each in space.sync()] == [space.first]
