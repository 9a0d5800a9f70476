"""From targets with rendered configuration to results: probe, plan, check, build."""

from __future__ import annotations

import math
import os
from dataclasses import replace
from typing import TYPE_CHECKING

from ... import state
from ...errors import ConfigError, Fault
from ...image_settings import age_s
from ...monitor import Monitor, NullMonitor
from ...process.children import Children
from ...process.limits import room_for
from .. import pinned, runs
from ..checking.checks import install
from ..checking.hidden import hidden_values
from ..checking.lint import check_template
from ..options import BuildOptions, table
from ..planning.plan import parent_faults, plan, unchanged
from ..planning.preflight import check_all, missing
from ..program.capabilities import probe_for_check, probe_workspace
from ..program.commands import check_command
from ..program.plugins import required
from ..results import BuildReport, Status

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from ...templates import Template
    from ...workspace import Workspace
    from ..planning.plan import Planned
    from ..program.capabilities import Capabilities
    from ..results import BuildResult


def build(
    loaded: Sequence[Template],
    *,
    env: str,
    workspace: Workspace,
    options: BuildOptions | None = None,
    monitor: Monitor | None = None,
    rendered: Mapping[str, str] | None = None,
    command: str = "build",
    check: bool = False,
    watched: Sequence[int] = (),
    joined: Collection[str] = (),
) -> BuildReport:
    """See ``hybridcore.packer.build``.

    Args:
        loaded: the templates of the targets, each once.
        env: name of the environment.
        workspace: where everything lies.
        options: how to build.
        monitor: who watches; nobody when not given.
        rendered: configuration by target, where the caller has it; the others' is read from ``configs/``.
        command: what is being done, for the state and for those who wait.
        check: only say what would be built; nothing is written.
        watched: processes, besides this one, whose end cancels the batch.
        joined: those of the targets that are there only because others start from them.
    """
    chosen = options or BuildOptions()
    check_options(chosen)
    watching = monitor or NullMonitor()
    capabilities, lacking = probe_for_check(workspace) if check else (probe_workspace(workspace), "")
    if lacking:
        watching.note(f"warning: {lacking}")
    else:
        check_command(capabilities, chosen)
    if chosen.init and not lacking:
        _install_plugins(loaded, workspace, capabilities, chosen, watching, check=check)
    planned = plan(
        loaded,
        env=env,
        workspace=workspace,
        capabilities=capabilities,
        options=chosen,
        rendered=rendered,
        joined=joined,
    )
    todo = [one for one in planned if one.reasons]
    if faults := parent_faults(todo, workspace, env):
        raise ConfigError("images start from images that are not there", faults=faults)
    if not check:
        check_all(todo, workspace)
    declared = set().union(*(one.template.variable_names() for one in planned))
    for name in sorted(chosen.secrets.keys() - declared):
        watching.note(f"warning: the secret {name!r}: no target of this batch declares this variable")
    for one in todo:
        for warning in (*check_template(one.template, workspace), *one.unfollowed):
            watching.note(f"warning: {warning}")
    if check:
        return BuildReport(tuple(predict(one, workspace) for one in planned))
    return run_batch(
        planned,
        env=env,
        options=chosen,
        workspace=workspace,
        capabilities=capabilities,
        monitor=watching,
        command=command,
        watched=watched,
    )


def _install_plugins(
    loaded: Sequence[Template],
    workspace: Workspace,
    capabilities: Capabilities,
    options: BuildOptions,
    monitor: Monitor,
    *,
    check: bool,
) -> None:
    """Install the plugins that are pinned, and have Packer install the others that the targets require."""
    if not capabilities.has_init:
        monitor.note(f"Packer {capabilities.version} has its plugins built in: init does nothing")
        return
    if check:
        return
    for result in pinned.sync(offline=options.offline, monitor=monitor, workspace=workspace):
        if result.changed:
            monitor.note(f"{result.action} the plugin {result.source} {result.version}")
        if result.warning:
            monitor.note(f"warning: the plugin {result.source}: {result.warning}")
    requiring = [template for template in loaded if required(template)]
    if not (workspace.settings.strict or options.offline):
        for line in install(requiring, workspace, capabilities, options=options):
            monitor.note(line)


