"""One repository on its way; what a whole sync makes of many is in tests/integration/test_sources_sync.py."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hybridcore.errors import SourcesError
from hybridcore.source_settings import SourceSetting
from hybridcore.sources import unfinished
from hybridcore.sources.git import Git
from hybridcore.sources.lockfile import Locked
from hybridcore.sources.records import Asked
from hybridcore.sources.repository import inspect, known, move, prepare
from hybridcore.workspace import open_workspace
from tests.support.remotes import Remote, git


class Place:
    """A workspace, and a remote to clone."""

    def __init__(self, root: Path) -> None:
        self.sources = root / "w" / "sources"
        self.sources.mkdir(parents=True)
        (root / "w" / "packer-hybrid.toml").touch()
        self.remote = Remote(root / "remote")
        self.first = self.remote.commit("a", "one\n")
        self.setting = SourceSetting("x", url=self.remote.url)
        self.folder = self.sources / "x"
        self.recorded: dict[str, Any] = {}

    def asked(self, **more: Any) -> Asked:
        plain = {"frozen": False, "offline": False, "check": False}
        return Asked(open_workspace(self.sources.parent), self.recorded, **{**plain, **more})

    def sync(self, **more: Any) -> str:
        prepared = prepare(self.asked(**more), self.setting, Git())
        result = move(prepared, Git())
        unfinished.end(self.folder)
        self.recorded["x"] = {"url": result.url, "ref": result.ref, "sha": result.sha}
        return result.action

    def error(self, **more: Any) -> str:
        with pytest.raises(SourcesError) as caught:
            prepare(self.asked(**more), self.setting, Git())
        return str(caught.value)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_a_clone_is_made_beside_its_place_and_moved_into_it(place: Place) -> None:
    prepared = prepare(place.asked(), place.setting, Git())
    assert (prepared.action, prepared.sha) == ("cloned", place.first)
    assert not place.folder.exists()
    move(prepared, Git())
    assert (place.folder / "a").read_text() == "one\n"
    assert unfinished.begun(place.folder) == place.first  # until the state knows


def test_it_follows_its_remote(place: Place) -> None:
    assert [place.sync(), place.sync()] == ["cloned", "unchanged"]
    second = place.remote.commit("a", "two\n")
    prepared = prepare(place.asked(), place.setting, Git())
    assert (prepared.before, prepared.sha) == (place.first, second)
    assert (place.folder / "a").read_text() == "one\n"  # fetched, and not moved
    assert place.sync() == "updated"
    assert (place.folder / "a").read_text() == "two\n"


def test_a_check_clones_and_fetches_nothing(place: Place) -> None:
    found = prepare(place.asked(check=True), place.setting, Git())
    assert (found.action, found.clone, list(place.sources.iterdir())) == ("cloned", None, [])


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ({"ref": "nosuch"}, "there is no branch and no tag 'nosuch' at file://"),
        ({"sha": "0" * 40}, "does not give commit 0000"),
        ({"ref": "main", "sha": "0" * 40}, "'main' is commit {first} at file://"),
    ],
)
def test_what_the_remote_does_not_have(place: Place, setting: dict[str, str], says: str) -> None:
    place.setting = replace(place.setting, **setting)  # type: ignore[arg-type]
    assert says.format(first=place.first) in place.error()
    assert not place.folder.exists()


def test_the_state_counts_for_the_same_url_and_ref_alone(place: Place) -> None:
    place.recorded["x"] = {"url": place.remote.url, "ref": "main", "sha": place.first}
    assert known(place.asked(), place.setting) == ""
    assert known(place.asked(), replace(place.setting, ref="main")) == place.first
    assert known(place.asked(), replace(place.setting, ref="main", url="/other")) == ""
    assert known(place.asked(), replace(place.setting, name="y")) == ""


def test_what_is_frozen(place: Place) -> None:
    assert "it has no sha and the state has no record" in place.error(frozen=True)
    place.sync()
    place.remote.commit("a", "two\n")
    assert place.sync(frozen=True) == "unchanged"
    entry = Locked(place.remote.url, "", place.first, "sha256:" + "0" * 64)
    assert "has no entry for it" in place.error(frozen=True, locked={})
    other = replace(entry, ref="main")
    assert "has it with another url or ref" in place.error(frozen=True, locked={"x": other})
    assert "have the digest sha256:" in place.error(frozen=True, locked={"x": entry})
    moved = replace(entry, sha="0" * 40)
    assert f"is at {place.first}, frozen is {'0' * 40}" in place.error(frozen=True, locked={"x": moved})


def test_offline_is_what_was_seen_last(place: Place) -> None:
    assert "is missing, and offline nothing can be cloned" in place.error(offline=True)
    place.sync()
    second = place.remote.commit("a", "two\n")
    assert place.sync(offline=True) == "unchanged"
    place.setting = replace(place.setting, sha=second)
    assert f"commit {second} is not in {place.folder}, and offline" in place.error(offline=True)


def test_without_a_clone_there_is_nothing_to_look_at(place: Place) -> None:
    assert inspect(place.folder, place.setting, Git(), "") is None
    place.folder.mkdir()
    assert inspect(place.folder, place.setting, Git(), "") is None  # an empty folder is used


def test_what_is_not_ours_is_refused(place: Place) -> None:
    place.sync()
    assert inspect(place.folder, place.setting, Git(), "").head == place.first  # type: ignore[union-attr]
    (place.folder / "a").write_text("mine\n")
    for number in range(6):
        (place.folder / f"n{number}").touch()
    assert "has changes of its own: modified a, untracked n0, " in place.error()
    assert "untracked n3 and 2 more" in place.error()
    git(place.folder, "checkout", "--quiet", "a")
    git(place.folder, "clean", "--quiet", "-f")
    (place.folder / ".git/index.lock").touch()
    assert "another git is at work in it, or was killed" in place.error()
    (place.folder / ".git/index.lock").unlink()
    place.setting = replace(place.setting, url="https://me:hunter2@example.org/x")
    said = place.error()
    assert f"is a clone of {place.remote.url}, the settings say https://***@example.org/x" in said
    place.folder.rename(place.sources / "y")
    place.folder.symlink_to("y")
    assert "is a symbolic link" in place.error()
    place.folder.unlink()
    (place.folder / "files").mkdir(parents=True)
    assert "is not a git clone of its own" in place.error()


def test_commits_that_the_remote_does_not_have_are_kept(place: Place) -> None:
    place.sync()
    git(place.folder, "commit", "--quiet", "--allow-empty", "-m", "mine")
    assert "has commits of its own" in place.error()


def test_a_file_in_the_way_is_kept(place: Place) -> None:
    place.sync()
    (place.folder / ".git/info").mkdir(exist_ok=True)
    (place.folder / ".git/info/exclude").write_text("b\n")
    (place.folder / "b").write_text("mine\n")
    place.remote.commit("b", "theirs\n")
    assert "b is in the way" in place.error()
    assert (place.folder / "b").read_text() == "mine\n"


def test_a_remote_that_rewrites_what_was_used_is_told(place: Place) -> None:
    place.sync()
    git(place.remote.folder, "commit", "--quiet", "--amend", "-m", "other")
    warning = prepare(place.asked(), place.setting, Git()).warning
    assert warning.startswith(f"the history of 'the default branch' was rewritten: {place.first} is not in")
    git(place.remote.folder, "tag", "v1")
    place.setting = replace(place.setting, ref="v1")
    place.sync()
    before = place.recorded["x"]["sha"]
    after = place.remote.commit("a", "three\n")
    git(place.remote.folder, "tag", "--force", "v1")
    assert prepare(place.asked(), place.setting, Git()).warning == (
        f"the tag 'v1' has moved from {before} to {after}"
    )
