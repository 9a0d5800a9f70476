"""Saying where each value of a target comes from, and what it hides."""

from __future__ import annotations

from .. import workspace as workspaces
from . import generate
from .placeholders import literal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..templates.declarations import Variable
    from ..workspace import Workspace
    from .resolve import Resolved

SENSITIVE = "(sensitive)"


def explain(inputs: Mapping[str, Any], *, workspace: Workspace | None = None) -> dict[str, Any]:
    """Say for each variable of each target what it is and what every layer says.

    Args:
        inputs: as for ``generate_env_config``.
        workspace: where everything lies; found when not given.

    Returns:
        ``targets``, a list of ``target`` and ``variables``; each of these with ``name``, ``type``,
        ``declared`` (``file:line``), ``value`` (HCL on one line, or words) and ``layers`` (later wins:
        ``origin``, ``value``, ``used``); and ``warnings``.

    Raises:
        ConfigError: as ``generate_env_config``.
    """
    plans, warnings = generate.plan(inputs, workspaces.resolve(workspace))
    return {
        "targets": [
            {
                "target": plan.target,
                "variables": [
                    _variable(variable, plan.resolved) for _, variable in sorted(plan.variables.items())
                ],
            }
            for plan in plans
        ],
        "warnings": warnings,
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
    return "default, computed by Packer" if variable.computed else "null, by default"
