"""Workspaces for tests: a folder with a settings file, and templates that build in a fraction of a second."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hybridcore.workspace import Workspace

    from .simulators import Vcsim

_NULL = """\
variable "message" {{
  type    = string
  default = "{message}"
}}

source "null" "{name}" {{
  communicator = "none"
}}

build {{
  sources = ["source.null.{name}"]

  provisioner "shell-local" {{
    inline = [{inline}]
  }}
}}
"""

_VSPHERE_CLONE = """\
variable "vm_name" {{
  type    = string
  default = "{name}"
}}

source "vsphere-clone" "{name}" {{
  vcenter_server      = "{vcsim.server}"
  username            = "{vcsim.username}"
  password            = "{vcsim.password}"
  insecure_connection = true
  datacenter          = "DC0"
  host                = "DC0_H0"
  datastore           = "LocalDS_0"
  template            = "DC0_H0_VM0"
  vm_name             = var.vm_name
  communicator        = "none"
  convert_to_template = true
}}

build {{
  sources = ["source.vsphere-clone.{name}"]
}}
"""


@dataclass(frozen=True)
class WorkspaceFolder:
    """A workspace on disk.

    Attributes:
        root: the folder with `packer-hybrid.toml`.
    """

    root: Path

    @classmethod
    def create(cls, root: Path, settings: str = "") -> WorkspaceFolder:
        """Make the folder, its settings file and an environment `dev` without overlays."""
        for name in ("templates", "environments/dev"):
            (root / name).mkdir(parents=True)
        folder = cls(root)
        folder.write("packer-hybrid.toml", settings)
        return folder

    def write(self, path: str, text: str) -> Path:
        """Write a file, its folders made, and say where it is."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        return file

    def use(self, packer: Path) -> None:
        """Have the workspace use a Packer."""
        self.write("packer-hybrid.toml", f'[packer]\npath = "{packer}"\n')

    def settings(self, text: str, *, packer: Path | None = None) -> None:
        """Write the settings file, with the Packer to use in front."""
        head = f'[packer]\npath = "{packer}"\n\n' if packer else ""
        self.write("packer-hybrid.toml", head + text)

    def template(self, target: str, text: str) -> str:
        """Write the one template file of a target, and give the target back."""
        self.write(f"templates/{target}/build.pkr.hcl", text)
        return target

    def null(
        self, target: str = "linux/null/demo", *, message: str = "hello", inline: tuple[str, ...] = ()
    ) -> str:
        """A target of the null builder: declares the variable `message`, runs shell lines on this machine.

        Args:
            target: `<os>/null/<name>`.
            message: default of the variable.
            inline: shell lines, written in HCL's quotes; one `echo` of the message when empty.
        """
        lines = inline or ("echo message is ${var.message}",)
        quoted = ", ".join(f'"{line}"' for line in lines)
        return self.template(target, _NULL.format(name=_name(target), message=message, inline=quoted))

    def vsphere_clone(self, target: str, vcsim: Vcsim) -> str:
        """A target of the vsphere-clone builder that leaves a template of its own name in the simulator."""
        return self.template(target, _VSPHERE_CLONE.format(name=_name(target), vcsim=vcsim))

    def open(self) -> Workspace:
        """The workspace as the core sees it."""
        from hybridcore.workspace import open_workspace

        return open_workspace(self.root)


def _name(target: str) -> str:
    return target.rsplit("/", 1)[-1]
