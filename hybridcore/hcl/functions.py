"""The functions of Packer that depend on nothing but their arguments, with Packer's meaning."""

from __future__ import annotations

import base64
import math
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from types import MappingProxyType

from . import regex
from .lexer import GO_SPACE
from .values import Function, NotEvaluable, Refused, SetOf, equal, kind, to_number, to_text

_JOINING = ("Mn", "Mc", "Me", "Cf", "Cs")
# Letters that Unicode joins to the one before: parts of Hangul syllables, halves of flags, emoji modifiers.
_JOINING_RANGES = (
    (0x1100, 0x11FF),
    (0xA960, 0xA97F),
    (0xD7B0, 0xD7FF),
    (0x1F1E6, 0x1F1FF),
    (0x1F3FB, 0x1F3FF),
)


def _list_of(value: object) -> list[object]:
    if isinstance(value, SetOf):
        raise NotEvaluable("only Packer knows the order of a set")
    if not isinstance(value, list):
        raise Refused("a list is required")
    return value


def _map_of(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise Refused("a map is required")
    return value


def _whole(value: object) -> int:
    number = to_number(value)
    if not isinstance(number, int) or number.bit_length() > 63:
        raise Refused("a whole number is required")
    return number


def _near(value: object) -> int | Decimal:
    """A number that a double holds too, since Packer 1.6.6 rounds doubles; another is left to Packer."""
    number = to_number(value)
    exact = Decimal(number)
    if exact and (exact.copy_abs() > 2**53 or exact.adjusted() < -100):
        raise NotEvaluable("a very small or very large number")
    return number


def _same_kind(values: list[object]) -> None:
    """Refuse elements of different types, which Packer converts to one type first."""
    if len({kind(value) for value in values}) > 1:
        raise NotEvaluable("elements of different types")


def _letters(text: str) -> str:
    """A text whose letters are one character each, as Packer counts what a reader sees."""
    if not text.isascii() or "\r\n" in text:
        for letter in text:
            joined = unicodedata.category(letter) in _JOINING or letter in "\r\u0e33\u0eb3"
            if joined or any(low <= ord(letter) <= high for low, high in _JOINING_RANGES):
                raise NotEvaluable("letters of several characters")
    return text


def _length(value: object) -> int:
    if isinstance(value, (list, dict, SetOf)):
        return len(value)
    if not isinstance(value, str):
        raise Refused("a string, list or map is required")
    return len(_letters(value))


def _contains(items: object, wanted: object) -> bool:
    if wanted is None:
        raise Refused("a value is required, not null")
    return any(equal(item, wanted) for item in (items if isinstance(items, SetOf) else _list_of(items)))


def _change_case(change: Callable[[str], str]) -> Function:
    def convert(value: object) -> str:
        # Letter by letter, and only where one letter becomes one: so does Go.
        pairs = ((letter, change(letter)) for letter in to_text(value))
        return "".join(changed if len(changed) == 1 else letter for letter, changed in pairs)

    return convert


def _substr(value: object, offset: object, length: object) -> str:
    text, start, count = _letters(to_text(value)), _whole(offset), _whole(length)
    if start < 0:
        start += len(text)
        if start < 0:
            raise Refused("the offset is before the text")
    return text[start:] if count < 0 else text[start : start + count]


def _trim_prefix(value: object, prefix: object) -> str:
    return to_text(value).removeprefix(to_text(prefix))


def _trim_suffix(value: object, suffix: object) -> str:
    return to_text(value).removesuffix(to_text(suffix))


def _trim(value: object, letters: object) -> str:
    return to_text(value).strip(to_text(letters)) if letters != "" else to_text(value)


def _replace(value: object, old: object, new: object) -> str:
    text, pattern = to_text(value), to_text(old)
    if len(pattern) > 1 and pattern.startswith("/") and pattern.endswith("/"):
        raise NotEvaluable("a pattern between slashes")
    if not pattern or len(text) * (len(to_text(new)) + 1) > 1_000_000:
        raise NotEvaluable("a replacement of that kind")
    return text.replace(pattern, to_text(new))


def _split(separator: object, value: object) -> list[object]:
    text = to_text(value)
    parts: list[object] = []
    parts += text.split(to_text(separator)) if separator != "" else _letters(text)
    return parts


def _join(separator: object, *lists: object) -> str:
    return to_text(separator).join(to_text(item) for items in lists for item in _list_of(items))


def _format(template: object, *values: object) -> str:
    pieces = to_text(template).split("%")
    text, left = pieces[0], list(values)
    index = 1
    while index < len(pieces):
        piece = pieces[index]
        if not piece and index + 1 < len(pieces):
            text += "%" + pieces[index + 1]
            index += 2
            continue
        if piece[:1] not in ("s", "d", "v"):
            raise NotEvaluable("a format other than %s, %d and %v")
        if not left:
            raise Refused("too few values for the format")
        value = left.pop(0)
        if value is None or isinstance(value, (list, dict, SetOf)):
            raise NotEvaluable("a format of such a value")
        if piece[0] != "s" and not isinstance(value, str | bool) and abs(Decimal(to_number(value))) >= 2**512:
            raise NotEvaluable("a format of such a number")
        if piece[0] == "d" and not isinstance(to_number(value), int):
            raise NotEvaluable("a format of such a number")
        if piece[0] == "v" and isinstance(value, int | float | Decimal) and not isinstance(value, bool):
            text += _as_go_prints(value) + piece[1:]
        else:
            text += to_text(to_number(value) if piece[0] == "d" else value) + piece[1:]
        index += 1
    if left:
        raise Refused("too many values for the format")
    return text


def _as_go_prints(value: int | float | Decimal) -> str:
    """A number as ``%v`` of Go prints it: with an exponent where that is below -4, or 6 and more."""
    number = Decimal(to_number(value))
    sign, digits, __ = number.normalize().as_tuple()
    exponent = number.adjusted()
    if len(digits) > 150:
        raise NotEvaluable("a format of a number of that many digits")
    if not number or -4 <= exponent < 6:
        return to_text(value)
    first, rest = str(digits[0]), "".join(map(str, digits[1:]))
    return f"{'-' * sign}{first}{'.' * bool(rest)}{rest}e{exponent:+03d}"


def _keys(value: object) -> list[object]:
    return [key for key, __ in sorted(_map_of(value).items())]


def _values(value: object) -> list[object]:
    return [item for __, item in sorted(_map_of(value).items())]


def _lookup(value: object, key: object, *default: object) -> object:
    mapping, name = _map_of(value), to_text(key)
    if name in mapping:
        return mapping[name]
    if len(default) != 1:
        raise Refused(f'there is no "{name}"')
    return default[0]


def _merge(*maps: object) -> dict[str, object]:
    merged: dict[str, object] = {}
    for value in maps:
        merged.update({} if value is None else _map_of(value))
    return merged


def _concat(*lists: object) -> list[object]:
    return [item for items in lists for item in _list_of(items)]


def _coalesce(*values: object) -> object:
    _same_kind([value for value in values if value is not None])
    for value in values:
        if value is not None and value != "":
            return value
    raise Refused("no value is set")


def _distinct(value: object) -> list[object]:
    items = _list_of(value)
    _same_kind(items)
    found: list[object] = []
    for item in items:
        if not any(equal(other, item) for other in found):
            found.append(item)
            if len(found) > 1000:
                raise NotEvaluable("more than 1000 elements")
    return found


def _flatten(value: object) -> list[object]:
    def walk(items: list[object]) -> Iterator[object]:
        for item in items:
            if isinstance(item, (list, SetOf)):
                yield from walk(_list_of(item))
            else:
                yield item

    return list(walk(_list_of(value)))


def _element(value: object, index: object) -> object:
    items, place = _list_of(value), _whole(index)
    if not items or place < 0:
        raise Refused("there is no such element")
    return items[place % len(items)]


def _extreme(choose: Callable[[list[int | Decimal]], int | Decimal]) -> Function:
    def pick(*values: object) -> int | Decimal:
        if not values:
            raise Refused("a number is required")
        return choose([to_number(value) for value in values])

    return pick


def _captures(found: re.Match[str]) -> object:
    return found.groupdict() if found.re.groupindex else list(found.groups()) or found[0]


def _pattern(pattern: object, text: str) -> re.Pattern[str]:
    try:
        compiled = regex.translate(to_text(pattern), text)
    except regex.UnknownPattern as reason:
        raise NotEvaluable(f"the pattern is left to Packer: {reason}") from None
    if compiled.groupindex and len(compiled.groupindex) != compiled.groups:
        raise Refused("groups with and without names")
    return compiled


def _regex(pattern: object, value: object) -> object:
    text = to_text(value)
    found = _pattern(pattern, text).search(text)
    if found is None:
        raise Refused("the pattern does not match")
    return _captures(found)


def _regexall(pattern: object, value: object) -> list[object]:
    text = to_text(value)
    compiled = _pattern(pattern, text)
    matches: list[object] = []
    at, last = 0, -1
    while at <= len(text) and (found := compiled.search(text, at)):
        # As in Go: no empty match right behind another.
        if found.end() > found.start() or found.start() != last:
            matches.append(_captures(found))
        last = found.end()
        at = last if last > at else at + 1
    return matches


FUNCTIONS: Mapping[str, Function] = MappingProxyType(
    {
        "abs": lambda value: abs(to_number(value)),
        "base64encode": lambda value: base64.b64encode(to_text(value).encode()).decode(),
        "ceil": lambda value: math.ceil(_near(value)),
        "coalesce": _coalesce,
        "concat": _concat,
        "contains": _contains,
        "distinct": _distinct,
        "element": _element,
        "flatten": _flatten,
        "floor": lambda value: math.floor(_near(value)),
        "format": _format,
        "join": _join,
        "keys": _keys,
        "length": _length,
        "lookup": _lookup,
        "lower": _change_case(str.lower),
        "max": _extreme(max),
        "merge": _merge,
        "min": _extreme(min),
        "regex": _regex,
        "regexall": _regexall,
        "replace": _replace,
        "split": _split,
        "substr": _substr,
        "trim": _trim,
        "trimprefix": _trim_prefix,
        "trimspace": lambda value: to_text(value).strip(GO_SPACE + "\r\n"),
        "trimsuffix": _trim_suffix,
        "upper": _change_case(str.upper),
        "values": _values,
    }
)
"""By name, of Packer 1.7 and newer. ``can`` and ``try`` are no functions: they decide what an error of their
arguments means."""
