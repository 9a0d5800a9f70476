"""What is wrong with the form of a ``variable`` block: Packer then refuses the template."""

from __future__ import annotations

import unicodedata
from decimal import Decimal
from typing import TYPE_CHECKING

from ..errors import Fault
from ..hcl.expressions import references
from ..hcl.lexer import GO_SPACE, name_at
from ..hcl.nodes import Call, Conditional, Literal, Node, Template, children

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ..hcl import Attribute, Block, Body

_ARGUMENTS = ("type", "default", "description", "sensitive")
_OF_A_VALIDATION = ("condition", "error_message")


def faults_of(block: Block, file: str) -> Iterator[Fault]:
    """What is wrong with a block, its type and the value of its default apart.

    Args:
        block: a ``variable`` block with one label.
        file: its file, for the faults.
    """
    name = block.labels[0]
    if not name or name_at(name, 0) != name:
        message = f"{name!r} cannot be the name of a variable: letters, digits, _ and -, not a digit first"
        yield Fault(message, file=file, line=block.line)
    yield from _unknown(name, block.body, _ARGUMENTS, file)
    attributes = block.body.attributes
    for argument, kinds in (("description", (str, int, float, Decimal, bool)), ("sensitive", (bool,))):
        if argument in attributes:
            yield from _constant(name, attributes[argument], kinds, file)
    if "default" in attributes:
        yield from default_faults(name, attributes["default"], file)
    for inner in block.body.blocks:
        if inner.type != "validation" or inner.labels:
            message = f"{name}: a block {' '.join((inner.type, *inner.labels))!r} does not belong here"
            yield Fault(message, file=file, line=inner.line, hint="validation {} is the only one")
        else:
            yield from _validation(name, inner, file)


def default_faults(name: str, default: Attribute, file: str) -> Iterator[Fault]:
    """Why Packer cannot compute a default: it knows no variable there, and no function but ``env``."""
    if default.wrong:
        yield Fault(f"{name}: the default cannot be computed: {default.wrong}", file=file, line=default.line)
    if default.constant or default.wrong:
        return
    nodes = list(_walk(default.node))
    if any(isinstance(node, Conditional) for node in nodes):
        return  # an error in what is not chosen is none
    wrong = [f"{node.name}()" for node in nodes if isinstance(node, Call) and not _reads_one(node)]
    wrong += references(default.node)
    if wrong:
        message = f"{name}: the default cannot use {wrong[0]}"
        yield Fault(message, file=file, line=default.line, hint="a constant or env(), or a local instead")


def comes_from_env(default: Attribute) -> bool:
    """Whether a default is made of ``env()`` and text alone: then it is a text, and no error."""
    return all(
        isinstance(node, Literal | Template) or (isinstance(node, Call) and _reads_one(node))
        for node in _walk(default.node)
    )


def _reads_one(call: Call) -> bool:
    """Whether a call is one of ``env`` with a name."""
    return call.name == "env" and len(call.arguments) == 1 and not call.expand


def _walk(node: Node) -> Iterator[Node]:
    yield node
    for part in children(node):
        yield from _walk(part)


def _unknown(name: str, body: Body, known: Sequence[str], file: str) -> Iterator[Fault]:
    for attribute in body.attributes.values():
        if attribute.name not in known:
            from difflib import get_close_matches

            near = get_close_matches(attribute.name, known, 1)
            hint = f"did you mean {near[0]}?" if near else "one of " + ", ".join(known)
            yield Fault(
                f"{name}: there is no argument {attribute.name!r}", file=file, line=attribute.line, hint=hint
            )


def _constant(name: str, attribute: Attribute, kinds: tuple[type, ...], file: str) -> Iterator[Fault]:
    value = attribute.value if attribute.constant else None
    words = ("true", "false", "1", "0") if kinds == (bool,) else ()
    if not (isinstance(value, kinds) or value in words):
        what = "true or false" if kinds == (bool,) else "a constant text"
        yield Fault(f"{name}: {attribute.name} must be {what}", file=file, line=attribute.line)


def _validation(name: str, block: Block, file: str) -> Iterator[Fault]:
    attributes = block.body.attributes
    yield from _unknown(name, block.body, _OF_A_VALIDATION, file)
    for inner in block.body.blocks:
        yield Fault(f"{name}: a block {inner.type!r} in a validation", file=file, line=inner.line)
    for argument in _OF_A_VALIDATION:
        if argument not in attributes:
            yield Fault(f"{name}: the validation has no {argument}", file=file, line=block.line)
    if "condition" in attributes:
        condition = attributes["condition"]
        used = condition.references
        other = [path for path in used if path != f"var.{name}"]
        if other or not used:
            words = f"{name}: the condition of a validation refers to var.{name} and to nothing else"
            hint = f"it refers to {', '.join(other)}" if other else "it refers to nothing"
            yield Fault(words, file=file, line=condition.line, hint=hint)
    if "error_message" in attributes:
        message = attributes["error_message"]
        text = message.value if message.constant else None
        if not isinstance(text, str) or not _is_sentence(text):
            words = (
                f"{name}: error_message must be a sentence: a capital letter first, and at the end . ? or !"
            )
            yield Fault(words, file=file, line=message.line)


def _is_sentence(text: str) -> bool:
    text = text.strip(GO_SPACE + "\r\n")
    if not text:
        return False
    category = unicodedata.category(text[0])
    return (category == "Lu" or not category.startswith("L")) and text[-1] in ".?!"
