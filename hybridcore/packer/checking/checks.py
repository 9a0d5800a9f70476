"""``packer validate``, ``init`` and ``inspect`` over targets, each in a mirror made for it."""

from __future__ import annotations

import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ... import process, state, templates
from ...errors import ConfigError, Fault, PackerError
from ...images.known import Known
from ...process.lines import strip_ansi_text
from ...process.mask import Masker
from ...temporary import folder as temporary_folder
from ...temporary import write
from ...workspace import Workspace, check_env, resolve
from ..mirror import make_mirror
from ..options import BuildOptions
from ..passing import environment, masked, removed
from ..pinned.checks import refusals
from ..planning.fingerprint import Digests
from ..planning.parents import no_parent, parent_of
from ..planning.rendered import Rendered
from ..program.capabilities import Capabilities, probe_workspace
from ..program.commands import init_command, inspect_command, validate_command
from ..runtime import packer_environment, runtime_variables
from ..secrets import file_variables, secret_values, unknown_values
from .diagnostics import parse, to_faults
from .hidden import ask
from .inspection import parse_inspection
from .lint import check_template
from .results import InitResult, InspectResult, TargetFaults, ValidateResult

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ...images.lookup import Found
    from ...templates import Template

_TIMEOUT_S = 600.0
# Source: ``Variable.validateValue`` and ``PackerConfig.evaluateAllLocalVariables`` of hcl2template.
_UNSET = re.compile(r'Unset variable "([^"]+)"').match
_NO_OPTIONS = BuildOptions()


class _Done(NamedTuple):
    """How Packer ended in a mirror, and what it printed, masked."""

    template: Template
    workspace: Workspace
    exit_code: int
    text: str

    def faults(self, severity: str) -> tuple[Fault, ...]:
        """What Packer finds, with the paths of the workspace; a failure without a diagnostic is one fault."""
        found = to_faults(parse(self.text), severity, self._place)
        if self.exit_code and not found and severity == "error":
            message = self.text.strip() or f"Packer ended with exit code {self.exit_code} and said nothing"
            return (Fault(message, file=self.workspace.relative(self.template.folder)),)
        return found

    def _place(self, printed: str) -> str:
        """The path in the workspace for one that Packer printed; it runs in the target's ``cwd``."""
        path = self.template.cwd / printed
        return self.workspace.relative(Path(os.path.normpath(path)))


def validate(targets: Sequence[str], *, env: str, workspace: Workspace | None = None) -> ValidateResult:
    """See ``hybridcore.packer.validate``."""
    where = resolve(workspace)
    check_env(env)
    loaded = templates.load_all(targets, where)
    configs = {template.target: where.config_file(env, template.target) for template in loaded}
    missing = [path for path in configs.values() if not path.is_file()]
    if missing:
        raise ConfigError(
            f"there is no configuration for {env}",
            hint=f"packer-hybrid config render --env {env}",
            faults=[Fault("is missing", file=where.relative(path)) for path in missing],
        )
    texts = {target: path.read_text(encoding="utf-8") for target, path in configs.items()}
    return validate_rendered(loaded, texts, env=env, workspace=where, options=_NO_OPTIONS)


def validate_rendered(
    loaded: Sequence[Template],
    texts: Mapping[str, str],
    *,
    env: str,
    workspace: Workspace,
    options: BuildOptions,
) -> ValidateResult:
    """Have Packer check targets with the configuration that the caller has.

    Args:
        loaded: the templates of the targets.
        texts: the rendered configuration by target; nothing needs to be in ``configs/``.
        env: name of the environment.
        workspace: where everything lies.
        options: how they would be built: ``secrets`` and ``extra_env`` count.

    Returns:
        The faults and warnings of each target.
    """
    capabilities = probe_workspace(workspace)
    _refuse(workspace, capabilities)
    known = Known.read(workspace) if any(one.parent for one in loaded) else None

    def one(template: Template) -> TargetFaults:
        start = None
        if template.parent and known:
            start, why = parent_of(template, env, known)
            if start is None:
                why = no_parent(template.parent.target, why)
                return TargetFaults(template.target, not_checked=why)
        rendered = Rendered(texts[template.target])
        hidden: Sequence[str] = ()
        if unknown_values(template, options.secrets, environment(template, options)):
            # Where Packer cannot compute them, it cannot quote them either.
            hidden, __ = ask(
                template,
                rendered,
                parent=start,
                env=env,
                options=options,
                workspace=workspace,
                capabilities=capabilities,
            )
        with temporary_folder() as folder:
            values = folder / "values.pkrvars.hcl"
            write(values, rendered.text.encode())
            done = _run(
                validate_command(capabilities, var_files=[values], only=template.only),
                template,
                workspace,
                capabilities,
                env=env,
                rendered=rendered,
                options=options,
                hidden=hidden,
                parent=start,
            )
        shown = workspace.relative(workspace.config_file(env, template.target))
        done = done._replace(text=done.text.replace(str(values), str(workspace.root / shown)))
        warnings = (*done.faults("warning"), *check_template(template, workspace))
        faults = tuple(map(_with_hint, done.faults("error")))
        if faults:
            said = [fault.message for fault in faults]
            warnings += tuple(map(Fault, removed(template, environment(template, options), said)))
        return TargetFaults(template.target, faults, warnings)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return ValidateResult(tuple(pool.map(one, loaded)))


