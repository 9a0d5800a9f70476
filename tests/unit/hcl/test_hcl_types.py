"""Type expressions and conversions; Packer's own verdicts are in test_config_packer_verdicts.py."""

from __future__ import annotations

from decimal import Decimal

import pytest

from hybridcore.hcl.type_expressions import parse_type
from hybridcore.hcl.types import ANY, Mismatch, convert, extra_attributes, type_of


@pytest.mark.parametrize(
    ("value", "kind", "converted"),
    [
        ("5", "number", 5),
        ("1e3", "number", 1000),
        ("-.5", "number", -0.5),
        ("5.", "number", 5),
        ("007", "number", 7),
        ("inf", "number", "inf"),
        ("1p3", "number", "1p3"),
        ("0.12345678901234567890123", "number", Decimal("0.12345678901234567890123")),
        ("1e-400", "number", Decimal("1e-400")),
        (Decimal("0.12345678901234567890123"), "string", "0.12345678901234567890123"),
        ("e\u0301", "string", "\u00e9"),
        ({"e\u0301": "e\u0301"}, "any", {"\u00e9": "\u00e9"}),
        ("1e999999999", "number", "1e999999999"),
        (5, "string", "5"),
        (1.5, "string", "1.5"),
        (1e-7, "string", "0.0000001"),
        (1e30, "string", "1000000000000000000000000000000"),
        (True, "string", "true"),
        ("true", "bool", True),
        ("0", "bool", False),
        (None, "number", None),
        ([1, True, None], "list(string)", ["1", "true", None]),
        (["1", 1, 2], "set(number)", [1, 2]),
        ({"b": "1", "a": 2}, "map(number)", {"a": 2, "b": 1}),
        ([1, 2], "tuple([string, number])", ["1", 2]),
        ({"a": 5, "extra": 1}, "object({ a = string })", {"a": "5"}),
        ({"a": None}, "object({ a = string })", {"a": None}),
        ({}, "object({ a = optional(string) })", {}),
        ({"a": None}, 'object({ a = optional(string, "d") })', {"a": "d"}),
        ({"b": [{"d": 1, "c": 2}], "a": 1}, "any", {"a": 1, "b": [{"c": 2, "d": 1}]}),
    ],
)
def test_conversion(value: object, kind: str, converted: object) -> None:
    problems: list[Mismatch] = []
    result = convert(value, parse_type(kind), problems)
    assert problems == []
    assert repr(result) == repr(converted)


@pytest.mark.parametrize(
    ("value", "kind", "path", "expected", "found"),
    [
        ("5x", "number", "", "number", 'the string "5x"'),
        (" 5", "number", "", "number", 'the string " 5"'),
        ("", "number", "", "number", 'the string ""'),
        ("0x5", "number", "", "number", 'the string "0x5"'),
        ("٥", "number", "", "number", 'the string "٥"'),
        (True, "number", "", "number", "the bool true"),
        (1, "bool", "", "bool", "the number 1"),
        ("True", "bool", "", "bool", 'the string "True"'),
        ([1], "string", "", "string", "a list of 1"),
        ("a", "list(string)", "", "list(string)", 'the string "a"'),
        ({"a": 1}, "list(number)", "", "list(number)", "a map"),
        ([1], "map(number)", "", "map(number)", "a list of 1"),
        ([1, "x"], "list(number)", "[1]", "number", 'the string "x"'),
        ({"a b": []}, "map(string)", '["a b"]', "string", "an empty list"),
        ([1], "tuple([number, number])", "", "tuple([number, number]), 2 elements", "a list of 1"),
        ({"x": {"b": 1}}, "map(object({ a = string }))", ".x.a", "string, a required attribute", "nothing"),
    ],
)
def test_what_does_not_fit_is_described(
    value: object, kind: str, path: str, expected: str, found: str
) -> None:
    problems: list[Mismatch] = []
    convert(value, parse_type(kind), problems)
    assert problems == [Mismatch(path, expected, found)]


def test_a_number_of_more_digits_than_python_prints() -> None:
    problems: list[Mismatch] = []
    assert convert(10**5000, parse_type("string"), problems) == "1" + "0" * 5000
    convert(10**5000, parse_type("bool"), problems)
    assert problems[0].found.startswith("the number 1000")


def test_every_mismatch_in_a_value_is_found() -> None:
    problems: list[Mismatch] = []
    convert({"a": ["x", 1, "y"], "b": 5}, parse_type("map(list(number))"), problems)
    assert [problem.path for problem in problems] == [".a[0]", ".a[2]", ".b"]


def test_a_very_deep_value_is_refused_and_does_not_crash() -> None:
    value: object = 1
    for _ in range(5000):
        value = [value]
    problems: list[Mismatch] = []
    convert(value, ANY, problems)
    assert problems[0].expected == "at most 200 levels"


def test_a_long_value_is_not_repeated_in_full() -> None:
    problems: list[Mismatch] = []
    convert("x" * 1000, parse_type("number"), problems)
    assert len(problems[0].found) < 60


def test_the_type_of_a_default() -> None:
    assert str(type_of({"a": [1, "x"], "b": True})) == "object({ a = tuple([number, string]), b = bool })"
    assert type_of(None) is ANY


def test_attributes_that_packer_drops_are_found() -> None:
    kind = parse_type("object({ a = list(object({ b = string })), c = map(object({})) })")
    value = {"a": [{"b": "", "x": 1}], "c": {"k": {"y": 1}}, "z": 1}
    assert extra_attributes(value, kind) == [".a[0].x", ".c.k.y", ".z"]
