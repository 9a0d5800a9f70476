"""What differs between the versions of Packer in the language itself."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from .functions import FUNCTIONS
from .values import Function

# Both came with Packer 1.7.
_NEWER_FUNCTIONS = frozenset(("regex", "regexall"))


PROBES: Mapping[str, str] = {
    "regex": 'locals {\n  a = regex("a", "a")\n}\n',
    "open_default": 'variable "a" {\n  default = {}\n}\nlocals {\n  b = var.a.b\n}\n',
    "parentheses": 'variable "a" {\n  type = (string)\n}\n',
    "constraints": 'variable "a" {\n  type = object({ b = optional(string) })\n}\n',
}
"""A template for each trait, which a Packer that has it finds valid where ``a`` is ``PROBE_VALUES``."""
PROBE_VALUES = {"parentheses": 'a = "b"\n', "open_default": 'a = { b = "c" }\n', "constraints": "a = {}\n"}


@dataclass(frozen=True)
class Dialect:
    """The language of one Packer.

    Attributes:
        functions: those of its functions that we compute, by name.
        open_default: whether a variable without a type and with the default ``{}`` or ``[]`` takes any value.
        parentheses: whether a type may stand in parentheses, as in ``(string)``.
        constraints: whether ``any`` and ``optional()`` may stand in a type.
    """

    functions: Mapping[str, Function]
    open_default: bool = True
    parentheses: bool = True
    constraints: bool = True


def spoken_with(traits: Collection[str]) -> Dialect:
    """The language of a Packer that was asked what it takes.

    Args:
        traits: of ``PROBES`` those that it took.
    """
    older = {name: function for name, function in FUNCTIONS.items() if name not in _NEWER_FUNCTIONS}
    return Dialect(
        functions=FUNCTIONS if "regex" in traits else older,
        open_default="open_default" in traits,
        parentheses="parentheses" in traits,
        constraints="constraints" in traits,
    )


def dialect(version: str | None) -> Dialect:
    """The language of a Packer of which only the version is known.

    Args:
        version: such as ``1.9.4``; None where it is not known. What a version may take that nobody tried is
            taken, and Packer itself has the last word.
    """
    numbers = re.match(r"(\d+)\.(\d+)", version or "")
    if numbers is None:
        return Dialect(FUNCTIONS)
    known = int(numbers[1]), int(numbers[2])
    older = {name: function for name, function in FUNCTIONS.items() if name not in _NEWER_FUNCTIONS}
    return Dialect(
        functions=FUNCTIONS if known >= (1, 7) else older,
        open_default=known >= (1, 8),
        parentheses=known < (1, 7),
        constraints=known >= (1, 10),
    )
