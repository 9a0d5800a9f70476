"""Digests of inputs: what counts, when a file is read again, and what is said of a change."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hybridcore.packer.planning import fingerprint as module
from hybridcore.packer.planning.fingerprint import Digests, changed_inputs, fingerprint
from hybridcore.workspace import Workspace


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    (folder / "sub").mkdir(parents=True)
    (folder / "a").write_text("a")
    (folder / "sub" / "b").write_text("b")
    return folder


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files whose content was read."""
    found: list[str] = []
    original = hashlib.file_digest

    def spy(file, name):
        found.append(os.path.basename(file.name))
        return original(file, name)

    monkeypatch.setattr(hashlib, "file_digest", spy)
    return found


def age(folder: Path) -> None:
    """Let the last change of the files be past, without waiting: the clock goes on."""
    module_now = time.time_ns() + 10**9
    module._now_ns = lambda: module_now  # restored by the fixture below


@pytest.fixture(autouse=True)
def clock() -> Callable[[], None]:
    original = module._now_ns
    yield original
    module._now_ns = original


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_a_fingerprint_is_of_names_and_values_in_any_order() -> None:
    mark = fingerprint({"b": "2", "a": "1"})
    assert mark == fingerprint({"a": "1", "b": "2"}) == sha('{"a": "1", "b": "2"}')
    for other in ({"a": "1"}, {"a": "2", "b": "2"}, {"a": "1", "c": "2"}, {"a": "1", "b": "2", "c": ""}):
        assert fingerprint(other) != mark


def test_files_of_a_tree(tree: Path, workspace: Workspace) -> None:
    (tree / "script").write_text("s")
    (tree / "script").chmod(0o755)
    (tree / "link").symlink_to("a")
    (tree / "dangling").symlink_to("nowhere")
    (tree / "folder-link").symlink_to("sub")
    for name in ("__pycache__", ".git"):
        (tree / name).mkdir()
        (tree / name / "x").write_text("x")
    (tree / "site.retry").write_text("x")
    assert Digests(workspace).tree(tree) == {
        "a": sha("a"),
        "dangling": "link:nowhere",
        "folder-link": "link:sub",
        "link": "link:a:" + sha("a"),
        "script": sha("s") + ":x",
        "site.retry": sha("x"),
        "sub/b": sha("b"),
    }


def test_what_a_link_to_a_folder_leads_to_counts(tree: Path, workspace: Workspace) -> None:
    role = workspace.root / "roles" / "base"
    (role / "tasks").mkdir(parents=True)
    (role / "tasks" / "main.yml").write_text("old")
    (role / "again").symlink_to("../more")
    (workspace.root / "more").mkdir()
    (workspace.root / "roles" / "more").mkdir()
    (workspace.root / "roles" / "more" / "x").write_text("x")
    (tree / "sub" / "role").symlink_to(role)
    before = Digests(workspace).tree(tree)
    assert before == {
        "a": sha("a"),
        "sub/b": sha("b"),
        "sub/role": f"link:{role}",
        "sub/role/again": "link:../more",
        "sub/role/again/x": sha("x"),
        "sub/role/tasks/main.yml": sha("old"),
    }
    (role / "tasks" / "main.yml").write_text("new")
    assert Digests(workspace).tree(tree)["sub/role/tasks/main.yml"] == sha("new")


def test_links_that_go_round_end(tree: Path, workspace: Workspace) -> None:
    other = workspace.root / "other"
    other.mkdir()
    (other / "y").write_text("y")
    (other / "back").symlink_to(tree)
    (other / "self").symlink_to(".")
    for name, target in (("itself", "itself"), ("here", "."), ("one", other), ("two", other)):
        (tree / name).symlink_to(target)
    assert Digests(workspace).tree(tree) == {
        "a": sha("a"),
        "here": "link:.",
        "itself": "link:itself",
        "one": f"link:{other}",
        "one/back": f"link:{tree}",
        "one/self": "link:.",
        "one/y": sha("y"),
        "sub/b": sha("b"),
        "two": f"link:{other}",
    }


@pytest.mark.parametrize("target", [".", "images/dev", "logs", "state", "configs"])
def test_what_runs_write_is_not_followed(tree: Path, workspace: Workspace, target: str) -> None:
    folder = workspace.root / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "of-a-run").write_text("x")
    (tree / "link").symlink_to(folder)
    assert Digests(workspace).tree(tree) == {"a": sha("a"), "link": f"link:{folder}", "sub/b": sha("b")}


def change_content(tree: Path) -> None:
    (tree / "a").write_text("A")


def change_mode(tree: Path) -> None:
    (tree / "a").chmod(0o755)


def add(tree: Path) -> None:
    (tree / "sub" / "new").write_text("")


def remove(tree: Path) -> None:
    (tree / "sub" / "b").unlink()


def rename(tree: Path) -> None:
    (tree / "a").rename(tree / "c")


def content_with_the_old_time(tree: Path) -> None:
    before = (tree / "a").stat()
    (tree / "a").write_text("A")
    os.utime(tree / "a", ns=(before.st_atime_ns, before.st_mtime_ns))


