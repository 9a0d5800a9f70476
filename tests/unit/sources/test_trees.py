"""Trees that a build uses: each that is not what was synced is a fault of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from hybridcore.sources.trees import differences
from hybridcore.workspace import open_workspace
from tests.support.remotes import Remote, git


class Trees:
    """A workspace with some clones below ``sources/``, as a sync leaves them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "packer-hybrid.toml").touch()
        self.commits: dict[str, str] = {}

    def add(self, name: str) -> Path:
        remote = Remote(self.root / "sources" / name)
        self.commits[name] = remote.commit("file.txt", f"{name}\n")
        return remote.folder

    def faults(self) -> list[str]:
        return [str(fault) for fault in differences(self.commits, open_workspace(self.root))]


@pytest.fixture
def trees(tmp_path: Path) -> Trees:
    return Trees(tmp_path)


def test_trees_as_they_were_synced(trees: Trees) -> None:
    assert trees.faults() == []
    trees.add("a")
    trees.add("b")
    assert trees.faults() == []


def test_each_difference_is_told_in_the_order_of_the_names(trees: Trees) -> None:
    for name in ("edited", "elsewhere", "fine", "more"):
        trees.add(name)
    trees.commits["gone"] = "a" * 40
    (trees.root / "sources/edited/file.txt").write_text("mine\n")
    synced = trees.commits["elsewhere"]
    trees.commits["elsewhere"] = "b" * 40
    for number in range(7):
        (trees.root / f"sources/more/new{number}").touch()
    found = trees.faults()
    hint = "({}packer-hybrid sources sync {{}}; what was changed by hand is to be discarded or pinned first)"
    assert found == [
        f"sources/{name}: {text} {hint.format('').format(name)}"
        for name, text in [
            ("edited", "the source 'edited' differs from its commit: modified file.txt"),
            ("elsewhere", f"the source 'elsewhere' is at {synced}, and {'b' * 40} was synced"),
            ("gone", "the source 'gone' was synced and is gone"),
            (
                "more",
                "the source 'more' differs from its commit: "
                + ", ".join(f"untracked new{number}" for number in range(5))
                + " and 2 more",
            ),
        ]
    ]


def test_a_clone_without_a_commit(trees: Trees) -> None:
    Remote(trees.root / "sources" / "x")
    trees.commits["x"] = "a" * 40
    (fault,) = trees.faults()
    assert "the source 'x' is at no commit" in fault


def test_no_program_of_a_clone_is_run_to_look_at_it(trees: Trees) -> None:
    folder, ran = trees.add("x"), trees.root / "ran"
    git(folder, "config", "core.fsmonitor", f"touch {ran}")
    (fault,) = trees.faults()
    assert "the source 'x' cannot be looked at" in fault
    assert "core.fsmonitor" in fault
    assert not ran.exists()
