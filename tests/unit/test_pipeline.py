"""What a request's targets name: texts of a form and of the command line, lists, and every target."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from hybridcore.errors import ConfigError
from hybridcore.pipeline import named_targets
from tests.support.workspaces import WorkspaceFolder

ONE, TWO = "linux/null/one", "linux/null/two"
OWN = {"target": TWO, "vars": {"message": "own"}}


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder]) -> WorkspaceFolder:
    made = make_workspace()
    for name in (TWO, ONE):
        made.null(name)
    return made


@pytest.mark.parametrize(
    ("targets", "named"),
    [
        ([], [ONE, TWO]),
        (["all"], [ONE, TWO]),
        ([f"{TWO}, {ONE}\n"], [TWO, ONE]),
        ([f"{TWO}\n\n\t{ONE},"], [TWO, ONE]),
        ([f"{TWO} linux/null/none", "linux/null/x"], [TWO, "linux/null/none", "linux/null/x"]),
        ([OWN, ONE], [OWN, ONE]),
        ([OWN, "all"], [OWN, ONE]),
        ([f"all,{TWO}"], [TWO, ONE]),
        ([5], [5]),
    ],
)
def test_names(space: WorkspaceFolder, targets: list[object], named: list[object]) -> None:
    assert named_targets(targets, space.open()) == named


@pytest.mark.parametrize("targets", [[""], [" \n"], [","], [ONE, ""]])
def test_a_blank_text_is_not_every_target(space: WorkspaceFolder, targets: list[str]) -> None:
    with pytest.raises(ConfigError, match=re.escape("a target is blank (name a target, or say all)")):
        named_targets(targets, space.open())


@pytest.mark.parametrize("targets", [[], ["all"]])
def test_a_workspace_without_targets_is_an_error(
    make_workspace: Callable[..., WorkspaceFolder], targets: list[str]
) -> None:
    space = make_workspace()
    with pytest.raises(
        ConfigError, match=f"there is no target in {space.root}, which holds environments, templates"
    ):
        named_targets(targets, space.open())
