"""What of our environment reaches the Packer of one target, what of it is masked, and what was left out.

Besides what the tables of ``process.environment`` let pass, these do: what ``[environment]`` of the settings
names, what the template reads by ``env("...")``, and what Packer's functions ask that it calls.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from ..process.environment import (
    FUNCTIONS,
    Passed,
    child_environment,
    environment_secrets,
    may_be_secret,
)
from ..settings import SETTINGS_FILE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..templates import Template
    from .options import BuildOptions

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*").findall
_LEAST = 4  # a shorter name stands in too many texts


def environment(
    template: Template, options: BuildOptions, extra: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Build the environment of the Packer of a target.

    Args:
        template: the target.
        options: ``extra_env`` is added.
        extra: more variables, which win.
    """
    settings = template.workspace.settings
    more = [*settings.environment_pass, *settings.environment_secrets, *template.reads.names]
    for one in _functions(template):
        more += one.names
    return child_environment({**options.extra_env, **(extra or {})}, more=more)


def own_secrets(template: Template, env: Mapping[str, str]) -> list[tuple[str, str]]:
    """The secrets in what ``environment`` gave that pass for this target, by variable."""
    called = {name for one in _functions(template) for name in one.secrets}
    return [(name, env[name]) for name in env if name in called or _named(name, template)]


def masked(template: Template, env: Mapping[str, str]) -> list[str]:
    """The values in what ``environment`` gave that are masked.

    Besides secrets, what the template reads from a variable that is called like one.
    """
    own = [name for name, __ in own_secrets(template, env)]
    return environment_secrets(env, [*own, *filter(may_be_secret, template.reads.names)])


def is_secret(name: str, template: Template) -> bool:
    """Whether a variable holds a secret, by the tables, the settings or its name."""
    return may_be_secret(name) or _named(name, template)


def removed(template: Template, env: Mapping[str, str], texts: Iterable[str]) -> list[str]:
    """Say which variables of ours a build may have failed for, since they did not reach Packer.

    Args:
        template: the target.
        env: the environment that its Packer had.
        texts: what was said of the failure.

    Returns:
        A sentence for each that is named there, or begins with the name of the plugin: ``HCLOUD_TOKEN``.
    """
    words = {word for text in texts for word in _WORD(text) if len(word) >= _LEAST}
    plugin = f"{template.platform.plugin}_".upper().replace("-", "_")
    return [
        f"{name} is set here and did not reach Packer: name it in [environment] of {SETTINGS_FILE}, "
        "in `pass` or `secrets`"
        for name in sorted(os.environ.keys() - env.keys())
        if name in words or name.startswith(plugin)
    ]


def _functions(template: Template) -> list[Passed]:
    """What the functions that the template calls read."""
    return [FUNCTIONS[name] for name in template.reads.functions if name in FUNCTIONS]


def _named(name: str, template: Template) -> bool:
    """Whether ``[environment] secrets`` names a variable."""
    return any(
        name.startswith(one[:-1]) if one.endswith("*") else name == one
        for one in template.workspace.settings.environment_secrets
    )
