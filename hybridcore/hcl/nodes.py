"""The tree of an expression. Every node knows its line and column; none knows how to compute itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Node:
    """A part of an expression.

    Args:
        line: line of its first character, from 1.
        column: column of its first character, from 1.
    """

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Literal(Node):
    """A number, a string without sequences, ``true``, ``false`` or ``null``; numbers as they are written."""

    value: object


@dataclass(frozen=True, slots=True)
class Template(Node):
    """A string with sequences: the texts of its parts, one after the other."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Join(Node):
    """A ``%{ for }`` of a template: the elements of a list as one string."""

    items: Node


@dataclass(frozen=True, slots=True)
class Variable(Node):
    """A name in the scope, such as ``var``."""

    name: str


@dataclass(frozen=True, slots=True)
class Access(Node):
    """Steps into a value.

    Args:
        source: the value.
        steps: names and indexes (``Literal`` where they are constant) and splats, from left to right.
    """

    source: Node
    steps: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Splat(Node):
    """``.*`` or ``[*]``: the steps behind it are taken into each element, and the results make a list."""

    steps: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Unary(Node):
    """``-`` or ``!`` before a value."""

    operator: str
    operand: Node


@dataclass(frozen=True, slots=True)
class Binary(Node):
    """Two values with an operator between them."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Conditional(Node):
    """``condition ? yes : no``, or the ``%{ if }`` of a template."""

    condition: Node
    yes: Node
    no: Node


@dataclass(frozen=True, slots=True)
class Call(Node):
    """A call of a function; ``expand`` when ``...`` follows the last argument."""

    name: str
    arguments: tuple[Node, ...]
    expand: bool


@dataclass(frozen=True, slots=True)
class ListNode(Node):
    """``[a, b]``."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class ObjectNode(Node):
    """``{ a = b }``; a key that is a bare name is a literal string."""

    items: tuple[tuple[Node, Node], ...]


@dataclass(frozen=True, slots=True)
class For(Node):
    """A ``for`` expression.

    Args:
        key_name: the name of the index or key, or empty.
        value_name: the name of the element.
        collection: what is walked over.
        key: the key of each item when an object is made, else ``None``.
        value: the value of each item.
        condition: which elements are taken, or ``None``.
        group: whether values with the same key are gathered in lists.
    """

    key_name: str
    value_name: str
    collection: Node
    key: Node | None
    value: Node
    condition: Node | None
    group: bool


def children(node: Node) -> tuple[Node, ...]:
    """The nodes that a node is made of, in the order of the source."""
    match node:
        case Template(parts=parts) | ListNode(items=parts) | Splat(steps=parts):
            return parts
        case Join(items=part) | Unary(operand=part):
            return (part,)
        case Access(source=source, steps=steps):
            return (source, *steps)
        case Binary(left=left, right=right):
            return (left, right)
        case Conditional(condition=condition, yes=yes, no=no):
            return (condition, yes, no)
        case Call(arguments=arguments):
            return arguments
        case ObjectNode(items=items):
            return tuple(part for pair in items for part in pair)
        case For():
            optional = (node.collection, node.key, node.value, node.condition)
            return tuple(part for part in optional if part)
    return ()


def walk(node: Node) -> Iterator[Node]:
    """A node and all that it is made of, in the order of the source."""
    waiting = [node]
    while waiting:
        found = waiting.pop()
        yield found
        waiting += reversed(children(found))
