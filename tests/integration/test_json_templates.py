"""Templates in HCL's JSON form: what both Packers make of them, and what we do."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from hybridcore import templates
from hybridcore.errors import TemplatesError
from hybridcore.packer.results import BuildReport
from hybridcore.templates import Template
from tests.support.builds import build, hybrid, statuses
from tests.support.workspaces import WorkspaceFolder

pytestmark = pytest.mark.integration

TEMPLATE = {
    "//": "nothing of this is read",
    "packer": {"required_plugins": {}},
    "variable": {
        "release": {"type": "string"},
        "sizes": {"type": "map(number)", "default": {"disk": 10}},
        "password": {"sensitive": True, "default": ""},
        "even": {
            "default": 2,
            "type": "number",
            "validation": {"condition": "${var.even % 2 == 0}", "error_message": "The number must be even."},
        },
    },
    "variables": {"mirror": "here"},
    "locals": {
        "motd": '${file("files/motd")}',
        "text": "%{ for n in [1, 2] }${n}-%{ endfor }$${raw}",
        "other": '${var.mirror} ${var.sizes["disk"]}',
    },
    "source": {
        "file": {
            "web": {"content": "${var.release} ${local.motd} ${local.text}", "target": "web.txt"},
            "db": {"content": "${local.other}", "target": "db.txt"},
        }
    },
    "build": {
        "sources": ["source.file.web", "source.file.db"],
        "provisioner": [{"shell-local": {"inline": ["echo ${var.even}"]}}],
    },
}
IMAGES = """
[images."linux/file/web"]
template = "packer"
only = "file.web"
vars = {release = "12"}

