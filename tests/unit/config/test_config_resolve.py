"""From layers to values: who wins, what a value is made of, and what is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from hybridcore import hcl
from hybridcore.config.entries import Entry
from hybridcore.config.resolve import Resolved, Sources, resolve_variables
from hybridcore.errors import Fault
from hybridcore.hcl.dialect import dialect
from hybridcore.templates import declarations
from hybridcore.workspace import Workspace

ABOVE_TEN = 'validation {\n  condition = var.x > 10\n  error_message = "Above ten."\n}'


def resolve(
    workspace: Workspace, block: str, *layers: object, name: str = "x", **more: Any
) -> tuple[Resolved, list[str]]:
    """Resolve one variable; each layer is a value, or an entry."""
    bodies = [(workspace.root / "t.pkr.hcl", hcl.loads(f'variable "{name}" {{\n{block}\n}}\n'))]
    entries = [
        {name: layer if isinstance(layer, Entry) else Entry(layer, f"f{n}", n)}  # type: ignore[arg-type]
        for n, layer in enumerate(layers, 1)
    ]
    given = {"provisioners": {}, "caller": {}, "hidden": frozenset(), "dialect": dialect(None), **more}
    sources = Sources("linux/null/t", entries, folders=lambda target: [f"e/{target}/"], **given)
    faults: list[Fault] = []
    found = resolve_variables(declarations.read(bodies, workspace).variables, sources, faults)
    return found, [str(fault) for fault in faults]


@pytest.mark.parametrize(
    ("block", "layers", "value", "origin"),
    [
        ("default = 1", [], 1, "t.pkr.hcl:1"),
        ("default = 1", [2], 2, "f1:1"),
        ("default = 1", [2, 3], 3, "f2:2"),
        ("default = 1", [2, None], 1, "t.pkr.hcl:1"),
        ("type = any", [{"a": 1}, {"b": 2}], {"a": 1, "b": 2}, "f1:1, f2:2"),
        ("default = { a = 1 }\ntype = any", [{"b": 2}], {"a": 1, "b": 2}, "t.pkr.hcl:1, f1:1"),
        ("type = any", [{"a": 1}, 5, {"b": 2}], {"b": 2}, "f3:3"),
        ("type = map(number)", [{"a": 1, "b": 2}, {"a": None}], {"b": 2}, "f1:1, f2:2"),
        ("type = string", [5], "5", "f1:1"),
    ],
)
def test_later_wins_and_maps_merge(
    workspace: Workspace, block: str, layers: list[object], value: object, origin: str
) -> None:
    found, faults = resolve(workspace, block, *layers)
    assert (found.values, found.origins(), faults) == ({"x": value}, {"x": origin}, [])


def test_the_caller_wins_over_every_overlay(workspace: Workspace) -> None:
    found, _ = resolve(workspace, "default = 1", 2, caller={"x": 3})
    assert (found.values, found.origins()) == ({"x": 3}, {"x": "caller"})
    assert [entry.origin for entry in found.entries["x"]] == ["t.pkr.hcl:1", "f1:1", "caller"]


def test_a_switch_decides_and_who_says_otherwise_is_told(workspace: Workspace) -> None:
    found, faults = resolve(workspace, "type = bool", False, provisioners={"x": True})
    assert (found.values, faults) == ({"x": True}, [])
    assert found.warnings == ["f1:1: x has no effect, the provisioners' switch decides it"]
    found, faults = resolve(workspace, "type = bool", provisioners={"x": True}, caller={"x": "true"})
    assert (found.values, faults, found.warnings) == ({"x": True}, [], [])  # the same after conversion
    _, (fault,) = resolve(workspace, "type = bool", provisioners={"x": True}, caller={"x": False})
    assert fault.startswith(
        "x: the caller's the bool false contradicts the provisioners' switch, the bool true"
    )


@pytest.mark.parametrize(
    ("block", "fault"),
    [
        ("default = false", ""),
        ('default = "false"\ntype = bool', ""),
        ("default = true", "t.pkr.hcl:1: x: expected default = false"),
        ("type = bool", "t.pkr.hcl:1: x: expected default = false"),
    ],
)
def test_a_stack_that_is_off_leaves_the_variable_out(workspace: Workspace, block: str, fault: str) -> None:
    found, faults = resolve(workspace, block, provisioners={"x": None})
    assert found.values == {}
    assert [one.startswith(fault) for one in faults] == ([True] if fault else [])


def test_what_is_missing_says_where_it_could_be_set(workspace: Workspace) -> None:
    _, faults = resolve(workspace, "type = string")
    assert faults == [
        "t.pkr.hcl:1: x: expected string, found no value for linux/null/t "
        "(set it in an overlay under one of e/linux/null/t/, or in vars)"
    ]
    # It may stand in the overlay that cannot be read.
    assert resolve(workspace, "type = string", complete=False) == (Resolved(entries={"x": []}), [])


def test_a_faulty_entry_is_no_second_fault(workspace: Workspace) -> None:
    faulty = Entry(None, "f", 1, faulty=True)
    assert resolve(workspace, "type = number", "wrong", faulty) == (Resolved(), [])


def test_sensitive_values_come_from_the_environment_alone(workspace: Workspace) -> None:
    found, faults = resolve(workspace, "sensitive = true", Entry(None, "f", 1, marked=True))
    assert (found.values, found.sensitive, faults) == ({}, ["x"], [])
    found, _ = resolve(workspace, "sensitive = true\ndefault = 1")
    assert found.sensitive == []  # its default will do
    _, faults = resolve(workspace, "sensitive = true", "hunter2", caller={"x": "hunter3"})
    assert len(faults) == 2
    assert "hunter" not in "".join(faults)


def test_only_a_sensitive_variable_comes_from_the_environment(workspace: Workspace) -> None:
    _, faults = resolve(workspace, "default = 1", Entry(None, "f", 7, marked=True))
    assert faults[0].startswith("f:7: x: only a sensitive variable can come from the environment")


def test_variables_of_the_build_are_left_to_it(workspace: Workspace) -> None:
    assert resolve(workspace, "", name="hybridcore_output") == (Resolved(), [])


@pytest.mark.parametrize(
    ("block", "layers", "faults", "unchecked"),
    [
        (ABOVE_TEN, [11], 0, []),
        (ABOVE_TEN, [5], 1, []),
        (f"default = 5\n{ABOVE_TEN}", [], 1, []),
        (f'default = env("X")\n{ABOVE_TEN}', [], 0, ["x"]),
        (ABOVE_TEN.replace("> 10", "> timestamp()"), [5], 0, ["x"]),
    ],
)
def test_validations(
    workspace: Workspace, block: str, layers: list[object], faults: int, unchecked: list[str]
) -> None:
    found, said = resolve(workspace, block, *layers)
    assert (len(said), found.unchecked) == (faults, unchecked)


def test_a_value_that_another_overlay_might_replace_is_not_judged(workspace: Workspace) -> None:
    found, faults = resolve(workspace, ABOVE_TEN, 5, complete=False)
    assert (found.values, found.unchecked, faults) == ({"x": 5}, ["x"], [])


def test_attributes_that_packer_drops_are_a_warning(workspace: Workspace) -> None:
    found, faults = resolve(workspace, "type = object({ a = number })", {"a": 1, "b": 2})
    assert (found.values, faults) == ({"x": {"a": 1}}, [])
    assert found.warnings == ["f1:1: x.b is not in the declared type; Packer leaves it out"]


def test_a_hidden_value_is_not_in_a_fault(workspace: Workspace) -> None:
    _, faults = resolve(workspace, "type = number", "hunter2", hidden=frozenset({"x"}))
    assert faults == ["f1:1: x: expected number, found a value that is not shown (declared in t.pkr.hcl:1)"]
