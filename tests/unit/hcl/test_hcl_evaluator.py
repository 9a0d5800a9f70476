"""How an expression is computed: what it knows, what it refuses, and how much work it does."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest

from hybridcore import hcl
from hybridcore.hcl.evaluator import compute
from hybridcore.hcl.functions import FUNCTIONS
from hybridcore.hcl.values import NotEvaluable, WrongExpression


@pytest.mark.parametrize(
    "expression",
    [
        "[for a in var.l: [for b in var.l: [for c in var.l: [for d in var.l: a]]]]",
        'join("", [for a in var.l: join("", [for b in var.l: replace(var.s, "a", var.s)])])',
        'regex("(a{1,500}){1,500}", var.s)',
    ],
)
def test_endless_work_is_left_to_packer(expression: str) -> None:
    with pytest.raises(hcl.NotEvaluable):
        hcl.evaluate(expression, {"var": {"l": list(range(100)), "s": "a" * 100_000}})


def value(expression: str, scope: Mapping[str, object] | None = None, functions: Any = FUNCTIONS) -> object:
    return compute(hcl.parse_expression(expression), scope or {}, functions)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('can(var.a.x) ? "yes" : "no"', "no"),
        ("try(var.a.x, var.a.n)", 1),
        ("try(var.l[5], var.l[0])", 10),
        ("[for i, v in var.l : i + v if v > 10]", [21]),
        ("{for k, v in var.a : v => k}", {"1": "n"}),
        ('{for v in ["a", "b", "a"] : v => 1...}', {"a": [1, 1], "b": [1]}),
        ("[for k, v in { b = 1, a = 2 } : k]", ["a", "b"]),  # maps are walked over by key
        ('"%{ for v in var.l }${v},%{ endfor }"', "10,20,"),
        ('"${true}%{ if var.l[0] > 5 }x%{ endif }"', "truex"),
        ("var.l[*]", [10, 20]),
        ("null[*]", []),
        ("!(var.l[0] == 10)", False),
        ("-var.l[0]", -10),
        ('var.l["1"]', 20),
        ('{ (upper("a")) = 1 }["A"]', 1),
    ],
)
def test_what_expressions_give(expression: str, expected: object) -> None:
    found = value(expression, {"var": {"a": {"n": 1}, "l": [10, 20]}})
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("expression", "kind", "says"),
    [
        ("x.y", NotEvaluable, '"x" is not known here'),
        ("var.y", NotEvaluable, '"var.y" is not known here'),
        ("nosuch()", NotEvaluable, 'the function "nosuch" is left to Packer'),
        ("[1][2]", WrongExpression, "there is no element 2"),
        ("[1][-1]", WrongExpression, "there is no element -1"),
        ("[1][0.5]", WrongExpression, "there is no element 0.5"),
        ('{ a = 1 }["b"]', WrongExpression, 'there is no "b"'),
        ('"a"["b"]', WrongExpression, "only lists and maps have elements"),
        ('1 + "x"', WrongExpression, "a number is required"),
        ("!1", WrongExpression, "a bool is required"),
        ('"x${[]}"', WrongExpression, "a string is required"),
        ("[for x in 5 : x]", WrongExpression, "only a list or a map can be walked over"),
        ("{for x in [1, 1] : x => x}", WrongExpression, 'two items have the key "1"'),
        ("max(1...)", WrongExpression, "only a list can be expanded"),
        ("upper(1, 2)", WrongExpression, '"upper" does not take 2 arguments'),
        ("try(1 + null)", WrongExpression, "nothing that was tried has a value"),
        # Packer can compute these, or may: the answer is not an error.
        ("true ? 1 : [1]", NotEvaluable, "different types"),
        ("1 / 0", NotEvaluable, "division by zero"),
        ("try(var.y, 1)", NotEvaluable, '"var.y" is not known here'),
    ],
)
def test_what_is_wrong_is_told_from_what_is_unknown(
    expression: str, kind: type[NotEvaluable], says: str
) -> None:
    with pytest.raises(NotEvaluable, match=re.escape(says)) as caught:
        value(expression, {"var": {}})
    assert type(caught.value) is kind


def test_a_fault_has_the_line_of_its_expression() -> None:
    with pytest.raises(NotEvaluable) as caught:
        value("[\n  1,\n  unknown.x\n]")
    assert caught.value.line == 3


def test_without_functions_none_is_called_not_even_can() -> None:
    with pytest.raises(NotEvaluable, match='"can" is left to Packer'):
        value("can(1)", {}, None)


def test_a_function_cannot_change_what_it_was_given() -> None:
    scope = {"var": {"m": {"a": 1}}}
    assert value("merge(var.m, { b = 2 })", scope) == {"a": 1, "b": 2}
    assert scope == {"var": {"m": {"a": 1}}}


def test_names_of_a_loop_hide_those_of_the_scope_and_end_with_it() -> None:
    assert value("[[for x in [1] : x], x]", {"x": 5}) == [[1], 5]
