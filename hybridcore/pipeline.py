"""The whole way of a batch: provisioners, configuration, plan, checks, builds, state."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from contextlib import nullcontext
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from . import logs, provisioners, templates
from .config import generate
from .config.generate import Inputs, read_inputs
from .errors import ConfigError, ProvisionersError, TemplatesError
from .hcl.dialect import spoken_with
from .packer import settling
from .packer.building import batch
from .packer.checking import checks
from .packer.checking.results import TargetFaults, ValidateResult
from .packer.options import BuildOptions
from .packer.program.capabilities import known
from .packer.results import BuildReport
from .templates.parents import joining
from .workspace import Workspace, check_env

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from .monitor import Monitor
    from .templates import Template

# The word for every target of the workspace.
ALL = "all"
# How Packer's variables begin that the environment gives.
_VAR = "PKR_VAR_"
_SEPARATORS = re.compile(r"[\s,]+")


@dataclass(frozen=True)
class Request:
    """What a caller wants built.

    Attributes:
        env: name of the environment.
        targets: texts and mappings. A text names targets, ``<os>/<platform>/<name>`` or the builder of one,
            ``source.<type>.<name>``, with commas, blanks or line ends between them; ``all`` is every target
            of the workspace, and so are no targets. A mapping has ``target`` and ``vars``, its own values.
        vars: the caller's values by variable, for all targets.
        provisioners: which stacks are on, by name; the others are as their rows say.
        options: how to build.
        command: what is being done, for the state and for those who wait.
    """

    env: str
    targets: Sequence[str | Mapping[str, Any]] = ()
    vars: Mapping[str, Any] = field(default_factory=dict)
    provisioners: Mapping[str, bool] = field(default_factory=dict)
    options: BuildOptions = field(default_factory=BuildOptions)
    command: str = "build"


@dataclass(frozen=True)
class Prepared:
    """A request, checked: what is asked for, and the templates of its targets.

    Attributes:
        asked: environment, targets, values and switches.
        templates: one a target, in the order of the targets.
        joined: those of the targets that nobody asked for and others start from; they come last.
    """

    asked: Inputs
    templates: Sequence[Template]
    joined: Sequence[str] = ()


def named_targets(
    targets: Sequence[str | Mapping[str, Any]], workspace: Workspace
) -> list[str | Mapping[str, Any]]:
    """Name each target that is asked for, without looking at it.

    Args:
        targets: as in ``Request``.
        workspace: whose targets ``all`` means.

    Returns:
        An entry for each: names, and the mappings as they are. Those that ``all`` adds come last, sorted.

    Raises:
        ConfigError: a text names nothing, or there is no target at all; says what lies there instead.
    """
    entries: list[str | Mapping[str, Any]] = []
    for entry in targets:
        words = _SEPARATORS.sub(" ", entry).split() if isinstance(entry, str) else [entry]
        if not words:
            raise ConfigError("a target is blank", hint=f"name a target, or say {ALL}")
        entries += [
            templates.target_of(word, workspace)
            if isinstance(word, str) and word.startswith("source.") and "/" not in word
            else word
            for word in words
        ]
    if entries and ALL not in entries:
        return entries
    entries = [entry for entry in entries if entry != ALL]
    own = [entry.get("target") if isinstance(entry, dict) else entry for entry in entries]
    entries += [target for target in templates.target_names(workspace=workspace) if target not in own]
    if not entries:
        from .templates.survey import none_found

        raise none_found(workspace)
    return entries


def prepare(request: Request, workspace: Workspace, *, alone: bool = False) -> Prepared:
    """Check the shape of a request, load its templates, and check the provisioners' assets.

    Args:
        request: what is wanted.
        workspace: where everything lies.
        alone: leave out the targets that those of the request start from.

    Raises:
        ConfigError, ProvisionersError, TemplatesError: something is wrong; has faults.
    """
    check_env(request.env)
    targets = named_targets(request.targets, workspace)
    asked = read_inputs(
        {"env": request.env, "targets": targets, "vars": request.vars}, workspace, repeated=True
    )
    joined: list[str] = []
    if not alone:
        joined = joining(list(asked.targets), workspace)
        asked = replace(asked, targets={**asked.targets, **{target: {} for target in joined}})
    loaded = templates.load_all(list(asked.targets), workspace)
    switches = copy_context().run(_switches, request, loaded, workspace)
    environment = {**os.environ, **request.options.extra_env}
    asked = replace(
        asked,
        provisioners=switches,
        environment=frozenset(name[len(_VAR) :] for name in environment if name.startswith(_VAR)),
    )
    if packer := known(workspace):
        asked = replace(asked, spoken=spoken_with(packer.language))
    return Prepared(asked, loaded, joined)


def _switches(request: Request, loaded: Sequence[Template], workspace: Workspace) -> dict[str, bool | None]:
    provisioners.switch(request.provisioners)
    return provisioners.emit_vars_for(loaded, workspace=workspace)


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
    with generate.recorded(workspace) if write else nullcontext():
        prepared = prepare(request, workspace)
        renderings, warnings = generate.render_all(prepared.asked, prepared.templates, workspace)
        if write:
            generate.write(renderings, workspace)
    return generate.to_dict(renderings, warnings)


def validate(request: Request, workspace: Workspace) -> ValidateResult:
    """Have Packer check what a request would build; renders as a build does, and writes nothing.

    Args:
        request: what is wanted; of its options ``secrets`` and ``extra_env`` count.
        workspace: where everything lies.

    Returns:
        The faults and warnings of each target; where one cannot be rendered, these are its faults.

    Raises:
        ConfigError: a text names nothing, or there is no target at all.
        PackerError: Packer is missing or could not be run.
    """
    check_env(request.env)
    named = named_targets(request.targets, workspace)
    try:
        prepared, texts = _rendered(request, named, workspace)
    except (ConfigError, ProvisionersError, TemplatesError) as error:
        if len(named) > 1:  # so that the faults of one hide no other, and most are still checked together
            half = len(named) // 2
            parts = [
                validate(replace(request, targets=part), workspace) for part in (named[:half], named[half:])
            ]
            return ValidateResult(tuple(result for part in parts for result in part.results))
        only = named[0]["target"] if isinstance(named[0], Mapping) else named[0]
        return ValidateResult((TargetFaults(str(only), tuple(error.as_faults())),))
    return checks.validate_rendered(
        prepared.templates, texts, env=request.env, workspace=workspace, options=request.options
    )


def _rendered(
    request: Request, named: Sequence[str | Mapping[str, Any]], workspace: Workspace
) -> tuple[Prepared, dict[str, str]]:
    prepared = prepare(replace(request, targets=named), workspace, alone=True)
    # Packer says which variables have no value, among all else that it finds.
    asked = replace(prepared.asked, missing_told=False)
    renderings, __ = generate.render_all(asked, prepared.templates, workspace)
    return prepared, generate.texts(renderings)


def explain(request: Request, workspace: Workspace) -> dict[str, Any]:
    """Say where the value of each variable of a request comes from; see ``config.explain``.

    Raises:
        ConfigError, ProvisionersError, TemplatesError: something is wrong; has faults.
    """
    from .config.explain import explain as say

    prepared = prepare(request, workspace, alone=True)
    return say(*generate.render_all(prepared.asked, prepared.templates, workspace))


def inputs(request: Request, workspace: Workspace) -> list[dict[str, Any]]:
    """List what decides the images of a request, and where each of these inputs comes from.

    Args:
        request: what is wanted, as it would be built.
        workspace: where everything lies.

    Returns:
        One entry a target; see ``packer.planning.origins.origins``.

    Raises:
        HybridError: the input is wrong; has faults, all of them.
    """
    from .packer.planning.origins import origins
    from .packer.planning.plan import plan
    from .packer.program.capabilities import probe_workspace

    prepared = prepare(request, workspace, alone=True)
    renderings, __ = generate.render_all(prepared.asked, prepared.templates, workspace)
    planned = plan(
        prepared.templates,
        env=request.env,
        workspace=workspace,
        capabilities=probe_workspace(workspace),
        options=request.options,
        rendered=generate.texts(renderings),
    )
    return [origins(one, workspace) for one in planned]


def build(
    request: Request,
    *,
    workspace: Workspace,
    monitor: Monitor,
    check: bool = False,
    watched: Sequence[int] = (),
) -> BuildReport:
    """Build what has changed: compose, render, fingerprint, validate, build, record.

    Args:
        request: what is wanted.
        workspace: where everything lies.
        monitor: who watches.
        check: only say what would be built; nothing is written.
        watched: processes, besides this one, whose end cancels the builds.

    Returns:
        One result a target. With ``check``, the status that it would have if the build succeeds.

    Raises:
        HybridError: the input is wrong, and nothing was built; has faults, all of them.
    """
    if check:
        return _build(request, workspace, monitor, check=True, watched=watched)
    secrets = request.options.secrets.values()
    with logs.recorded("packer", request.command, workspace=workspace, secrets=secrets) as say:
        if request.options.offline:
            from . import bundles

            bundles.bring(workspace=workspace, monitor=monitor)
        report = _build(request, workspace, monitor, check=False, watched=watched)
        say(report.counted())
    return report


def _build(
    request: Request, workspace: Workspace, monitor: Monitor, *, check: bool, watched: Sequence[int]
) -> BuildReport:
    prepared = prepare(request, workspace)
    renderings, warnings = generate.render_all(prepared.asked, prepared.templates, workspace)
    for text in warnings:
        monitor.note(f"warning: {text}")
    interrupted: list[str] = []
    if not check:
        generate.write(renderings, workspace)
        interrupted = settling.settle_dead(workspace)
        for text in interrupted:
            monitor.note(text)
    report = batch.build(
        prepared.templates,
        env=request.env,
        workspace=workspace,
        options=request.options,
        monitor=monitor,
        rendered=generate.texts(renderings),
        command=request.command,
        check=check,
        watched=watched,
        joined=prepared.joined,
    )
    return replace(report, interrupted=tuple(interrupted))
