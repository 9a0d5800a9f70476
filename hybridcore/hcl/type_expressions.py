"""Type expressions, as in ``type = map(object({ size = number }))``."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from .. import hcl
from ..errors import HclError
from .types import COLLECTIONS, MAX_DEPTH, PLAIN, PRIMITIVES, Mismatch, Type, convert
from .values import normal

if TYPE_CHECKING:
    from . import Value

_TOKEN = re.compile(
    r"""(?P<skip>[\s﻿]+|\#[^\n]*|//[^\n]*|/\*.*?\*/)
      |(?P<name>[^\W\d][\w-]*)
      |(?P<string>"(?:\\.|[^"\\])*")
      |(?P<mark>[][(){},=:])
      |(?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)


class TypeExpressionError(ValueError):
    """A ``type`` argument that Packer would not take; the text says why."""


@lru_cache(maxsize=1024)
def parse_type(text: str, *, parentheses: bool = True, constraints: bool = True) -> Type:
    """Read a type expression.

    Args:
        text: the expression, as in ``map(object({ size = number }))``.
        parentheses: whether a type may stand in parentheses; see ``Dialect``.
        constraints: whether ``any`` and ``optional()`` are known; see ``Dialect``.

    Returns:
        The type.

    Raises:
        TypeExpressionError: Packer would not take it.
    """
    return _TypeParser(text, parentheses, constraints).parse()


class _TypeParser:
    def __init__(self, text: str, parentheses: bool, constraints: bool) -> None:
        self.text = text
        self.parentheses = parentheses
        self.constraints = constraints
        self.tokens = [m for m in _TOKEN.finditer(text) if m.lastgroup != "skip"]
        self.at = 0
        self.depth = 0

    def parse(self) -> Type:
        found = self._type()
        if self.at < len(self.tokens):
            raise TypeExpressionError(f"{self._peek()!r} after the type")
        return found

    def _peek(self) -> str:
        return self.tokens[self.at].group() if self.at < len(self.tokens) else ""

    def _take(self, mark: str) -> bool:
        if self._peek() == mark:
            self.at += 1
            return True
        return False

    def _expect(self, mark: str, what: str) -> None:
        if not self._take(mark):
            raise TypeExpressionError(f"{what}, not {self._peek()!r}")

    def _name(self, what: str) -> str:
        token = self.tokens[self.at] if self.at < len(self.tokens) else None
        if token is None or token.lastgroup != "name":
            text = self._peek()
            if text.startswith('"'):
                raise TypeExpressionError(f"{what} is written without quotes, not {text}")
            raise TypeExpressionError(f"{what} was expected, not {text!r}")
        self.at += 1
        return token.group()

    def _type(self) -> Type:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise TypeExpressionError(f"types are nested more than {MAX_DEPTH} deep")
        try:
            if self._peek() == "(" and not self.parentheses:
                raise TypeExpressionError("this Packer takes no parentheses around a type")
            if self._take("("):
                inner = self._type()
                self._expect(")", "a closing parenthesis")
                return inner
            name = self._name("a type")
            if name == "any" and not self.constraints:
                raise TypeExpressionError("this Packer does not know any; an exact type is required")
            if name in PLAIN:
                if self._peek() == "(":
                    raise TypeExpressionError(f"{name} takes no arguments")
                return PLAIN[name]
            if name not in (*COLLECTIONS, "tuple", "object"):
                words = ", ".join((*PRIMITIVES, *COLLECTIONS, "tuple", "object"))
                raise TypeExpressionError(f"{name!r} is not a type; the types are {words}")
            if not self._take("("):
                example = {"tuple": "tuple([string])", "object": "object({ a = string })"}
                raise TypeExpressionError(
                    f"{name} needs an argument, as in {example.get(name, name + '(string)')}"
                )
            if name == "tuple":
                found = self._tuple()
            elif name == "object":
                found = self._object()
            else:
                found = Type(name, element=self._type())
                self._take(",")
            self._expect(")", f"one argument for {name}")
            return found
        finally:
            self.depth -= 1

    def _tuple(self) -> Type:
        self._expect("[", "tuple takes a list of types")
        items: list[Type] = []
        while not self._take("]"):
            items.append(self._type())
            if not self._take(",") and self._peek() != "]":
                raise TypeExpressionError(f"a comma was expected in the tuple, not {self._peek()!r}")
        return Type("tuple", items=tuple(items))

    def _object(self) -> Type:
        self._expect("{", "object takes a map of attribute types")
        attributes: dict[str, Type] = {}
        optional: set[str] = set()
        defaults: dict[str, Value] = {}
        while not self._take("}"):
            name = normal(self._name("the name of an attribute"))
            if name in attributes:
                raise TypeExpressionError(f"attribute {name!r} is there twice")
            if not (self._take("=") or self._take(":")):
                raise TypeExpressionError(f"a type for attribute {name!r} was expected")
            if self._peek() == "optional":
                if not self.constraints:
                    raise TypeExpressionError("this Packer does not know optional()")
                optional.add(name)
                attributes[name] = self._optional(name, defaults)
            else:
                attributes[name] = self._type()
            self._take(",")
        return Type("object", attributes=attributes, optional=frozenset(optional), defaults=defaults)

    def _optional(self, name: str, defaults: dict[str, Value]) -> Type:
        self.at += 1
        self._expect("(", "optional takes a type")
        inner = self._type()
        if self._take(","):
            start, depth = self.at, 0
            while self.at < len(self.tokens) and (depth or self._peek() != ")"):
                depth += {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}.get(self._peek(), 0)
                self.at += 1
            if self.at == start or self.at >= len(self.tokens):
                raise TypeExpressionError(f"the default of attribute {name!r} is not complete")
            source = self.text[self.tokens[start].start() : self.tokens[self.at].start()]
            defaults[name] = self._default(name, source, inner)
        self._expect(")", "the end of optional()")
        return inner

    def _default(self, name: str, source: str, kind: Type) -> Value:
        try:
            attribute = hcl.loads(f"x = {source.strip()}\n").attributes["x"]
        except HclError as error:
            raise TypeExpressionError(f"the default of attribute {name!r}: {error.message}") from None
        problems: list[Mismatch] = []
        if not attribute.constant:
            raise TypeExpressionError(f"the default of attribute {name!r} must be a constant")
        value = convert(attribute.value, kind, problems)
        if problems:
            raise TypeExpressionError(
                f"the default of attribute {name!r}: {problems[0].expected} expected, not {problems[0].found}"
            )
        return value
