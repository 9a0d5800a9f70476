"""Hundreds of builds at once: nobody waits for somebody who waits for him, and files are not too many."""

from __future__ import annotations

import resource
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.builds import build, hybrid_command, hybrid_environment, statuses
from tests.support.programs import SUCCESS, FakePacker
from tests.support.workspaces import WorkspaceFolder

pytestmark = pytest.mark.integration

LARGE = "word " * 12_000  # 60 KB


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder]) -> WorkspaceFolder:
    return make_workspace()


def targets_of(space: WorkspaceFolder, count: int) -> list[str]:
    return [space.null(f"linux/null/n{number:03}", inline=("echo hello",)) for number in range(count)]


def test_500_builds_at_once_with_a_large_environment(space: WorkspaceFolder, fake_packer: FakePacker) -> None:
    fake_packer.answer("build", stdout=SUCCESS)
    targets = targets_of(space, 500)
    report = build(space, *targets, parallel_builds=500, extra_env={"LARGE": LARGE})
    assert statuses(report) == dict.fromkeys(targets, "built")


def test_a_low_limit_of_open_files_makes_fewer_at_a_time(
    space: WorkspaceFolder, fake_packer: FakePacker
) -> None:
    fake_packer.answer("build", stdout=SUCCESS)
    targets = targets_of(space, 60)
    ended = subprocess.run(
        hybrid_command(space, "build", "--env", "dev", "--quiet", "--parallel-builds", "60", *targets),
        env=hybrid_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (110, 110)),
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.count(": built\n") == 60
    assert "builds at a time, not 60: no more files may be open (ulimit -Hn)" in ended.stderr


@pytest.mark.slow
def test_200_real_packers_at_once_with_a_large_variable(space: WorkspaceFolder, any_packer: Path) -> None:
    space.use(any_packer)
    targets = targets_of(space, 200)
    report = build(space, *targets, values={"message": LARGE[:40_000]}, parallel_builds=200)
    assert statuses(report) == dict.fromkeys(targets, "built")
