"""Our own look at a template: does it show a secret in the process list?

Packer puts ``environment_vars``, ``extra_arguments`` and inline scripts on the command lines of what it
starts, where every user of the machine can read them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ...errors import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...hcl import Attribute, Block
    from ...templates import Template
    from ...workspace import Workspace

# Attributes of provisioners and post-processors that end up on a command line.
SHOWN = frozenset(
    """
    environment_vars env ansible_env_vars extra_arguments galaxy_command inline execute_command command
    inline_shebang start_retry_command facter extra_vars
    """.split()
)
_HINT = (
    "it would show in the process list: read it there from the inherited environment variable PKR_VAR_{name}"
)


def check_template(template: Template, workspace: Workspace) -> tuple[Fault, ...]:
    """Find sensitive variables in attributes that Packer shows in the process list.

    Args:
        template: the target.
        workspace: for the paths that are shown.

    Returns:
        A warning for each, sorted, with file and line.
    """
    names = _sensitive(template)
    if not names:
        return ()
    used = re.compile(r"\b(var|local)\.(" + "|".join(sorted(map(re.escape, names))) + r")\b(?!-)")
    found = []
    for path, block in template.blocks("build"):
        for kind, attribute_name, attribute in _shown(block):
            for name in sorted({match[2] for match in used.finditer(attribute.expression)}):
                found.append(
                    Fault(
                        f"the {kind} puts the sensitive variable {name!r} into {attribute_name}",
                        file=workspace.relative(path),
                        line=attribute.line,
                        hint=_HINT.format(name=names[name]),
                    )
                )
    return tuple(sorted(found, key=Fault.sort_key))


def _sensitive(template: Template) -> dict[str, str]:
    """Sensitive variables, and locals that are made of them, each with the variable's name."""
    names = {name: name for name in template.sensitive_names()}
    grew = True
    while grew:
        grew = False
        for name, local in template.locals.items():
            for known in list(names):
                if name not in names and re.search(
                    rf"\b(?:var|local)\.{re.escape(known)}\b(?!-)", local.expression.expression
                ):
                    names[name] = names[known]
                    grew = True
    return names


def _shown(build: Block) -> Iterator[tuple[str, str, Attribute]]:
    for block in (build, *build.body.nested()):
        label = f" {block.labels[0]!r}" if block.labels else ""
        for name, attribute in block.body.attributes.items():
            if name in SHOWN:
                yield f"{block.type}{label}", name, attribute
