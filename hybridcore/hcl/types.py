"""The types of variables, and the conversions that Packer makes to them.

The rules are those of cty's ``convert`` package, which Packer uses, checked against the program
itself: see tests/integration/test_config_packer_verdicts.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from .. import hcl
from .values import MAX_DIGITS, NotEvaluable, SetOf, normal, number_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from . import Value

PRIMITIVES = ("string", "number", "bool", "any")
COLLECTIONS = ("list", "set", "map")
MAX_DEPTH = 200  # as in hcl: the trees are walked by recursion

# cty parses with big.ParseFloat in base 10: a sign, digits with or without a point, an exponent.
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
# What big.ParseFloat takes besides: Packer accepts these, HCL has no literal for them.
_ODD_NUMBER = re.compile(r"[+-]?(?:[iI]nf|(?:\d+\.?\d*|\.\d+)[pP][+-]?\d+)", re.ASCII)
_BOOLS = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True)
class Type:
    """A type that a value can be converted to.

    Attributes:
        kind: ``string``, ``number``, ``bool``, ``any``, ``list``, ``set``, ``map``, ``tuple`` or ``object``.
        element: type of the elements of a list, set or map.
        items: types of a tuple's elements.
        attributes: types of an object's attributes.
        optional: names of the attributes that may be absent.
        defaults: values of optional attributes that are absent.
    """

    kind: str
    element: Type | None = None
    items: tuple[Type, ...] = ()
    attributes: Mapping[str, Type] = field(default_factory=dict)
    optional: frozenset[str] = frozenset()
    defaults: Mapping[str, Value] = field(default_factory=dict)

    def __str__(self) -> str:
        if self.kind in COLLECTIONS:
            return f"{self.kind}({self.element})"
        if self.kind == "tuple":
            return "tuple([" + ", ".join(map(str, self.items)) + "])"
        if self.kind == "object":
            parts = [
                f"{name} = optional({kind})" if name in self.optional else f"{name} = {kind}"
                for name, kind in sorted(self.attributes.items())
            ]
            return "object({ " + ", ".join(parts) + " })" if parts else "object({})"
        return self.kind


ANY = Type("any")
_ANY_LIST, _ANY_MAP = Type("list", element=ANY), Type("map", element=ANY)
PLAIN = {name: ANY if name == "any" else Type(name) for name in PRIMITIVES}


@dataclass(frozen=True)
class Mismatch:
    """One place where a value does not fit its type.

    Attributes:
        path: where in the value, ``[0].size``; empty for the value itself.
        expected: what belongs there.
        found: what is there; never more than a few words of it.
    """

    path: str
    expected: str
    found: str


def type_of(value: Value) -> Type:
    """The type of a value: what Packer takes for a variable that has a default and no type."""
    if value is None:
        return ANY
    if isinstance(value, bool):
        return PLAIN["bool"]
    if isinstance(value, int | float | Decimal):
        return PLAIN["number"]
    if isinstance(value, str):
        return PLAIN["string"]
    if isinstance(value, dict):
        return Type("object", attributes={name: type_of(item) for name, item in value.items()})
    return Type("tuple", items=tuple(type_of(item) for item in value))


def typed(value: Value, kind: Type) -> object:
    """A value of a type for a scope: its sets are told apart from lists.

    Raises:
        NotEvaluable: a number has no form but a text that Packer converts, such as ``inf``.
    """
    if kind.kind == "number" and isinstance(value, str):
        raise NotEvaluable("a number that Packer converts")
    if isinstance(value, dict):
        return {
            name: typed(
                item, kind.attributes.get(name, ANY) if kind.kind == "object" else kind.element or ANY
            )
            for name, item in value.items()
        }
    if not isinstance(value, list):
        return value
    kinds = kind.items if kind.kind == "tuple" else [kind.element or ANY] * len(value)
    items = [typed(item, element) for item, element in zip(value, kinds, strict=True)]
    return SetOf(tuple(items)) if kind.kind == "set" else items


def describe(value: Value) -> str:
    """A value in a few words, for a fault."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return f"the bool {str(value).lower()}"
    if isinstance(value, str):
        return "the string " + hcl.dumps_value(value if len(value) <= 40 else value[:37] + "...")
    if isinstance(value, int | float | Decimal):
        text = _to_string(value) or ""
        return "the number " + (text if len(text) <= 40 else text[:37] + "...")
    if isinstance(value, dict):
        return "a map" if value else "an empty map"
    return f"a list of {len(value)}" if value else "an empty list"


