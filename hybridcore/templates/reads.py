"""Which variables of the environment a template reads, and which functions it calls that read more."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from ..hcl import HclError, NotEvaluable, evaluate
from ..hcl.nodes import Call, walk

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from ..hcl import Body

_CALLS = re.compile(r"\b(?:env|vault|consul_key)[ \t]*\(").search


class Reads(NamedTuple):
    """What the files of a template read.

    Attributes:
        names: the variables that ``env("...")`` names, sorted.
        functions: the names of the functions that are called, ``env`` among them, sorted.
    """

    names: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()


def read_by(bodies: Iterable[tuple[Path, Body]]) -> Reads:
    """Find what some files read, whatever build is selected: Packer evaluates all of it.

    Args:
        bodies: each file with what it says.
    """
    names: set[str] = set()
    functions: set[str] = set()
    for _file, body in bodies:
        for __, attribute in body.walk():
            if not _CALLS(attribute.expression):
                continue
            try:
                nodes = list(walk(attribute.node))
            except HclError:
                continue
            for node in nodes:
                if isinstance(node, Call):
                    functions.add(node.name)
                    names |= _named(node)
    return Reads(tuple(sorted(names)), tuple(sorted(functions)))


def _named(call: Call) -> set[str]:
    """The variable that a call of ``env`` names; Packer takes it in defaults alone, where it is constant."""
    if call.name != "env" or len(call.arguments) != 1:
        return set()
    try:
        name = evaluate(call.arguments[0], {})
    except (NotEvaluable, HclError):
        return set()
    return {name} if isinstance(name, str) else set()
