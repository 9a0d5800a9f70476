"""Builds the tree of an expression whose syntax is known to be right (module ``syntax``)."""

from __future__ import annotations

import re
from decimal import Decimal, InvalidOperation
from functools import partial

from .constructs import SEQUENCE
from .lexer import NUMBER, Document, name_at, skip
from .nodes import (
    Access,
    Binary,
    Call,
    Conditional,
    For,
    ListNode,
    Literal,
    Node,
    ObjectNode,
    Splat,
    Unary,
    Variable,
    children,
)
from .templates import Interpolation, Mark, Text, assemble, heredoc_texts, quoted_text

_BINARY = re.compile(r"==|!=|<=|>=|&&|\|\||<|>|\+|-|\*|/(?![/*])|%").match
_NUMBER = re.compile(NUMBER).match
# Most elements of lists and objects: a plain string or number with nothing behind it. In the second
# form, line ends are white space and so end no expression.
_SCALAR = r'(?:"(?P<string>[^"\\$%]*+)"|(?P<number>[0-9]++))(?=[ \t]*+'
_SCALARS = (
    re.compile(rf"[ \t]*+{_SCALAR}(?:[,\]}}]|\r?\n))").match,
    re.compile(rf"[ \t\r\n]*+{_SCALAR}[,\]}}])").match,
)
_BINDING = {
    **dict.fromkeys(("*", "/", "%"), 6),
    **dict.fromkeys(("+", "-"), 5),
    **dict.fromkeys(("<", ">", "<=", ">="), 4),
    **dict.fromkeys(("==", "!="), 3),
    "&&": 2,
    "||": 1,
}
_WORDS = {"true": True, "false": False, "null": None}


def build(document: Document, start: int, end: int) -> Node:
    """The tree of the expression in a part of a text.

    Args:
        document: the text.
        start: offset of the first character of the expression.
        end: offset after its last character.

    Raises:
        HclError: the caller has used up Python's stack.
    """
    try:
        return _Builder(document, start, end).expression()
    except RecursionError:
        raise document.error(start, "nested too deep for the rest of Python's stack") from None