def convert(value: Value, kind: Type, problems: list[Mismatch], path: str = "", depth: int = 0) -> Value:
    """Convert a value to a type as Packer does.

    Args:
        value: a plain value: None, bool, int, float, str, list or dict with string keys.
        kind: the type to convert to.
        problems: where to add what does not fit; all of it is found, not only the first.
        path: where the value lies inside the variable's value.
        depth: how deep that is.

    Returns:
        The converted value, maps sorted by key. Meaningless when problems were added.
    """
    if depth > MAX_DEPTH:
        problems.append(Mismatch(path, f"at most {MAX_DEPTH} levels", "a deeper value"))
        return None
    if value is None:
        return None
    if kind.kind == "any":
        kind = _ANY_MAP if isinstance(value, dict) else _ANY_LIST if isinstance(value, list) else ANY
        if kind is ANY:
            return normal(value) if isinstance(value, str) else value
    if isinstance(value, dict):
        value = {normal(name): item for name, item in value.items()}
    result: Value = None
    if kind.kind == "string":
        result = _to_string(value)
    elif kind.kind == "number":
        result = _to_number(value)
    elif kind.kind == "bool":
        result = _to_bool(value)
    elif kind.kind == "object":
        if isinstance(value, dict):
            return _to_object(value, kind, problems, path, depth)
    elif kind.kind == "map":
        if isinstance(value, dict):
            element = kind.element or ANY
            return {
                name: convert(item, element, problems, _key(path, name), depth + 1)
                for name, item in sorted(value.items())
            }
    elif isinstance(value, list):
        return _to_sequence(value, kind, problems, path, depth)
    if result is None:
        problems.append(Mismatch(path, str(kind), describe(value)))
    return result


def _key(path: str, name: str) -> str:
    return f"{path}.{name}" if name.isidentifier() else f"{path}[{hcl.dumps_value(name)}]"


def _to_string(value: Value) -> str | None:
    if isinstance(value, str):
        return normal(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return format(Decimal(value), "f")  # str() refuses numbers of more than 4,300 digits
    if isinstance(value, float):
        return format(Decimal(repr(value)), "f")
    if isinstance(value, Decimal) and abs(value.adjusted()) < MAX_DIGITS:
        return format(value, "f")
    return None


def _to_number(value: Value) -> int | float | Decimal | str | None:
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return value
    if not isinstance(value, str):
        return None
    if _ODD_NUMBER.fullmatch(value):
        return value
    if not _NUMBER.fullmatch(value):
        return None
    try:
        exact = Decimal(value)
    except InvalidOperation:
        return value
    if abs(exact.adjusted()) >= MAX_DIGITS:
        return value  # as a text: Packer converts it
    return number_of(exact)


def _to_bool(value: Value) -> bool | None:
    if isinstance(value, bool):
        return value
    return _BOOLS.get(value) if isinstance(value, str) else None


def _to_object(
    value: dict[str, Value], kind: Type, problems: list[Mismatch], path: str, depth: int
) -> dict[str, Value]:
    result: dict[str, Value] = {}
    for name, element in sorted(kind.attributes.items()):
        if name not in value and name not in kind.optional:
            problems.append(Mismatch(_key(path, name), f"{element}, a required attribute", "nothing"))
            continue
        item = value.get(name)
        if item is None and name in kind.optional:
            if name in kind.defaults:
                result[name] = kind.defaults[name]
            continue
        result[name] = convert(item, element, problems, _key(path, name), depth + 1)
    return result


def _to_sequence(
    value: list[Value], kind: Type, problems: list[Mismatch], path: str, depth: int
) -> list[Value]:
    if kind.kind == "tuple":
        if len(value) != len(kind.items):
            problems.append(Mismatch(path, f"{kind}, {len(kind.items)} elements", describe(value)))
            return []
        pairs = list(zip(value, kind.items, strict=True))
    else:
        pairs = [(item, kind.element or ANY) for item in value]
    result = [
        convert(item, element, problems, f"{path}[{index}]", depth + 1)
        for index, (item, element) in enumerate(pairs)
    ]
    if kind.kind == "set":
        unique: list[Value] = []
        seen: set[str] = set()
        for item in result:
            mark = repr(item)
            if mark not in seen:
                seen.add(mark)
                unique.append(item)
        return unique
    return result


def extra_attributes(value: Value, kind: Type, path: str = "") -> list[str]:
    """Attributes that an object type does not have: Packer drops them without a word.

    Args:
        value: the value before conversion.
        kind: the type that it is converted to.
        path: where the value lies inside the variable's value.

    Returns:
        Where they are, ``.disk.siez``, in order.
    """
    found: list[str] = []
    if kind.kind == "object" and isinstance(value, dict):
        for name, item in sorted(value.items()):
            if name not in kind.attributes:
                found.append(_key(path, name))
            else:
                found += extra_attributes(item, kind.attributes[name], _key(path, name))
    elif kind.kind == "map" and isinstance(value, dict):
        for name, item in sorted(value.items()):
            found += extra_attributes(item, kind.element or ANY, _key(path, name))
    elif kind.kind == "tuple" and isinstance(value, list):
        for index, (item, element) in enumerate(zip(value, kind.items, strict=False)):
            found += extra_attributes(item, element, f"{path}[{index}]")
    elif kind.kind in ("list", "set") and isinstance(value, list):
        for index, item in enumerate(value):
            found += extra_attributes(item, kind.element or ANY, f"{path}[{index}]")
    return found
