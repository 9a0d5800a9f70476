"""The provisioner stacks, Ansible (on by default) and Puppet (off): switches, assets, variables."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, replace

from ..errors import Fault, ProvisionersError
from ..workspace import Workspace, resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ..templates import Template


@dataclass(frozen=True)
class Switches:
    """Which stacks are on.

    Attributes:
        ansible: run ``templates/ansible/site.yml`` in the image.
        puppet: apply ``templates/puppet/manifests/site.pp`` in the image.
    """

    ansible: bool = True
    puppet: bool = False


@dataclass(frozen=True)
class Stack:
    """One provisioner stack.

    Attributes:
        name: its name in ``Switches``, and its folder under ``templates/``.
        variable: the Packer variable that switches it.
        entry: the asset that must exist, relative to its folder.
    """

    name: str
    variable: str
    entry: str


STACKS = (
    Stack("ansible", "enable_ansible", "site.yml"),
    Stack("puppet", "enable_puppet", "manifests/site.pp"),
)
_switches: ContextVar[Switches] = ContextVar("hybridcore_provisioners", default=Switches())  # noqa: B039


def enable_ansible(flag: bool) -> None:
    """Switch the Ansible stack on or off, in this context (thread or task) alone.

    Args:
        flag: whether it is on.
    """
    _switches.set(replace(_switches.get(), ansible=flag))


def enable_puppet(flag: bool) -> None:
    """Switch the Puppet stack on or off, in this context (thread or task) alone.

    Args:
        flag: whether it is on.
    """
    _switches.set(replace(_switches.get(), puppet=flag))


def emit_vars(*, workspace: Workspace | None = None) -> dict[str, bool]:
    """Give the Packer variables that switch the stacks, after checking that the assets exist.

    Args:
        workspace: where the assets lie; found when not given.

    Returns:
        ``enable_ansible``; ``enable_puppet`` too, only when Puppet is on.

    Raises:
        ProvisionersError: an asset of an enabled stack is missing; has faults, all of them.
    """
    switches = _switches.get()
    check_assets(switches, resolve(workspace))
    variables = {"enable_ansible": switches.ansible}
    if switches.puppet:
        variables["enable_puppet"] = True
    return variables


def emit_vars_for(templates: Sequence[Template], *, workspace: Workspace | None = None) -> dict[str, bool]:
    """Give the value of every switch, after checking the assets of the stacks that the templates use.

    Args:
        templates: the targets of a batch. A stack whose switch none of them declares is not used, so
            that a workspace without provisioners needs no assets.
        workspace: where the assets lie; found when not given.

    Returns:
        One entry a stack, on or off, so that a caller's value that says otherwise can be found.

    Raises:
        ProvisionersError: an asset of an enabled stack that is used is missing; has faults.
    """
    used = set().union(*(template.variable_names() for template in templates))
    check_assets(_switches.get(), resolve(workspace), used=used)
    return {stack.variable: getattr(_switches.get(), stack.name) for stack in STACKS}


def check_assets(switches: Switches, workspace: Workspace, *, used: set[str] | None = None) -> None:
    """Check that the assets of the enabled stacks exist.

    Args:
        switches: which stacks are on.
        workspace: where the assets lie.
        used: names of variables that the templates declare; all stacks are checked when None.

    Raises:
        ProvisionersError: an asset is missing; has faults.
    """
    faults = []
    for stack in STACKS:
        if not getattr(switches, stack.name) or (used is not None and stack.variable not in used):
            continue
        path = asset_folder(stack, workspace) / stack.entry
        if not path.is_file():
            hint = f"create it, or switch {stack.name} off"
            faults.append(
                Fault(
                    f"the {stack.name} stack is on and its asset is missing",
                    file=workspace.relative(path),
                    hint=hint,
                )
            )
    if faults:
        raise ProvisionersError("assets of the provisioners are missing", faults=faults)


def asset_folder(stack: Stack, workspace: Workspace) -> Path:
    """The folder that holds everything a stack runs inside the image."""
    return workspace.templates / stack.name


def enabled_stacks(values: Mapping[str, object]) -> list[Stack]:
    """The stacks that run in an image.

    Args:
        values: the values of the template's variables, rendered ones before defaults.
    """
    return [stack for stack in STACKS if values.get(stack.variable) in (True, "true")]
