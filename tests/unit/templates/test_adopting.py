"""What is proposed for repositories, by what their files declare, set, and are called."""

from __future__ import annotations

import tomllib
from collections.abc import Callable

import pytest

from hybridcore.errors import Fault
from hybridcore.image_settings import ImageSetting, parse_images, to_toml
from hybridcore.templates import load_catalogue
from hybridcore.templates.adopting import Adoption, propose
from hybridcore.templates.requirements import PackerHas, lacks
from hybridcore.templates.survey import known_images, survey
from hybridcore.workspace import Workspace
from tests.support.workspaces import WorkspaceFolder

GENERIC = """\
variable "release" {}

variable "host" {}

source "proxmox-iso" "vm" {
  http_directory = "http"
}

build {
  name    = "build"
  sources = ["source.proxmox-iso.vm"]
}
"""


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder]) -> WorkspaceFolder:
    return make_workspace()


def adopt(space: WorkspaceFolder, packer: PackerHas | None = None) -> Adoption:
    workspace = space.open()
    found = survey(workspace.root, workspace)
    known, _ = known_images(found, workspace)
    return propose(found, known, packer, taken=workspace.settings.images)


def settings(found: Adoption) -> dict[str, dict[str, object]]:
    """What the tables say, by target, keys that are not set left out."""
    keys = ("template", "only", "cwd", "var_files", "each")
    return {
        one.setting.target: {key: value for key in keys if (value := getattr(one.setting, key))}
        for one in found.entries
    }


def named(found: Adoption) -> list[str]:
    return [image for one in found.entries for image in one.images]


def faults(found: Adoption) -> str:
    return "\n".join(map(str, found.faults))


def build(*sources: str, name: str = "") -> str:
    """A build block, and the source blocks that it names."""
    blocks = "".join('source "{}" "{}" {{}}\n'.format(*one.split(".")) for one in sources)
    names = ", ".join(f'"source.{one}"' for one in sources)
    return (
        f"{blocks}build {{\n{f'name = {chr(34)}{name}{chr(34)}' if name else ''}\nsources = [{names}]\n}}\n"
    )


def test_files_of_values_are_images_by_operating_system(space: WorkspaceFolder) -> None:
    space.write("generic.pkr.hcl", GENERIC)
    for name in ("debian-12", "ubuntu-24.04", "windows-11"):
        space.write(f"os/{name}.pkrvars.hcl", 'release = "x"\n')
    found = adopt(space)
    assert settings(found) == {
        "linux/proxmox/{name}": {
            "template": ".",
            "each": ("os/debian-12.pkrvars.hcl", "os/ubuntu-24.04.pkrvars.hcl"),
        },
        "windows/proxmox/windows-11": {"template": ".", "var_files": ("os/windows-11.pkrvars.hcl",)},
    }
    assert named(found) == [
        "linux/proxmox/debian-12",
        "linux/proxmox/ubuntu-24.04",
        "windows/proxmox/windows-11",
    ]
    assert found.entries[1].notes == ("windows: named by 'windows-11'", "no value yet for: host")


def test_a_whole_folder_is_one_pattern(space: WorkspaceFolder) -> None:
    space.write("packer/generic.pkr.hcl", GENERIC)
    for name in ("debian-12", "debian-13"):
        space.write(f"os/debian/{name}.pkrvars.hcl", 'release = "x"\nhost = "h"\n')
    assert settings(adopt(space)) == {
        "linux/proxmox/{name}": {"template": "packer", "each": ("os/debian/*.pkrvars.hcl",)}
    }


def test_shared_files_go_before_the_file_of_the_image(space: WorkspaceFolder) -> None:
    space.write("builds/web/web.pkr.hcl", GENERIC)
    space.write("builds/web/web.pkrvars.hcl", 'release = "12"\n')
    space.write("builds/common.pkrvars.hcl", 'host = "h"\n')
    space.write("builds/other.pkrvars.hcl", 'nothing = "of this template"\n')
    space.write("builds/here.auto.pkrvars.hcl", 'host = "taken by Packer itself"\n')
    (entry,) = adopt(space).entries
    assert entry.setting.var_files == ("builds/common.pkrvars.hcl", "builds/web/web.pkrvars.hcl")
    assert entry.notes == ("linux: guessed, since no name tells",)


def test_a_file_that_leaves_a_variable_unset_does_not_fit(space: WorkspaceFolder) -> None:
    space.write("generic.pkr.hcl", GENERIC)
    for name in ("debian-12", "debian-13"):
        space.write(f"{name}.pkrvars.hcl", 'release = "x"\nhost = "h"\n')
    space.write("debian-14.pkrvars.hcl", 'host = "h"\n')
    found = adopt(space)
    assert named(found) == ["linux/proxmox/debian-12", "linux/proxmox/debian-13"]
    assert "debian-14.pkrvars.hcl: does not fit .: it leaves release without a value" in faults(found)


