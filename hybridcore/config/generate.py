"""Rendering a batch of targets: check the inputs, resolve every target, compose its text."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from .. import templates
from ..errors import ConfigError, Fault, TemplatesError
from ..hcl.dialect import Dialect, dialect
from ..hcl.types import MAX_DEPTH
from ..hcl.values import number_of
from ..templates.declarations import RUNTIME_PREFIX
from ..workspace import check_env
from . import render
from .entries import Entry, read_file
from .overlays import Overlays, merge_maps
from .placeholders import literal
from .resolve import Resolved, Sources, resolve_variables

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path
    from typing import Any

    from ..hcl import Value
    from ..templates import Template
    from ..templates.declarations import Variable
    from ..workspace import Workspace

_MOST_NAMED = 5
_KEYS = ("env", "targets", "vars", "provisioners", "packer_version")


@dataclass(frozen=True)
class Inputs:
    """What a caller asks for, checked.

    Attributes:
        env: the environment.
        targets: each target with the caller's values for it alone.
        vars: the caller's values for all targets.
        provisioners: the values that the provisioners' switches give.
        spoken: the language of the Packer that will read the values, as far as it is known.
        environment: names of variables that Packer gets from its environment, where nothing else gives them.
        missing_told: whether a variable without a value is a fault here; else it is left to Packer.
    """

    env: str
    targets: Mapping[str, Mapping[str, Value]]
    vars: Mapping[str, Value]
    provisioners: Mapping[str, Value]
    spoken: Dialect
    environment: frozenset[str] = frozenset()
    missing_told: bool = True


@dataclass(frozen=True)
class Rendering:
    """The configuration of one target, resolved and composed, not yet written.

    Attributes:
        target: ``<os>/<platform>/<name>``.
        path: where its configuration belongs.
        variables: what it declares.
        resolved: the values and where they come from.
        text: what the file is to hold.
        before: what it holds now, or None where there is none.
    """

    target: str
    path: Path
    variables: Mapping[str, Variable]
    resolved: Resolved
    text: str
    before: bytes | None

    @property
    def content(self) -> bytes:
        """The same as bytes."""
        return self.text.encode("utf-8")

    @property
    def changed(self) -> bool:
        """Whether writing would change the file."""
        return self.content != self.before

    def to_dict(self) -> dict[str, Any]:
        """What callers get."""
        secret = [name for name, variable in self.variables.items() if variable.sensitive]
        before = "" if self.before is None else self.before.decode("utf-8", "replace")
        return {
            "target": self.target,
            "path": str(self.path),
            "sha256": hashlib.sha256(self.content).hexdigest(),
            "changed": self.changed,
            "origins": self.resolved.origins(),
            "sensitive": self.resolved.sensitive,
            "unchecked": self.resolved.unchecked,
            "before": render.mask(before, secret) if self.changed else before,
            "after": self.text,
        }


def render_all(
    asked: Inputs, loaded: Sequence[Template], workspace: Workspace
) -> tuple[list[Rendering], list[str]]:
    """Resolve and compose the configuration of every target of a batch; nothing is written.

    Args:
        asked: what the caller wants.
        loaded: the templates of the targets.
        workspace: where everything lies.

    Returns:
        A rendering for each target, in the order of the templates, and the warnings.

    Raises:
        ConfigError: something is wrong; has faults, those of all targets.
    """
    faults: list[Fault] = []
    spoken = asked.spoken
    overlays = Overlays(asked.env, workspace, faults)
    declared = {template.target: template.variables for template in loaded}
    faults += [fault for template in loaded for fault in template.declarations.faults]
    hidden = frozenset(
        variable.name for each in declared.values() for variable in each.values() if variable.sensitive
    )
    resolved: dict[str, Resolved] = {}
    for template in loaded:
        target, variables = template.target, template.variables
        caller = merge_maps(asked.vars, asked.targets[target])
        layers = overlays.layers(target, caller)
        sources = Sources(
            target=target,
            overlays=[*template_layers(template, faults), *layers],
            provisioners=asked.provisioners,
            caller=caller,
            folders=overlays.folders,
            hidden=hidden,
            dialect=spoken,
            complete=target not in overlays.incomplete,
            environment=asked.environment,
            missing_told=asked.missing_told,
        )
        resolved[target] = resolve_variables(variables, sources, faults)
        if template.parent:
            resolved[target].warnings += _told(template, sources, faults)
    faults += _runtime_faults(asked, overlays)
    if faults:
        raise ConfigError(
            f"the configuration of {asked.env} is not right, nothing was written", faults=set(faults)
        )
    for folder in {workspace.config_file(asked.env, target).parent for target in declared}:
        render.check_place(folder, workspace)
    renderings = [
        _compose(target, asked.env, declared[target], resolved[target], workspace) for target in declared
    ]
    warnings = {warning for each in resolved.values() for warning in each.warnings}
    warnings |= overlays.warnings
    warnings |= _undeclared(asked, overlays, declared, workspace)
    return renderings, sorted(warnings)


def template_layers(template: Template, faults: list[Fault]) -> list[Mapping[str, Entry]]:
    """What the files of values of a template say, and its table in the settings, later wins.

    Sensitive values are left out: the build gives them through its environment, see ``packer.secrets``. So
    are those that the template does not declare, since such files are often shared.

    Args:
        template: the target.
        faults: where to add what is wrong.
    """
    layers = [read_file(path, template.workspace, faults) or {} for path in template.var_files]
    if template.setting is not None:
        layers.append(
            {name: Entry(value, template.setting.file) for name, value in template.setting.vars.items()}
        )
    plain = {name for name, variable in template.variables.items() if not variable.sensitive}
    return [{name: entry for name, entry in layer.items() if name in plain} for layer in layers]


def recorded(workspace: Workspace) -> AbstractContextManager[object]:
    """Have the shared log say that configuration is rendered and written, and how that ended."""
    from .. import logs

    return logs.recorded("config", "render", workspace=workspace)


def write(renderings: Sequence[Rendering], workspace: Workspace) -> None:
    """Write what changed: all of it, or nothing. The shared log says what that was.

    Raises:
        ConfigError: a file cannot be written.
    """
    from ..logs import get_logger

    changed = [one for one in renderings if one.changed]
    render.write([(one.path, one.content) for one in changed], workspace)
    said = f"{len(changed)} of {len(renderings)} configurations changed"
    if changed:
        said += ": " + ", ".join(workspace.relative(one.path) for one in changed[:_MOST_NAMED])
    if len(changed) > _MOST_NAMED:
        said += f" and {len(changed) - _MOST_NAMED} more"
    get_logger("config", workspace=workspace).info("%s", said)


def texts(renderings: Sequence[Rendering]) -> dict[str, str]:
    """The rendered text of each target."""
    return {one.target: one.text for one in renderings}


def to_dict(renderings: Sequence[Rendering], warnings: Sequence[str]) -> dict[str, Any]:
    """What ``generate_env_config`` gives."""
    return {"files": [one.to_dict() for one in renderings], "warnings": list(warnings)}


def _compose(
    target: str, env: str, variables: Mapping[str, Variable], resolved: Resolved, workspace: Workspace
) -> Rendering:
    path = workspace.config_file(env, target)
    # Lines are left out: a comment added to an overlay must not change the file, and with it the
    # image's fingerprint.
    files = {
        name: ", ".join(dict.fromkeys(entry.file for entry in entries))
        for name, entries in resolved.used.items()
    }
    facts = {
        "target": target,
        "env": env,
        "sensitive": resolved.sensitive,
        "variables": {
            name: [str(variables[name].type), [[entry.file, literal(entry.value)] for entry in entries]]
            for name, entries in resolved.used.items()
        },
    }
    digest = "sha256:" + hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
    text = render.text(target, env, digest, resolved.values, files, resolved.sensitive)
    return Rendering(target, path, variables, resolved, text, render.read(path))


def _told(template: Template, sources: Sources, faults: list[Fault]) -> Iterator[str]:
    """Warn of overlays that set what the template is told of its parent, and refuse the caller's values."""
    if template.parent is None:
        return
    where = template.parent.target
    for name in sorted(template.parent.variables):
        for layer in sources.overlays:
            if name in layer:
                yield f"{layer[name].origin}: {name} has no effect, the parent {where} decides it"
        if name in sources.caller:
            hint = "leave it out, or take the variable out of the parent's in the settings"
            faults.append(Fault(f"{name}: the parent {where} of {template.target} decides it", hint=hint))


