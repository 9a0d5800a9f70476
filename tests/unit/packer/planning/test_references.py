"""What a template refers to besides its own folder, and what a killed build of it may leave."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from hybridcore import templates
from hybridcore.packer.planning.references import follow
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


def found(
    space: WorkspaceFolder,
    *,
    source: str = "",
    provisioner: str = "",
    text: str = "",
    environ: dict[str, str] | None = None,
) -> list[str]:
    space.template("linux/qemu/x", TEMPLATE.format(source=source, provisioner=provisioner))
    template = templates.load("linux/qemu/x", space.open())
    refers = follow(template, Rendered(text), space.open(), environ or {})
    return [os.path.relpath(path, space.root) for path in refers.files]


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
        (f'playbook_file = "{UP}/play.yml"', ["files", "play.yml"]),
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


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        # One unknown part hides nothing else.
        (f'content = "${{local.nowhere}}${{file("{UP}/files/motd")}}"', ["files/motd"]),
        (f'content = templatefile("{UP}/files/motd", {{ a = local.nowhere }})', ["files/motd"]),
        (f'scripts = [local.nowhere, "{UP}/files/motd"]', ["files/motd"]),
        (f'content = data.x.y ? file("{UP}/files/motd") : ""', ["files/motd"]),
        (f'content = yamldecode(file("{UP}/files/motd")).key', ["files/motd"]),
        # What is computed is followed.
        (f'scripts = formatlist("{UP}/files/%s", ["motd", "more/a"])', ["files/more/a", "files/motd"]),
        (f'scripts = [for name in ["motd"] : "{UP}/files/${{name}}"]', ["files/motd"]),
        (
            f'scripts = concat(["{UP}/files/motd"], sort(fileset("{UP}/files", "more/*")))',
            ["files/more/a", "files/motd"],
        ),
        (
            'scripts = [for name in fileset("../../../../files", "**/a") : "../../../../files/${name}"]',
            ["files/more/a"],
        ),
        ('source = "${local.up}/files/motd"', ["files/motd"]),
        (
            'scripts = [for key, name in local.names : "${local.up}/files/${name}"]',
            ["files/more/a", "files/motd"],
        ),
        ('source = abspath("../../../../files/motd")', ["files/motd"]),
        ('source = var.from_environment', ["files/motd"]),
        ('source = var.by_default', ["files/motd"]),
        (
            'source = jsondecode(file("../../../../files/list.json")).source',
            ["files/list.json", "files/motd"],
        ),
        # A path behind a name; a folder there may be where the build writes.
        ('environment_vars = ["MOTD=../../../../files/motd", "OUT=../../../../files/more"]', ["files/motd"]),
        ('extra_arguments = ["--extra-vars", "@../../../../files/motd"]', ["files/motd"]),
        # The end of a path is not known: its folder counts.
        ('script = "../../../../files/more/${build.name}.sh"', ["files/more"]),
    ],
)  # fmt: skip
def test_each_part_of_an_expression_is_followed_by_itself(
    space: WorkspaceFolder, line: str, expected: list[str]
) -> None:
    space.write("files/list.json", '{"source": "../../../../files/motd"}')
    space.write(
        "templates/linux/qemu/x/more.pkr.hcl",
        'variable "from_environment" {}\n'
        "locals {\n"
        '  up    = "${path.root}/../../../.."\n'
        '  names = { one = "motd", two = "more/a" }\n'
        "}\n",
    )
    if "by_default" in line:
        default = 'variable "by_default" {\n  default = env("WHERE")\n}\n'
        space.write("templates/linux/qemu/x/default.pkr.hcl", default)
    environ = {"PKR_VAR_from_environment": "../../../../files/motd", "WHERE": "../../../../files/motd"}
    assert found(space, provisioner=line, environ=environ) == expected


def test_a_checksum_in_a_file_and_the_disk_behind_it_count(space: WorkspaceFolder, tmp_path: Path) -> None:
    disk, sums = tmp_path / "disk.qcow2", tmp_path / "SHA256SUMS"
    for path in (disk, sums):
        path.write_text("x")
    source = f'iso_url = "{disk}"\niso_checksum = "file:{sums}"'
    assert found(space, source=source) == ["../SHA256SUMS", "../disk.qcow2"]
    assert found(space, source=source.replace("file:", "file://")) == ["../SHA256SUMS", "../disk.qcow2"]


def test_what_lies_beside_a_playbook_at_the_root_counts(space: WorkspaceFolder) -> None:
    for name in ("roles/base/tasks/main.yml", "group_vars/all.yml", "unrelated/x"):
        space.write(name, "[]\n")
    assert found(space, provisioner=f'playbook_file = "{UP}/play.yml"') == [
        "files",
        "group_vars",
        "play.yml",
        "roles",
    ]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("script = local.nowhere", "script: local.nowhere is not known before the build"),
        ('scripts = ["a.sh", vault("x", "y")]', "scripts: vault() is not known before the build"),
        ('script = "${local.nowhere}/x.sh"', "script: local.nowhere is not known before the build"),
        (
            'content = file("../../../../files/more/${build.name}.sh")',
            "content: a path in it is not known before the build: all of files/more counts",
        ),
    ],
)
def test_what_cannot_be_followed_is_told_once_with_its_place(
    space: WorkspaceFolder, line: str, says: str
) -> None:
    space.template("linux/qemu/x", TEMPLATE.format(source="", provisioner=f"{line}\n"))
    template = templates.load("linux/qemu/x", space.open())
    (fault,) = follow(template, Rendered(""), space.open(), {}).unfollowed
    assert fault.message.startswith(says)
    assert fault.file == "templates/linux/qemu/x/build.pkr.hcl"
    lines = (space.root / fault.file).read_text().splitlines()
    assert fault.line is not None
    assert line in lines[fault.line - 1]


@pytest.mark.parametrize(
    "line",
    [
        'script = "${path.root}/scripts/${local.nowhere}.sh"',  # its folder counts as a whole
        "ssh_private_key_file = var.hybridcore_ssh_private_key_file",
        'inline = ["echo ${local.nowhere}"]',
        'destination = "/tmp/${local.nowhere}"',
    ],
)
def test_nothing_is_told_of_what_is_no_file_of_the_workspace_or_counts_anyway(
    space: WorkspaceFolder, line: str
) -> None:
    space.template("linux/qemu/x", TEMPLATE.format(source="", provisioner=line))
    template = templates.load("linux/qemu/x", space.open())
    assert follow(template, Rendered(""), space.open(), {}).unfollowed == ()


def test_names_that_the_template_reads_of_the_environment(space: WorkspaceFolder) -> None:
    space.write(
        "templates/linux/qemu/x/more.pkr.hcl",
        'variable "open" {\n  default = env("OPEN")\n}\n'
        'variable "closed" {\n  default = env("CLOSED")\n  sensitive = true\n}\n'
        'local "hidden" {\n  expression = env("HIDDEN")\n  sensitive = true\n}\n'
        'locals {\n  shown = "x-${env("SHOWN")}"\n}\n',
    )
    space.template("linux/qemu/x", TEMPLATE.format(source="", provisioner='source = env("INLINE")'))
    template = templates.load("linux/qemu/x", space.open())
    environ = {"OPEN": "1", "CLOSED": "2", "HIDDEN": "3", "SHOWN": "4"}
    read = follow(template, Rendered(""), space.open(), environ).environment
    assert read == {"INLINE": "", "OPEN": "1", "SHOWN": "4"}