def test_files_of_another_template_distribution_or_platform_do_not_fit(space: WorkspaceFolder) -> None:
    for os in ("debian", "rocky"):
        space.write(f"{os}/image.pkr.hcl", 'variable "a" {}\nvariable "b" {}\n' + build(f"qemu.{os}"))
        space.write(f"{os}/own.pkrvars.hcl", "a = 1\n")
        space.write(f"values/{os}.pkrvars.hcl", "b = 1\n")
    space.write("values/vsphere.pkrvars.hcl", "b = 2\n")
    space.write("tests/values.pkrvars.hcl", "b = 3\n")
    assert {target: one["var_files"] for target, one in settings(adopt(space)).items()} == {
        "linux/qemu/debian": ("debian/own.pkrvars.hcl", "values/debian.pkrvars.hcl"),
        "linux/qemu/rocky": ("rocky/own.pkrvars.hcl", "values/rocky.pkrvars.hcl"),
    }


def test_every_build_gets_a_name_of_its_own(space: WorkspaceFolder) -> None:
    space.write("a/8/x.pkr.hcl", build("qemu.alma", "vsphere-iso.alma", "qemu.vm"))
    space.write("a/9/x.pkr.hcl", build("qemu.alma"))
    space.write(
        "b/x.pkr.hcl", build("null.t", name="one") + 'build {\nname = "two"\nsources = ["null.t"]\n}\n'
    )
    found = adopt(space)
    assert {target: one.get("only") for target, one in settings(found).items()} == {
        "linux/null/t-one": ("one.null.t",),
        "linux/null/t-two": ("two.null.t",),
        "linux/qemu/8": ("qemu.vm",),
        "linux/qemu/alma-8": ("qemu.alma",),
        "linux/qemu/alma-9": None,
        "linux/vsphere/alma": ("vsphere-iso.alma",),
    }


def test_what_makes_no_image_runs_before_the_images_of_its_build(space: WorkspaceFolder) -> None:
    space.write("x.pkr.hcl", build("file.seed", "qemu.web") + build("null.t", name="check"))
    assert {target: one["only"] for target, one in settings(adopt(space)).items()} == {
        "linux/null/t": ("check.null.t",),
        "linux/qemu/web": ("file.seed", "qemu.web"),
    }


def test_files_that_do_not_go_together_are_templates_of_their_own(space: WorkspaceFolder) -> None:
    for name in ("debian", "ubuntu"):
        space.write(f"{name}.pkr.hcl", 'variable "a" {}\n' + build("qemu.vm"))
    space.write("left.pkr.hcl", 'variable "a" {}\nsource "qemu" "x" {}\n')
    found = adopt(space)
    assert {target: one["template"] for target, one in settings(found).items()} == {
        "linux/qemu/debian": "debian.pkr.hcl",
        "linux/qemu/ubuntu": "ubuntu.pkr.hcl",
    }
    assert "left.pkr.hcl: the folder's files declare the same names" in faults(found)


def test_packer_runs_where_the_named_files_are(space: WorkspaceFolder) -> None:
    space.write("packer/web/x.pkr.hcl", 'source "qemu" "web" {\n  http_directory = "http/web"\n}\n')
    space.write("packer/web/b.pkr.hcl", 'build {\n  sources = ["source.qemu.web"]\n}\n')
    space.write("http/web/preseed.cfg", "")
    assert settings(adopt(space)) == {"linux/qemu/web": {"template": "packer/web", "cwd": "."}}


def test_sources_that_are_computed_from_defaults_are_found(space: WorkspaceFolder) -> None:
    text = build("qemu.web").replace('["source.qemu.web"]', "var.enabled")
    space.write("x/a.pkr.hcl", 'variable "enabled" {\n  default = ["source.qemu.web"]\n}\n' + text)
    space.write("y/a.pkr.hcl", 'variable "enabled" {}\n' + text)
    found = adopt(space)
    assert list(settings(found)) == ["linux/qemu/web"]
    assert "y/a.pkr.hcl:5: which sources the build uses is not known before the build" in faults(found)


def test_what_cannot_be_read_is_said(space: WorkspaceFolder) -> None:
    space.write("new/x.pkr.json", "{,}")
    space.write("old.json", '{"builders": [{"type": "qemu"}]}')
    space.write("package.json", '{"name": "no template"}')
    space.write("wrong.pkrvars.hcl", "a = = 1\n")
    space.write("broken/x.pkr.hcl", "source {\n")
    space.write("half/x.pkr.hcl", 'source "qemu" "x" {}\n')
    found = adopt(space)
    assert not found.entries
    said = faults(found)
    assert "new/x.pkr.json:1: column 2: expected a name or" in said
    assert "old.json: a template in the older JSON is not read (convert it: packer hcl2_upgrade " in said
    assert "package.json" not in said
    assert "wrong.pkrvars.hcl:1: " in said
    assert "broken/x.pkr.hcl:" in said
    assert "half: there is no build block" in said