def run_batch(
    planned: Sequence[Planned],
    *,
    env: str,
    options: BuildOptions,
    workspace: Workspace,
    capabilities: Capabilities,
    monitor: Monitor,
    command: str = "build",
    watched: Sequence[int] = (),
) -> BuildReport:
    """Build what a plan says must be built.

    Args:
        planned: the targets, each with the reasons for building it; one without reasons is left alone.
        env: name of the environment.
        options: how to build.
        workspace: where everything lies.
        capabilities: of the Packer that builds.
        monitor: who watches.
        command: what is being done, for the state and for those who wait.
        watched: processes, besides this one, whose end cancels the batch.

    Returns:
        One result a target, in the order of the plan.

    Raises:
        StateError: the state cannot be read or written.
        PackerError: a sensitive value cannot be known; has faults, all of them.
    """
    started_at = state.timestamp()
    run_id = runs.new_run_id()
    results: dict[str, BuildResult] = {
        one.template.target: unchanged(one) for one in planned if not one.reasons
    }
    todo = [one for one in planned if one.reasons]
    if not todo:
        return BuildReport(tuple(results.values()), run_id)
    if results:
        monitor.note(f"{len(results)} unchanged, {len(todo)} to build")
    ready = [one for one in todo if not one.waits]
    hidden = hidden_values(ready, env=env, options=options, workspace=workspace, capabilities=capabilities)
    # The end is written while the supervisor still lives: nobody takes the run for a dead one.
    with room_for(len(todo)) as most_open, Children(run_id, watched) as children:
        # Imported while the supervisor starts, which takes about as long.
        from .job import Batch
        from .scheduler import Scheduler

        folder = runs.run_folder(workspace, run_id)
        wanted = options.parallel_builds or workspace.settings.parallel_builds or os.cpu_count() or 1
        if most_open < min(wanted, len(todo)):
            monitor.note(
                f"warning: {most_open} builds at a time, not {wanted}: no more files may be open (ulimit -Hn)"
            )
        batch = Batch(
            workspace,
            env,
            options,
            capabilities,
            run_id,
            folder,
            monitor,
            parallel=min(wanted, most_open),
            most_open=most_open,
        )
        results |= Scheduler(batch, todo, hidden, children).run(command)
        report = BuildReport(tuple(results[one.template.target] for one in planned), run_id)
        runs.finish(
            workspace,
            run_id,
            env=env,
            command=command,
            started_at=started_at,
            status=report.status.value,
            results=report.results,
        )
    return report


def check_options(options: BuildOptions) -> None:
    """Check the numbers that a caller gives.

    Raises:
        ConfigError: one is negative or not finite; has faults, all of them.
    """
    faults = []
    for option in table():
        value = getattr(options, option.field)
        if option.kind in (int, float) and not 0 <= value < math.inf:
            faults.append(Fault(f"{option.name} must be a number that is not negative, not {value:g}"))
    if options.max_age and not age_s(options.max_age):
        faults.append(Fault(f"max_age must be an age such as 7d or 12h, not {options.max_age!r:.80}"))
    if faults:
        raise ConfigError("the options of the build are not right", faults=faults)


def predict(planned: Planned, workspace: Workspace) -> BuildResult:
    """The result that a target would have if its build succeeds.

    What is missing on this machine is a warning here: a step before the build, as a role that installs
    programs, may bring it, and does nothing either where things are only checked.
    """
    if not planned.reasons:
        return unchanged(planned)
    warnings = tuple(f"as things are, it would fail: {fault}" for fault in missing(planned, workspace))
    return replace(planned.result(Status.BUILT), warnings=warnings)
