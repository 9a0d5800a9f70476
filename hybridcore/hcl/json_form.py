"""Reads the structure of a file in HCL's JSON form.

Source: "JSON Syntax Specification" of HCL (json/spec.md). What is a block and what an attribute depends on
who reads the file: a name that is no block there is an attribute. ``//`` is a comment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, final

from .json_values import JsonArray, JsonObject, expression, read, skip
from .lexer import MAX_BYTES, Document
from .structure import Attribute, Block, Body

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from .json_values import JsonValue
    from .nodes import Node

    # By type of block: how many labels it has, and the blocks in it.
    Blocks = Mapping[str, tuple[int, Mapping[str, Any]]]


@final
class JsonAttribute(Attribute):
    """A property that is an attribute."""

    __slots__ = ()

    def _build(self) -> Node:
        return expression(self._document, self._start)

    @property
    def words(self) -> str:
        """The text of a string, since there is no other way to write a word."""
        return self.value if self.constant and isinstance(self.value, str) else self.expression


def loads_json(text: str, blocks: Blocks, *, filename: str = "<string>") -> Body:
    """Read HCL in its JSON form.

    Args:
        text: the text.
        blocks: which names are blocks, with the number of their labels and the blocks in them.
        filename: its name in error messages.

    Returns:
        The attributes and blocks of the text.

    Raises:
        HclError: the text is no JSON, or not of the form that the blocks need.
    """
    document = Document(text, filename)
    if len(document.text) > MAX_BYTES:
        raise document.error(0, f"the text is larger than {MAX_BYTES} bytes")
    value = read(document, 0)
    rest = skip(document.text, value.end)
    if rest < len(document.text):
        raise document.error(rest, f"expected the end of the file, found {document.found(rest)}")
    body = Body()
    for one in _objects(document, value):
        _fill(document, body, one, blocks)
    return body


def _fill(document: Document, body: Body, value: JsonObject, blocks: Blocks) -> None:
    for item in value:
        if item.name == "//":
            continue
        if item.name in blocks:
            labels, inner = blocks[item.name]
            _blocks(document, body, item.name, (), item.value, labels, inner, item.at)
            continue
        if item.name in body.attributes:
            first = body.attributes[item.name].line
            message = f'"{item.name}" is already set in line {first}; each may be set once'
            raise document.error(item.at, message)
        attribute = JsonAttribute(document, item.name, item.at, item.value.start, item.value.end)
        body.attributes[item.name] = attribute


def _blocks(
    document: Document,
    body: Body,
    kind: str,
    labels: tuple[str, ...],
    value: JsonValue,
    more: int,
    inner: Blocks,
    at: int,
) -> None:
    """Add the blocks that a property stands for: its labels are the names of the objects in it."""
    for one in _objects(document, value):
        if more:
            for item in one:
                if item.name != "//":
                    _blocks(document, body, kind, (*labels, item.name), item.value, more - 1, inner, item.at)
            continue
        block = Block(document, kind, labels, at)
        block.end = value.end - 1
        body.blocks.append(block)
        _fill(document, block.body, one, inner)


def _objects(document: Document, value: JsonValue) -> Iterator[JsonObject]:
    """An object, or those of an array; ``null`` is none."""
    if isinstance(value.value, JsonObject):
        yield value.value
    elif isinstance(value.value, JsonArray):
        for one in value.value:
            yield from _objects(document, one)
    elif value.value is not None:
        raise document.error(value.start, "expected an object, or an array of objects")