def test_builds_of_one_name_are_not_proposed(space: WorkspaceFolder) -> None:
    block = 'build {\n  sources = ["source.qemu.x"]\n}\n'
    space.write("x/x.pkr.hcl", 'source "qemu" "x" {}\n' + block + block)
    found = adopt(space)
    assert not found.entries
    assert "x/x.pkr.hcl:5: two builds are called qemu.x, and nobody can choose one" in faults(found)


def test_what_this_packer_lacks_is_said(space: WorkspaceFolder) -> None:
    space.write(
        "x.pkr.hcl",
        'packer {\n  required_version = ">= 1.10.0"\n  required_plugins {\n    qemu = {\n'
        '      source = "github.com/hashicorp/qemu"\n      version = "~> 1.0.1"\n    }\n  }\n}\n'
        + build("qemu.web", "utm-iso.web"),
    )
    packer = PackerHas("1.9.4", builders=["qemu"], plugins={"github.com/hashicorp/qemu": ("1.0.9",)})
    notes = {one.setting.target: one.notes[1:] for one in adopt(space, packer).entries}
    version = "cannot work here: it wants Packer >= 1.10.0, and there is 1.9.4"
    assert notes == {
        "linux/qemu/web": (version,),
        "linux/utm/web": (
            version,
            "cannot work here: Packer 1.9.4 has no builder 'utm-iso', and no plugin brings it",
        ),
    }
    bare = adopt(space, PackerHas("1.10.1", builders=["qemu", "utm-iso"]))
    missing = "cannot work here: the plugin github.com/hashicorp/qemu ~> 1.0.1 is not installed"
    assert {one.notes[1:] for one in bare.entries} == {(f"{missing}: packer-hybrid init",)}
    old = PackerHas("1.10.1", builders=["qemu", "utm-iso"], plugins={"github.com/hashicorp/qemu": ("1.1.4",)})
    assert {one.notes[1:] for one in adopt(space, old).entries} == {
        (f"{missing}, only 1.1.4: packer-hybrid init",)
    }


def test_nothing_is_proposed_twice(space: WorkspaceFolder) -> None:
    space.write("generic.pkr.hcl", GENERIC)
    space.write("debian-12.pkrvars.hcl", 'release = "x"\nhost = "h"\n')
    space.write("debian-13.pkrvars.hcl", 'release = "x"\nhost = "h"\n')
    space.null("linux/null/demo")
    first = adopt(space)
    assert named(first) == ["linux/proxmox/debian-12", "linux/proxmox/debian-13"]
    space.settings("".join(to_toml(one.setting) for one in first.entries))
    assert adopt(space).entries == ()
    assert [one.target for one in load_catalogue(workspace=space.open())] == [
        "linux/null/demo",
        *named(first),
    ]
    for number in (14, 15):
        space.write(f"debian-{number}.pkrvars.hcl", 'release = "x"\nhost = "h"\n')
    space.settings(
        '[images."linux/proxmox/{name}"]\ntemplate = "."\neach = ["debian-12*", "debian-13*"]\n'
        '[images."linux/proxmox/debian-14"]\ntemplate = "gone"\n'
    )
    assert settings(adopt(space)) == {
        "linux/proxmox/{name}-vm": {
            "template": ".",
            "each": ("debian-14.pkrvars.hcl", "debian-15.pkrvars.hcl"),
        }
    }
    workspace = space.open()
    _, vanished = known_images(survey(workspace.root, workspace), workspace)
    assert ["template = 'gone': it is not there" in str(fault) for fault in vanished] == [True]


def test_a_folder_that_breaks_the_convention_is_adopted_in_place(space: WorkspaceFolder) -> None:
    space.write("templates/linux/qemu/web/x.pkr.hcl", build("qemu.one", "qemu.two"))
    found = adopt(space)
    assert named(found) == ["linux/qemu/one", "linux/qemu/two"]
    space.settings("".join(to_toml(one.setting) for one in found.entries))
    assert [one.target for one in load_catalogue(workspace=space.open())] == named(found)


def test_a_table_reads_back_as_it_was_written() -> None:
    hostile = 'a "quoted" \\ back\\slash\ttab\x7f ü'
    setting = ImageSetting(
        target="linux/qemu/{name}",
        file="packer-hybrid.toml",
        template=hostile,
        only=("qemu.a", "qemu.b"),
        cwd="b]c",
        var_files=(hostile, "x" * 120),
        each=("os/*.pkrvars.hcl",),
        inputs=("one",),
        max_age="7d",
    )
    faults: list[Fault] = []
    images = parse_images(tomllib.loads(to_toml(setting))["images"], "packer-hybrid.toml", faults)
    assert images == {setting.target: setting}
    assert faults == []


def test_workspaces_that_hold_no_template(space: WorkspaceFolder) -> None:
    workspace: Workspace = space.open()
    assert survey(workspace.root, workspace).templates == ()
    assert lacks([], "qemu", PackerHas("1.9.4", builders=["qemu"])) == []