def _runtime_faults(asked: Inputs, overlays: Overlays) -> Iterable[Fault]:
    hint = f"the build itself gives the variables that begin with {RUNTIME_PREFIX}"
    for entries in overlays.entries.values():
        for name, entry in entries.items():
            if name.startswith(RUNTIME_PREFIX):
                yield Fault(f"{name}: cannot be set", file=entry.file, line=entry.line, hint=hint)
    for given in (asked.vars, *asked.targets.values()):
        for name in given:
            if name.startswith(RUNTIME_PREFIX):
                yield Fault(f"{name}: cannot be set by the caller", hint=hint)


def _undeclared(
    asked: Inputs,
    overlays: Overlays,
    declared: Mapping[str, Mapping[str, Variable]],
    workspace: Workspace,
) -> set[str]:
    """Warnings about variables that no target declares; other targets are only read when it matters."""
    known = set().union(*declared.values())
    unknown = [
        (f"{entry.origin}: ", name)
        for entries in overlays.entries.values()
        for name, entry in entries.items()
        if name not in known
    ]
    unknown += [
        ("", name) for name in asked.vars if name not in known and name not in overlays.used_placeholders
    ]
    warnings = {
        f"{name}: given for {target}, which does not declare it"
        for target, given in asked.targets.items()
        for name in given
        if name not in declared[target] and name not in overlays.used_placeholders
    }
    if unknown:
        try:
            for template in templates.load_catalogue(workspace=workspace):
                known |= template.variable_names()
        except TemplatesError as error:
            return {*warnings, f"whether each variable is declared is not known: {error.message}"}
    return warnings | {
        f"{where}{name}: no target declares this variable" for where, name in unknown if name not in known
    }