[images."linux/file/db"]
template = "packer"
only = "file.db"
vars = {release = "12"}
"""
HCL = """\
variable "release" {
  type = string
}
variable "sizes" {
  type    = map(number)
  default = { disk = 10 }
}
variable "password" {
  sensitive = true
  default   = ""
}
variable "even" {
  default = 2
  type    = number
  validation {
    condition     = var.even % 2 == 0
    error_message = "The number must be even."
  }
}
variables {
  mirror = "here"
}
locals {
  motd  = file("files/motd")
  text  = "%{ for n in [1, 2] }${n}-%{ endfor }$${raw}"
  other = "${var.mirror} ${var.sizes["disk"]}"
}
source "file" "web" {
  content = "${var.release} ${local.motd} ${local.text}"
  target  = "web.txt"
}
source "file" "db" {
  content = local.other
  target  = "db.txt"
}
build {
  sources = ["source.file.web", "source.file.db"]
  provisioner "shell-local" {
    inline = ["echo ${var.even}"]
  }
}
"""


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder], any_packer: Path) -> WorkspaceFolder:
    made = make_workspace()
    made.write("packer/files/motd", "hello")
    made.settings(IMAGES, packer=any_packer)
    return made


def write(space: WorkspaceFolder, data: object) -> None:
    space.write("packer/x.pkr.json", data if isinstance(data, str) else json.dumps(data, indent=2))


def text_of(space: WorkspaceFolder, report: BuildReport, number: int) -> str:
    (file,) = report.results[number].artifacts[0].files
    return (space.root / file.path).read_text()


def test_two_images_of_one_json_template(space: WorkspaceFolder) -> None:
    write(space, TEMPLATE)
    report = build(space)
    assert statuses(report) == {"linux/file/db": "built", "linux/file/web": "built"}
    assert text_of(space, report, 0) == "here 10"
    assert text_of(space, report, 1) == "12 hello 1-2-${raw}"
    assert set(statuses(build(space)).values()) == {"unchanged"}
    space.write("packer/files/motd", "hello again")
    report = build(space)
    assert statuses(report) == {"linux/file/db": "unchanged", "linux/file/web": "built"}
    assert report.results[1].reasons == ("packer/files/motd changed",)
    changed = json.dumps(TEMPLATE, indent=2).replace("${local.other}", "changed")
    write(space, changed)
    report = build(space)
    assert statuses(report) == {"linux/file/db": "built", "linux/file/web": "unchanged"}
    assert "template packer/source.file.db changed" in report.results[0].reasons


def facts(template: Template) -> object:
    assert template.slice is not None
    return (
        {
            name: (str(one.type), one.required, one.default, one.sensitive, len(one.validations))
            for name, one in template.variables.items()
        },
        {name: one.expression.references for name, one in template.locals.items()},
        sorted(template.slice.parts),
        {name: one.references for name, one in template.attributes.items()},
        template.only,
        template.reads,
    )


def test_json_and_hcl_that_say_the_same_are_the_same(space: WorkspaceFolder) -> None:
    write(space, TEMPLATE)
    read = [facts(one) for one in templates.load_catalogue(workspace=space.open())]
    (space.root / "packer/x.pkr.json").unlink()
    space.write("packer/x.pkr.hcl", HCL)
    assert [facts(one) for one in templates.load_catalogue(workspace=space.open())] == read


WEB = {"content": "${local.motd}", "target": "web.txt"}
DB = {"content": "a", "target": "db.txt"}


def changed(**more: object) -> dict[str, object]:
    return {**TEMPLATE, **more}


def variable(**more: object) -> dict[str, object]:
    return changed(variable={"release": {}, "sizes": {"default": {"disk": 1}}, "even": more})


@pytest.mark.parametrize(
    ("data", "right"),
    [
        (TEMPLATE, True),
        (changed(source=[{"file": [{"web": [WEB]}]}, {"file": {"db": DB}}]), True),
        (changed(build=[TEMPLATE["build"]]), True),
        (changed(locals=[{"motd": "a", "text": "b"}, {"other": "c"}]), True),
        (changed(locals={"motd": "a", "text": "b", "other": "${var.nothing}"}), False),
        (changed(locals={"motd": "a", "text": "b", "other": "${var."}), False),
        (changed(sorce={}), False),
        (changed(source={"file": {"web": 1}}), False),
        (changed(build={"sources": ["source.file.gone"]}), False),
        (variable(type="number", default=2), True),
        (variable(type="number", default="two"), False),
        (variable(type="list(", default=2), False),
        (variable(type="number", default=2, bogus=1), False),
        (json.dumps(TEMPLATE)[:-1], False),
        (json.dumps(TEMPLATE) + "x", False),
        (json.dumps(TEMPLATE).replace('"target"', '"target": "again", "target"', 1), False),
    ],
)
def test_the_verdict_is_that_of_packer(
    space: WorkspaceFolder, any_packer: Path, data: object, right: bool
) -> None:
    text = data if isinstance(data, str) else json.dumps(data)
    # Packer 1.6 refuses the block; we hide it from it.
    write(space, text.replace('"required_plugins"', '"//"'))
    command = [str(any_packer), "validate", "-only=file.web", "-var", "release=12", "."]
    said = subprocess.run(
        command, cwd=space.root / "packer", capture_output=True, env=os.environ, text=True, check=False
    )
    assert (said.returncode == 0) is right, said.stdout + said.stderr
    write(space, text)
    done = hybrid(space, "validate", "--env", "dev", "linux/file/web")
    assert (done.returncode == 0) is right, done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_a_template_of_the_convention_may_be_json(
    make_workspace: Callable[..., WorkspaceFolder], any_packer: Path
) -> None:
    made = make_workspace()
    made.settings("", packer=any_packer)
    data = {
        "source": {"null": {"demo": {"communicator": "none"}}},
        "build": {"sources": ["source.null.demo"], "provisioner": {"shell-local": {"inline": ["echo a"]}}},
    }
    made.write("templates/linux/null/demo/x.pkr.json", json.dumps(data))
    assert statuses(build(made)) == {"linux/null/demo": "built"}
    data["source"] = {"null": {"other": {"communicator": "none"}}}
    made.write("templates/linux/null/demo/x.pkr.json", json.dumps(data, indent=1))
    with pytest.raises(TemplatesError) as caught:
        templates.load_catalogue(workspace=made.open())
    assert str(caught.value.faults[0]).startswith("templates/linux/null/demo/x.pkr.json:4: ")