class _Builder:
    """Reads from ``_at`` on; ``_loose`` says whether line ends are white space here."""

    def __init__(self, document: Document, start: int, end: int) -> None:
        self._document = document
        self._text = document.text
        self._at = start
        self._end = end
        self._loose = False

    def _skip(self) -> int:
        self._at = skip(self._text, self._at, newlines=self._loose)
        return self._at

    def _next(self, word: str) -> bool:
        """Reads a symbol if it comes next."""
        after = skip(self._text, self._at, newlines=self._loose)
        if after >= self._end or not self._text.startswith(word, after):
            return False
        self._at = after + len(word)
        return True

    def _name(self) -> str:
        name = name_at(self._text, self._skip())
        self._at += len(name)
        return name

    # An expression in brackets costs three calls at most, so that MAX_DEPTH of them fit in Python's stack.

    def expression(self) -> Node:
        """Operands with operators between them, by precedence; with ``?``, a condition and two results."""
        if found := _SCALARS[self._loose](self._text, self._at):
            self._at = found.end()
            place = self._document.position(found.start(found.lastgroup or 0))
            return Literal(*place, found["string"] if found["number"] is None else number(found["number"]))
        chain: list[tuple[tuple[int, int], Node, Node]] = []
        while True:
            place = self._document.position(self._skip())
            operands = [self._operand()]
            operators: list[str] = []
            while operator := self._operator():
                while operators and _BINDING[operators[-1]] >= _BINDING[operator]:
                    _reduce(operands, operators)
                operators.append(operator)
                operands.append(self._operand())
            while operators:
                _reduce(operands, operators)
            node = operands[0]
            if not self._next("?"):
                break
            yes = self.expression()
            self._next(":")
            chain.append((place, node, yes))
        for place, condition, yes in reversed(chain):
            node = Conditional(*place, condition, yes, node)
        return node

    def _operator(self) -> str:
        """Reads an operator, if one comes next."""
        after = skip(self._text, self._at, newlines=self._loose)
        found = _BINARY(self._text, after) if after < self._end else None
        if not found:
            return ""
        self._at = found.end()
        return found.group()

    def _operand(self) -> Node:
        """A term with the signs before it and the steps behind it."""
        text = self._text
        signs: list[tuple[str, int, int]] = []
        while text[self._skip()] in "-!":
            signs.append((text[self._at], *self._document.position(self._at)))
            self._at += 1
        first = text[self._at]
        place = self._document.position(self._at)
        if first == '"':
            node = self._quoted(place)
        elif first == "<":
            node = self._heredoc(place)
        elif first in "([{":
            outer, self._loose = self._loose, True
            self._at += 1
            if first == "(":
                node = self.expression()
                self._next(")")
            elif name_at(text, self._skip()) == "for":
                node = self._for(place)
            else:
                node = self._list(place) if first == "[" else self._object(place)
            self._loose = outer
        elif found := _NUMBER(text, self._at):
            self._at = found.end()
            node = Literal(*place, number(found.group()))
        else:
            name = self._name()
            if self._next("("):
                node = self._call(place, name)
            else:
                node = Literal(*place, _WORDS[name]) if name in _WORDS else Variable(*place, name)
        if steps := self._steps():
            node = Access(*place, node, steps)
        for sign, line, column in reversed(signs):
            node = Unary(line, column, sign, node)
        return node

    def _list(self, place: tuple[int, int]) -> Node:
        items: list[Node] = []
        while not self._next("]"):
            items.append(self.expression())
            self._next(",")
        return ListNode(*place, tuple(items))

    def _object(self, place: tuple[int, int]) -> Node:
        pairs: list[tuple[Node, Node]] = []
        while not self._next("}"):
            self._skip()
            self._loose = False
            literal = self._text[self._at] != "("
            key = self.expression()
            if literal and isinstance(key, Variable):
                key = Literal(key.line, key.column, key.name)
            elif literal and isinstance(key, Literal) and key.value is None:
                key = Literal(key.line, key.column, "null")  # as a key it is a word, like true and false
            if not self._next("="):
                self._next(":")
            value = self.expression()
            self._loose = True
            self._next(",")
            pairs.append((key, value))
        return ObjectNode(*place, tuple(pairs))

    def _for(self, place: tuple[int, int]) -> Node:
        self._at += len("for")
        key_name, value_name = self._loop_names()
        collection = self.expression()
        self._next(":")
        key = None
        value = self.expression()
        if self._next("=>"):
            key, value = value, self.expression()
        group = self._next("...")
        condition = self.expression() if self._next("if") else None
        self._at = self._skip() + 1
        return For(*place, key_name, value_name, collection, key, value, condition, group)

    def _loop_names(self) -> tuple[str, str]:
        key_name, value_name = "", self._name()
        if self._next(","):
            key_name, value_name = value_name, self._name()
        self._next("in")
        return key_name, value_name

    def _call(self, place: tuple[int, int], name: str) -> Node:
        outer, self._loose = self._loose, True
        arguments: list[Node] = []
        expand = False
        while not self._next(")"):
            arguments.append(self.expression())
            expand = self._next("...")
            self._next(",")
        self._loose = outer
        return Call(*place, name, tuple(arguments), expand)

    def _steps(self) -> tuple[Node, ...]:
        """Everything behind a term; a splat holds the steps that it reaches over."""
        steps: list[tuple[str, Node | tuple[int, int]]] = []
        while True:
            after = skip(self._text, self._at, newlines=self._loose)
            if after >= self._end or self._text[after] not in ".[" or self._text.startswith("...", after):
                return _fold(steps)
            place = self._document.position(after)
            self._at = after + 1
            bracket = self._text[after]
            if self._next("*"):
                if bracket == "[":
                    self._next("]")
                steps.append((bracket + "*", place))
            elif bracket == "[":
                outer, self._loose = self._loose, True
                steps.append(("[", self.expression()))
                self._next("]")
                self._loose = outer
            elif found := _NUMBER(self._text, self._skip()):
                self._at = found.end()
                steps.append((".", Literal(*place, number(found.group()))))
            else:
                steps.append((".", Literal(*place, self._name())))

    # ---- strings

    def _quoted(self, place: tuple[int, int]) -> Node:
        self._at += 1
        pieces: list[Text | Interpolation | Mark] = []
        while True:
            position = self._document.position(self._at)
            text, self._at = quoted_text(self._text, self._at)
            if text:
                pieces.append(Text(*position, text))
            if self._text[self._at] == '"':
                break
            pieces.append(self._sequence())
        self._at += 1
        return assemble(pieces, place, flush=False)

    def _heredoc(self, place: tuple[int, int]) -> Node:
        flush = self._text.startswith("<<-", self._at)
        self._at += 3 if flush else 2
        marker = self._name()
        self._at = self._text.index("\n", self._at) + 1
        pieces: list[Text | Interpolation | Mark] = []
        start, end = self._document.closing_line(self._at, marker)
        while True:
            found = SEQUENCE(self._text, self._at, start)
            texts = heredoc_texts(self._text, self._at, found.start() if found else start)
            pieces += [Text(*self._document.position(at), text) for at, text in texts]
            if not found:
                self._at = end
                return assemble(pieces, place, flush=flush)
            self._at = found.start()
            pieces.append(self._sequence())
            if self._at > start:
                next_line = self._text.index("\n", self._at) + 1
                start, end = self._document.closing_line(next_line, marker)

    def _sequence(self) -> Interpolation | Mark:
        """An interpolation or directive, up to after its closing brace."""
        place = self._document.position(self._at)
        directive = self._text[self._at] == "%"
        self._at += 2
        outer, self._loose = self._loose, True
        strip_left = self._text[self._at] == "~" and self._text[self._at + 1] != "}"
        self._at += strip_left
        make = self._mark(place) if directive else partial(Interpolation, self.expression())
        strip_right = self._next("~")
        self._next("}")
        self._loose = outer
        return make(strip_left=strip_left, strip_right=strip_right)

    def _mark(self, place: tuple[int, int]) -> partial[Mark]:
        word = self._name()
        if word == "for":
            names = self._loop_names()
            return partial(Mark, *place, word, self.expression(), names)
        return partial(Mark, *place, word, self.expression() if word == "if" else None, ("", ""))


