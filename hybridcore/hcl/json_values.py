"""Values of HCL's JSON form, with their places, and the expressions that they are.

Source: "JSON Syntax Specification" of HCL (json/spec.md). A string is a template, in which escapes of JSON
are undone already; keys of objects are templates too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from json import JSONDecodeError, JSONDecoder
from typing import TYPE_CHECKING

from .expressions import build, number
from .lexer import MAX_DEPTH, Document
from .nodes import ListNode, Literal, Node, ObjectNode, Template
from .syntax import Skimmer

if TYPE_CHECKING:
    from collections.abc import Sequence

_SPACE = re.compile(r"[ \t\r\n]*+").match
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?").match
_WORD = re.compile(r"true|false|null").match
_STRING = JSONDecoder().raw_decode
_WORDS = {"true": True, "false": False, "null": None}
_MARKER = "END_OF_TEMPLATE"
_SEQUENCE = re.compile(r"[$%]\{").search


@dataclass(frozen=True, slots=True)
class JsonValue:
    """A value with its place.

    Attributes:
        start: offset of its first character.
        end: offset after its last character.
        value: a text, a number as it is written, a word, a list of values or a list of items.
    """

    start: int
    end: int
    value: str | int | bool | object | None


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it is written."""

    text: str


@dataclass(frozen=True, slots=True)
class Item:
    """A property of an object: its name, the offset of that, and its value."""

    name: str
    at: int
    value: JsonValue


class JsonArray(tuple[JsonValue, ...]):
    """The values of an array."""

    __slots__ = ()


class JsonObject(tuple[Item, ...]):
    """The properties of an object, in order; a name may be there several times."""

    __slots__ = ()


def read(document: Document, offset: int, depth: int = 0) -> JsonValue:
    """Read the value that begins at an offset, or after white space there.

    Raises:
        HclError: what stands there is no JSON, or nests too deep.
    """
    text = document.text
    start = skip(text, offset)
    if depth > MAX_DEPTH:
        raise document.error(start, f"nested more than {MAX_DEPTH} levels deep")
    first = text[start : start + 1]
    if first == '"':
        value, end = _string(document, start)
        return JsonValue(start, end, value)
    if first == "{":
        return _object(document, start, depth)
    if first == "[":
        return _array(document, start, depth)
    if found := _NUMBER(text, start):
        return JsonValue(start, found.end(), Number(found.group()))
    if found := _WORD(text, start):
        return JsonValue(start, found.end(), _WORDS[found.group()])
    raise document.error(start, f"expected a value of JSON, found {document.found(start)}")


def skip(text: str, offset: int) -> int:
    """The offset after white space."""
    found = _SPACE(text, offset)
    return found.end() if found else offset


def _string(document: Document, start: int) -> tuple[str, int]:
    try:
        text, end = _STRING(document.text, start)
    except JSONDecodeError as error:
        raise document.error(min(error.pos, len(document.text)), f"a string: {error.msg}") from None
    return str(text), end


def _object(document: Document, start: int, depth: int) -> JsonValue:
    items = []
    offset = skip(document.text, start + 1)
    while not document.text.startswith("}", offset):
        if not document.text.startswith('"', offset):
            raise document.error(offset, f'expected a name or "}}", found {document.found(offset)}')
        name, end = _string(document, offset)
        end = skip(document.text, end)
        if not document.text.startswith(":", end):
            raise document.error(end, f'expected ":" after the name, found {document.found(end)}')
        value = read(document, end + 1, depth + 1)
        items.append(Item(name, offset, value))
        offset = _next(document, value.end, "}")
    return JsonValue(start, offset + 1, JsonObject(items))


def _array(document: Document, start: int, depth: int) -> JsonValue:
    values = []
    offset = skip(document.text, start + 1)
    while not document.text.startswith("]", offset):
        value = read(document, offset, depth + 1)
        values.append(value)
        offset = _next(document, value.end, "]")
    return JsonValue(start, offset + 1, JsonArray(values))


def _next(document: Document, offset: int, closer: str) -> int:
    """The offset of what follows a comma, or of the closing bracket."""
    offset = skip(document.text, offset)
    if document.text.startswith(closer, offset):
        return offset
    if not document.text.startswith(",", offset):
        raise document.error(offset, f'expected "," or "{closer}", found {document.found(offset)}')
    after = skip(document.text, offset + 1)
    if document.text.startswith(closer, after):
        raise document.error(after, f'expected another one after ",", found "{closer}"')
    return after


def expression(document: Document, start: int) -> Node:
    """The tree of the expression that a value is.

    Args:
        document: the text.
        start: offset of the value.

    Raises:
        HclError: a string in it is no template.
    """
    return _node(document, read(document, start))


def _node(document: Document, value: JsonValue) -> Node:
    place = document.position(value.start)
    match value.value:
        case str() as text:
            return _template(document, text, value.start)
        case Number(text):
            return Literal(*place, number(text))
        case JsonArray() as values:
            return ListNode(*place, tuple(_node(document, one) for one in values))
        case JsonObject() as items:
            return ObjectNode(
                *place,
                tuple((_template(document, one.name, one.at), _node(document, one.value)) for one in items),
            )
    return Literal(*place, value.value)


def _template(document: Document, text: str, at: int) -> Node:
    """The tree of a string that is a template, as the text of a heredoc is one: nothing is escaped in it."""
    place = document.position(at)
    if not _SEQUENCE(text):
        return Literal(*place, text)
    marker = _MARKER
    while marker in text:
        marker += "_"
    inner = Document(f"<<{marker}\n{text}\n{marker}\n", document.filename)
    end = Skimmer(inner).skim(0)
    node = build(inner, 0, end)
    # The line end before the marker is not of the text.
    parts: Sequence[Node] = node.parts if isinstance(node, Template) else [node]
    *rest, last = parts
    if isinstance(last, Literal) and isinstance(last.value, str):
        shorter = last.value.removesuffix("\n")
        rest += [Literal(last.line, last.column, shorter)] if shorter or not rest else []
    else:
        rest.append(last)
    if len(rest) == 1 and not isinstance(rest[0], Template):
        return rest[0]
    return Template(*place, tuple(rest))
