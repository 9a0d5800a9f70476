"""What there is: of the workspace, of one environment, of some targets."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hybridcore import state
from hybridcore.errors import TemplatesError, WorkspaceError
from hybridcore.packer.info import info
from tests.support.programs import FakePacker
from tests.support.workspaces import WorkspaceFolder

A, B = "linux/null/a", "linux/null/b"


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder], fake_packer: FakePacker) -> WorkspaceFolder:
    made = make_workspace()
    for target in (A, B):
        made.null(target)
    with state.transaction(workspace=made.open()) as data:
        for env, target in (("dev", A), ("dev", B), ("prod", A)):
            data["images"][f"{env}/{target}"] = {"target": target, "environment": env, "status": "built"}
    return made


def images(found: dict) -> list[tuple[str, str]]:
    return [(image["environment"], image["target"]) for image in found["images"]]


def test_everything_in_order(space: WorkspaceFolder) -> None:
    found = info(workspace=space.open())
    assert [entry["target"] for entry in found["targets"]] == [A, B]
    assert [entry["builder"] for entry in found["targets"]] == ["source.null.a", "source.null.b"]
    assert images(found) == [("dev", A), ("dev", B), ("prod", A)]
    assert found["packer"]["version"] == "1.9.4"
    assert found["last_run"] is None


def test_one_environment_and_some_targets(space: WorkspaceFolder) -> None:
    assert images(info(env="prod", workspace=space.open())) == [("prod", A)]
    found = info(targets=[B], workspace=space.open())
    assert ([entry["target"] for entry in found["targets"]], images(found)) == ([B], [("dev", B)])


def test_what_is_not_there_is_an_error(space: WorkspaceFolder) -> None:
    with pytest.raises(TemplatesError, match="linux/null/gone does not exist"):
        info(targets=["linux/null/gone"], workspace=space.open())
    with pytest.raises(WorkspaceError, match="not the name of an environment"):
        info(env="../dev", workspace=space.open())
