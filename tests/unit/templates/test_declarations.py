"""What the files of a template declare: variables with their types, defaults and marks."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hybridcore import hcl
from hybridcore.errors import Fault
from hybridcore.hcl.dialect import dialect
from hybridcore.templates.declarations import Declarations, Variable, for_packer, read
from hybridcore.workspace import Workspace
from tests.support.workspaces import WorkspaceFolder


@pytest.fixture
def where(make_workspace: Callable[..., WorkspaceFolder]) -> Workspace:
    return make_workspace().open()


def declared(where: Workspace, *texts: str) -> Declarations:
    return read([(where.root / f"{n}.pkr.hcl", hcl.loads(text)) for n, text in enumerate(texts)], where)


def one(where: Workspace, *lines: str) -> Variable:
    found = declared(where, 'variable "x" {\n' + "".join(f"  {line}\n" for line in lines) + "}\n")
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
def test_types_and_defaults(where: Workspace, lines: tuple[str, ...], kind: str, default: object) -> None:
    found = declared(where, 'variable "x" {\n' + "\n".join(lines) + "\n}\n").variables["x"]
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
    where: Workspace, lines: tuple[str, ...], computed: bool, undecided: bool
) -> None:
    found = one(where, *lines)
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
def test_marks(where: Workspace, mark: str, sensitive: bool) -> None:
    found = declared(where, f'variable "x" {{\n  sensitive = {mark}\n}}\n')
    assert found.variables["x"].sensitive is sensitive


def test_a_wrong_default_of_a_sensitive_variable_is_not_repeated(where: Workspace) -> None:
    text = 'variable "x" {{\n  type = number\n  default = "hunter2"\n{}}}\n'
    (shown,) = declared(where, text.format("")).faults
    assert str(shown) == '0.pkr.hcl:3: x: the default must be number, not the string "hunter2"'
    (hidden,) = declared(where, text.format("  sensitive = true\n")).faults
    assert str(hidden) == "0.pkr.hcl:3: x: the default must be number"


def test_validations(where: Workspace) -> None:
    found = one(where, "validation {", "condition = var.x > 1", 'error_message = "More."', "}")
    (validation,) = found.validations
    assert validation.condition is not None
    assert (validation.condition.expression, validation.message, validation.line) == (
        "var.x > 1",
        "More.",
        2,
    )


def test_the_short_form_declares_and_gives_the_type(where: Workspace) -> None:
    found = declared(where, 'variables {\n  a = 1\n  b = env("B")\n  c {}\n}\n')
    assert {name: (str(v.type), v.line, v.computed) for name, v in found.variables.items()} == {
        "a": ("number", 2, False),
        "b": ("string", 3, True),
    }
    assert [str(fault) for fault in found.faults] == ["0.pkr.hcl:4: a block 'c' in variables"]


def test_of_two_declarations_the_first_counts_and_the_second_is_a_fault(where: Workspace) -> None:
    found = declared(where, 'variable "x" {\n  default = 1\n}\n', "variables {\n  x = 2\n}\n")
    assert found.variables["x"].default == 1
    assert [str(fault) for fault in found.faults] == ["1.pkr.hcl:2: x: declared twice; first in 0.pkr.hcl:1"]


def test_every_fault_has_its_place(where: Workspace) -> None:
    text = 'variable "a" "b" {}\nvariable "c" {\n  type = strnig\n}\nvariable {}\n'
    found = declared(where, text)
    assert [(fault.file, fault.line) for fault in found.faults] == [("0.pkr.hcl", n) for n in (1, 3, 5)]
    assert str(found.variables["c"].type) == "any"
    assert list(found.variables) == ["c"]


@pytest.mark.parametrize(("name", "given"), [("hybridcore_output", True), ("hybrid", False)])
def test_variables_that_the_build_gives(where: Workspace, name: str, given: bool) -> None:
    assert declared(where, f'variable "{name}" {{}}\n').variables[name].runtime is given


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
    where: Workspace, line: str, version: str | None, says: str
) -> None:
    variable = one(where, line)
    faults: list[Fault] = []
    assert for_packer(variable, dialect(version), faults) is variable
    assert [(says in str(fault), fault.file, fault.line) for fault in faults] == (
        [(True, "0.pkr.hcl", 1)] if says else []
    )


@pytest.mark.parametrize(("version", "kind"), [("1.6.6", "object({})"), ("1.9.4", "any"), (None, "any")])
def test_an_empty_default_is_a_type_for_older_packers(
    where: Workspace, version: str | None, kind: str
) -> None:
    faults: list[Fault] = []
    assert str(for_packer(one(where, "default = {}"), dialect(version), faults).type) == kind
    assert faults == []
