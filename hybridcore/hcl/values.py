"""What expressions give: conversions of values, equality and arithmetic, with Packer's meaning."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Context, Decimal, localcontext
from fractions import Fraction
from typing import TYPE_CHECKING

from ..errors import HybridError
from .expressions import number
from .lexer import is_number_text

if TYPE_CHECKING:
    from typing import TypeAlias

Value: TypeAlias = "str | int | float | Decimal | bool | list[Value] | dict[str, Value] | None"
"""What an expression gives: text, numbers, truth values, ``None`` for null, lists, maps with text keys.

A number without a fraction is an ``int``, another one a ``float`` where that is the same decimal number,
else a ``Decimal``; so is minus zero, which as a text is not zero.
"""
Function = Callable[..., object]

MAX_DIGITS = 20_000
"""How long a number is at most when it is written out."""
_DIGITS = 512  # binary, of Packer's numbers


class NotEvaluable(HybridError):
    """An expression that cannot be computed here: it is left to Packer, or it is wrong."""


class WrongExpression(NotEvaluable):
    """An expression cannot be computed by Packer either: it is an error."""


@dataclass(frozen=True, slots=True)
class SetOf:
    """A set in a scope. Only Packer knows its order, and it has no elements by index."""

    items: tuple[object, ...]

    def __iter__(self) -> Iterator[object]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


class Refused(Exception):
    """A function or operator does not take these values. Caught by ``can`` and ``try`` as Packer does."""


def to_python(value: object) -> Value:
    """A value with all its numbers as ``int``, ``float`` or ``Decimal``; see ``Value``."""
    if isinstance(value, Decimal):
        return number_of(value)
    if isinstance(value, SetOf):
        raise NotEvaluable("only Packer knows the order of a set")
    if isinstance(value, list):
        return [to_python(item) for item in value]
    if isinstance(value, dict):
        return {key: to_python(item) for key, item in value.items()}
    if value is None or isinstance(value, (str, int, float)):
        return value
    raise Refused(f"{type(value).__name__} is not a value")


def number_of(value: Decimal) -> int | float | Decimal:
    """A number as ``Value`` has it."""
    if not value:
        return Decimal("-0") if value.is_signed() else 0
    if value.adjusted() < MAX_DIGITS and value == value.to_integral_value():
        return int(value)
    nearest = float(value)
    return nearest if math.isfinite(nearest) and Decimal(repr(nearest)) == value else value


def is_number(value: object) -> bool:
    """Whether a value is a number (in Python, truth values are too)."""
    return isinstance(value, (int, Decimal)) and not isinstance(value, bool)


def to_number(value: object) -> int | Decimal:
    """A value as a number: strings are converted as Packer converts them."""
    if is_number(value):
        return value  # type: ignore[return-value]
    if isinstance(value, float):
        return Decimal(repr(value))
    if isinstance(value, str) and is_number_text(value.removeprefix("-")):
        return number(value)
    raise Refused("a number is required")


def to_text(value: object) -> str:
    """A value as a string, as Packer prints it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        value = Decimal(repr(value))
    if isinstance(value, int):
        return format(Decimal(value), "f")
    if isinstance(value, Decimal):
        if abs(value.adjusted()) >= MAX_DIGITS:
            raise NotEvaluable("a number of that many digits")
        return format(value.normalize(), "f")
    raise Refused("a string is required")


def to_bool(value: object) -> bool:
    """A value as a truth value; the strings "true" and "false" are converted."""
    if isinstance(value, bool):
        return value
    if value in ("true", "false"):
        return value == "true"
    raise Refused("a bool is required")


