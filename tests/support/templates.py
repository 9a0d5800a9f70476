"""A template with three builds, of which each uses a part."""

TEMPLATE = """\
variable "cpus" {
  default = 2
}

variable "unused" {
  default = 1
}

locals {
  name   = "web-${local.suffix}"
  suffix = data.null.first.output
  other  = "x"
}

data "null" "first" {
  input = "1"
}

source "qemu" "web" {
  cpus    = var.cpus
  vm_name = local.name
}

source "null" "helper" {}

build {
  name    = "one"
  sources = ["source.qemu.web", "null.helper"]
}

build {
  source "source.qemu.web" {
    headless = true
  }
}
"""
