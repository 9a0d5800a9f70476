"""What a request's targets name: texts of a form and of the command line, lists, and every target."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from hybridcore.errors import ConfigError
from hybridcore.packer.checking import checks
from hybridcore.packer.checking.results import TargetFaults, ValidateResult
from hybridcore.pipeline import Request, named_targets, validate
from hybridcore.templates import Template
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


def test_one_that_cannot_be_rendered_leaves_most_others_to_be_checked_together(
    space: WorkspaceFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [space.null(f"linux/null/target{number}") for number in range(8)]
    space.write(f"environments/dev/{names[2]}.pkrvars.hcl", "message = [\n")
    together: list[list[str]] = []

    def checked(loaded: Sequence[Template], *__: object, **___: Any) -> ValidateResult:
        together.append([template.target for template in loaded])
        return ValidateResult(tuple(TargetFaults(template.target) for template in loaded))

    monkeypatch.setattr(checks, "validate_rendered", checked)
    result = validate(Request(env="dev", targets=names), space.open())
    assert [(one.target, one.ok) for one in result.results] == [(name, name != names[2]) for name in names]
    assert together == [names[:2], [names[3]], names[4:]]
