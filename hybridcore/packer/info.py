"""What there is: the Packer at hand, its plugins, the targets of the workspace, and what was built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import state, templates
from ..templates.requirements import PackerHas
from ..workspace import Workspace, check_env, resolve
from .building.inotify import trouble
from .pinned.checks import refusals
from .planning.parents import recorded
from .program import plugins
from .program.capabilities import path_of, probe, probe_workspace

if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Any

    from .program.capabilities import Capabilities

_OF_IMAGE = tuple(
    "environment target builder status fingerprint given_fingerprint artifacts built_at duration_s log_path "
    "run last_attempt".split()
)


def info(
    *, env: str | None = None, targets: Collection[str] = (), workspace: Workspace | None = None
) -> dict[str, Any]:
    """Gather what there is. Changes nothing but the cache of what this Packer can do.

    Args:
        env: only images of this environment.
        targets: only these targets and their images; all when empty.
        workspace: the workspace; found from the current folder when not given.

    Returns:
        ``packer`` (see ``Capabilities.to_dict``), ``plugins`` (newest version by source address),
        ``builders`` (those of Packer and of its plugins, sorted), ``observation`` (whether the kernel tells
        what builds read, else why not), ``targets`` (``target``, ``builder`` and ``parent`` of each),
        ``images`` (what the state remembers, sorted, with paths relative to the workspace) and ``last_run``.

    Raises:
        PackerError: there is no Packer.
        StateError: the state cannot be read.
        TemplatesError: a template breaks the conventions, or a target is missing; has faults.
        WorkspaceError: that is not the name of an environment.
    """
    where = resolve(workspace)
    if env is not None:
        check_env(env)
    loaded = (
        templates.load_all(list(targets), where) if targets else templates.load_catalogue(workspace=where)
    )
    remembered = state.read(workspace=where)
    images = [
        {
            **{name: image.get(name) for name in _OF_IMAGE},
            "artifacts": image.get("artifacts") or [],
            "parent": recorded(image),
        }
        for __, image in sorted(remembered["images"].items())
        if env in (None, image["environment"]) and (not targets or image["target"] in targets)
    ]
    packer = probe_workspace(where)
    return {
        "packer": packer.to_dict(),
        "plugins": {
            source: list(versions)[-1]
            for source, versions in plugins.installed(plugins.environ_of(where), packer.path).items()
        },
        "builders": _builders(packer, where),
        "observation": {"available": not (why := trouble()), "reason": why},
        "targets": [
            {
                "target": template.target,
                "builder": template.builder,
                "parent": template.parent.to_dict() if template.parent else None,
            }
            for template in loaded
        ],
        "images": images,
        "last_run": remembered["last_run"],
    }


def packer_has(workspace: Workspace) -> PackerHas:
    """What the Packer of a workspace, and the plugins beside it, can build with.

    Raises:
        PackerError: there is no Packer.
    """
    # Asked anew, without the cache: the folder may be no workspace yet.
    packer = probe(path_of(workspace))
    return PackerHas(
        version=packer.version,
        builders=_builders(packer, workspace),
        plugins=plugins.found_by(packer, plugins.environ_of(workspace)),
        reads_requirements=packer.has_init,
    )


def _builders(packer: Capabilities, workspace: Workspace) -> list[str]:
    """The builders of a Packer and of its plugins; an older one does not look into the folders of these."""
    asked = packer.has_init and not refusals(workspace)  # what is refused is not run either
    beside = plugins.builders(plugins.environ_of(workspace), packer.path) if asked else ()
    return sorted({*packer.builders, *beside})
