"""Writes values as ``packer fmt`` would leave them, so that reading them back gives the same values."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping
from decimal import Decimal

from ..errors import HclError
from .lexer import MAX_DEPTH, name_at

_WIDTH = 100
_BARE_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
# Bare, the first would begin a loop and the others look like values.
_QUOTED_KEYS = frozenset(("for", "true", "false", "null"))
# The width of text that Packer aligns depends on how its letters join; in keys, those that may are escaped.
_JOINING = re.compile(r"[^\x00-\u024f]")
_SPECIAL = re.compile(r'["\\\x00-\x1f\x7f]|\$(?=\{)|%(?=\{)|[\ud800-\udfff]')
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "$": "$$", "%": "%%"}


def dumps(mapping: Mapping[str, object]) -> str:
    """A whole ``.pkrvars.hcl`` file, in the order of the mapping.

    Args:
        mapping: names of variables and their values; see ``dumps_value``.

    Returns:
        The text, which ``packer fmt -check`` accepts; empty for an empty mapping.

    Raises:
        HclError: a name is not an identifier, or a value cannot be written.
    """
    for name in mapping:
        if not isinstance(name, str) or not name or name_at(name, 0) != name:
            raise _unwritable(f"{name!r} cannot be the name of an attribute")
    return "".join(f"{line}\n" for line in _lines(mapping.items(), 0))


def dumps_value(value: object, indent: int = 0) -> str:
    """One value as an HCL expression.

    Args:
        value: ``str``, ``int``, ``float``, ``Decimal``, ``bool``, ``None``, a list or tuple of values, or a
            mapping of text to values.
        indent: how many levels of two spaces the line that holds the value is indented by.

    Raises:
        HclError: the value is of another type, not finite, not text that UTF-8 can hold, or nested too deep.
    """
    if indent > MAX_DEPTH:
        raise _unwritable(f"a value nests more than {MAX_DEPTH} levels deep")
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, int):
        return format(Decimal(value), "f")
    if isinstance(value, Decimal) and value.is_finite():
        return str(value).replace("E+", "e+").replace("E-", "e-")
    if isinstance(value, float):
        if not math.isfinite(value):
            raise _unwritable(f"{value} cannot be written as a number")
        # Whole ones as they are, digit by digit: 1e+300 in decimal is another number.
        return format(Decimal(value), "f") if value.is_integer() else repr(value)
    if isinstance(value, Mapping):
        return _object(value, indent)
    if isinstance(value, (list, tuple)):
        return _list(value, indent)
    raise _unwritable(f"a value of the type {type(value).__name__} cannot be written")


def _unwritable(message: str) -> HclError:
    return HclError(message, filename="<value>", line=1, column=1)


def _escape_code(found: re.Match[str]) -> str:
    code = ord(found.group())
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _escape(found: re.Match[str]) -> str:
    character = found.group()
    if "\ud800" <= character <= "\udfff":
        raise _unwritable("a text holds half a surrogate pair, which UTF-8 cannot hold")
    return _ESCAPES.get(character) or _escape_code(found)


def _quoted(text: str) -> str:
    return f'"{_SPECIAL.sub(_escape, text)}"'


def _list(items: list[object] | tuple[object, ...], indent: int) -> str:
    if not any(isinstance(item, (list, tuple, Mapping)) and item for item in items):
        line = f"[{', '.join(dumps_value(item) for item in items)}]"
        if len(line) <= _WIDTH:
            return line
    pad = "  " * (indent + 1)
    lines = "".join(f"{pad}{dumps_value(item, indent + 1)},\n" for item in items)
    return f"[\n{lines}{'  ' * indent}]"


def _object(mapping: Mapping[object, object], indent: int) -> str:
    if not mapping:
        return "{}"
    pairs = []
    for key, value in mapping.items():
        if not isinstance(key, str):
            raise _unwritable(f"{key!r} cannot be a key: only text can")
        bare = _BARE_KEY.fullmatch(key) and key not in _QUOTED_KEYS
        pairs.append((key if bare else _JOINING.sub(_escape_code, _quoted(key)), value))
    pad = "  " * (indent + 1)
    lines = "".join(f"{pad}{line}\n" for line in _lines(pairs, indent + 1))
    return f"{{\n{lines}{'  ' * indent}}}"


def _lines(pairs: Iterable[tuple[str, object]], indent: int) -> list[str]:
    """Lines ``key = value``, the equals signs of neighbours aligned; several lines stand alone."""
    lines: list[str] = []
    run: list[tuple[str, str]] = []

    def align() -> None:
        width = max((_columns(key) for key, __ in run), default=0)
        lines.extend(f"{key}{' ' * (width - _columns(key))} = {value}" for key, value in run)
        run.clear()

    for key, value in pairs:
        text = dumps_value(value, indent)
        if "\n" in text:
            align()
            lines.append(f"{key} = {text}")
        else:
            run.append((key, text))
    align()
    return lines


def _columns(text: str) -> int:
    """How many characters a reader sees: what joins the letter before it does not count."""
    joined = sum("\u1160" <= letter <= "\u11ff" or unicodedata.category(letter)[0] == "M" for letter in text)
    return len(text) - joined
