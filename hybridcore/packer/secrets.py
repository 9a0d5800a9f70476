"""The secrets of a build: which values must not be shown, and whether they can be hidden."""

from __future__ import annotations

import json
from decimal import Decimal

from ..errors import Fault, HclError
from ..hcl import NotEvaluable, evaluate
from ..process.environment import child_environment, named_secrets
from ..process.forms import MIN_LENGTH
from ..process.mask import check_secret

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..templates import Template
    from .options import BuildOptions


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
        if short := check_secret(name, value):
            hint = "use a longer one, or take the variable out of the environment"
            inherited.setdefault(name, Fault(short.message, hint=hint))
    return [*faults, *inherited.values()]


def missing_secrets(
    template: Template, secrets: Mapping[str, str], environ: Mapping[str, str]
) -> list[Fault]:
    """The sensitive variables that have no value, or one that is too short to be masked.

    Args:
        template: what its files say.
        secrets: values that the caller gives, by name.
        environ: the environment of the build.

    Returns:
        A fault each, with the place of the declaration. An empty value is none to keep secret.
    """
    faults = []
    for name, variable in template.variables.items():
        if not variable.sensitive or variable.runtime or name in secrets:
            continue
        where, line = variable.file, variable.line
        value: object = environ.get(f"PKR_VAR_{name}")
        if value is None and variable.required:
            hint = f"give it in secrets, or in the environment as PKR_VAR_{name}"
            message = f"the sensitive variable {name!r} has no value"
            faults.append(Fault(message, file=where, line=line, hint=hint))
            continue
        if value is None:
            value = variable.default
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
        found |= {text, *_parts(_parsed(text))}
    for name in sensitive:
        found.update(_parts(template.variables[name].default))
    return [value for value in found if len(value) >= MIN_LENGTH]


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


def _parts(value: object) -> Iterator[str]:
    """The texts and numbers within a value, as Packer prints them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _parts(item)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield format(Decimal(repr(value) if isinstance(value, float) else value), "f")
