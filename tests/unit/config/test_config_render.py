"""The text of a configuration, what of it may be shown, and how it gets to its place."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from hybridcore import hcl
from hybridcore.config import render
from hybridcore.errors import ConfigError
from tests.support.workspaces import WorkspaceFolder


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder]) -> WorkspaceFolder:
    return make_workspace()


def test_a_text_says_where_everything_comes_from() -> None:
    text = render.text(
        "linux/qemu/web", "dev", "sha256:1", {"b": 2, "a": "x"}, {"a": "f:1", "b": "g:2"}, ["token"]
    )
    assert text == (
        f"{render.HEADER}\n# target: linux/qemu/web\n# environment: dev\n# inputs: sha256:1\n"
        '# a: f:1\n# b: g:2\n# token: sensitive, from the environment of the build\n\na = "x"\nb = 2\n'
    )


def test_a_text_without_values_is_a_comment_alone() -> None:
    text = render.text("linux/qemu/web", "dev", "sha256:1", {}, {}, [])
    assert text.endswith("# inputs: sha256:1\n")
    assert hcl.loads(text).attributes == {}


def test_no_name_of_a_file_ends_the_comment() -> None:
    text = render.text("t", "dev", "", {"a": 1}, {"a": "x\nb = 2 #é:1"}, [])
    assert "# a: x?b = 2 #?:1\n" in text
    assert list(hcl.loads(text).attributes) == ["a"]


@pytest.mark.parametrize(
    ("content", "shown"),
    [
        ("a = 1\nsecret = 2\n", "a = 1\nsecret = (sensitive)\n"),
        ('secret = {\n  a = "x"\n}\nb = 1\n', "secret = (sensitive)\nb = 1\n"),
        ("secret = <<E\nx\ny\nE\nb = 1\n", "secret = (sensitive)\nb = 1\n"),
        ("secret = 1", "secret = (sensitive)"),  # without a line end
        ("secret {\n  a = 1\n}\nb = 1", "secret = (sensitive)\nb = 1"),  # somebody else wrote the file
        (
            "b = 1\nsecret = [\n  1\n]\nother = 3\n# end\n",
            "b = 1\nsecret = (sensitive)\nother = (sensitive)\n",
        ),
        ("secret = = 2", "# (a file that cannot be read, and may hold secrets, is not shown)\n"),
    ],
)
def test_values_of_sensitive_variables_are_not_shown(content: str, shown: str) -> None:
    assert render.mask(content, ["secret", "other"]) == shown
    assert render.mask(content, []) == content


def test_only_a_plain_file_is_read(space: WorkspaceFolder) -> None:
    file = space.write("a", "x")
    (space.root / "link").symlink_to(file)
    os.mkfifo(space.root / "pipe")
    assert render.read(file) == b"x"
    assert [render.read(space.root / name) for name in ("link", "pipe", "gone", "templates")] == [None] * 4


@pytest.mark.parametrize("count", [1, 20])  # one after the other, and many at a time
def test_files_are_written_whole_and_nothing_is_left_beside_them(space: WorkspaceFolder, count: int) -> None:
    files = [(space.root / f"configs/dev/{n % 3}/{n}", f"{n}\n".encode()) for n in range(count)]
    render.write(files, space.open())
    found = {path for path in (space.root / "configs").rglob("*") if path.is_file()}
    assert found == {path for path, _ in files}
    assert all(path.read_bytes() == content for path, content in files)


def test_one_file_that_cannot_be_written_leaves_all_as_they_were(space: WorkspaceFolder) -> None:
    old = space.write("configs/a", "old")
    space.write("configs/file", "")
    with pytest.raises(ConfigError) as caught:
        render.write([(old, b"new"), (space.root / "configs/file/b", b"")], space.open())
    assert caught.value.file == "configs/file/b"
    assert caught.value.message.startswith("cannot be written: ")
    assert old.read_text() == "old"
    assert sorted(path.name for path in (space.root / "configs").iterdir()) == ["a", "file"]


def test_configurations_stay_in_the_workspace(space: WorkspaceFolder, tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    (space.root / "configs").symlink_to(tmp_path / "outside")
    with pytest.raises(ConfigError, match="configs leads out of the workspace"):
        render.check_place(space.root / "configs", space.open())
    render.check_place(space.root / "templates", space.open())
