"""Overlay templates, ``*.pkrvars.hcl.tmpl``: ``${name}`` stands for a value of the caller.

Outside a string it is the value, of any type; inside a quoted string or heredoc it is the text of a string,
number or bool. ``$${`` is HCL's own escape. A value never becomes a part of the text: the template is read as
HCL in which placeholders are variables, which are then evaluated. So no value, wherever it stands, can change
the structure of the file.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .. import hcl
from ..errors import Fault
from ..hcl.nodes import Access, ListNode, Literal, Node, ObjectNode, Template, Variable, children

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..hcl import Attribute, Value

_PIECE = re.compile(
    r"""(?P<comment>\#[^\n]*|//[^\n]*|/\*.*?\*/)
      |(?P<string>"(?:\\.|[^"\\\n])*")
      |(?P<heredoc><<-?(?P<mark>[^\W\d][\w-]*)\r?\n.*?\n[ \t]*(?P=mark)[ \t]*(?=\r?\n|\Z))
      |(?P<placeholder>\$\{(?P<name>[^{}\n]*)\})""",
    re.VERBOSE | re.DOTALL,
)
_INNER = re.compile(r"\$\$\{|\$\{(?P<name>[^{}\n]*)\}")
_NAME = re.compile(r"[^\W\d][\w-]*")
# Placeholders become attributes of these two variables: of the first alone, of the second inside of a string.
_VALUE = "value-of"
_TEXT = "text-of"


def facts(target: str, env: str) -> dict[str, str]:
    """The values that every overlay template may use besides the caller's."""
    os, platform, name = target.split("/")
    return {"target": target, "os": os, "platform": platform, "name": name, "env": env}


def as_hcl(text: str, file: str, faults: list[Fault]) -> str:
    """Make HCL of an overlay template: each placeholder becomes a variable.

    Args:
        text: the template.
        file: its name, for faults.
        faults: where to add what is wrong: a placeholder that is no plain name.

    Returns:
        The text, with as many lines as the template.
    """

    def name_of(match: re.Match[str], offset: int) -> str:
        name = match["name"].strip()
        if _NAME.fullmatch(name):
            return name
        line = text.count("\n", 0, offset + match.start()) + 1
        faults.append(_no_name(f"${{{name}}}", file, line))
        return ""

    def piece(match: re.Match[str]) -> str:
        if match["placeholder"] is not None:
            name = name_of(match, 0)
            return f"({_VALUE}.{name})" if name else "null"
        if match["comment"] is not None:
            return match.group()

        def inner(found: re.Match[str]) -> str:
            if found["name"] is None:
                return found.group()
            name = name_of(found, match.start())
            return f"${{{_TEXT}.{name}}}" if name else ""

        return _INNER.sub(inner, match.group())

    return _PIECE.sub(piece, text)


def _no_name(what: str, file: str, line: int) -> Fault:
    hint = "write $${ for a literal ${"
    return Fault(f"{what}: a placeholder is a plain name", file=file, line=line, hint=hint)


class Placeholders:
    """The values for the placeholders of an overlay template.

    Args:
        given: the values by name.
        file: the template's name, for faults.
        faults: where to add what is wrong: a placeholder without a value, or one that does not fit.

    Attributes:
        used: the names that were asked for.
    """

    def __init__(self, given: Mapping[str, Value], file: str, faults: list[Fault]) -> None:
        self.used: set[str] = set()
        self._given = given
        self._file = file
        self._faults = faults

    def value(self, attribute: Attribute) -> Value:
        """The value of an attribute of the template, as ``as_hcl`` gives it.

        Raises:
            NotEvaluable: it is neither constant nor made of constants and placeholders.
        """
        if not _is_marked(attribute.expression):
            return attribute.value
        node = attribute.node
        before = len(self._faults)
        scope: dict[str, dict[str, Value]] = {_VALUE: {}, _TEXT: {}}
        self._fill(node, attribute.name, scope)
        return None if len(self._faults) > before else hcl.evaluate(node, scope, {})

    def _fill(self, node: Node, attribute: str, scope: dict[str, dict[str, Value]]) -> None:
        """Put the values of the placeholders in an expression into a scope."""
        match node:
            case Access(source=Variable(name=kind), steps=(Literal(value=str() as name),)) if kind in scope:
                self._add(name, kind, node.line, scope)
            case Template() | ListNode() | ObjectNode():
                for child in children(node):
                    self._fill(child, attribute, scope)
            case _ if _has_placeholder(node):
                # The placeholder is part of an expression, or stands in a string within a string.
                self._faults.append(_no_name(attribute, self._file, node.line))

    def _add(self, name: str, kind: str, line: int, scope: dict[str, dict[str, Value]]) -> None:
        self.used.add(name)
        if name not in self._given:
            hint = f"give it in vars; there are: {', '.join(sorted(self._given))}"
            message = f"${{{name}}}: there is no value for it"
            self._faults.append(Fault(message, file=self._file, line=line, hint=hint))
            return
        value = self._given[name]
        if kind == _TEXT and isinstance(value, dict | list | None):
            message = f"${{{name}}}: expected a string, number or bool inside a string"
            self._faults.append(Fault(message, file=self._file, line=line))
        elif kind == _TEXT and not isinstance(value, str):
            scope[kind][name] = hcl.dumps_value(value)
        else:
            scope[kind][name] = value


def _is_marked(text: str) -> bool:
    return f"{_VALUE}." in text or f"{_TEXT}." in text


def _has_placeholder(node: Node) -> bool:
    match node:
        case Variable(name=name):
            return name in (_VALUE, _TEXT)
        case Literal(value=str() as text):
            return _is_marked(text)
    return any(map(_has_placeholder, children(node)))


def literal(value: Value) -> str:
    """A value as HCL on one line, so that the lines of a file keep their numbers."""
    if isinstance(value, dict):
        parts = [f"{hcl.dumps_value(str(name))} = {literal(item)}" for name, item in value.items()]
        return "{ " + ", ".join(parts) + " }" if parts else "{}"
    if isinstance(value, list):
        return "[" + ", ".join(map(literal, value)) + "]"
    return hcl.dumps_value(value)
