"""Values of HCL's JSON form are the expressions that Packer takes them for."""

from __future__ import annotations

import json

import pytest

from hybridcore.errors import HclError
from hybridcore.hcl import Attribute, evaluate
from hybridcore.hcl.json_form import loads_json


def attribute_of(data: object) -> Attribute:
    return loads_json(json.dumps({"a": data}), {}).attributes["a"]


def value(data: object, scope: dict[str, object] | None = None) -> object:
    return evaluate(attribute_of(data), scope or {})


@pytest.mark.parametrize(
    "data",
    [
        "text",
        "",
        'a\nb\t"c" \\ d',
        "äöü \U0001f600",
        7,
        -7,
        1.5,
        True,
        None,
        [],
        ["a", 1, [True]],
        {"b": {"c": None}},
    ],
)
def test_plain_values_are_what_json_says(data: object) -> None:
    attribute = attribute_of(data)
    assert attribute.constant
    assert attribute.value == data


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("${var.n}", 3),
        ("n is ${var.n}", "n is 3"),
        ("${var.n}\n", "3\n"),
        ("\n${var.n}", "\n3"),
        ("$${var.n} %%{x}", "${var.n} %{x}"),
        ('${upper("x")}${var.n + 1}', "X4"),
        ("%{ if var.n > 2 }big%{ else }small%{ endif }", "big"),
        ("a\\nb ${var.n}", "a\\nb 3"),
        ("END_OF_TEMPLATE\n${var.n}", "END_OF_TEMPLATE\n3"),
        ("${[for x in var.l : x]}", ["p", "q"]),
    ],
)
def test_a_string_is_a_template_in_which_nothing_is_escaped(text: str, expected: object) -> None:
    assert value(text, {"var": {"n": 3, "l": ["p", "q"]}}) == expected


def test_names_of_objects_are_templates_too() -> None:
    assert value({"k${var.n}": "${var.n}"}, {"var": {"n": 3}}) == {"k3": 3}


def test_a_string_that_is_no_template_is_wrong_when_it_is_asked_for() -> None:
    attribute = attribute_of("${var.")
    with pytest.raises(HclError):
        _ = attribute.node
