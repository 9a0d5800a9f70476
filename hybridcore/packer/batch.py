"""From targets with rendered configuration to results: probe, plan, check, build."""

from __future__ import annotations

import math

from ..errors import ConfigError, Fault
from ..monitor import Monitor, NullMonitor
from ..workspace import Workspace, check_env, resolve
from .capabilities import probe_workspace
from .commands import check_command
from .lint import check_template
from .plan import plan
from .preflight import check_all
from .results import BuildOptions, BuildReport, BuildResult, Status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .plan import Planned


def build(
    targets: Sequence[str],
    *,
    env: str,
    options: BuildOptions | None = None,
    workspace: Workspace | None = None,
    monitor: Monitor | None = None,
    texts: Mapping[str, str] | None = None,
    command: str = "build",
    check: bool = False,
) -> BuildReport:
    """See ``hybridcore.packer.build``.

    Args:
        targets: ``<os>/<platform>/<name>``.
        env: name of the environment.
        options: how to build.
        workspace: where everything lies; found when not given.
        monitor: who watches; nobody when not given.
        texts: rendered configuration by target, for what is not written yet.
        command: what is being done, for the state and for those who wait.
        check: only say what would be built; nothing is written.
    """
    where = resolve(workspace)
    chosen = options or BuildOptions()
    check_options(chosen)
    capabilities = probe_workspace(where)
    check_command(capabilities, chosen)
    planned = plan(
        list(dict.fromkeys(targets)),
        env=check_env(env),
        workspace=where,
        capabilities=capabilities,
        options=chosen,
        configs=texts,
    )
    todo = [one for one in planned if one.reasons]
    check_all(todo, where)
    watching = monitor or NullMonitor()
    declared = set().union(*(one.template.variable_names() for one in planned))
    for name in sorted(chosen.secrets.keys() - declared):
        watching.note(f"warning: the secret {name!r}: no target of this batch declares this variable")
    for one in todo:
        for warning in check_template(one.template, where):
            watching.note(f"warning: {warning}")
    if check:
        return BuildReport(tuple(map(predict, planned)))
    from .scheduler import run_batch

    return run_batch(
        planned,
        env=env,
        options=chosen,
        workspace=where,
        capabilities=capabilities,
        monitor=watching,
        command=command,
    )


def check_options(options: BuildOptions) -> None:
    """Check the numbers that a caller gives.

    Raises:
        ConfigError: one is negative or not finite; has faults, all of them.
    """
    faults = []
    for name in ("parallel_builds", "timeout", "retries", "retry_delay", "lock_timeout"):
        value = getattr(options, name)
        if not 0 <= value < math.inf:
            faults.append(Fault(f"{name} must be a number that is not negative, not {value:g}"))
    if faults:
        raise ConfigError("the options of the build are not right", faults=faults)


def predict(planned: Planned) -> BuildResult:
    """The result that a target would have if its build succeeds."""
    from .scheduler import unchanged

    if not planned.reasons:
        return unchanged(planned)
    return BuildResult(
        target=planned.template.target,
        builder=planned.template.builder,
        status=Status.BUILT,
        fingerprint=planned.fingerprint,
        reasons=planned.reasons,
    )
