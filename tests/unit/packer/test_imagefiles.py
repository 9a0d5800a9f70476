"""The layout of images/: what stays, and where `latest` points."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from hybridcore import state
from hybridcore.packer import imagefiles
from hybridcore.workspace import Workspace
from tests.support.workspaces import WorkspaceFolder

TARGET = "linux/null/demo"
RUNS = tuple(f"2026112{day}T000000.000Z-abcdef" for day in range(5))


@pytest.fixture
def where(make_workspace: Callable[..., WorkspaceFolder]) -> Workspace:
    space = make_workspace()
    space.settings("[build]\nkeep_images = 2\n")
    for run in RUNS:
        space.write(f"images/dev/{TARGET}/{run}/disk", run)
    return space.open()


def kept(where: Workspace) -> list[str]:
    folder = where.images / "dev" / TARGET
    return sorted(path.name for path in folder.iterdir() if not path.is_symlink())


def remember(where: Workspace, **more: object) -> None:
    with state.transaction(workspace=where) as data:
        data["images"][f"dev/{TARGET}"] = {"target": TARGET, "environment": "dev", **more}


@pytest.mark.parametrize(
    ("remembered", "stay"),
    [
        ({"run": RUNS[4]}, RUNS[3:]),
        ({"run": RUNS[0]}, (RUNS[0], *RUNS[3:])),
        ({"run": RUNS[4], "others": {"only=second.*": RUNS[1]}}, (RUNS[1], *RUNS[3:])),
        ({}, RUNS[3:]),
    ],
)
def test_the_last_ones_stay_and_those_that_the_state_names(
    where: Workspace, remembered: dict[str, object], stay: tuple[str, ...]
) -> None:
    remember(where, **remembered)
    imagefiles.prune(where, "dev", TARGET)
    assert kept(where) == sorted(stay)


def test_latest_points_to_the_last_and_back_when_that_goes(where: Workspace) -> None:
    folder = where.images / "dev" / TARGET
    for run in (RUNS[3], RUNS[4]):
        imagefiles.point_latest_at(folder / run)
        assert os.readlink(folder / "latest") == run
    imagefiles.remove(where, "dev", TARGET, RUNS[4], kept=RUNS[3])
    assert os.readlink(folder / "latest") == RUNS[3]
    imagefiles.remove(where, "dev", TARGET, RUNS[2], kept=RUNS[3])
    assert os.readlink(folder / "latest") == RUNS[3]
    imagefiles.remove(where, "dev", TARGET, RUNS[3], kept="")
    assert not (folder / "latest").is_symlink()
    assert kept(where) == list(RUNS[:2])


def test_a_target_without_images_has_nothing_to_prune(where: Workspace) -> None:
    imagefiles.prune(where, "dev", "linux/null/none")
    assert not Path(where.images / "dev/linux/null/none").exists()
