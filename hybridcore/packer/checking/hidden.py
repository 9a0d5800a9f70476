"""The sensitive values that only Packer can compute, asked before a build, so that they can be masked.

Packer prints ``<sensitive>`` in their place, but not in its machine-readable output. ``packer console``
computes an expression in the scope of a template, locals included. What it prints is redacted too, so each
value is asked for as base64 of JSON, written in characters that no secret has. They are kept in memory alone.
"""

from __future__ import annotations

import base64
import json
import os
import string
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from ... import process, state
from ...errors import Fault, PackerError, ProcessError
from ...process.lines import strip_ansi_text
from ...process.mask import Masker, check_secret
from ...temporary import folder as temporary_folder
from ...temporary import write
from ..mirror import make_mirror
from ..options import BuildOptions
from ..passing import environment, masked
from ..program.commands import console_command
from ..runtime import packer_environment, runtime_variables
from ..secrets import doubtful, file_variables, parts, secret_values, unknown_values
from .diagnostics import parse

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...images.lookup import Found
    from ...templates import Template
    from ...workspace import Workspace
    from ..planning.plan import Planned
    from ..planning.rendered import Rendered
    from ..program.capabilities import Capabilities

_TIMEOUT_S = 60.0
_BASE64 = string.ascii_letters + string.digits + "+/="
_FIRST = 0xE000  # of the characters for private use
_PRIVATE = {_FIRST + number: char for number, char in enumerate(_BASE64)}
_HINT = "give its value as a sensitive variable, so that it is known what to mask"


def hidden_values(
    planned: Sequence[Planned],
    *,
    env: str,
    options: BuildOptions,
    workspace: Workspace,
    capabilities: Capabilities,
) -> dict[str, tuple[str, ...]]:
    """Ask Packer for the sensitive values that are not known otherwise.

    Args:
        planned: the targets that are to be built.
        env: name of the environment.
        options: how they will be built: ``secrets`` and ``extra_env`` count.
        workspace: where everything lies.
        capabilities: of the Packer that will build.

    Returns:
        Values to be masked, by target; only the targets where something was asked.

    Raises:
        PackerError: a value cannot be known, or is too short to be masked; has faults, all of them.
    """
    asked = [
        plan
        for plan in planned
        if unknown_values(plan.template, options.secrets, environment(plan.template, options))
    ]
    if not asked:
        return {}

    def one(plan: Planned) -> tuple[tuple[str, ...], list[Fault]]:
        return ask(
            plan.template,
            plan.rendered,
            parent=plan.parent,
            env=env,
            options=options,
            workspace=workspace,
            capabilities=capabilities,
        )

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        answers = list(pool.map(one, asked))
    faults = [fault for __, found in answers for fault in found]
    if faults:
        raise PackerError("sensitive values cannot be masked", faults=faults)
    return {plan.template.target: values for plan, (values, __) in zip(asked, answers, strict=True)}


def ask(
    template: Template,
    rendered: Rendered,
    *,
    parent: Found | None = None,
    env: str,
    options: BuildOptions,
    workspace: Workspace,
    capabilities: Capabilities,
) -> tuple[tuple[str, ...], list[Fault]]:
    """Ask Packer for the sensitive values of one target.

    Args:
        template: the target.
        rendered: its configuration.
        parent: the image that it starts from, if any.
        env: name of the environment.
        options: how it would be built.
        workspace: where everything lies.
        capabilities: of the Packer that is asked.

    Returns:
        Values to be masked, and what is wrong: what cannot be known, or is too short.
    """
    with temporary_folder() as made:
        variables = runtime_variables(
            template, env=env, fingerprint="0" * 64, build_time=state.timestamp(), folder=made, parent=parent
        ) | file_variables(template, options)
        child = packer_environment(template, options, variables, made)
        with_plugins = capabilities.has_init
        mirror = make_mirror(
            template, rendered, made / "ws", workspace, environ=child, with_plugins=with_plugins
        )
        references = unknown_values(template, options.secrets, child)
        file = made / "values.pkrvars.hcl"
        write(file, rendered.text.encode())
        command = console_command(capabilities, mirror.argument, var_files=[file])
        answers = []
        for __ in range(2 if doubtful(template) else 1):
            try:
                done = process.run(
                    command, env=child, cwd=mirror.cwd, timeout=_TIMEOUT_S, stdin=question(references) + "\n"
                )
            except ProcessError as error:
                return (), [_fault(template, references[0], error.message)]
            answers.append(answer(done.stdout))
    values = answers[0]
    if values is None:
        masker = Masker([*secret_values(template, options.secrets, child), *masked(template, child)])
        text = strip_ansi_text(f"{done.stdout}\n{done.stderr}")
        said = [one.message for one in parse(text)] or [text.strip() or "nothing"]
        return (), [_fault(template, references[0], f"Packer says: {masker.text(mirror.shown(said[0]))}")]
    if values != answers[-1]:
        return (), [_fault(template, references[0], "it is another one each time")]
    faults = []
    for reference, value in zip(references, values, strict=True):
        if isinstance(value, str) and value and (short := check_secret(reference, value)):
            faults.append(_at(template, reference, short.message, short.hint))
    return tuple(text for value in values for text in parts(value)), faults


def question(references: Sequence[str]) -> str:
    """The expression whose value tells those of some references, for ``answer``."""
    expression = f"base64encode(jsonencode([{', '.join(references)}]))"
    for code, char in _PRIVATE.items():
        expression = f'replace({expression}, "{char}", "\\u{code:04x}")'
    return expression


def answer(printed: str) -> list[object] | None:
    """The values that ``packer console`` printed for a ``question``; None where it did not answer."""
    for line in printed.splitlines():
        if line and all(ord(char) in _PRIVATE for char in line):
            values = json.loads(base64.b64decode(line.translate(_PRIVATE)))
            return values if isinstance(values, list) else None
    return None


def _fault(template: Template, reference: str, why: str) -> Fault:
    return _at(template, reference, f"the value of the sensitive {reference} cannot be known: {why}", _HINT)


def _at(template: Template, reference: str, message: str, hint: str) -> Fault:
    """A fault at the declaration of a variable or a local."""
    kind, __, name = reference.partition(".")
    place = template.locals[name] if kind == "local" else template.variables[name]
    return Fault(message, file=place.file, line=place.line, hint=hint)
