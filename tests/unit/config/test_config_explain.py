"""What is said of each variable: its value, and what every layer says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from hybridcore import templates
from hybridcore.config import generate
from hybridcore.config.explain import SENSITIVE, explain
from tests.support.workspaces import WorkspaceFolder

TARGET = "linux/null/demo"
SOURCE = 'source "null" "demo" {\n  communicator = "none"\n}\nbuild {\n  sources = ["source.null.demo"]\n}\n'


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder]) -> WorkspaceFolder:
    return make_workspace()


def explained(space: WorkspaceFolder, variables: str, **inputs: Any) -> dict[str, dict[str, Any]]:
    space.template(TARGET, SOURCE + variables)
    workspace = space.open()
    asked = generate.read_inputs({"env": "dev", **inputs}, workspace)
    loaded = templates.load_all(list(asked.targets), workspace)
    renderings, warnings = generate.render_all(asked, loaded, workspace)
    found = explain(renderings, ["odd", *warnings])
    assert found["warnings"][0] == "odd"
    (target,) = found["targets"]
    assert target["target"] == TARGET
    return {one["name"]: one for one in target["variables"]}


@pytest.mark.parametrize(
    ("block", "value"),
    [
        ("default = 5", "5"),
        ("default = null", "null, by default"),
        ('default = env("HOME")', "default, computed by Packer"),
        ("sensitive = true", f"{SENSITIVE}, needed from the environment"),
        ('sensitive = true\ndefault = "hunter2"', SENSITIVE),
        ('default = { b = ["x\\ny"] }', '{ "b" = ["x\\ny"] }'),  # on one line
    ],
)
def test_the_value_of_a_variable(space: WorkspaceFolder, block: str, value: str) -> None:
    found = explained(space, f'variable "x" {{\n{block}\n}}\n')
    assert found["x"]["value"] == value
    assert "hunter2" not in str(found)


def test_a_variable_of_the_build(space: WorkspaceFolder) -> None:
    assert explained(space, 'variable "hybridcore_x" {}\n')["hybridcore_x"]["value"] == "given by the build"


def test_every_layer_is_there_and_those_that_count_are_marked(space: WorkspaceFolder) -> None:
    space.write("environments/common/a.pkrvars.hcl", "x = { a = 1 }\n")
    space.write("environments/dev/a.pkrvars.hcl", "\nx = null\n")
    space.write("environments/dev/b.pkrvars.hcl", "x = { b = 2 }\n")
    found = explained(space, 'variable "x" {\n  type = map(string)\n}\n', vars={"x": {"c": 3}})["x"]
    assert (found["type"], found["declared"]) == ("map(string)", f"templates/{TARGET}/build.pkr.hcl:7")
    assert found["value"] == '{ "b" = "2", "c" = "3" }'
    assert [(layer["origin"], layer["value"], layer["used"]) for layer in found["layers"]] == [
        ("environments/common/a.pkrvars.hcl:1", '{ "a" = 1 }', False),
        ("environments/dev/a.pkrvars.hcl:2", "null", False),
        ("environments/dev/b.pkrvars.hcl:1", '{ "b" = 2 }', True),
        ("caller", '{ "c" = 3 }', True),
    ]


def test_layers_of_a_sensitive_variable_show_no_value(space: WorkspaceFolder) -> None:
    space.write("environments/dev/a.pkrvars.hcl", 'x = env("PKR_VAR_x")\n')
    found = explained(space, 'variable "x" {\n  sensitive = true\n}\n')["x"]
    assert [layer["value"] for layer in found["layers"]] == [SENSITIVE]


def test_variables_come_by_name(space: WorkspaceFolder) -> None:
    found = explained(space, "variables {\n  b = 1\n  a = 2\n}\n")
    assert list(found) == ["a", "b"]
