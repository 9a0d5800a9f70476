"""What a file holds: bodies, attributes and blocks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, final

from .evaluator import compute
from .expressions import build, references
from .lexer import ASCII_NAME
from .values import NotEvaluable, Value, WrongExpression, normal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .lexer import Document
    from .nodes import Node

# Most expressions need no tree: plain strings, lists of them, and what begins with a path or a call.
_PLAIN_STRING = re.compile(r'"[^"\\$%]*+"').fullmatch
_PLAIN_STRINGS = re.compile(r'\[(?:[ \t\r\n]*+"[^"\\$%]*+"[ \t\r\n]*+,?){1,1000}[ \t\r\n]*+\]').fullmatch
_STRINGS = re.compile(r'"([^"]*)"').findall
_VARIABLE = re.compile(
    rf'(?:"[^"\\$%]*+\$\{{[ \t]*+)?(?!(?:true|false|null|can|try)\b){ASCII_NAME}(?:\(|\.{ASCII_NAME}|\Z)'
).match
_WORDS: dict[str, Value] = {"true": True, "false": False, "null": None}
_NOT_CONSTANT = NotEvaluable("the expression is not constant")


class Attribute:
    """A name with an expression. It points into the text of its file, so that it is small in memory."""

    __slots__ = ("_at", "_document", "_end", "_node", "_start", "_value", "name")

    def __init__(self, document: Document, name: str, at: int, start: int, end: int) -> None:
        self.name = name
        self._document = document
        self._at = at
        self._start = start
        self._end = end

    def __repr__(self) -> str:
        return f"Attribute({self.name} = {self.expression[:60]!r}, line {self.line})"

    @property
    def expression(self) -> str:
        """The source text of the value."""
        return self._document.text[self._start : self._end]

    @property
    def line(self) -> int:
        """The line of the name, from 1."""
        return self._document.position(self._at)[0]

    @property
    def node(self) -> Node:
        """The tree of the expression; it is built when it is first asked for."""
        try:
            return self._node
        except AttributeError:
            self._node: Node = self._build()
        return self._node

    def _build(self) -> Node:
        return build(self._document, self._start, self._end)

    @property
    def words(self) -> str:
        """The text where an expression is taken for what it says, as the type of a variable is."""
        return self.expression

    @property
    def constant(self) -> bool:
        """Whether the value can be computed from the text alone."""
        return not isinstance(self._computed(), NotEvaluable)

    @property
    def value(self) -> Value:
        """The value of a constant expression; see ``hcl.Value``.

        Raises:
            NotEvaluable: the expression is not constant.
        """
        computed = self._computed()
        if isinstance(computed, NotEvaluable):
            raise NotEvaluable(computed.message, file=self._document.filename, line=self.line)
        return computed

    @property
    def wrong(self) -> str:
        """Why nobody can compute the expression, Packer neither; empty where that is not known."""
        computed = self._computed()
        return computed.message if isinstance(computed, WrongExpression) else ""

    @property
    def references(self) -> tuple[str, ...]:
        """What the expression refers to, each once, in order, such as ``var.name`` or ``local.name``."""
        return references(self.node)

    def _computed(self) -> Value | NotEvaluable:
        try:
            return self._value
        except AttributeError:
            pass
        self._value: Value | NotEvaluable = self._compute()
        return self._value

    def _compute(self) -> Value | NotEvaluable:
        text = self.expression
        if _PLAIN_STRING(text):
            return normal(text[1:-1])
        if text in _WORDS:
            return _WORDS[text]
        if _PLAIN_STRINGS(text):
            return _STRINGS(normal(text))
        if _VARIABLE(text):
            return _NOT_CONSTANT
        try:
            return compute(self.node, {})
        except NotEvaluable as reason:
            return reason


@final
class Body:
    """The content of a file or of a block, in the order of the source.

    Attributes:
        attributes: the attributes by name.
        blocks: the blocks.
    """

    __slots__ = ("attributes", "blocks")

    def __init__(self) -> None:
        self.attributes: dict[str, Attribute] = {}
        self.blocks: list[Block] = []

    def nested(self) -> Iterator[Block]:
        """Every block in the body, and in these, at any depth, in the order of the source."""
        for block in self.blocks:
            yield block
            yield from block.body.nested()

    def walk(self) -> Iterator[tuple[Body, Attribute]]:
        """Every attribute of the body and of all blocks in it, with the body that holds it."""
        for body in (self, *(block.body for block in self.nested())):
            for attribute in body.attributes.values():
                yield body, attribute


@final
class Block:
    """A block such as ``source "qemu" "debian" { ... }``.

    Attributes:
        type: its first word.
        labels: the words or strings between type and brace.
        body: what it holds.
        end: offset of its closing brace in the text.
    """

    __slots__ = ("_at", "_document", "body", "end", "labels", "type")

    def __init__(self, document: Document, type: str, labels: tuple[str, ...], at: int) -> None:
        self.type = type
        self.labels = labels
        self.body = Body()
        self.end = at
        self._document = document
        self._at = at

    def __repr__(self) -> str:
        return f"Block({' '.join((self.type, *self.labels))}, line {self.line})"

    @property
    def line(self) -> int:
        """The line of the type, from 1."""
        return self._document.position(self._at)[0]

    @property
    def text(self) -> str:
        """The source text of the block."""
        return self._document.text[self._at : self.end + 1]

    @property
    def end_line(self) -> int:
        """The line of the closing brace, from 1."""
        return self._document.position(self.end)[0]
