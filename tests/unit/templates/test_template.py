"""What a loaded template tells of its files."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hybridcore import hcl
from hybridcore.templates.selection import builds
from hybridcore.templates.slices import Slice
from hybridcore.templates.template import Template
from tests.support.workspaces import WorkspaceFolder

MAIN = """\
variable "used" {}
variable "secret" {
  sensitive = true
}
variable "odd" {
  sensitive = var.x
}
source "proxmox-clone" "web" {
  cpus = var.used
  disk {
    size = local.size
  }
}
build {
  sources = ["source.proxmox-clone.web"]
}
"""
LOCALS = """\
locals {
  size = "1G"
  other = "x"
}
local "token" {
  expression = var.secret
  sensitive = true
}
local "nothing" {}
local {
  expression = 1
}
"""


@pytest.fixture
def template(make_workspace: Callable[..., WorkspaceFolder]) -> Template:
    where = make_workspace().open()
    folder = where.root / "t"
    bodies = (
        (folder / "a.pkr.hcl", hcl.loads(MAIN)),
        (folder / "b.pkr.hcl", hcl.loads(LOCALS)),
    )
    (built,) = builds(bodies, where, [])
    return Template("linux/proxmox/web-1", folder, bodies, built.source, built.source_file, where)


def test_its_builder_has_the_name_of_the_target(template: Template) -> None:
    assert template.builder == "source.proxmox-clone.web-1"
    assert template.builder_type == "proxmox-clone"
    assert template.platform.name == "proxmox"


def test_packer_is_given_the_folder_unless_told_otherwise(template: Template) -> None:
    assert (template.argument, template.cwd) == (template.folder, template.folder)
    assert set(template.attributes) == {"cpus"}
    other = Template(
        "linux/proxmox/web-1",
        template.folder,
        template.bodies,
        template.source,
        template.source_file,
        template.workspace,
        argument=template.source_file,
        cwd=template.workspace.root,
        attributes={"x": template.attributes["cpus"]},
    )
    assert (other.argument, other.cwd) == (template.source_file, template.workspace.root)
    assert set(other.attributes) == {"x"}


def test_variables_and_marks(template: Template) -> None:
    assert template.variable_names() == {"used", "secret", "odd"}
    assert template.sensitive_names() == {"secret", "odd"}
    assert template.declarations is template.declarations  # read once


def test_locals_of_both_forms_with_their_places(template: Template) -> None:
    found = {name: (one.sensitive, one.file, one.line) for name, one in template.locals.items()}
    assert found == {
        "size": (False, "t/b.pkr.hcl", 2),
        "other": (False, "t/b.pkr.hcl", 3),
        "token": (True, "t/b.pkr.hcl", 5),
    }
    assert template.locals["token"].expression.expression == "var.secret"


def test_blocks_of_a_kind_come_with_their_files(template: Template) -> None:
    assert [(path.name, block.labels) for path, block in template.blocks("variable")] == [
        ("a.pkr.hcl", ("used",)),
        ("a.pkr.hcl", ("secret",)),
        ("a.pkr.hcl", ("odd",)),
    ]
    assert list(template.blocks("data")) == []


def test_of_a_whole_folder_all_is_used_and_of_a_slice_its_parts(template: Template) -> None:
    assert sorted(one.name for *_, one in template.used()) == sorted(
        ["cpus", "size", "sources", "size", "other", *["expression"] * 2, *["sensitive"] * 3]
    )
    assert template.uses("secret")
    sliced = Template(
        template.target,
        template.folder,
        template.bodies,
        template.source,
        template.source_file,
        template.workspace,
        slice=Slice(template.bodies, builds(template.bodies, template.workspace, [])),
    )
    assert sorted(one.name for *_, one in sliced.used()) == ["cpus", "size", "size", "sources"]
    assert sliced.uses("used")
    assert not sliced.uses("secret")
