"""The rows of the platforms: each is whole, people read the same, and what is done follows from the row."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hybridcore import platforms, templates
from hybridcore.errors import TemplatesError
from hybridcore.packer.building.remains import grace, left_behind
from hybridcore.packer.options import BuildOptions
from hybridcore.packer.planning import preflight, references
from hybridcore.packer.planning.rendered import Rendered
from hybridcore.packer.secrets import short_secrets
from hybridcore.platforms import PLATFORMS, Platform, Program
from hybridcore.process import environment
from tests.support.documents import code, table_rows
from tests.support.workspaces import WorkspaceFolder

CUBE = Platform(
    name="cube",
    title="Cube",
    plugin="hypercube",
    source_types=("hypercube-image",),
    leaves=("cell",),
    grace_s=42.0,
    passes=("CUBE_*", "TESSERACT"),
    secrets=("CUBE_PASSWORD",),
    programs=(Program("cube-tool", package="cube-utils", attribute="cube_binary"),),
    disks=("cube_disk",),
)
SECRETS = [(one.purpose, name) for one in environment.passed() for name in one.secrets]


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder]) -> WorkspaceFolder:
    return make_workspace()


def test_no_two_rows_speak_of_the_same() -> None:
    for names in (
        [one.name for one in PLATFORMS],
        [one.title for one in PLATFORMS],
        [kind for one in PLATFORMS for kind in one.source_types],
        [name for one in PLATFORMS for name in one.passes],
    ):
        assert len(names) == len(set(names))


@pytest.mark.parametrize("one", PLATFORMS, ids=lambda one: one.name)
def test_each_row_is_whole(one: Platform) -> None:
    assert one.source_types
    plugin = Platform(name=one.plugin, title="", plugin=one.plugin)
    assert [kind for kind in one.source_types if not plugin.has(kind)] == []
    assert one.local == (not one.leaves), (
        "what a build leaves elsewhere has a name, what it leaves here has none"
    )
    assert platforms.by_name(one.name) is one
    assert {platforms.by_source_type(kind).name for kind in one.source_types} == {one.name}


def test_the_table_of_platforms_that_people_read_is_the_one_that_holds() -> None:
    assert table_rows("docs/usage.md", "Words") == [
        (
            f"`{one.name}`",
            code(one.source_types),
            code(program.name for program in one.programs),
            code(one.leaves) or "nothing",
            "10 s" if one.local else f"{one.grace_s:.0f} s",
        )
        for one in PLATFORMS
    ]


@pytest.mark.parametrize(("purpose", "name"), SECRETS)
def test_each_secret_passes_is_known_as_one_and_is_refused_when_it_is_too_short(
    purpose: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = environment.child_environment(base={name: "canary-value"})
    assert built[name] == "canary-value"
    assert environment.environment_secrets(built) == ["canary-value"]
    for _, other in SECRETS:
        monkeypatch.delenv(other, raising=False)
    monkeypatch.setenv(name, "abc")
    (fault,) = short_secrets(BuildOptions())
    assert name in fault.message
    assert "abc" not in f"{fault.message} {fault.hint}"


def test_a_platform_of_its_own_has_only_its_source_types(space: WorkspaceFolder) -> None:
    for kind in ("proxmox-foo", "proxmoxer"):
        space.template("linux/proxmox/demo", f'source "{kind}" "demo" {{}}\nbuild {{\n}}\n')
        with pytest.raises(TemplatesError) as caught:
            templates.load("linux/proxmox/demo", space.open())
        fault = (caught.value.faults or [caught.value])[0]
        assert fault.message == f"a source of type {kind!r} does not belong to the platform 'proxmox'"
        assert fault.hint == "proxmox, proxmox-clone, proxmox-iso; or move the folder"


def test_a_platform_without_a_row_has_every_type_that_fits_its_name(space: WorkspaceFolder) -> None:
    for kind in ("docker", "docker-image"):
        build = f'build {{\n  sources = ["source.{kind}.demo"]\n}}\n'
        space.template("linux/docker/demo", f'source "{kind}" "demo" {{\n  name = "x"\n}}\n{build}')
        template = templates.load("linux/docker/demo", space.open())
        assert template.builder == f"source.{kind}.demo"
        assert "(name = x)" in left_behind(template, Rendered(""))
        assert grace(template) == 300
    space.template("linux/docker/demo", 'source "dockerx" "demo" {}\nbuild {\n}\n')
    with pytest.raises(TemplatesError, match="does not belong to the platform 'docker'"):
        templates.load("linux/docker/demo", space.open())


def test_a_new_platform_is_one_row(space: WorkspaceFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = space.root.parent / "elsewhere.img"
    disk.write_text("a disk")
    text = (
        f'source "hypercube-image" "web" {{\n  cell = "web-${{var.version}}"\n  cube_disk = "{disk}"\n}}\n'
        'variable "version" {}\nbuild {\n  sources = ["source.hypercube-image.web"]\n}\n'
    )
    target = space.template("linux/cube/web", text)
    given = {"CUBE_URL": "u", "TESSERACT": "t", "CUBE_PASSWORD": "canary-value", "CUBICLE": "no"}

    with pytest.raises(TemplatesError, match="does not belong to the platform 'cube'"):
        templates.load(target, space.open())
    assert environment.child_environment(base=given).keys().isdisjoint(given)

    monkeypatch.setattr(platforms, "PLATFORMS", (*PLATFORMS, CUBE))

    passed = environment.child_environment(base=given)
    assert passed.keys() & given.keys() == {"CUBE_URL", "TESSERACT", "CUBE_PASSWORD"}
    assert environment.environment_secrets(passed) == ["canary-value"]

    template, rendered = templates.load(target, space.open()), Rendered('version = "7"\n')
    assert "(cell = web-7)" in left_behind(template, rendered)
    assert grace(template) == 42

    (fault,) = preflight.check(template, rendered.values_for(template), space.open())
    assert fault.message == f"{target}: Cube's program cube-tool was not found"
    assert "cube-utils" in fault.hint
    assert references.follow(template, rendered, space.open(), {}).files == (disk,)


def test_what_a_file_source_copies_counts_wherever_it_lies(space: WorkspaceFolder) -> None:
    outside = space.root.parent / "motd"
    outside.write_text("hello")
    target = space.template(
        "linux/file/x",
        f'source "file" "x" {{\n  source = "{outside}"\n  target = "{outside}.new"\n}}\n'
        'build {\n  sources = ["source.file.x"]\n}\n',
    )
    template = templates.load(target, space.open())
    assert references.follow(template, Rendered(""), space.open(), {}).files == (outside,)
