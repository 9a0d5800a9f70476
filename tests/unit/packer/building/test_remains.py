"""What a killed build may leave on its platform, and how long Packer has to prevent it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hybridcore import templates
from hybridcore.packer.building.remains import grace, left_behind
from hybridcore.packer.planning.rendered import Rendered
from tests.support.workspaces import WorkspaceFolder


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder]) -> WorkspaceFolder:
    return make_workspace()


@pytest.mark.parametrize(
    ("builder", "seconds"),
    [
        ("null", 10),
        ("file", 10),
        ("qemu", 10),
        ("vsphere-iso", 300),
        ("azure-arm", 300),
        ("proxmox-clone", 300),
    ],
)
def test_who_must_remove_a_machine_on_a_platform_has_time_for_it(
    space: WorkspaceFolder, builder: str, seconds: float
) -> None:
    text = f'source "{builder}" "x" {{\n}}\nbuild {{\n  sources = ["source.{builder}.x"]\n}}\n'
    target = space.template(f"linux/{builder.partition('-')[0]}/x", text)
    assert grace(templates.load(target, space.open())) == seconds


def test_what_a_killed_build_may_leave(space: WorkspaceFolder) -> None:
    space.template(
        "linux/proxmox/web",
        'source "proxmox-iso" "web" {\n  vm_name = "web-${var.version}"\n'
        '  template_name = "x-${timestamp()}"\n}\nbuild {\n  sources = ["source.proxmox-iso.web"]\n}\n',
    )
    said = left_behind(templates.load("linux/proxmox/web", space.open()), Rendered('version = "7"\n'))
    assert "source.proxmox-iso.web" in said
    assert "vm_name = web-7" in said
    assert 'template_name = "x-${timestamp()}"' in said
    space.template("linux/qemu/x", 'source "qemu" "x" {}\nbuild {\n  sources = ["source.qemu.x"]\n}\n')
    assert left_behind(templates.load("linux/qemu/x", space.open()), Rendered("")) == ""
