"""Values at the edges: numbers, Unicode, line ends, nulls, malformed blocks, and what Packers differ in."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from hybridcore import hcl
from hybridcore.config import generate_env_config
from hybridcore.errors import ConfigError
from tests.support.workspaces import WorkspaceFolder

TARGET = "linux/null/demo"
BUILD = 'source "null" "demo" {\n  communicator = "none"\n}\n\nbuild {\n  sources = ["source.null.demo"]\n}\n'
VALIDATION = 'validation {\n    condition     = CONDITION\n    error_message = "Not this."\n  }'


class Place:
    """A workspace with one target."""

    def __init__(self, folder: WorkspaceFolder) -> None:
        self.folder = folder

    def render(
        self, declaration: str, given: str = "", name: str = "v.pkrvars.hcl", **inputs: Any
    ) -> dict[str, Any]:
        self.folder.template(TARGET, declaration + BUILD)
        self.folder.write(f"environments/dev/{name}", "").write_bytes(given.encode())
        asked = {"env": "dev", "targets": [TARGET], **inputs}
        return generate_env_config(asked, workspace=self.folder.open())["files"][0]

    def value(self, declaration: str, given: str = "", name: str = "v.pkrvars.hcl", **inputs: Any) -> Any:
        text = Path(self.render(declaration, given, name, **inputs)["path"]).read_bytes().decode()
        return hcl.loads(text).attributes["x"].value

    def faults(self, declaration: str, given: str = "", **inputs: Any) -> list[str]:
        with pytest.raises(ConfigError) as caught:
            self.render(declaration, given, **inputs)
        return [str(fault) for fault in caught.value.faults]


@pytest.fixture
def place(make_workspace: Callable[..., WorkspaceFolder]) -> Place:
    return Place(make_workspace())


def variable(*lines: str) -> str:
    return 'variable "x" {\n' + "".join(f"  {line}\n" for line in lines) + "}\n"


def validated(condition: str, kind: str) -> str:
    return variable(f"type = {kind}", VALIDATION.replace("CONDITION", condition))


@pytest.mark.parametrize(
    ("kind", "given", "value"),
    [
        ("number", "x = 0.1234567890123456789", Decimal("0.1234567890123456789")),
        ("number", 'x = "0.1234567890123456789"', Decimal("0.1234567890123456789")),
        ("number", "x = 1e-400", Decimal("1e-400")),
        ("number", "x = 1e400", 10**400),
        ("string", "x = -0", "-0"),
        ("string", "x = <<E\na\r\nb\nE\n", "a\r\nb\n"),
        ("map(string)", 'x = { "e\u0301" = "e\u0301" }', {"\u00e9": "\u00e9"}),
        ("object({ \u00e9 = string })", 'x = { "e\u0301" = 1 }', {"\u00e9": "1"}),
    ],
)
def test_values_reach_the_file_as_packer_reads_them(
    place: Place, kind: str, given: str, value: object
) -> None:
    assert place.value(variable(f"type = {kind}"), f"{given}\n") == value


@pytest.mark.parametrize(
    ("given", "value"),
    [
        ("1e400", 10**400),
        ("0.1234567890123456789", Decimal("0.1234567890123456789")),
        ("1e-400", Decimal("1e-400")),
    ],
)
def test_numbers_of_json_are_exact(place: Place, given: str, value: object) -> None:
    assert place.value(variable("type = number"), f'{{"x": {given}}}', "v.pkrvars.json") == value


def test_keys_of_json_that_are_the_same_text_are_a_fault(place: Place) -> None:
    place.folder.write("environments/dev/v.pkrvars.json", '{"x": {"\u00e9": 1, "e\u0301": 2}}')
    (fault,) = place.faults(variable("type = map(number)"))
    assert "\u00e9: given twice" in fault


def test_a_fraction_is_equal_to_itself(place: Place) -> None:
    assert place.value(validated("var.x == 0.1", "number"), "x = 0.1\n") == 0.1
    assert place.render(validated("var.x == 0.1", "number"), "x = 0.1\n")["unchecked"] == []
    assert len(place.faults(validated("var.x == 0.1", "number"), "x = 0.2\n")) == 1


@pytest.mark.parametrize(("kind", "given"), [("number", '"inf"'), ("list(number)", '["1p3"]')])
def test_a_number_without_a_literal_leaves_its_condition_unchecked(
    place: Place, kind: str, given: str
) -> None:
    assert place.render(validated("var.x != 1", kind), f"x = {given}\n")["unchecked"] == ["x"]


@pytest.mark.parametrize(
    "condition", ["var.x[0] == 1", "[for i in var.x: i] != null", "tostring(var.x) == 1"]
)
def test_what_packer_alone_knows_of_a_set_is_unchecked(place: Place, condition: str) -> None:
    assert place.render(validated(condition, "set(number)"), "x = [1]\n")["unchecked"] == ["x"]


def test_the_size_and_the_members_of_a_set_are_known(place: Place) -> None:
    declaration = validated("length(var.x) == 1 && contains(var.x, 1)", "set(number)")
    assert place.render(declaration, "x = [1, 1]\n")["unchecked"] == []
    assert len(place.faults(declaration, "x = [2]\n")) == 1


def test_null_in_a_default_stays_and_null_in_an_overlay_takes_away(place: Place) -> None:
    declaration = variable("type = map(string)", 'default = { a = null, b = "1" }')
    assert place.value(declaration) == {"a": None, "b": "1"}
    assert place.value(declaration, 'x = { b = null, c = "2" }\n') == {"a": None, "c": "2"}


@pytest.mark.parametrize("default", ["{}", "[]"])
@pytest.mark.parametrize("given", ['{ a = [1, "b"] }', '[1, { b = "c" }]', "5"])
def test_an_untyped_empty_default_takes_any_value_of_newer_packers(
    place: Place, default: str, given: str
) -> None:
    for version in ("1.9.4", None):
        value = place.value(variable(f"default = {default}"), f"x = {given}\n", packer_version=version)
        assert value == hcl.evaluate(given, {})


@pytest.mark.parametrize(("default", "given", "says"), [("{}", "5", "object"), ("[]", "[1]", "tuple")])
def test_an_untyped_empty_default_is_a_type_for_packer_1_6(
    place: Place, default: str, given: str, says: str
) -> None:
    (fault,) = place.faults(variable(f"default = {default}"), f"x = {given}\n", packer_version="1.6.6")
    assert f"x: expected {says}" in fault


@pytest.mark.parametrize(
    ("kind", "takes"),
    [
        ("(string)", ("1.6.6", None)),
        ("any", (None,)),
        ("object({ a = optional(string) })", (None,)),
        ("string", ("1.6.6", "1.9.4", None)),
    ],
)
def test_a_type_follows_the_packer_that_is_configured(
    place: Place, kind: str, takes: tuple[str | None, ...]
) -> None:
    for version in ("1.6.6", "1.9.4", None):
        declaration = variable(f"type = {kind}", "default = null")
        if version in takes:
            place.render(declaration, packer_version=version)
        else:
            (fault,) = place.faults(declaration, packer_version=version)
            assert "x: the type is not valid: this Packer" in fault


def test_a_function_that_the_packer_has_not_leaves_its_condition_unchecked(place: Place) -> None:
    declaration = validated('can(regex("^a", var.x))', "string")
    assert place.render(declaration, 'x = "b"\n', packer_version="1.6.6")["unchecked"] == ["x"]
    for version in ("1.9.4", None):
        assert len(place.faults(declaration, 'x = "b"\n', packer_version=version)) == 1


@pytest.mark.parametrize("version", [5, ["1.9.4"]])
def test_a_version_that_is_no_text_is_refused(place: Place, version: object) -> None:
    (fault,) = place.faults(variable("default = 1"), packer_version=version)
    assert "packer_version must be a text" in fault


def check(*lines: str) -> str:
    return "validation {\n" + "".join(f"    {line}\n" for line in lines) + "  }"


GOOD = ("condition = var.x != 1", 'error_message = "No."')


@pytest.mark.parametrize(
    ("lines", "line", "says"),
    [
        (("sensitve = true",), 2, "there is no argument 'sensitve' (did you mean sensitive?)"),
        (("nullable = true",), 2, "there is no argument 'nullable' (one of type, default, description"),
        (("other {}",), 2, "a block 'other' does not belong here"),
        (('validation "x" {}',), 2, "a block 'validation x' does not belong here"),
        (("default = 1", 'default2 = upper("a")'), 3, "there is no argument 'default2'"),
        (('default = upper("a")',), 2, "the default cannot use upper()"),
        (("default = env()",), 2, "the default cannot use env()"),
        (("default = var.y",), 2, "the default cannot use var.y"),
        (('default = can("a")',), 2, "the default cannot use can()"),
        (("default = [1][1]",), 2, "the default cannot be computed: there is no element 1"),
        (('default = "a" + 1',), 2, "the default cannot be computed: a number is required"),
        (("description = [1]",), 2, "description must be a constant text"),
        (("description = null",), 2, "description must be a constant text"),
        (
            (check("condition = true", GOOD[1]),),
            3,
            "refers to var.x and to nothing else (it refers to nothing)",
        ),
        ((check("condition = var.x != var.y", GOOD[1]),), 3, "to nothing else (it refers to var.y)"),
        ((check(GOOD[0]),), 2, "the validation has no error_message"),
        ((check(GOOD[1]),), 2, "the validation has no condition"),
        ((check(*GOOD, "other = 1"),), 5, "there is no argument 'other'"),
        ((check(*GOOD, "other {}"),), 5, "a block 'other' in a validation"),
        ((check(GOOD[0], 'error_message = "no."'),), 4, "error_message must be a sentence"),
        ((check(GOOD[0], 'error_message = "No"'),), 4, "error_message must be a sentence"),
        ((check(GOOD[0], 'error_message = ""'),), 4, "error_message must be a sentence"),
        ((check(GOOD[0], "error_message = var.x"),), 4, "error_message must be a sentence"),
    ],
)
def test_a_malformed_declaration_is_a_fault_with_its_place(
    place: Place, lines: tuple[str, ...], line: int, says: str
) -> None:
    (fault,) = place.faults(variable(*lines), "x = 5\n")
    assert fault.startswith(f"templates/{TARGET}/build.pkr.hcl:{line}: x: ")
    assert says in fault


@pytest.mark.parametrize("name", ["1x", "x y", "x.y", ""])
def test_a_variable_has_a_name(place: Place, name: str) -> None:
    (fault,) = place.faults(f'variable "{name}" {{\n  default = 1\n}}\n')
    assert "cannot be the name of a variable" in fault


@pytest.mark.parametrize(
    "lines",
    [
        ('default = "${env("HOME")}/a"',),
        ("default = 1 + 1", "description = 5"),
        (check(*GOOD), 'sensitive = "false"', "default = 2"),
        (check("condition = [for y in [var.x]: y] != null", 'error_message = "1 is no?"'),),
    ],
)
def test_what_packer_takes_is_taken(place: Place, lines: tuple[str, ...]) -> None:
    place.render(variable(*lines), "x = 5\n")


def test_a_default_that_packer_may_refuse_is_unchecked(place: Place) -> None:
    assert place.render(variable('default = true ? "a" : env("B")'), "x = 5\n")["unchecked"] == ["x"]
    assert place.render(variable('type = number\n  default = env("B")'))["unchecked"] == ["x"]
    assert place.render(variable('default = env("B")'))["unchecked"] == []
    assert place.render(variable('default = true ? "a" : env("B")', "sensitive = true"))["unchecked"] == ["x"]
