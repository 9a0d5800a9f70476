"""The provisioner stacks: one row each, from which switches, command line and argument specs follow."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Stack:
    """One provisioner stack.

    Attributes:
        name: what it is switched by, and its folder under ``templates/``.
        title: what people call it.
        entry: the asset that must exist, relative to its folder.
        is_playbook: whether that is YAML, a list of plays.
        on: whether it is on when nobody says otherwise.
    """

    name: str
    title: str
    entry: str
    is_playbook: bool = False
    on: bool = False

    @property
    def variable(self) -> str:
        """The Packer variable that switches it in templates."""
        return f"enable_{self.name}"


STACKS = (
    Stack("ansible", title="Ansible", entry="site.yml", is_playbook=True, on=True),
    Stack("puppet", title="Puppet", entry="manifests/site.pp"),
)
