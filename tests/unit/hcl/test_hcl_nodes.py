"""The tree: each part of a node is reached, once, in the order of the source."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest

from hybridcore import hcl
from hybridcore.hcl import nodes
from hybridcore.hcl.nodes import Node, children, walk

# One of each kind, with every part that it can have.
EXPRESSIONS = [
    "1",
    '"a${b}c%{ for d in e }${d}%{ endfor }%{ if f }g%{ else }h%{ endif }"',
    "a.b[c].*.d[*].e",
    "-a + !b ? c : d",
    "f(a, [b, c]...)",
    "{ a = b, (c) = d }",
    "{for a, b in c : d => e... if f}",
    "[for a in b : c if d]",
]


def parts(value: object) -> Iterator[Node]:
    """The nodes in the fields of a node, whatever these are called."""
    if isinstance(value, Node):
        yield value
    elif isinstance(value, tuple):
        for item in value:
            yield from parts(item)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_children_are_what_the_fields_hold(expression: str) -> None:
    for node in walk(hcl.parse_expression(expression)):
        fields = [getattr(node, field.name) for field in dataclasses.fields(node)]
        assert sorted(map(id, children(node))) == sorted(
            id(part) for field in fields for part in parts(field)
        )


def test_every_kind_of_node_is_walked_over() -> None:
    kinds = {type(node) for text in EXPRESSIONS for node in walk(hcl.parse_expression(text))}
    known = {
        value
        for value in vars(nodes).values()
        if isinstance(value, type) and issubclass(value, Node) and value is not Node
    }
    assert kinds == known


@pytest.mark.parametrize("expression", [text for text in EXPRESSIONS if "for" not in text])
def test_a_walk_goes_through_the_source_from_left_to_right(expression: str) -> None:
    leaves = [node.column for node in walk(hcl.parse_expression(expression)) if not children(node)]
    assert leaves == sorted(leaves)
