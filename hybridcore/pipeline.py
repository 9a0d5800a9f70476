"""The whole way of a batch: provisioners, configuration, plan, checks, builds, state."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import copy_context
from dataclasses import dataclass, field

from . import config, provisioners, state, templates
from .errors import ConfigError, Fault
from .packer import runs
from .packer.building import batch
from .packer.options import BuildOptions
from .packer.results import BuildReport
from .workspace import Workspace, check_env

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from .monitor import Monitor


@dataclass(frozen=True)
class Request:
    """What a caller wants built.

    Attributes:
        env: name of the environment.
        targets: ``<os>/<platform>/<name>``, or mappings with ``target`` and ``vars``, its own values; every
            target of the workspace when empty.
        vars: the caller's values by variable, for all targets.
        ansible: whether the Ansible stack is on.
        puppet: whether the Puppet stack is on.
        options: how to build.
        command: what is being done, for the state and for those who wait.
    """

    env: str
    targets: Sequence[str | Mapping[str, Any]] = ()
    vars: Mapping[str, Any] = field(default_factory=dict)
    ansible: bool = True
    puppet: bool = False
    options: BuildOptions = field(default_factory=BuildOptions)
    command: str = "build"


def names(request: Request, workspace: Workspace) -> list[str]:
    """The targets of a request, each once, in its order.

    Raises:
        ConfigError: a target is given twice with other values, or without a name.
        TemplatesError: all targets are meant, and templates break the conventions.
    """
    if not request.targets:
        return templates.list_targets(workspace=workspace)
    found: dict[str, Mapping[str, Any]] = {}
    faults = []
    for entry in request.targets:
        own: Mapping[str, Any] = {"target": entry} if not isinstance(entry, dict) else entry
        name, values = own.get("target"), own.get("vars") or {}
        if not isinstance(name, str) or own.keys() - {"target", "vars"}:
            faults.append(Fault(f"a target is a text or a map with target and vars, not {entry!r:.80}"))
        elif found.setdefault(name, values) != values:
            faults.append(Fault(f"{name} is asked for twice, with other values"))
    if faults:
        raise ConfigError("the targets are not right", faults=faults)
    return list(found)


def inputs(request: Request, workspace: Workspace) -> dict[str, Any]:
    """What the configuration of a request is made from, after checking the provisioners' assets.

    Args:
        request: what is wanted.
        workspace: where everything lies.

    Returns:
        The argument of ``config.generate_env_config``.

    Raises:
        ConfigError, ProvisionersError, TemplatesError: something is wrong; has faults.
    """
    check_env(request.env)
    targets = names(request, workspace)
    loaded = templates.load_all(targets, workspace)
    values = {
        entry["target"]: entry.get("vars") or {} for entry in request.targets if not isinstance(entry, str)
    }

    def switches() -> dict[str, bool]:
        _switch(request)
        return provisioners.emit_vars_for(loaded, workspace=workspace)

    return {
        "env": request.env,
        "targets": [{"target": target, "vars": values.get(target, {})} for target in targets],
        "vars": request.vars,
        "provisioners": copy_context().run(switches),
    }


def _switch(request: Request) -> None:
    provisioners.enable_ansible(request.ansible)
    provisioners.enable_puppet(request.puppet)


def render(request: Request, workspace: Workspace, *, write: bool) -> dict[str, Any]:
    """Render the configuration of a request.

    Args:
        request: what is wanted.
        workspace: where everything lies.
        write: whether to write it.

    Returns:
        What ``config.generate_env_config`` gives.

    Raises:
        ConfigError, ProvisionersError, TemplatesError: something is wrong; has faults.
    """
    return config.generate_env_config(inputs(request, workspace), workspace=workspace, write=write)


def build(request: Request, *, workspace: Workspace, monitor: Monitor, check: bool = False) -> BuildReport:
    """Build what has changed: compose, render, fingerprint, validate, build, record.

    Args:
        request: what is wanted.
        workspace: where everything lies.
        monitor: who watches.
        check: only say what would be built; nothing is written.

    Returns:
        One result a target. With ``check``, the status that it would have if the build succeeds.

    Raises:
        HybridError: the input is wrong, and nothing was built; has faults, all of them.
    """
    return copy_context().run(_build, request, workspace, monitor, check)


def _build(request: Request, workspace: Workspace, monitor: Monitor, check: bool) -> BuildReport:
    _switch(request)
    rendered = render(request, workspace, write=not check)
    for text in rendered["warnings"]:
        monitor.note(f"warning: {text}")
    if not check:
        for text in runs.settle_dead(workspace):
            monitor.note(text)
        place = state.durability_warning(workspace)
        if place:
            monitor.note(f"warning: {place}")
    return batch.build(
        [entry["target"] for entry in rendered["files"]],
        env=request.env,
        options=request.options,
        workspace=workspace,
        monitor=monitor,
        texts={entry["target"]: entry["after"] for entry in rendered["files"]},
        command=request.command,
        check=check,
    )
