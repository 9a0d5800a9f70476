"""Saying where each value of a target comes from, and what it hides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .placeholders import literal

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ..templates.declarations import Variable
    from .generate import Rendering
    from .resolve import Resolved

SENSITIVE = "(sensitive)"


def explain(renderings: Sequence[Rendering], warnings: Sequence[str]) -> dict[str, Any]:
    """Say for each variable of each target what it is and what every layer says.

    Args:
        renderings: the targets, resolved.
        warnings: what was odd about them.

    Returns:
        ``targets``, a list of ``target`` and ``variables``; each of these with ``name``, ``type``,
        ``declared`` (``file:line``), ``value`` (HCL on one line, or words) and ``layers`` (later wins:
        ``origin``, ``value``, ``used``); and ``warnings``.
    """
    return {
        "targets": [
            {
                "target": one.target,
                "variables": [
                    _variable(variable, one.resolved) for __, variable in sorted(one.variables.items())
                ],
            }
            for one in renderings
        ],
        "warnings": list(warnings),
    }


def _variable(variable: Variable, resolved: Resolved) -> dict[str, Any]:
    name = variable.name
    used = resolved.used.get(name, [])
    return {
        "name": name,
        "type": str(variable.type),
        "declared": f"{variable.file}:{variable.line}",
        "value": _value(variable, resolved),
        "layers": [
            {
                "origin": entry.origin,
                "value": SENSITIVE if variable.sensitive else literal(entry.value),
                "used": entry in used,
            }
            for entry in resolved.entries.get(name, [])
        ],
    }


def _value(variable: Variable, resolved: Resolved) -> str:
    if variable.runtime:
        return "given by the build"
    if variable.sensitive:
        return SENSITIVE + (", needed from the environment" if variable.name in resolved.sensitive else "")
    if variable.name in resolved.values:
        return literal(resolved.values[variable.name])
    if variable.computed:
        return "default, computed by Packer"
    return "null, by default" if variable.default is None else f"{literal(variable.default)}, by default"
