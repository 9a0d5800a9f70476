"""What the files of a template declare: variables with their types, defaults and marks."""

from __future__ import annotations

import pytest

from hybridcore import hcl
from hybridcore.errors import Fault
from hybridcore.hcl.dialect import dialect
from hybridcore.hcl.json_form import loads_json
from hybridcore.templates.declarations import Declarations, Variable, for_packer, read
from hybridcore.workspace import Workspace


def declared(workspace: Workspace, *texts: str) -> Declarations:
    return read(
        [(workspace.root / f"{n}.pkr.hcl", hcl.loads(text)) for n, text in enumerate(texts)], workspace
    )


def one(workspace: Workspace, *lines: str) -> Variable:
    found = declared(workspace, 'variable "x" {\n' + "".join(f"  {line}\n" for line in lines) + "}\n")
    assert found.faults == ()
    return found.variables["x"]


@pytest.mark.parametrize(
    ("lines", "kind", "default"),
    [
        ((), "any", None),
        (("type = string",), "string", None),
        (("default = 5",), "number", 5),
        (("type = string", "default = 5"), "string", "5"),
        (("default = null",), "any", None),
        (("default = {}",), "any", {}),
        (("default = [1, true]",), "tuple([number, bool])", [1, True]),
        (('default = env("HOME")',), "string", None),
        (("default = [local.x]",), "any", None),
    ],
)
def test_types_and_defaults(workspace: Workspace, lines: tuple[str, ...], kind: str, default: object) -> None:
    found = declared(workspace, 'variable "x" {\n' + "\n".join(lines) + "\n}\n").variables["x"]
    assert (str(found.type), found.default) == (kind, default)
    assert found.required is not any("default" in line for line in lines)
    assert (found.file, found.line) == ("0.pkr.hcl", 1)


@pytest.mark.parametrize(
    ("lines", "computed", "undecided"),
    [
        (('default = "a"',), False, False),
        (('default = env("A")',), True, False),
        (('type = string\n  default = "${env("A")}b"',), True, False),
        (('type = number\n  default = env("A")',), True, True),
        (('default = true ? "a" : env("B")',), True, True),
    ],
)
def test_defaults_that_packer_computes(
    workspace: Workspace, lines: tuple[str, ...], computed: bool, undecided: bool
) -> None:
    found = one(workspace, *lines)
    assert (found.computed, found.undecided) == (computed, undecided)


@pytest.mark.parametrize(
    ("mark", "sensitive"),
    [
        ("true", True),
        ("1", True),
        ('"true"', True),
        ("false", False),
        ('"false"', False),
        ('"0"', False),
        ("null", False),
        ("var.y", True),  # what cannot be read is taken for yes
    ],
)
def test_marks(workspace: Workspace, mark: str, sensitive: bool) -> None:
    found = declared(workspace, f'variable "x" {{\n  sensitive = {mark}\n}}\n')
    assert found.variables["x"].sensitive is sensitive


def test_a_wrong_default_of_a_sensitive_variable_is_not_repeated(workspace: Workspace) -> None:
    text = 'variable "x" {{\n  type = number\n  default = "hunter2"\n{}}}\n'
    (shown,) = declared(workspace, text.format("")).faults
    assert str(shown) == '0.pkr.hcl:3: x: the default must be number, not the string "hunter2"'
    (hidden,) = declared(workspace, text.format("  sensitive = true\n")).faults
    assert str(hidden) == "0.pkr.hcl:3: x: the default must be number"


def test_validations(workspace: Workspace) -> None:
    found = one(workspace, "validation {", "condition = var.x > 1", 'error_message = "More."', "}")
    (validation,) = found.validations
    assert validation.condition is not None
    assert (validation.condition.expression, validation.message, validation.line) == (
        "var.x > 1",
        "More.",
        2,
    )


def test_the_short_form_declares_and_gives_the_type(workspace: Workspace) -> None:
    found = declared(workspace, 'variables {\n  a = 1\n  b = env("B")\n  c {}\n}\n')
    assert {name: (str(v.type), v.line, v.computed) for name, v in found.variables.items()} == {
        "a": ("number", 2, False),
        "b": ("string", 3, True),
    }
    assert [str(fault) for fault in found.faults] == ["0.pkr.hcl:4: a block 'c' in variables"]


def test_of_two_declarations_the_first_counts_and_the_second_is_a_fault(workspace: Workspace) -> None:
    found = declared(workspace, 'variable "x" {\n  default = 1\n}\n', "variables {\n  x = 2\n}\n")
    assert found.variables["x"].default == 1
    assert [str(fault) for fault in found.faults] == ["1.pkr.hcl:2: x: declared twice; first in 0.pkr.hcl:1"]


def test_every_fault_has_its_place(workspace: Workspace) -> None:
    text = 'variable "a" "b" {}\nvariable "c" {\n  type = strnig\n}\nvariable {}\n'
    found = declared(workspace, text)
    assert [(fault.file, fault.line) for fault in found.faults] == [("0.pkr.hcl", n) for n in (1, 3, 5)]
    assert str(found.variables["c"].type) == "any"
    assert list(found.variables) == ["c"]


@pytest.mark.parametrize(("name", "given"), [("hybridcore_output", True), ("hybrid", False)])
def test_variables_that_the_build_gives(workspace: Workspace, name: str, given: bool) -> None:
    assert declared(workspace, f'variable "{name}" {{}}\n').variables[name].runtime is given


@pytest.mark.parametrize(
    ("line", "version", "says"),
    [
        ("type = (string)", "1.6.6", ""),
        ("type = (string)", "1.9.4", "no parentheses around a type"),
        ("type = any", "1.9.4", "does not know any"),
        ("type = object({ a = optional(string) })", "1.9.4", "does not know optional()"),
        ("type = any", None, ""),
    ],
)
def test_types_that_one_packer_does_not_take(
    workspace: Workspace, line: str, version: str | None, says: str
) -> None:
    variable = one(workspace, line)
    faults: list[Fault] = []
    assert for_packer(variable, dialect(version), faults) is variable
    assert [(says in str(fault), fault.file, fault.line) for fault in faults] == (
        [(True, "0.pkr.hcl", 1)] if says else []
    )


@pytest.mark.parametrize(("version", "kind"), [("1.6.6", "object({})"), ("1.9.4", "any"), (None, "any")])
def test_an_empty_default_is_a_type_for_older_packers(
    workspace: Workspace, version: str | None, kind: str
) -> None:
    faults: list[Fault] = []
    assert str(for_packer(one(workspace, "default = {}"), dialect(version), faults).type) == kind
    assert faults == []


def test_a_type_in_json_that_is_computed_is_a_fault_among_others(workspace: Workspace) -> None:
    text = '{"variable": {"x": {"type": "${var.y}"}, "z": {"type": "text"}}}'
    body = loads_json(text, {"variable": (1, {})})
    found = read([(workspace.root / "x.pkr.json", body)], workspace)
    assert [fault.message.partition(":")[0] for fault in found.faults] == ["x", "z"]
    assert all("the type is not valid" in fault.message for fault in found.faults)
