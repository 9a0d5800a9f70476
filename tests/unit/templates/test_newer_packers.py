"""Templates for Packers that are newer than those of the tests."""

from __future__ import annotations

from collections.abc import Callable

from hybridcore import templates
from tests.support.workspaces import WorkspaceFolder

TEXT = """\
variable "machine" {
  type = object({
    name = string
    size = optional(number, 10)
    tags = optional(list(string))
  })
  default = { name = "x" }
}

variable "checked" {
  type    = string
  default = "abc"

  validation {
    condition     = startswith(var.checked, "a") && anytrue([strcontains(var.checked, "b")])
    error_message = "It starts with an a."
  }
}

data "hcp-packer-version" "base" {
  bucket_name  = "base"
  channel_name = "stable"
}

data "hcp-packer-artifact" "base" {
  bucket_name         = "base"
  version_fingerprint = data.hcp-packer-version.base.fingerprint
  platform            = "null"
  region              = "here"
}

source "null" "demo" {
  communicator = "none"
}

build {
  hcp_packer_registry {
    bucket_name = "demo"
    description = <<-EOT
      For ${var.machine.name}.
    EOT
    bucket_labels = {
      "team" = "base"
    }
  }
  sources = ["source.null.demo"]
}
"""


def test_what_newer_packers_take_is_read(make_workspace: Callable[..., WorkspaceFolder]) -> None:
    space = make_workspace()
    space.template("linux/null/demo", TEXT)
    found = templates.load("linux/null/demo", space.open())
    assert found.builder == "source.null.demo"
    machine = found.variables["machine"]
    assert (str(machine.default), sorted(machine.type.optional)) == (
        "{'name': 'x', 'size': 10}",
        ["size", "tags"],
    )
    assert len(found.variables["checked"].validations) == 1
