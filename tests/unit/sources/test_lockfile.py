"""The lock file: its text, what is wrong in it, and the digest of the files of a commit."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hybridcore.errors import SourcesError
from hybridcore.sources import lockfile
from hybridcore.sources.git import Git
from hybridcore.sources.lockfile import Locked, LockedPlugin, LockFile
from tests.support.remotes import Remote, git
from tests.support.workspaces import WorkspaceFolder

ENTRY = Locked("https://example.org/x.git", "main", "a" * 40, "sha256:" + "b" * 64)
PLUGIN = LockedPlugin("1.0.9", {"linux_arm64": "d" * 64, "linux_amd64": "c" * 64})
QEMU = "github.com/hashicorp/qemu"
GOOD = lockfile.render(LockFile({"x": ENTRY}, {}))
GOOD_PLUGIN = lockfile.render(LockFile({}, {QEMU: PLUGIN}))


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder]) -> WorkspaceFolder:
    return make_workspace()


def test_what_is_written_is_read_sorted_by_name(space: WorkspaceFolder) -> None:
    assert lockfile.read(space.open()) is None
    lockfile.write(space.open(), LockFile({"b": ENTRY, "a": ENTRY}, {QEMU: PLUGIN}))
    found = lockfile.read(space.open())
    assert found == LockFile({"a": ENTRY, "b": ENTRY}, {QEMU: PLUGIN})
    assert list(found.sources) == ["a", "b"]
    lockfile.write(space.open(), LockFile({}, {}))
    assert lockfile.read(space.open()) == LockFile({}, {})


texts = st.text(st.characters(codec="utf-8"), max_size=8)


@settings(max_examples=50)
@example({"\x7f": "\U0001f600"})  # what TOML and JSON write otherwise
@given(st.dictionaries(texts, texts, max_size=3))
def test_any_name_and_address_is_valid_toml(urls: dict[str, str]) -> None:
    entries = {name: Locked(url, url, ENTRY.sha, ENTRY.tree) for name, url in urls.items()}
    data = tomllib.loads(lockfile.render(LockFile(entries, {})))
    assert {name: Locked(**entry) for name, entry in data.get("sources", {}).items()} == entries


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("version = ", "the lock file cannot be read"),
        ("", "the lock file has version None, known is 1"),
        ("version = 2\n", "the lock file has version 2, known is 1"),
        ("version = 1\nsources = 5\n", "sources is no table"),
        ("version = 1\n[sources]\nx = 5\n", "the entry of x is not url, ref, sha and tree"),
        (GOOD.replace("a" * 40, "a" * 39), "the entry of x is not"),
        (GOOD.replace("sha256:", "md5:"), "the entry of x is not"),
        (GOOD.replace('ref = "main"', "ref = 5"), "the entry of x is not"),
        (GOOD + "more = 1\n", "the entry of x is not"),
        (GOOD.replace('ref = "main"\n', ""), "the entry of x is not"),
        ("version = 1\nplugins = []\n", "plugins is no table"),
        (GOOD_PLUGIN.replace("c" * 64, "c" * 63), f"the entry of {QEMU} is not a version and digests"),
        (GOOD_PLUGIN.replace('version = "1.0.9"', "version = 1"), f"the entry of {QEMU} is not a version"),
    ],
)
def test_what_is_not_as_it_was_written_is_refused(space: WorkspaceFolder, text: str, says: str) -> None:
    file = space.write("packer-hybrid.lock", text)
    with pytest.raises(SourcesError, match=says) as caught:
        lockfile.read(space.open())
    assert str(file) in str(caught.value)
    assert "packer-hybrid sources lock" in str(caught.value)


def test_all_wrong_entries_are_named(space: WorkspaceFolder) -> None:
    space.write("packer-hybrid.lock", "version = 1\n[sources]\nx = 1\ny = 2\n")
    with pytest.raises(SourcesError) as caught:
        lockfile.read(space.open())
    assert [fault.message[:14] for fault in caught.value.faults] == ["the entry of x", "the entry of y"]


def test_the_digest_is_that_of_modes_paths_and_contents(tmp_path: Path) -> None:
    remote = Remote(tmp_path / "r")
    remote.commit("dir/b.txt", "two\n")
    (remote.folder / "link").symlink_to("dir")
    sha = remote.commit("a.txt", "one\n")
    parts = [("100644", "a.txt", b"one\n"), ("100644", "dir/b.txt", b"two\n"), ("120000", "link", b"dir")]

    def expected(*chosen: tuple[str, str, bytes]) -> str:
        text = b"".join(
            f"{mode} {path}\0".encode() + hashlib.sha256(content).digest() for mode, path, content in chosen
        )
        return f"sha256:{hashlib.sha256(text).hexdigest()}"

    assert lockfile.digest(Git(), remote.folder, sha, ()) == expected(*parts)
    # A sparse checkout has the files beside its folders too.
    assert lockfile.digest(Git(), remote.folder, sha, ("dir",)) == expected(*parts)
    assert lockfile.digest(Git(), remote.folder, sha, ("other",)) == expected(parts[0], parts[2])
    # Whatever git does to line ends when it writes them.
    git(remote.folder, "config", "core.autocrlf", "true")
    assert lockfile.digest(Git(), remote.folder, sha, ()) == expected(*parts)


def test_the_digest_takes_many_files_in_their_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    remote = Remote(tmp_path / "r")
    for number in range(7):
        (remote.folder / f"{number}").write_text(f"{number}")
    sha = remote.commit("x")
    whole = lockfile.digest(Git(), remote.folder, sha, ())
    monkeypatch.setattr(lockfile, "_TOGETHER", 3)
    assert lockfile.digest(Git(), remote.folder, sha, ()) == whole
