"""Notes of what a sync has begun; syncs that are ended for real are in test_sources_unfinished.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from hybridcore.sources import unfinished
from hybridcore.sources.git import Git
from tests.support.remotes import Remote, git

A, B = "a" * 40, "b" * 40


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The place of a clone below ``sources/``."""
    found = tmp_path / "sources" / "x"
    found.mkdir(parents=True)
    return found


def test_a_note_lasts_until_it_is_ended(folder: Path) -> None:
    assert unfinished.begun(folder) == ""
    unfinished.begin(folder, A)
    unfinished.begin(folder, B)
    assert unfinished.begun(folder) == B
    assert list(folder.iterdir()) == []  # it lies beside the clone, not in it
    unfinished.end(folder)
    unfinished.end(folder)
    assert unfinished.begun(folder) == ""


def test_a_note_for_a_while_goes_whatever_happens_in_it(folder: Path) -> None:
    noted = unfinished.noted(folder, A)
    with noted:
        assert unfinished.begun(folder) == A
    assert unfinished.begun(folder) == ""
    with pytest.raises(KeyError), unfinished.noted(folder, A):
        raise KeyError
    assert unfinished.begun(folder) == ""


def test_a_note_of_an_earlier_move_stays(folder: Path) -> None:
    unfinished.begin(folder, A)
    with unfinished.noted(folder, B):
        assert unfinished.begun(folder) == A
    assert unfinished.begun(folder) == A


def test_what_a_killed_sync_left_goes_and_nothing_else(folder: Path) -> None:
    sources = folder.parent
    half = unfinished.clone_folder(sources, "x")
    assert half.parent == sources
    (half / "x" / ".git").mkdir(parents=True)
    unfinished.begin(folder, A)
    unfinished.begin(sources / "gone", A)
    (sources / "mine").mkdir()
    unfinished.sweep(sources)
    assert sorted(path.name for path in sources.iterdir()) == [".moving-x", "mine", "x"]
    assert unfinished.begun(folder) == A


def test_folders_of_clones_are_never_the_same(folder: Path) -> None:
    assert unfinished.clone_folder(folder.parent, "x") != unfinished.clone_folder(folder.parent, "x")


def test_locks_and_half_packs_of_a_killed_git_go_and_nothing_else(folder: Path) -> None:
    left = ["index.lock", "HEAD.lock", "config.lock", "refs/heads/a/b.lock", "objects/pack/tmp_pack_1"]
    kept = ["index", "HEAD", "refs/heads/main", "objects/pack/pack-1.pack", "lfs/x.lock"]
    for name in [*left, *kept]:
        file = folder / ".git" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    unfinished.unlock(folder)
    found = {str(path.relative_to(folder / ".git")) for path in folder.rglob("*") if path.is_file()}
    assert found == set(kept)


def test_the_mark_is_that_of_the_folder(folder: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(folder.parent)
    assert unfinished.mark(folder.parent) == unfinished.mark(link) != unfinished.mark(tmp_path)


@pytest.mark.parametrize(
    ("path", "content", "foreign"),
    [
        ("changed", "old\n", False),  # not written yet
        ("changed", "new\n", False),  # written
        ("changed", "ne", False),  # half written
        ("changed", "", False),
        ("changed", None, False),  # removed, to be written anew
        ("changed", "mine\n", True),
        ("same", "mine\n", True),
        ("same", None, False),
        ("added", "ne", False),
        ("added", "mine", True),
        ("untracked", "mine", True),
    ],
)
def test_what_an_interrupted_move_explains(
    tmp_path: Path, path: str, content: str | None, foreign: bool
) -> None:
    remote = Remote(tmp_path / "r")
    remote.commit("same", "same\n")
    old = remote.commit("changed", "old\n")
    (remote.folder / "added").write_text("new\n")
    new = remote.commit("changed", "new\n")
    git(remote.folder, "checkout", "--quiet", "--detach", old)
    file = remote.folder / path
    if content is None:
        file.unlink()
    else:
        file.write_text(content)
    assert unfinished.foreign(Git(), remote.folder, old, new) == ([path] if foreign else [])


def test_a_link_in_place_of_a_file_is_a_users(tmp_path: Path) -> None:
    remote = Remote(tmp_path / "r")
    old = remote.commit("a", "old\n")
    new = remote.commit("a", "new\n")
    (remote.folder / "a").unlink()
    (remote.folder / "a").symlink_to("/dev/null")
    assert unfinished.foreign(Git(), remote.folder, old, new) == ["a"]
