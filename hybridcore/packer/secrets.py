"""The secrets of a build: which values must not be shown, and whether they can be hidden."""

from __future__ import annotations

import json
import os
from decimal import Decimal
from typing import TYPE_CHECKING

from ..errors import Fault, HclError
from ..hcl import NotEvaluable, dumps_value, evaluate
from ..hcl.functions import FUNCTIONS
from ..hcl.nodes import Access, Call, Literal, Variable, walk
from ..hcl.values import to_text
from ..process.environment import child_environment, named_secrets
from ..process.forms import MIN_LENGTH
from ..process.mask import check_secret
from ..templates.declarations import RUNTIME_PREFIX
from . import passing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ..hcl import Value
    from ..hcl.nodes import Node
    from ..templates import Template
    from .options import BuildOptions

# Functions of Packer that give another value each time.
_CHANGING = frozenset({"timestamp", "legacy_isotime", "legacy_strftime", "uuidv4", "bcrypt"})
# Functions of Packer that ask another program for the value.
_OUTSIDE = frozenset({"vault", "consul_key", "aws_secretsmanager"})


def short_secrets(options: BuildOptions) -> list[Fault]:
    """The secrets of a whole batch that are too short to be masked.

    Args:
        options: ``secrets`` count, and what ``extra_env`` adds to our environment.

    Returns:
        A fault for each of ``secrets``, and for each variable of a platform or a proxy.
    """
    given = (check_secret(name, value) for name, value in options.secrets.items())
    faults = [fault for fault in given if fault]
    inherited: dict[str, Fault] = {}
    for name, value in named_secrets(child_environment(options.extra_env)):
        if short := _too_short(name, value):
            inherited.setdefault(name, short)
    return [*faults, *inherited.values()]


def _too_short(name: str, value: str) -> Fault | None:
    """The fault of a variable of the environment that cannot be masked."""
    hint = "use a longer one, or take the variable out of the environment"
    short = check_secret(name, value)
    return Fault(short.message, hint=hint) if short else None


def file_secrets(template: Template) -> dict[str, str]:
    """The values of sensitive variables that the template's own files of values hold, or its table.

    They reach Packer through its environment alone, never by ``configs/``.

    Args:
        template: the target.

    Returns:
        Texts by variable, as ``PKR_VAR_*`` takes them; of several files the last one's, the table's at last.
    """
    sensitive = template.sensitive_names()
    given = template.setting.vars if template.setting else {}
    if not sensitive or not (template.var_files or given):
        return {}
    from ..config.entries import read_file

    found: dict[str, str] = {}
    ignored: list[Fault] = []  # rendering has told what is wrong with these files
    for path in template.var_files:
        for name, entry in (read_file(path, template.workspace, ignored) or {}).items():
            if name in sensitive and not entry.marked and entry.value is not None:
                found[name] = _as_text(entry.value)
    return found | {name: _as_text(value) for name, value in given.items() if name in sensitive}


def _as_text(value: Value) -> str:
    """A value as ``PKR_VAR_*`` takes it."""
    return value if isinstance(value, str) else dumps_value(value)


def file_variables(template: Template, options: BuildOptions) -> dict[str, str]:
    """The same as variables of Packer's environment, where neither the caller nor the environment gives them.

    Args:
        template: the target.
        options: ``secrets`` and ``extra_env`` come first.
    """
    ours = {**os.environ, **options.extra_env}
    found = {f"PKR_VAR_{name}": value for name, value in file_secrets(template).items()}
    taken = {f"PKR_VAR_{name}" for name in options.secrets}
    return {name: value for name, value in found.items() if name not in taken and name not in ours}


def missing_secrets(
    template: Template, secrets: Mapping[str, str], environ: Mapping[str, str]
) -> list[Fault]:
    """The sensitive variables without a value or with one too short to be masked, and what cannot be known.

    Args:
        template: what its files say.
        secrets: values that the caller gives, by name.
        environ: the environment of the build.

    Returns:
        A fault each, with the place of the declaration. An empty value is none to keep secret.
    """
    faults = _changing(template)
    for name, text in passing.own_secrets(template, environ):
        if text and (short := _too_short(name, text)):
            faults.append(short)
    in_files = file_secrets(template)
    for name, variable in template.variables.items():
        if not variable.sensitive or variable.runtime or name in secrets:
            continue
        where, line = variable.file, variable.line
        value: object = environ.get(f"PKR_VAR_{name}", in_files.get(name))
        if value is None and variable.required:
            hint = f"give it in secrets, or in the environment as PKR_VAR_{name}"
            message = f"the sensitive variable {name!r} has no value"
            faults.append(Fault(message, file=where, line=line, hint=hint))
            continue
        if value is None:
            value = _default(template, name, environ)
        if isinstance(value, str) and value and (short := check_secret(name, value)):
            faults.append(Fault(short.message, file=where, line=line, hint=short.hint))
    return faults


