"""The provisioner stacks, Ansible (on by default) and Puppet (off): switches, assets, variables.

A stack that is on by default always gives its variable. One that is off by default gives it only when it is
on; while it is off, configurations say nothing of it, and its variable must have ``default = false``.
"""

from __future__ import annotations

import os
import re
from contextvars import ContextVar
from types import MappingProxyType
from typing import TYPE_CHECKING

from ..errors import Fault, ProvisionersError
from ..workspace import Workspace, read_plain, resolve
from . import stacks

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ..templates import Template
    from .stacks import Stack


_MISSING = "is missing"
# The first line that is neither blank nor a comment, nor the beginning of a document in YAML.
_FIRST = re.compile(r"^[ \t]*(?!---[ \t]*(?:#.*)?$|%|#)\S.*$", re.MULTILINE)
# An entry of a list, a list in brackets, or the head of an encrypted file.
_PLAYBOOK = re.compile(r"(?:---)?[ ]*(?:-(?:[ ]|$)|\[)|\$ANSIBLE_VAULT;")
# On or off, by the name of a stack; a stack that nobody switched is as its row says.
_switches: ContextVar[Mapping[str, bool]] = ContextVar(
    "hybridcore_provisioners",
    default=MappingProxyType({}),
)


def enable_ansible(flag: bool) -> None:
    """Switch the Ansible stack on or off, in this context (thread or task) alone; public interface.

    Args:
        flag: whether it is on.

    Raises:
        ProvisionersError: it is no bool.
    """
    enable("ansible", flag)


def enable_puppet(flag: bool) -> None:
    """Switch the Puppet stack on or off, in this context (thread or task) alone; public interface.

    Args:
        flag: whether it is on.

    Raises:
        ProvisionersError: it is no bool.
    """
    enable("puppet", flag)


def enable(name: str, flag: bool) -> None:
    """Switch a stack on or off, in this context (thread or task) alone.

    Args:
        name: of the stack.
        flag: whether it is on.

    Raises:
        ProvisionersError: there is no such stack, or the flag is no bool.
    """
    known = [stack.name for stack in stacks.STACKS]
    if name not in known:
        raise ProvisionersError(
            f"there is no provisioner stack {name!r}", hint=f"there are: {', '.join(known)}"
        )
    # The text "false" is true in Python: who passes one would get the opposite of what it says.
    if not isinstance(flag, bool):
        raise ProvisionersError(f"a switch is true or false, not {flag!r:.80} ({type(flag).__name__})")
    _switches.set({**_switches.get(), name: flag})


def switch(given: Mapping[str, bool]) -> None:
    """Switch every stack, in this context (thread or task) alone.

    Args:
        given: on or off, by name of stack; the others are as their rows say.

    Raises:
        ProvisionersError: there is no such stack, or a flag is no bool.
    """
    _switches.set({})
    for name, flag in given.items():
        enable(name, flag)


def _is_on(stack: Stack) -> bool:
    return _switches.get().get(stack.name, stack.on)


def emit_vars(*, workspace: Workspace | None = None) -> dict[str, bool]:
    """Give the Packer variables that switch the stacks, after checking their assets; public interface.

    Args:
        workspace: where the assets lie; found when not given.

    Returns:
        ``enable_ansible``; ``enable_puppet`` too, only when Puppet is on.

    Raises:
        ProvisionersError: an asset of an enabled stack is missing, or is no asset; has faults, all of them.
    """
    check_assets(resolve(workspace))
    return {name: value for name, value in _variables().items() if value is not None}


def _variables() -> dict[str, bool | None]:
    """The value of each switch; None for a stack that is off as it is by default."""
    return {stack.variable: _is_on(stack) or (False if stack.on else None) for stack in stacks.STACKS}


def emit_vars_for(
    templates: Sequence[Template], *, workspace: Workspace | None = None
) -> dict[str, bool | None]:
    """Give the value of every switch, after checking the assets of the stacks that the templates use.

    Args:
        templates: the targets of a batch. A stack whose switch none of them declares is not used, so
            that a workspace without provisioners needs no assets.
        workspace: where the assets lie; found when not given.

    Returns:
        What ``emit_vars`` gives, and None for each other stack, so that an overlay's or a caller's value that
        says otherwise can be found.

    Raises:
        ProvisionersError: an asset of an enabled stack that is used is missing or wrong, or the environment
            switches on what is off; has faults.
    """
    used = set().union(*(template.variable_names() for template in templates))
    check_assets(resolve(workspace), used=used)
    variables = _variables()
    faults = [
        Fault(
            f"PKR_VAR_{stack.variable} in the environment is not false, and the {stack.name} stack is off",
            hint="unset it, or switch the stack on",
        )
        for stack in stacks.STACKS
        if variables[stack.variable] is None and stack.variable in used
        if os.environ.get(f"PKR_VAR_{stack.variable}", "false") not in ("false", "0")
    ]
    if faults:
        raise ProvisionersError("the environment contradicts the provisioners' switches", faults=faults)
    return variables


def check_assets(workspace: Workspace, *, used: set[str] | None = None) -> None:
    """Check that the assets of the enabled stacks are there, inside the workspace, and not empty.

    Args:
        workspace: where the assets lie.
        used: names of variables that the templates declare; all stacks are checked when None.

    Raises:
        ProvisionersError: an asset is missing or wrong; has faults.
    """
    faults = []
    for stack in stacks.STACKS:
        if not _is_on(stack) or (used is not None and stack.variable not in used):
            continue
        path = asset_folder(stack, workspace) / stack.entry
        wrong = _wrong(stack, path, workspace)
        if wrong:
            message = f"the {stack.name} stack is on and its asset {wrong}"
            hint = f"{'create' if wrong == _MISSING else 'mend'} it, or switch {stack.name} off"
            faults.append(Fault(message, file=workspace.relative(path), hint=hint))
    if faults:
        raise ProvisionersError("assets of the provisioners are missing or wrong", faults=faults)


def _wrong(stack: Stack, path: Path, workspace: Workspace) -> str:
    """What is wrong with an asset, in words; empty when nothing is, as far as can be seen without YAML."""
    if not workspace.holds(path):
        return "leads out of the workspace"
    try:
        text = read_plain(path).decode("utf-8-sig")
    except FileNotFoundError:
        return _MISSING
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    except UnicodeDecodeError as error:
        return f"is not UTF-8 at byte {error.start}"
    first = _FIRST.search(text)
    if first is None:
        return "is empty"
    if stack.is_playbook and not _PLAYBOOK.match(first.group()):
        return "is no playbook, which is YAML and begins with - or ["
    return ""


def asset_folder(stack: Stack, workspace: Workspace) -> Path:
    """The folder that holds everything a stack runs inside the image."""
    return workspace.templates / stack.name


def enabled_stacks(values: Mapping[str, object]) -> list[Stack]:
    """The stacks that run in an image.

    Args:
        values: the values of the template's variables, rendered ones before defaults.
    """
    return [stack for stack in stacks.STACKS if values.get(stack.variable) in (True, "true")]
