"""Type expressions as Packer reads them, and why others are refused."""

from __future__ import annotations

import pytest

from hybridcore.hcl.type_expressions import TypeExpressionError, parse_type


@pytest.mark.parametrize(
    "text",
    [
        "string",
        "number",
        "bool",
        "any",
        "list(string)",
        "set(number)",
        "map(list(bool))",
        "tuple([string, number])",
        "tuple([])",
        "object({})",
        "object({ a = string, b = list(object({ c = bool })) })",
        "object({ a = optional(number), b = string })",
    ],
)
def test_a_type_prints_as_it_is_read(text: str) -> None:
    assert str(parse_type(text)) == text


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("(string)", "string"),
        ("  list ( string ) ", "list(string)"),
        ("list(string,)", "list(string)"),
        ("object({\n  a = string # the name\n  b : number // size\n  /* more */ c = bool\n})", None),
        ("tuple([\n  string,\n])", "tuple([string])"),
        ('object({ a = optional(string, "x)") })', "object({ a = optional(string) })"),
    ],
)
def test_other_ways_to_write_a_type(text: str, same: str | None) -> None:
    assert str(parse_type(text)) == (same or "object({ a = string, b = number, c = bool })")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('"string"', "without quotes"),
        ("list", "needs an argument"),
        ("list()", "a type was expected"),
        ("list(string, number)", "one argument"),
        ("string()", "takes no arguments"),
        ("tuple(string)", "list of types"),
        ("object(string)", "map of attribute types"),
        ('object({ "a" = string })', "without quotes"),
        ("object({ a = string, a = number })", "twice"),
        ("strnig", "is not a type"),
        ("string number", "after the type"),
        ("object({ a = optional(number, var.x) })", "must be a constant"),
        ('object({ a = optional(number, "x") })', "number expected"),
        ("object({ a = optional(number, ", "not complete"),
        ("", "a type was expected"),
        ("list(" * 200 + "string" + ")" * 200, "nested more than"),
    ],
)
def test_what_is_no_type_is_refused_with_a_reason(text: str, says: str) -> None:
    with pytest.raises(TypeExpressionError, match=says):
        parse_type(text)