def read_inputs(inputs: Mapping[str, Any], workspace: Workspace, *, repeated: bool = False) -> Inputs:
    """Check the shape of the inputs and make plain values of them.

    Args:
        inputs: as for ``generate_env_config``.
        workspace: where targets are looked up when none are named.
        repeated: whether a target may be there twice, with the same values.

    Returns:
        The inputs, checked.

    Raises:
        ConfigError: they have the wrong shape; has faults.
        WorkspaceError: the environment is not a plain name.
    """
    faults = [
        Fault(f"unknown input {key!r}", hint="one of " + ", ".join(_KEYS))
        for key in inputs
        if key not in _KEYS
    ]
    env = inputs.get("env")
    if not isinstance(env, str):
        raise ConfigError("an environment is needed", hint="env: dev")
    given = inputs.get("targets")
    if given is None:
        given = templates.target_names(workspace=workspace)
    targets: dict[str, Mapping[str, Value]] = {}
    for entry in given:
        name, own = (entry.get("target"), entry.get("vars")) if isinstance(entry, dict) else (entry, None)
        extra = sorted(set(entry) - {"target", "vars"}) if isinstance(entry, dict) else []
        if not isinstance(name, str) or extra:
            faults.append(Fault(f"a target is a text or a map with target and vars, not {entry!r:.80}"))
        elif name in targets and not repeated:
            faults.append(Fault(f"the target {name} is there twice"))
        else:
            values = _mapping(own, f"vars of {name}", faults)
            if targets.setdefault(str.__str__(name), values) != values:
                faults.append(Fault(f"{name} is asked for twice, with other values"))
    vars_ = _mapping(inputs.get("vars"), "vars", faults)
    provisioners = _mapping(inputs.get("provisioners"), "provisioners", faults)
    version = inputs.get("packer_version")
    if version is not None and not isinstance(version, str):
        faults.append(Fault("packer_version must be a text", hint="1.9.4"))
    if faults:
        raise ConfigError("the inputs are not right", faults=faults)
    return Inputs(str.__str__(check_env(env)), targets, vars_, provisioners, dialect(version))


def _mapping(value: object, what: str, faults: list[Fault]) -> dict[str, Value]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        faults.append(Fault(f"{what} must be a map of variables and values"))
        return {}
    found = _plain(value, what, faults, 0)
    return found if isinstance(found, dict) else {}


def _plain(value: object, where: str, faults: list[Fault], depth: int) -> Value:
    """A value of exactly the plain types; subclasses, as Ansible uses them, become their base type."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, Decimal) and value.is_finite():
        return number_of(Decimal(value))
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    if depth < MAX_DEPTH:
        if isinstance(value, dict):
            if all(isinstance(name, str) for name in value):
                return {
                    str.__str__(name): _plain(item, f"{where}.{name}", faults, depth + 1)
                    for name, item in value.items()
                }
            faults.append(Fault(f"{where}: the keys of a map must be texts"))
            return None
        if isinstance(value, list | tuple):
            return [_plain(item, f"{where}[{i}]", faults, depth + 1) for i, item in enumerate(value)]
        faults.append(Fault(f"{where}: a value of type {type(value).__name__} has no form in HCL"))
    else:
        faults.append(Fault(f"{where}: is nested too deep"))
    return None
