"""What Packer says is wrong with a template, with file and line: read from the text for people.

The format is that of HCL's diagnostics, the same in 1.6 and 1.9::

    Error: Unsupported argument

      on debian.pkr.hcl line 6, in source "null" "x":
       6:   bogus = 1

    An argument named "bogus" is not expected here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from ...errors import Fault

if TYPE_CHECKING:
    from collections.abc import Callable

_HEAD = re.compile(r"^(Error|Warning): ", re.MULTILINE)
_WHERE = re.compile(r"^  on (?P<file>.+?) line (?P<line>\d+)(?:, in .+)?:$", re.MULTILINE)
_SNIPPET = re.compile(r"^(?: +\d+: .*|  \(source code not available\))\n?", re.MULTILINE)


class Diagnostic(NamedTuple):
    """One thing that Packer says: ``file`` is empty and ``line`` None where it does not say where."""

    severity: str
    message: str
    file: str = ""
    line: int | None = None


def parse(text: str) -> tuple[Diagnostic, ...]:
    """Read the diagnostics in what Packer printed.

    Args:
        text: standard output and error, without escape sequences.

    Returns:
        Each diagnostic, in order; a text without any gives none.
    """
    heads = list(_HEAD.finditer(text))
    found = []
    for number, head in enumerate(heads):
        end = heads[number + 1].start() if number + 1 < len(heads) else len(text)
        found.append(_one(head[1].lower(), text[head.end() : end]))
    return tuple(found)


def _one(severity: str, body: str) -> Diagnostic:
    where = _WHERE.search(body)
    if where:
        body = body[: where.start()] + _SNIPPET.sub("", body[where.end() :])
    paragraphs = [_unwrap(part) for part in re.split(r"\n\s*\n", body) if part.strip()]
    message = paragraphs[0] if paragraphs else severity
    if paragraphs[1:]:
        # "Unsupported argument: An argument ...", but "4 error(s) occurred:" and a list below it.
        message += ("\n" if message.endswith(":") else ": ") + "\n".join(paragraphs[1:])
    return Diagnostic(
        severity, message, where["file"] if where else "", int(where["line"]) if where else None
    )


def _unwrap(paragraph: str) -> str:
    """Undo the breaking of lines, but keep lists and what is indented."""
    lines: list[str] = []
    for line in paragraph.strip("\n").splitlines():
        if lines and line[:1] not in ("*", " ", "}", "\t"):
            lines[-1] += " " + line.strip()
        else:
            lines.append(line.rstrip())
    return "\n".join(lines).strip()


def to_faults(
    diagnostics: tuple[Diagnostic, ...], severity: str, place: Callable[[str], str]
) -> tuple[Fault, ...]:
    """The diagnostics of one severity as faults.

    Args:
        diagnostics: what ``parse`` gave.
        severity: ``error`` or ``warning``.
        place: gives the path that users know, for one that Packer printed.

    Returns:
        Sorted, each once.
    """
    faults = {
        Fault(one.message, file=place(one.file) if one.file else None, line=one.line)
        for one in diagnostics
        if one.severity == severity
    }
    return tuple(sorted(faults, key=Fault.sort_key))