def _reduce(operands: list[Node], operators: list[str]) -> None:
    """Joins the last two operands with the last operator."""
    right = operands.pop()
    left = operands.pop()
    operands.append(Binary(left.line, left.column, operators.pop(), left, right))


def _fold(steps: list[tuple[str, Node | tuple[int, int]]]) -> tuple[Node, ...]:
    """Puts steps behind splats into them: ``[*]`` takes all, ``.*`` the ones with a dot that follow it."""
    folded: list[Node] = []  # from right to left
    dots = 0  # how many of the last ones have a dot
    for sort, step in reversed(steps):
        if isinstance(step, Node):
            folded.append(step)
            dots = dots + 1 if sort == "." else 0
            continue
        taken = len(folded) if sort == "[*" else dots
        inner = tuple(reversed(folded[len(folded) - taken :]))
        folded[len(folded) - taken :] = [Splat(*step, inner)]
        dots = 0
    return tuple(reversed(folded))


def number(text: str) -> int | Decimal:
    """A number as it is written; whole ones are ``int`` unless they are longer than any use of them."""
    try:
        value = Decimal(text)
    except InvalidOperation:  # a zero with an exponent that no number has
        return 0
    if not value or (value == value.to_integral_value() and value.adjusted() < 20_000):
        return int(value)
    return value


def references(node: Node) -> tuple[str, ...]:
    """What an expression refers to: the first two names of each path that starts in the scope.

    Args:
        node: the expression.

    Returns:
        Each once, in order of the source; a path without a second name gives its first.
    """
    found: dict[str, None] = {}
    todo: list[tuple[Node, frozenset[str]]] = [(node, frozenset())]
    while todo:
        node, bound = todo.pop()
        if isinstance(node, Variable):
            if node.name not in bound:
                found[node.name] = None
            continue
        if isinstance(node, Access) and isinstance(node.source, Variable):
            if node.source.name not in bound:
                key = node.steps[0]
                second = f".{key.value}" if isinstance(key, Literal) and isinstance(key.value, str) else ""
                found[node.source.name + second] = None
            todo += [(step, bound) for step in reversed(node.steps)]
            continue
        todo += reversed(_children(node, bound))
    return tuple(found)


def _children(node: Node, bound: frozenset[str]) -> list[tuple[Node, frozenset[str]]]:
    """The parts of a node, with the names that loops bind in them."""
    if isinstance(node, For):
        inner = bound | {node.key_name, node.value_name}
        rest = [part for part in (node.key, node.value, node.condition) if part]
        return [(node.collection, bound), *((part, inner) for part in rest)]
    return [(part, bound) for part in children(node)]
