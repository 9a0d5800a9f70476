"""Texts that nobody meant: the reader answers each with a body or an error of its own."""

from __future__ import annotations

import random

import pytest

from hybridcore import hcl

SEED = """
packer {
  required_plugins {
    qemu = { version = "~> 1", source = "github.com/hashicorp/qemu" }
  }
}
variable "name" {
  type        = string // the name
  default     = "debian-${var.release}"
  description = <<-EOT
    Several ${upper("lines")} %{ if var.on ~} yes %{ else } no %{ endif }
      and $${more}
  EOT
  validation {
    condition     = length(var.name) > 3 && can(regex("^[a-z]+$", var.name))
    error_message = "Not \\"good\\"."
  }
}
locals {
  list = [for i, x in var.items : "${i}-${x}" if x != ""] /* all */
  map  = { for k, v in var.map : k => v... }
  size = var.big ? 10 * 1.5e3 : -(2 + 3) % 4
  path = var.a.b[0].c[*].d.*.e["f"].0
}
source "qemu" "debian" { disk_size = "10G" }
build {
  sources = ["source.qemu.debian", ]
}
"""
PARTS = [
    *('"', "${", "%{", "}", "~}", "{", "[", "]", "(", ")", "<<E\n", "<<-E\n", "\nE\n", "\n", "\r", "\\"),
    *("#", "//", "/*", "*/", "=", "==", "=>", ":", "?", ",", ".", "...", "*", "-", "!", "&&", "|", "$", "%"),
    *("for", "in", "if", "true", "null", "1", "1.", "e5", "é", "\u0301", "\x00", "\ufeff", "\udcff", " "),
]
MUTATIONS = 1500


@pytest.mark.parametrize("seed", range(4))
def test_only_errors_of_its_own_leave_the_reader(seed: int) -> None:
    chance = random.Random(seed)
    accepted = refused = 0
    for _ in range(MUTATIONS):
        text = SEED
        for _ in range(chance.choice((1, 1, 2, 4, 16))):
            start = chance.randrange(len(text))
            end = min(len(text), start + chance.choice((0, 0, 1, 2, 10)))
            text = text[:start] + chance.choice(PARTS) + text[end:]
        try:
            body = hcl.loads(text)
        except hcl.HclError as error:
            refused += 1
            place = (error.line, error.column)
            assert (1, 1) <= place <= (text.count("\n") + 1, len(text) + 1)
            continue
        accepted += 1
        walk(body)
    assert accepted > MUTATIONS // 50
    assert refused > MUTATIONS // 2


def walk(body: hcl.Body) -> None:
    """Asks everything of everything."""
    for attribute in body.attributes.values():
        assert attribute.line >= 1
        assert isinstance(attribute.references, tuple)
        if attribute.constant:
            attribute.value  # noqa: B018
    for block in body.blocks:
        walk(block.body)