def secret_values(template: Template, secrets: Mapping[str, str], env: Mapping[str, str]) -> list[str]:
    """Every value that must not be shown: what the caller gave, and sensitive variables from elsewhere.

    Args:
        template: declares which variables are sensitive, perhaps with a default.
        secrets: what the caller gave, by name.
        env: the environment of the build.

    Returns:
        Values of at least 4 characters, in no particular order: each text as a whole, and the texts and
        numbers in it where it is a list, a map or an object.
    """
    sensitive = template.sensitive_names()
    found: set[str] = set()
    for text in (*secrets.values(), *(env.get(f"PKR_VAR_{name}", "") for name in sensitive)):
        found |= {text, *parts(_parsed(text))}
    for name in sensitive:
        found.update(parts(_default(template, name, env)))
    return [value for value in found if len(value) >= MIN_LENGTH]


def unknown_values(template: Template, secrets: Mapping[str, str], env: Mapping[str, str]) -> list[str]:
    """The sensitive values that ``secret_values`` does not know.

    Args:
        template: the target.
        secrets: values that the caller gives, by name.
        env: the environment of the build.

    Returns:
        References that Packer can compute, such as ``local.password``: sensitive locals, and sensitive
        variables whose default is not computed here.
    """
    found = [f"local.{name}" for name, local in template.locals.items() if local.sensitive]
    for name in sorted(template.sensitive_names()):
        variable = template.variables[name]
        given = name in secrets or f"PKR_VAR_{name}" in env
        if variable.computed and not given and _default(template, name, env) is None:
            found.append(f"var.{name}")
    return found


def doubtful(template: Template) -> bool:
    """Whether a sensitive local asks another program, such as a vault, whose answer may change."""
    nodes = [
        node for name, local in template.locals.items() if local.sensitive for node in _nodes(template, name)
    ]
    return any(isinstance(node, Call) and node.name in _OUTSIDE for node in nodes) or any(
        root == "data" for root, __ in _references(nodes)
    )


def _changing(template: Template) -> list[Fault]:
    """The sensitive locals that have another value each time that they are computed."""
    faults = []
    for name, local in template.locals.items():
        if not local.sensitive:
            continue
        nodes = list(_nodes(template, name))
        made_of = {f"{node.name}()" for node in nodes if isinstance(node, Call) and node.name in _CHANGING}
        made_of |= {
            f"var.{step}"
            for root, step in _references(nodes)
            if root == "var" and step.startswith(RUNTIME_PREFIX)
        }
        for what in sorted(made_of):
            message = f"the sensitive local {name!r} is made of {what}, so that nobody knows what to mask"
            hint = "give its value as a sensitive variable"
            faults.append(Fault(message, file=local.file, line=local.line, hint=hint))
    return faults


def _nodes(template: Template, name: str) -> Iterator[Node]:
    """All parts of the expression of a local, and of the locals that it is made of."""
    waiting, seen = [name], {name}
    while waiting:
        local = template.locals.get(waiting.pop())
        nodes = list(walk(local.expression.node)) if local else []
        yield from nodes
        used = {step for root, step in _references(nodes) if root == "local"} - seen
        waiting += used
        seen |= used


def _references(nodes: Iterable[Node]) -> Iterator[tuple[str, str]]:
    """What expressions refer to: ``("var", "name")`` for ``var.name``."""
    for node in nodes:
        if isinstance(node, Access) and isinstance(node.source, Variable) and node.steps:
            step = node.steps[0]
            yield node.source.name, str(step.value) if isinstance(step, Literal) else ""


def _default(template: Template, name: str, env: Mapping[str, str]) -> object:
    """The default of a variable, ``env("NAME")`` computed; None without one or where only Packer knows it."""
    if not template.variables[name].computed:
        return template.variables[name].default
    functions = {**FUNCTIONS, "env": lambda asked: env.get(to_text(asked), "")}
    for __, block in template.blocks("variable"):
        if block.labels == (name,) and "default" in block.body.attributes:
            try:
                return evaluate(block.body.attributes["default"], {}, functions)
            except (NotEvaluable, HclError):
                return None
    return None


def _parsed(text: str) -> object:
    """What Packer makes of the text of a variable that is no string: an HCL value; None where it is none."""
    try:
        return evaluate(text, {}, {})
    except (HclError, NotEvaluable):
        pass
    try:
        # JSON has escapes that HCL lacks; what Packer then prints of such a text is still the secret.
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def parts(value: object) -> Iterator[str]:
    """The texts and numbers within a value, as Packer prints them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from parts(item)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield format(Decimal(repr(value) if isinstance(value, float) else value), "f")
