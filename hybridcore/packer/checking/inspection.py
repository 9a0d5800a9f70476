"""What ``packer inspect`` prints, as data. It prints sensitive values in clear: they are dropped here."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .results import InspectResult

if TYPE_CHECKING:
    from collections.abc import Collection

_VARIABLE = re.compile(r"^var\.([^:\s]+): (.*?)$", re.MULTILINE)
_SECTION = re.compile(r"^> ([a-z-]+):$", re.MULTILINE)
# Not "<no provisioner>", nor "0:", the number of a chain of post-processors.
_PART = re.compile(r"^ {6,}[^\s<]+(?<!:)$")
_LIST = re.compile(r"^    (sources|provisioners|post-processors):$")


def parse_inspection(target: str, text: str, sensitive: Collection[str]) -> InspectResult:
    """Read what Packer printed.

    Args:
        target: ``<os>/<platform>/<name>``.
        text: standard output.
        sensitive: names of the variables whose values must not be shown.

    Returns:
        The parts; what is not understood is left out.
    """
    parts = _SECTION.split(text)
    sections = dict(zip(parts[1::2], parts[2::2], strict=True))
    variables = {
        name: "***" if name in sensitive else _unquoted(value)
        for name, value in _VARIABLE.findall(sections.get("input-variables", ""))
    }
    lists: dict[str, list[str]] = {"sources": [], "provisioners": [], "post-processors": []}
    current: list[str] | None = None
    for line in sections.get("builds", "").splitlines():
        header = _LIST.match(line)
        if header:
            current = lists[header[1]]
        elif line.startswith("  > "):
            current = None
        elif current is not None and _PART.match(line):
            current.append(line.strip())
    return InspectResult(
        target,
        variables,
        tuple(lists["sources"]),
        tuple(lists["provisioners"]),
        tuple(lists["post-processors"]),
    )


def _unquoted(value: str) -> str:
    return value[1:-1] if len(value) >= 2 and value[0] == value[-1] == '"' else value
