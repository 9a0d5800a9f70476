"""The way in to the evaluator: expressions as text, as a tree or as an attribute."""

from __future__ import annotations

from collections.abc import Mapping

from .evaluator import compute
from .expressions import build
from .functions import FUNCTIONS
from .lexer import Document, skip
from .nodes import Node
from .structure import Attribute
from .syntax import Skimmer
from .values import Function, Value


def parse_expression(text: str, *, filename: str = "<expression>") -> Node:
    """The tree of an expression that stands alone.

    Args:
        text: the expression, nothing but white space and comments around it.
        filename: its name in error messages.

    Raises:
        HclError: the text is not one expression.
    """
    document = Document(text, filename)
    start = skip(document.text, 0, newlines=True)
    end = Skimmer(document).skim(start)
    rest = skip(document.text, end, newlines=True)
    if rest < len(document.text):
        raise document.error(rest, f"expected the end of the expression, found {document.found(rest)}")
    return build(document, start, end)


def evaluate(
    expression: str | Node | Attribute,
    variables: Mapping[str, object],
    functions: Mapping[str, Function] = FUNCTIONS,
) -> Value:
    """The value of an expression in a scope, as Packer would compute it.

    Args:
        expression: its text, its tree, or an attribute whose value it is.
        variables: values by root name, for example ``{"var": {"name": "debian"}, "local": {}}``.
        functions: what it may call, by name; ``can`` and ``try`` always work.

    Raises:
        HclError: the text is not an expression.
        NotEvaluable: the value depends on what is not known here, or is an error in Packer too.
    """
    if isinstance(expression, str):
        expression = parse_expression(expression)
    elif isinstance(expression, Attribute):
        expression = expression.node
    return compute(expression, variables, functions)