def another_file_of_the_same_size_and_time(tree: Path) -> None:
    before = (tree / "a").stat()
    (tree / "new").write_text("A")
    os.utime(tree / "new", ns=(before.st_atime_ns, before.st_mtime_ns))
    (tree / "new").rename(tree / "a")


@pytest.mark.parametrize(
    "change",
    [
        change_content,
        change_mode,
        add,
        remove,
        rename,
        content_with_the_old_time,
        another_file_of_the_same_size_and_time,
    ],
)
def test_every_change_is_seen_also_with_a_full_cache(
    tree: Path, workspace: Workspace, change: Callable[[Path], None]
) -> None:
    age(tree)
    digests = Digests(workspace)
    before = digests.tree(tree)
    digests.save()
    change(tree)
    assert Digests(workspace).tree(tree) != before


def test_an_unchanged_file_is_not_read_again(tree: Path, workspace: Workspace, reads: list[str]) -> None:
    age(tree)
    first = Digests(workspace)
    before = first.tree(tree)
    first.save()
    assert sorted(reads) == ["a", "b"]
    assert Digests(workspace).tree(tree) == before
    assert sorted(reads) == ["a", "b"]


def test_a_file_changed_just_now_is_read_again(tree: Path, workspace: Workspace, reads: list[str]) -> None:
    # Its times would be the same if it changed once more within the tick of the file system's clock.
    status = (tree / "a").stat()
    module._now_ns = lambda: status.st_ctime_ns + 1_000_000
    first = Digests(workspace)
    first.file(tree / "a")
    first.save()
    Digests(workspace).file(tree / "a")
    assert reads == ["a", "a"]


@pytest.mark.parametrize("content", ["", "no JSON", "[]", '{"x": 1}', "\udcff"])
def test_a_damaged_cache_is_no_fault(tree: Path, workspace: Workspace, content: str) -> None:
    file = workspace.state_dir / "cache" / "digests.json"
    file.parent.mkdir(parents=True)
    file.write_bytes(content.encode("utf-8", "surrogateescape"))
    assert Digests(workspace).tree(tree) == {"a": sha("a"), "sub/b": sha("b")}


def test_an_odd_entry_of_the_cache_is_not_trusted(tree: Path, workspace: Workspace) -> None:
    age(tree)
    status = (tree / "a").stat()
    file = workspace.state_dir / "cache" / "digests.json"
    file.parent.mkdir(parents=True)
    identity = [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]
    for entry in (identity, "text", None, [*identity, 7], 5, {}):
        file.write_text(json.dumps({str(tree / "a"): entry}))
        assert Digests(workspace).file(tree / "a") == sha("a"), entry


def test_a_cache_that_cannot_be_written_is_no_fault(tree: Path, workspace: Workspace) -> None:
    age(tree)
    (workspace.root / "state").write_text("a file in the way")
    digests = Digests(workspace)
    digests.tree(tree)
    digests.save()
    assert (workspace.root / "state").read_text() == "a file in the way"


def test_what_changed_is_named() -> None:
    long = "0" * 64
    before = {"configuration": long, "packer": "1.6.6", "templates/x": "1" * 64, "gone": long, "same": "a"}
    now = {"configuration": "f" * 64, "packer": "1.9.4", "templates/x": "2" * 64, "new": "v", "same": "a"}
    old_files = {"templates/x": {"a": "1", "b": "1", "d": "1"}}
    new_files = {"templates/x": {"a": "1", "b": "2", "c": "1"}}
    assert changed_inputs(before, now, old_files, new_files) == [
        "configuration changed",
        "gone removed",
        "new added",
        "packer 1.6.6 -> 1.9.4",
        "templates/x/b changed",
        "templates/x/c added",
        "templates/x/d removed",
    ]
    assert "templates/x changed" in changed_inputs(before, now, {}, new_files)


def test_a_second_change_within_a_second_is_seen_where_times_are_whole_seconds(
    tree: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tree / "a"

    class Coarse:
        """Times as a file system gives them that keeps whole seconds."""

        def __init__(self, status: os.stat_result) -> None:
            self.st_size, self.st_ino, self.st_mode = status.st_size, status.st_ino, status.st_mode
            self.st_mtime_ns = self.st_ctime_ns = 1_700_000_000_000_000_000

    real = os.stat
    monkeypatch.setattr(os, "stat", lambda path, **more: Coarse(real(path, **more)))
    monkeypatch.setattr(module, "_now_ns", lambda: 1_700_000_000_900_000_000)
    digests = Digests(workspace)
    path.write_text("one")
    assert digests.file(path) == sha("one")
    path.write_text("two")
    assert digests.file(path) == sha("two")
    monkeypatch.setattr(module, "_now_ns", lambda: 1_700_000_003_000_000_000)
    assert digests.file(path) == sha("two")
    path.write_text("six")  # cannot be seen by then, and need not be: the tick is over
    assert digests.file(path) == sha("two")


def test_the_mode_of_what_a_link_leads_to_counts(tree: Path, workspace: Workspace) -> None:
    outside = workspace.root / "run"
    outside.write_text("s")
    (tree / "link").symlink_to(outside)
    before = Digests(workspace).tree(tree)["link"]
    outside.chmod(0o755)
    assert Digests(workspace).tree(tree)["link"] == f"{before}:x"
