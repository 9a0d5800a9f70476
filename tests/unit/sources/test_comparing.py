"""What one repository gives to the lock file, and what a sync would bring to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from hybridcore.errors import SourcesError
from hybridcore.source_settings import SourceSetting
from hybridcore.sources import comparing, lockfile, unfinished
from hybridcore.sources.git import Git
from hybridcore.sources.lockfile import Locked
from hybridcore.sources.records import Asked
from hybridcore.workspace import open_workspace
from tests.support.remotes import Remote, git


class Place:
    """A remote with two commits, and a clone that is at the first, as a sync left it."""

    def __init__(self, root: Path) -> None:
        (root / "w").mkdir()
        (root / "w" / "packer-hybrid.toml").touch()
        (root / "w" / "sources").mkdir()
        self.remote = Remote(root / "remote")
        self.first = self.remote.commit("a", "one\n")
        self.setting = SourceSetting("x", url=self.remote.url)
        self.clone = root / "w" / "sources" / "x"
        git(root, "clone", "--quiet", self.remote.url, str(self.clone))
        entry = {"url": self.remote.url, "ref": "", "sha": self.first}
        self.asked = Asked(open_workspace(root / "w"), {"x": entry}, False, False, False)  # type: ignore[dict-item]

    def lock(self) -> Locked:
        return comparing.lock(self.asked, self.setting, Git())

    def diff(self, locked: Mapping[str, Locked] | None = None) -> tuple[str, str, list[str], list[str]]:
        found = comparing.diff(replace(self.asked, locked=locked), self.setting, Git())
        shown = [[commit.subject for commit in each] for each in (found.commits, found.withdrawn)]
        return found.before, found.after, *shown


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_what_is_locked_is_what_the_last_sync_left(place: Place) -> None:
    found = place.lock()
    assert found == Locked(place.remote.url, "", place.first, found.tree)
    assert found.tree == lockfile.digest(Git(), place.clone, place.first, ())
    place.remote.commit("a", "two\n")
    assert place.lock() == found  # the remote is not asked


def test_what_is_elsewhere_edited_begun_or_gone_is_not_locked(place: Place) -> None:
    unfinished.begin(place.clone, place.first)
    with pytest.raises(SourcesError, match="which is not what the last sync left"):
        place.lock()
    unfinished.end(place.clone)
    (place.clone / "new").touch()
    with pytest.raises(SourcesError, match="has changes of its own: untracked new"):
        place.lock()
    git(place.clone, "add", "new")
    git(place.clone, "commit", "--quiet", "-m", "mine")
    with pytest.raises(SourcesError, match=r"is at [0-9a-f]{40}, which is not what"):
        place.lock()
    place.setting = replace(place.setting, name="gone")
    with pytest.raises(SourcesError, match="gone is not there, which is not what"):
        place.lock()


def test_commits_that_would_come_the_newest_first(place: Place) -> None:
    assert place.diff() == (place.first, place.first, [], [])
    place.remote.commit("a", "two\n")
    last = place.remote.commit("a", "three\n")
    assert place.diff() == (place.first, last, ["a: three", "a: two"], [])
    assert git(place.clone, "rev-parse", "HEAD") == place.first  # nothing moves


def test_commits_that_would_go(place: Place) -> None:
    git(place.remote.folder, "checkout", "--quiet", "--orphan", "other")
    other = place.remote.commit("b", "other\n")
    git(place.remote.folder, "branch", "--quiet", "--force", "main", other)
    git(place.remote.folder, "checkout", "--quiet", "main")
    assert place.diff() == (place.first, other, ["b: other"], ["a: one"])


def test_it_is_compared_with_the_lock_file_where_that_has_it(place: Place) -> None:
    second = place.remote.commit("a", "two\n")
    third = place.remote.commit("a", "three\n")
    entry = Locked(place.remote.url, "", second, "sha256:" + "0" * 64)
    assert place.diff({"x": entry}) == (second, third, ["a: three"], [])
    assert place.diff({"other": entry})[0] == place.first
    with pytest.raises(SourcesError, match=f"commit {'0' * 40}, which was used, is not at"):
        place.diff({"x": replace(entry, sha="0" * 40)})
