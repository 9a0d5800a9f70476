"""Where each input of a target comes from, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...provisioners.stacks import STACKS
from .fingerprint import CONFIGURATION

if TYPE_CHECKING:
    from typing import Any

    from ...workspace import Workspace
    from .plan import Planned

_OF_A_KIND = {
    "source": "a repository that the template names, by its commit",
    "plugin": "required by the template",
    "program": "the plugin that Packer takes",
    "env": "of the environment",
    "parent": "the image that it starts from, by its version",
}
_BY_NAME = {
    CONFIGURATION: "the rendered values",
    "packer": "the Packer that builds",
    "only": "of the call",
    "except": "of the call",
}


def origins(planned: Planned, workspace: Workspace) -> dict[str, Any]:
    """List the inputs of a target.

    Args:
        planned: the target.
        workspace: where it lies.

    Returns:
        ``target``, ``fingerprint``, ``parent`` (``target``, ``channel`` and ``version``, or None), ``inputs``
        (each with ``name``, ``digest``, ``origin`` and ``observed``, sorted by name) and ``unfollowed``, what
        the template may read and nobody can know before the build.
    """
    return {
        "target": planned.template.target,
        "fingerprint": planned.fingerprint,
        "parent": _parent(planned),
        "inputs": [
            {
                "name": name,
                "digest": digest,
                "origin": _origin(name, planned, workspace),
                "observed": name in planned.observed,
            }
            for name, digest in sorted(planned.inputs.items())
        ],
        "unfollowed": [str(fault) for fault in planned.unfollowed],
    }


def _parent(planned: Planned) -> dict[str, str | int | None] | None:
    parent = planned.template.parent
    if parent is None:
        return None
    version = planned.parent.version if planned.parent else None
    return {"target": parent.target, "channel": parent.channel or None, "version": version}


def _origin(name: str, planned: Planned, workspace: Workspace) -> str:
    kind, __, rest = name.partition(" ")
    if name in planned.observed:
        return f"was read in run {planned.run_before}"
    if name in planned.places:
        return f"named in {planned.places[name]}"
    if name == workspace.relative(planned.template.folder):
        return "the template's folder"
    if name in _BY_NAME:
        return _BY_NAME[name]
    if rest and kind in _OF_A_KIND:
        return _OF_A_KIND[kind]
    if name.startswith("PKR_VAR_"):
        return _OF_A_KIND["env"]
    for stack in STACKS:
        if name == f"templates/{stack.name}":
            return f"assets of {stack.title}"
    return "read by an expression of the template"
