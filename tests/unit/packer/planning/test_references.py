"""What a template refers to besides its own folder, and what a killed build of it may leave."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from hybridcore import templates
from hybridcore.packer.planning.references import workspace_files
from hybridcore.packer.planning.rendered import Rendered
from tests.support.workspaces import WorkspaceFolder

TEMPLATE = """\
variable "where" {{
  type    = string
  default = ""
}}

source "qemu" "x" {{
{source}
}}

build {{
  sources = ["source.qemu.x"]

  provisioner "file" {{
{provisioner}
  }}
}}
"""
UP = "${path.root}/../../../.."


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder]) -> WorkspaceFolder:
    made = make_workspace()
    for name in (
        "files/motd",
        "files/more/a",
        "images/dev/base/disk.qcow2",
        "configs/dev/x",
        "logs/x",
        "state/x",
        "play.yml",
    ):
        made.write(name, "x\n")
    return made


def found(space: WorkspaceFolder, *, source: str = "", provisioner: str = "", text: str = "") -> list[str]:
    space.template("linux/qemu/x", TEMPLATE.format(source=source, provisioner=provisioner))
    template = templates.load("linux/qemu/x", space.open())
    return [
        os.path.relpath(path, space.root) for path in workspace_files(template, Rendered(text), space.open())
    ]


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (f'source = "{UP}/files/motd"', ["files/motd"]),
        (f'source = "{UP}/files"', ["files"]),
        (f'source = "{UP}/files/"', ["files"]),
        (f'sources = ["{UP}/files/motd", "{UP}/files/more/a"]', ["files/more/a", "files/motd"]),
        ('source = "${path.cwd}/../../../../files/motd"', ["files/motd"]),
        ('source = "../../../../files/motd"', ["files/motd"]),
        (f'content = file("{UP}/files/motd")', ["files/motd"]),
        (f'content = templatefile("{UP}/files/motd", {{ a = 1 }})', ["files/motd"]),
        (f'source = "{UP}/images/dev/base/disk.qcow2"', ["images/dev/base/disk.qcow2"]),
        (f'playbook_file = "{UP}/files/more/a"', ["files/more"]),
        (f'playbook_file = "{UP}/play.yml"', ["play.yml"]),
        # What is not there, what a run writes, what is counted already, and what is no path at all.
        (f'source = "{UP}/files/none"', []),
        (f'source = "{UP}/images/dev"', []),
        (f'source = "{UP}/configs/dev/x"', []),
        (f'source = "{UP}/logs/x"', []),
        (f'source = "{UP}/state/x"', []),
        (f'destination = "{UP}/files/motd"', []),
        ('source = "${path.root}/build.pkr.hcl"', []),
        ('source = "${path.root}/.."', []),
        ('source = "/etc/passwd"', []),
        ('source = "${local.somewhere}/files/motd"', []),
        ('inline = ["cat /etc/passwd\\n", "a/b"]', []),
    ],
)
def test_what_a_template_names(space: WorkspaceFolder, line: str, expected: list[str]) -> None:
    assert found(space, provisioner=line) == expected


def test_a_path_in_the_configuration(space: WorkspaceFolder) -> None:
    line = "source = var.where"
    assert found(space, provisioner=line, text=f'where = "{space.root}/files/motd"\n') == ["files/motd"]
    assert found(space, provisioner=line, text='where = "nowhere"\n') == []


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_a_local_disk_counts_by_its_content_unless_it_has_a_checksum(
    space: WorkspaceFolder, tmp_path: Path, scheme: str
) -> None:
    disk = tmp_path / "disk.qcow2"
    disk.write_text("x")
    outside = [os.path.relpath(disk, space.root)]
    url = f'iso_url = "{scheme}{disk}"'
    assert found(space, source=url) == outside
    assert found(space, source=f'{url}\niso_checksum = "none"') == outside
    assert found(space, source=f'{url}\niso_checksum = "sha256:0123"') == []
    assert found(space, source=f"{url}\niso_checksum = var.sum", text='sum = "none"\na = "/"\n') == outside
    assert found(space, source=f'iso_urls = ["https://example.org/x.iso", "{disk}"]') == outside


def test_what_changed_in_the_configuration_is_told_by_variable() -> None:
    before = Rendered('a = "1"\nb = {\n  x = 1\n}\n').digests()
    now = Rendered('a = "1"\nb = {\n  x = 2\n}\nc = "3"\n').digests()
    assert before["a"] == now["a"]
    assert before["b"] != now["b"]
    assert now.keys() == {"a", "b", "c"}
