"""Which builds a template has, which of them is meant, and what of the template that one uses."""

from __future__ import annotations

import pytest

from hybridcore import hcl
from hybridcore.errors import Fault
from hybridcore.image_settings import ImageSetting
from hybridcore.templates.selection import Build, builds, select
from hybridcore.workspace import Workspace
from tests.support.templates import TEMPLATE


def found_in(text: str, workspace: Workspace, faults: list[Fault]) -> list[Build]:
    return builds([(workspace.root / "x.pkr.hcl", hcl.loads(text))], workspace, faults)


def test_builds_have_the_names_that_packer_gives_them(workspace: Workspace) -> None:
    faults: list[Fault] = []
    found = found_in(TEMPLATE, workspace, faults)
    assert [one.name for one in found] == ["one.qemu.web", "one.null.helper", "qemu.web"]
    assert faults == []
    assert set(found[2].attributes) == {"cpus", "vm_name", "headless"}


def test_a_build_can_give_a_source_a_name_of_its_own(workspace: Workspace) -> None:
    text = 'source "qemu" "x" {}\nbuild {\n  name = "b"\n' + "".join(
        f'  source "source.qemu.x" {{\n    name = "{name}"\n    cpus = 1\n  }}\n' for name in ("one", "two")
    )
    found = found_in(text + "}\n", workspace, [])
    assert [(one.name, one.label, list(one.attributes)) for one in found] == [
        ("b.qemu.one", "one", ["cpus"]),
        ("b.qemu.two", "two", ["cpus"]),
    ]


def setting(only: list[str]) -> ImageSetting:
    return ImageSetting("linux/qemu/web", "packer-hybrid.toml", line=7, only=tuple(only))


@pytest.mark.parametrize("name", ["sources.qemu.x", "source.qemu.x", "qemu.x", "any.qemu.x.more"])
def test_a_source_is_named_in_each_way_that_packer_takes(workspace: Workspace, name: str) -> None:
    faults: list[Fault] = []
    for block in (f'sources = ["{name}"]\n', f'source "{name}" {{}}\n'):
        found = found_in(f'source "qemu" "x" {{}}\nbuild {{\n  {block}}}\n', workspace, faults)
        assert ([one.name for one in found], faults) == (["qemu.x"], [])


@pytest.mark.parametrize(
    ("only", "chosen"),
    [
        (["one.qemu.web"], ["one.qemu.web"]),
        (["null.helper"], ["one.null.helper"]),
        (["one.null.*", "one.qemu.*"], ["one.null.helper", "one.qemu.web"]),
    ],
)
def test_the_name_of_the_build_may_be_left_out(
    workspace: Workspace, only: list[str], chosen: list[str]
) -> None:
    picked, faults = select(found_in(TEMPLATE, workspace, []), setting(only), "linux/qemu/web")
    assert ([one.name for one in picked], faults) == (chosen, [])


@pytest.mark.parametrize(
    ("only", "says"),
    [
        ([], "the template has 3 builds, and exactly one is the image"),
        (["qemu.web"], "only = 'qemu.web' matches one.qemu.web, qemu.web"),
        (["qemu.none"], "only = 'qemu.none' matches no build"),
        (["*"], "matches one.qemu.web, one.null.helper, qemu.web"),
    ],
)
def test_exactly_one_build_must_be_meant(workspace: Workspace, only: list[str], says: str) -> None:
    _, (fault,) = select(found_in(TEMPLATE, workspace, []), setting(only), "linux/qemu/web")
    assert says in fault.message
    assert "one.qemu.web, one.null.helper, qemu.web" in fault.hint
    assert (fault.file, fault.line) == ("packer-hybrid.toml", 7)


@pytest.mark.parametrize(
    ("text", "says", "line"),
    [
        (
            'build {\n  sources = ["source.qemu.gone"]\n}\n',
            "names the source 'qemu.gone', which is not there",
            2,
        ),
        ('build {\n  source "qemu.gone" {}\n}\n', "names the source 'qemu.gone', which is not there", 2),
        ("build {\n  sources = local.sources\n}\n", "is not known before the build", 2),
    ],
)
def test_a_source_that_is_not_there_has_a_place(
    workspace: Workspace, text: str, says: str, line: int
) -> None:
    faults: list[Fault] = []
    assert found_in(text, workspace, faults) == []
    (fault,) = faults
    assert says in fault.message
    assert (fault.file, fault.line) == ("x.pkr.hcl", line)
