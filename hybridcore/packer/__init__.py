"""Packer under control: format, validate, inspect and build templates, with typed results.

The functions here import their parts when they are called, so that importing this module is cheap.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from ..workspace import Workspace
    from .checking.results import FmtResult, InitResult, InspectResult, ValidateResult
    from .options import BuildOptions
    from .results import BuildReport


def fmt(paths: Iterable[str | Path], *, check: bool = False, workspace: Workspace | None = None) -> FmtResult:
    """Bring Packer files into canonical form, as ``packer fmt`` does.

    Args:
        paths: files, or folders that are searched for ``*.pkr.hcl`` and ``*.pkrvars.hcl``.
        check: only say what would change.
        workspace: where ``packer`` is configured; found from the current folder when not given.

    Returns:
        Which files change, with a diff.

    Raises:
        PackerError: Packer is missing or could not be run. A file that it cannot parse is no error, but one
            of ``.faults`` of the result.
        WorkspaceError: a path is missing or lies outside of the workspace; has faults, all of them.
    """
    from .checking.formatting import fmt as run

    return run(paths, check=check, workspace=workspace)


def validate(targets: Sequence[str], *, env: str, workspace: Workspace | None = None) -> ValidateResult:
    """Have Packer check targets with the configuration of an environment; public interface.

    Args:
        targets: ``<os>/<platform>/<name>``.
        env: name of the environment.
        workspace: the workspace; found from the current folder when not given.

    Returns:
        The faults and warnings of each target, with file and line in the user's own templates.

    Raises:
        ConfigError: a target has no configuration for this environment yet; has faults, all of them.
        PackerError: Packer is missing or could not be run.
        TemplatesError: a target is missing or breaks the conventions; has faults, all of them.
    """
    from .checking.checks import validate as run

    return run(targets, env=env, workspace=workspace)


def init(targets: Sequence[str], *, upgrade: bool = False, workspace: Workspace | None = None) -> InitResult:
    """Have Packer install the plugins that targets require.

    Args:
        targets: ``<os>/<platform>/<name>``.
        upgrade: replace installed plugins by newer ones where the requirement allows.
        workspace: the workspace; found from the current folder when not given.

    Returns:
        What was installed.

    Raises:
        PackerError: this Packer has no ``init``, or it failed; has faults, all of them.
    """
    from .checking.checks import init as run

    return run(targets, upgrade=upgrade, workspace=workspace)


def inspect(targets: Sequence[str], *, workspace: Workspace | None = None) -> tuple[InspectResult, ...]:
    """Have Packer list the parts of targets.

    Args:
        targets: ``<os>/<platform>/<name>``.
        workspace: the workspace; found from the current folder when not given.

    Returns:
        One entry a target, in order; values of sensitive variables are masked.

    Raises:
        PackerError: Packer cannot read a target; has faults, all of them.
    """
    from .checking.checks import inspect as run

    return run(targets, workspace=workspace)


def build(
    targets: Sequence[str],
    *,
    env: str,
    options: BuildOptions | None = None,
    workspace: Workspace | None = None,
) -> BuildReport:
    """Build targets whose inputs changed, from what is rendered already; public interface.

    ``pipeline.build`` renders the configuration first, and ends what runs that died have left; this is the
    step that runs Packer. A caller that repeats builds calls ``settling.settle_dead`` before.

    Args:
        targets: ``<os>/<platform>/<name>``.
        env: name of the environment.
        options: how to build; ``BuildOptions()`` when not given.
        workspace: where everything lies; found when not given.

    Returns:
        One result a target: status, exit code, manifest, artifacts, errors, times. Those of targets that the
        given ones start from come last.

    Raises:
        ConfigError: an option is not right, or a target's configuration or secret is missing; has faults.
        PackerError: Packer or something that a target needs on this machine is missing; has faults.
        TemplatesError: a target is missing or breaks the conventions.
        StateError: the state cannot be read or written.
    """
    from .. import logs, templates
    from ..templates.parents import joining
    from ..workspace import check_env, resolve
    from .building import batch

    where = resolve(workspace)
    secrets = options.secrets.values() if options else ()
    with logs.recorded("packer", f"build {check_env(env)}", workspace=where, secrets=secrets) as say:
        asked = list(dict.fromkeys(targets))
        joined = joining(asked, where)
        loaded = templates.load_all([*asked, *joined], where)
        report = batch.build(loaded, env=env, options=options, workspace=where, joined=joined)
        say(report.counted())
    return report