def _with_hint(fault: Fault) -> Fault:
    """A fault of Packer, with where a variable can be set that has no value."""
    unset = _UNSET(fault.message)
    if not unset:
        return fault
    hint = f"set it in an overlay below environments/, by --var, or in the environment as PKR_VAR_{unset[1]}"
    return Fault(fault.message, file=fault.file, line=fault.line, hint=hint)


def init(targets: Sequence[str], *, upgrade: bool = False, workspace: Workspace | None = None) -> InitResult:
    """See ``hybridcore.packer.init``."""
    where = resolve(workspace)
    loaded = templates.load_all(targets, where)
    capabilities = probe_workspace(where)
    if where.settings.strict:
        raise ConfigError(
            "[packer] strict is set: plugins are those of [plugins] alone", hint="packer-hybrid plugins sync"
        )
    return InitResult(tuple(install(loaded, where, capabilities, upgrade=upgrade)))


def install(
    loaded: Sequence[Template],
    workspace: Workspace,
    capabilities: Capabilities,
    *,
    upgrade: bool = False,
    options: BuildOptions = _NO_OPTIONS,
) -> list[str]:
    """Have Packer install the plugins that templates require.

    Args:
        loaded: the templates.
        workspace: where everything lies.
        capabilities: of this Packer.
        upgrade: replace installed plugins by newer ones where the requirement allows.
        options: ``extra_env`` counts.

    Returns:
        A line for each plugin that was installed, as Packer says it.

    Raises:
        PackerError: it has no ``init``, or that failed; has faults, all of them.
    """
    command = init_command(capabilities, upgrade=upgrade)
    installed: list[str] = []
    faults: list[Fault] = []
    # One after the other: two could install the same plugin at the same time.
    for template in loaded:
        done = _run(command, template, workspace, capabilities, options=options)
        faults += done.faults("error")
        installed += [line for line in done.text.splitlines() if line.startswith("Installed plugin")]
    if faults:
        raise PackerError("the plugins could not be installed", faults=faults)
    return list(dict.fromkeys(installed))


def _refuse(workspace: Workspace, capabilities: Capabilities) -> None:
    """Refuse to start a Packer that could run a plugin which is not the pinned one."""
    if capabilities.has_init and (faults := refusals(workspace, Digests(workspace).file)):
        raise ConfigError("plugins are not what was pinned", faults=faults)


def inspect(targets: Sequence[str], *, workspace: Workspace | None = None) -> tuple[InspectResult, ...]:
    """See ``hybridcore.packer.inspect``."""
    where = resolve(workspace)
    loaded = templates.load_all(targets, where)
    capabilities = probe_workspace(where)
    _refuse(where, capabilities)
    command = inspect_command(capabilities)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = list(pool.map(lambda template: _run(command, template, where, capabilities), loaded))
    faults = [fault for done in runs for fault in done.faults("error")]
    if faults:
        raise PackerError("Packer cannot read these templates", faults=faults)
    return tuple(
        parse_inspection(done.template.target, done.text, done.template.sensitive_names()) for done in runs
    )


def _run(
    command: Sequence[str],
    template: Template,
    workspace: Workspace,
    capabilities: Capabilities,
    *,
    env: str = "",
    rendered: Rendered | None = None,
    options: BuildOptions = _NO_OPTIONS,
    hidden: Sequence[str] = (),
    parent: Found | None = None,
) -> _Done:
    """Run Packer in a mirror of its own for a target, which is removed afterwards."""
    with temporary_folder() as made:
        variables = runtime_variables(
            template,
            env=env,
            fingerprint="0" * 64,
            build_time=state.timestamp(),
            folder=made,
            parent=parent,
        ) | file_variables(template, options)
        child = packer_environment(template, options, variables, made)
        mirror = make_mirror(
            template,
            rendered or Rendered(""),
            made / "ws",
            workspace,
            environ=child,
            with_plugins=capabilities.has_init,
        )
        known = secret_values(template, options.secrets, child)
        masker = Masker([*known, *hidden, *masked(template, child)])
        # Relative, as people would type it, so that Packer names files as they know them.
        argument = os.path.relpath(mirror.argument, mirror.cwd)
        done = process.run([*command[:-1], argument], env=child, cwd=mirror.cwd, timeout=_TIMEOUT_S)
    text = masker.text(strip_ansi_text(f"{done.stdout}\n{done.stderr}"))
    # The mirror is gone when people read this.
    text = text.replace(f"{mirror.root}{os.sep}", f"{workspace.root}{os.sep}")
    return _Done(template, workspace, done.returncode, text)