def kind(value: object) -> object:
    """The shape of a value: equal for two values whose types are certainly equal, or ``None`` for null."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, (int, float, Decimal)):
        return "number"
    if isinstance(value, str):
        return "string"
    if isinstance(value, list):
        return ("list", *(kind(item) for item in value))
    if isinstance(value, dict):
        return ("map", *sorted((key, kind(item)) for key, item in value.items()))
    if isinstance(value, SetOf):
        raise NotEvaluable("only Packer knows the type of a set")
    raise Refused(f"{type(value).__name__} is not a value")


def _has_null(value: object) -> bool:
    if isinstance(value, dict):
        return any(item is None or _has_null(item) for item in value.values())
    return isinstance(value, list) and any(item is None or _has_null(item) for item in value)


def equal(left: object, right: object) -> bool:
    """``==``: values of different types differ; two collections of one kind are compared by Packer alone."""
    if left is None or right is None:
        return left is right
    for collection in (list, dict):
        if isinstance(left, collection) and isinstance(right, collection):
            raise NotEvaluable("only Packer knows whether these collections have the same type")
    if _has_null(left) or _has_null(right):
        raise NotEvaluable(
            "for Packer 1.6 it is not known whether a collection with null is equal to anything"
        )
    if kind(left) == kind(right) == "number":
        return to_number(left) == to_number(right)
    return kind(left) == kind(right) and left == right


def normal(text: str) -> str:
    """A text in Unicode's form NFC, into which Packer brings every string."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def unify(first: object, second: object) -> object:
    """The first of two results of a condition, in the type that both have in common."""
    one, other = kind(first), kind(second)
    if one == other or one is None or other is None:
        return first
    if "string" in (one, other) and isinstance(one, str) and isinstance(other, str):
        return to_text(first)
    if isinstance(one, str) or isinstance(other, str):
        raise Refused("the two results of the condition have different types")
    if isinstance(first, dict) and isinstance(second, dict):
        elements = {kind(value) for value in (*first.values(), *second.values())}
    elif isinstance(first, list) and isinstance(second, list):
        elements = {kind(value) for value in (*first, *second)}
    else:
        raise Refused("the two results of the condition have different types")
    if len(elements) > 1 or not elements <= {"bool", "number", "string"}:
        raise NotEvaluable("only Packer knows which type the two results of the condition have in common")
    return first


COMPARISONS: dict[str, Callable[[int | Decimal, int | Decimal], bool]] = {
    "<": lambda a, b: a < b,
    ">": lambda a, b: a > b,
    "<=": lambda a, b: a <= b,
    ">=": lambda a, b: a >= b,
}
_ARITHMETIC: dict[str, Callable[[Fraction, Fraction], Fraction]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "%": lambda a, b: a - b * math.trunc(a / b),
}


def _binary(value: Fraction) -> Fraction:
    """The nearest number that Packer can hold: its numbers have 512 binary digits."""
    over, under = value.numerator, value.denominator
    shift = _DIGITS - (over.bit_length() - under.bit_length())
    scaled = value * Fraction(2) ** shift
    if abs(scaled) >= 2**_DIGITS:
        shift -= 1
        scaled /= 2
    return round(scaled) / Fraction(2) ** shift


def _held(value: int | Decimal) -> Fraction:
    """A number as Packer holds it."""
    if abs(Decimal(value).adjusted()) > 1000 or (
        isinstance(value, Decimal) and len(value.as_tuple().digits) > 1000
    ):
        raise NotEvaluable("a number of that many digits")
    return _binary(Fraction(value)) if value else Fraction(0)


def arithmetic(operator: str, left: int | Decimal, right: int | Decimal) -> int | Decimal:
    """The result of an operation as Packer rounds it: the shortest decimal number that stands for it."""
    one, other = _held(left), _held(right)
    if operator in "/%" and not other:
        raise NotEvaluable("division by zero")
    result = _ARITHMETIC[operator](one, other)
    if operator == "%" and (one.denominator, other.denominator) != (1, 1):
        raise NotEvaluable("a remainder of fractions")
    if not result:
        minus = [Decimal(number).is_signed() for number in (left, right)]
        signed = {"+": all(minus), "-": minus[0] and not minus[1]}.get(operator, minus[0] != minus[1])
        return Decimal("-0") if signed and (one == other == 0 or operator in "*/") else 0
    exact = _binary(result)
    if exact.denominator == 1 and abs(exact) < 2**_DIGITS:
        return int(exact)
    for digits in range(1, 156):
        with localcontext(Context(prec=digits)):
            short = Decimal(exact.numerator) / Decimal(exact.denominator)
        if _binary(Fraction(short)) == exact:
            return short
    raise NotEvaluable("the result has too many digits")
