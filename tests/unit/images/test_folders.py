"""The layout of images/: what stays, and where `latest` points."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from hybridcore.images import folders
from hybridcore.workspace import Workspace
from tests.support.workspaces import WorkspaceFolder

TARGET = "linux/null/demo"
RUNS = tuple(f"2026112{day}T000000.000Z-abcdef" for day in range(5))


@pytest.fixture
def where(make_workspace: Callable[..., WorkspaceFolder]) -> Workspace:
    space = make_workspace()
    for run in RUNS:
        space.write(f"images/dev/{TARGET}/{run}/disk", run)
    return space.open()


def kept(where: Workspace) -> list[str]:
    folder = where.images / "dev" / TARGET
    return sorted(path.name for path in folder.iterdir() if not path.is_symlink())


def test_the_folders_of_runs_are_listed_oldest_first_and_nothing_else(where: Workspace) -> None:
    folder = where.images / "dev" / TARGET
    (folder / ".hidden").mkdir()
    (folder / "file").touch()
    folders.point_latest_at(folder / RUNS[2])
    assert folders.run_folders(where, "dev", TARGET) == list(RUNS)
    assert folders.run_folders(where, "dev", "linux/null/none") == []


@pytest.mark.parametrize(
    ("known", "spare", "gone"),
    [
        (RUNS, 0, ()),
        (RUNS[3:], 0, RUNS[:3]),
        (RUNS[3:], 2, RUNS[:1]),
        (RUNS[3:], 9, ()),
        ((RUNS[0], RUNS[4]), 1, RUNS[1:3]),
        ((), 2, RUNS[:3]),
    ],
)
def test_what_belongs_to_no_version_goes_the_oldest_first(
    known: tuple[str, ...], spare: int, gone: tuple[str, ...]
) -> None:
    assert folders.surplus(RUNS, known=known, spare=spare) == list(gone)


def test_latest_follows_a_run_and_goes_with_the_last(where: Workspace) -> None:
    link = where.images / "dev" / TARGET / "latest"
    folders.let_latest_follow(where, "dev", TARGET, RUNS[1])
    assert os.readlink(link) == RUNS[1]
    folders.let_latest_follow(where, "dev", TARGET, "a run without a folder")
    assert not link.is_symlink()
    folders.let_latest_follow(where, "dev", TARGET, RUNS[2])
    folders.let_latest_follow(where, "dev", TARGET, None)
    assert not link.is_symlink()


def test_latest_points_to_the_last_and_back_when_that_goes(where: Workspace) -> None:
    folder = where.images / "dev" / TARGET
    for run in (RUNS[3], RUNS[4]):
        folders.point_latest_at(folder / run)
        assert os.readlink(folder / "latest") == run
    folders.remove(where, "dev", TARGET, RUNS[4], kept=RUNS[3])
    assert os.readlink(folder / "latest") == RUNS[3]
    folders.remove(where, "dev", TARGET, RUNS[2], kept=RUNS[3])
    assert os.readlink(folder / "latest") == RUNS[3]
    folders.remove(where, "dev", TARGET, RUNS[3], kept="")
    assert not (folder / "latest").is_symlink()
    assert kept(where) == list(RUNS[:2])
