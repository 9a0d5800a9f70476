"""Values as Packer converts, compares and computes with them."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, reject, settings
from hypothesis import strategies as st

from hybridcore.hcl.values import (
    COMPARISONS,
    NotEvaluable,
    Refused,
    SetOf,
    arithmetic,
    equal,
    kind,
    number_of,
    to_bool,
    to_number,
    to_python,
    to_text,
    unify,
)


@pytest.mark.parametrize(
    ("number", "value"),
    [
        ("0", 0),
        ("-0", Decimal("-0")),  # as a text it is not "0"
        ("1.0", 1),
        ("0.1", 0.1),
        ("1e-400", Decimal("1e-400")),
        ("0.12345678901234567890123", Decimal("0.12345678901234567890123")),
        ("1e4000", 10**4000),
        ("1e20000", Decimal("1e20000")),
    ],
)
def test_numbers_are_the_plainest_that_are_exact(number: str, value: object) -> None:
    found = number_of(Decimal(number))
    assert found == value
    assert type(found) is type(value)


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**40), max_value=10**40))
def test_no_digit_of_a_number_is_lost(number: Decimal) -> None:
    found = number_of(number)
    assert Decimal(repr(found) if isinstance(found, float) else found) == number


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a", "a"),
        (True, "true"),
        (5, "5"),
        (1.5, "1.5"),
        (1e-7, "0.0000001"),
        (Decimal("1.50"), "1.5"),
        (10**4000, "1" + "0" * 4000),
        (Decimal("-0"), "-0"),
    ],
)
def test_texts(value: object, text: str) -> None:
    assert to_text(value) == text


@pytest.mark.parametrize("value", [None, [], {}, SetOf(())])
def test_what_is_no_text_no_number_and_no_bool(value: object) -> None:
    for convert in (to_text, to_number, to_bool):
        with pytest.raises(Refused):
            convert(value)


def test_texts_of_very_many_digits_are_left_to_packer() -> None:
    with pytest.raises(NotEvaluable):
        to_text(Decimal("1e20000"))


@pytest.mark.parametrize(("text", "number"), [("-5", -5), ("1.50", Decimal("1.5")), ("1e3", 1000), ("-0", 0)])
def test_texts_that_are_numbers(text: str, number: object) -> None:
    assert to_number(text) == number


@pytest.mark.parametrize("text", ["", " 1", "1 ", "--1", "+1", "0x1", "1_0", "inf", "٥", True])
def test_texts_that_are_none(text: object) -> None:
    with pytest.raises(Refused):
        to_number(text)


@pytest.mark.parametrize("text", ["True", "1", "yes", 1, 0])
def test_only_true_and_false_are_bools(text: object) -> None:
    assert to_bool("true")
    assert not to_bool("false")
    with pytest.raises(Refused):
        to_bool(text)


@pytest.mark.parametrize(
    ("left", "right", "same"),
    [
        (1, Decimal("1.0"), True),
        (0.1, Decimal("0.1"), True),
        (1, "1", False),
        (True, 1, False),
        (True, "true", False),
        (None, None, True),
        (None, "", False),
        ([], "", False),
        ({}, 5, False),
    ],
)
def test_equality(left: object, right: object, same: bool) -> None:
    assert equal(left, right) is same
    assert equal(right, left) is same


@pytest.mark.parametrize(("left", "right"), [([1], [1]), ({}, {}), ("a", [None]), ({"a": {"b": None}}, 1)])
def test_equality_that_only_packer_knows(left: object, right: object) -> None:
    with pytest.raises(NotEvaluable):
        equal(left, right)


@pytest.mark.parametrize(
    ("first", "second", "result"),
    [
        (1, 2, 1),
        (1, "a", "1"),
        (True, "a", "true"),
        ("a", 1, "a"),
        (None, 1, None),
        (1, None, 1),
        ([1], [2, 3], [1]),
        ({"a": 1}, {"b": 2}, {"a": 1}),
    ],
)
def test_the_two_results_of_a_condition_get_one_type(first: object, second: object, result: object) -> None:
    found = unify(first, second)
    assert found == result
    assert type(found) is type(result)


@pytest.mark.parametrize(
    ("first", "second", "error"),
    [
        (1, True, Refused),
        (1, [1], Refused),
        ([1], {"a": 1}, Refused),
        ([1], ["a"], NotEvaluable),
        ([[1]], [[1], [2]], NotEvaluable),
        ({"a": 1}, {"b": "x"}, NotEvaluable),
    ],
)
def test_results_without_a_type_in_common(first: object, second: object, error: type[Exception]) -> None:
    with pytest.raises(error):
        unify(first, second)


@given(st.integers(-(10**30), 10**30), st.integers(-(10**30), 10**30))
def test_whole_numbers_are_computed_exactly(left: int, right: int) -> None:
    assert arithmetic("+", left, right) == left + right
    assert arithmetic("-", left, right) == left - right
    assert arithmetic("*", left, right) == left * right
    for sign, compare in COMPARISONS.items():
        assert compare(left, right) is eval(f"left {sign} right")
    if right:
        # As Go's big.Int has it: the sign is that of the left side.
        remainder = arithmetic("%", left, right)
        assert remainder == abs(left) % abs(right) * (-1 if left < 0 else 1)


@settings(max_examples=30)
@given(st.fractions(max_denominator=1000), st.integers(1, 1000))
def test_a_quotient_is_the_shortest_number_that_stands_for_it(value: Fraction, by: int) -> None:
    numerator, denominator = value.numerator, value.denominator * by
    try:
        found = Fraction(arithmetic("/", numerator, denominator))
    except NotEvaluable:  # it has more digits than are written: left to Packer
        reject()
    exact = Fraction(numerator, denominator)
    assert abs(found - exact) <= abs(exact) / 2**510


@pytest.mark.parametrize(
    ("operator", "left", "right", "result"),
    [
        ("/", 1, 4, "0.25"),
        ("+", Decimal("0.1"), Decimal("0.2"), "0.3"),
        ("*", -1, 0, "-0"),
        ("-", 0, 0, "0"),
        ("+", Decimal("-0"), Decimal("-0"), "-0"),
        ("-", 5, 5, "0"),
        ("%", -7, 3, "-1"),
    ],
)
def test_results_and_their_signs(
    operator: str, left: int | Decimal, right: int | Decimal, result: str
) -> None:
    found = arithmetic(operator, left, right)
    assert found == Decimal(result)
    assert Decimal(found).is_signed() is Decimal(result).is_signed()


@pytest.mark.parametrize(
    ("operator", "left", "right"),
    [("/", 1, 0), ("%", 1, 0), ("%", Decimal("0.5"), 1), ("+", 10**2000, 1), ("*", Decimal("1e-1500"), 1)],
)
def test_what_is_left_to_packer(operator: str, left: int | Decimal, right: int | Decimal) -> None:
    with pytest.raises(NotEvaluable):
        arithmetic(operator, left, right)


def test_plain_python_comes_out() -> None:
    assert to_python({"a": [Decimal("1.0"), None, True]}) == {"a": [1, None, True]}
    with pytest.raises(NotEvaluable):
        to_python([SetOf((1,))])
    with pytest.raises(Refused):
        to_python(object())


def test_kinds_tell_types_apart_as_far_as_they_are_known() -> None:
    assert kind([1, "a"]) == kind([2, "b"]) != kind(["a", 1])
    assert kind({"b": 1, "a": True}) == kind({"a": False, "b": 2})
    assert kind(True) != kind(1)
    assert kind(None) is None
    with pytest.raises(NotEvaluable):
        kind(SetOf(()))
