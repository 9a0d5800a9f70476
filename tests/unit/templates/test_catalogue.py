"""The catalogue of targets: names, builders, files, and every way to break the conventions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hybridcore import cli, pipeline, templates
from hybridcore.errors import TemplatesError
from tests.support.workspaces import WorkspaceFolder

BUILD = '\nbuild {\n  sources = ["source.x.y"]\n}\n'


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder]) -> WorkspaceFolder:
    return make_workspace()


def template(space: WorkspaceFolder, target: str, kind: str) -> str:
    name = target.rsplit("/", 1)[-1]
    return space.template(target, f'source "{kind}" "{name}" {{}}\n{BUILD}'.replace("x.y", f"{kind}.{name}"))


def error(space: WorkspaceFolder, target: str) -> TemplatesError:
    with pytest.raises(TemplatesError) as caught:
        templates.compose_files([target], workspace=space.open())
    return caught.value


def test_builders_by_os_and_platform(space: WorkspaceFolder) -> None:
    template(space, "linux/proxmox/debian-12", "proxmox-iso")
    template(space, "linux/proxmox/debian-12-clone", "proxmox-clone")
    template(space, "linux/qemu/debian-12", "qemu")
    template(space, "windows/aws/server-2022", "amazon-ebs")
    here = space.open()
    assert templates.list_builders("linux", "proxmox", workspace=here) == [
        "source.proxmox-clone.debian-12-clone",
        "source.proxmox-iso.debian-12",
    ]
    assert templates.list_builders(os="windows", workspace=here) == ["source.amazon-ebs.server-2022"]
    assert templates.list_builders(platform="qemu", workspace=here) == ["source.qemu.debian-12"]
    assert len(templates.list_builders(workspace=here)) == 4
    assert templates.list_builders("plan9", workspace=here) == []


def test_files_in_the_order_of_targets_then_names(space: WorkspaceFolder) -> None:
    second = space.null("linux/null/b")
    first = template(space, "linux/null/a", "null")
    space.write("templates/linux/null/a/variables.pkr.hcl", 'variable "x" {}\n')
    space.write("templates/linux/null/a/notes.md", "not for Packer\n")
    root = space.root / "templates" / "linux" / "null"
    assert templates.compose_files([second, first], workspace=space.open()) == [
        root / "b" / "build.pkr.hcl",
        root / "a" / "build.pkr.hcl",
        root / "a" / "variables.pkr.hcl",
    ]


@pytest.mark.parametrize(
    ("kind", "name", "words"),
    [
        ("vsphere-iso", "demo", "a source of type 'vsphere-iso' does not belong to the platform 'qemu'"),
        ("qemux", "demo", "does not belong"),
        ("qemu-foo", "demo", "does not belong"),
        ("qemu", "other", "the source is named 'other', its folder 'demo'"),
    ],
)
def test_a_name_that_breaks_the_convention(space: WorkspaceFolder, kind: str, name: str, words: str) -> None:
    space.template("linux/qemu/demo", f'\n\nsource "{kind}" "{name}" {{}}\n{BUILD}')
    found = error(space, "linux/qemu/demo")
    assert words in found.message
    assert (found.file, found.line) == ("templates/linux/qemu/demo/build.pkr.hcl", 3)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("variable x {}\n" + BUILD, "there is no source block"),
        ('source "qemu" "demo" {}\nsource "qemu" "more" {}\n' + BUILD, "a second source block"),
        ('source "qemu" "demo" {}\n', "there is no build block"),
        ('source "qemu" "demo" {}\nbuild {\n}\n', "no build block names the source"),
        (
            'source "qemu" "demo" {}\nbuild {\n  sources = ["source.qemu.demo", "source.qemu.gone"]\n}\n',
            "build.pkr.hcl:3: the build names the source 'qemu.gone', which is not there",
        ),
        (
            'source "qemu" "demo" {}\nbuild {\n  source "qemu.gone" {}\n}\n',
            "build.pkr.hcl:3: the build names the source 'qemu.gone'",
        ),
        ('source "qemu" "demo" {\n', "column"),
        ('source "qemu" {}\n' + BUILD, "two labels"),
    ],
)
def test_a_template_that_cannot_be_used(space: WorkspaceFolder, text: str, words: str) -> None:
    space.template("linux/qemu/demo", text)
    found = error(space, "linux/qemu/demo")
    assert words in str(found)
    assert "templates/linux/qemu/demo" in str(found)


def test_variable_files_beside_a_template_are_refused(space: WorkspaceFolder) -> None:
    target = space.null()
    space.write(f"templates/{target}/x.auto.pkrvars.hcl", "a = 1\n")
    assert "put the values into an overlay under environments/" in str(error(space, target))


@pytest.mark.parametrize("target", ["../../etc", "linux/qemu", "linux/qemu/a/b", "/linux/qemu/a", "l/q/.x"])
def test_what_is_no_target(space: WorkspaceFolder, target: str) -> None:
    assert f"{target!r} is not a target" in str(error(space, target))


def test_a_target_that_does_not_exist_tells_which_do(space: WorkspaceFolder) -> None:
    space.null("linux/null/demo")
    assert "does not exist" in str(error(space, "linux/null/demi"))
    assert "there are: linux/null/demo" in str(error(space, "linux/null/demi"))


def test_a_folder_that_leads_out_of_the_workspace(space: WorkspaceFolder, tmp_path: Path) -> None:
    space.null("linux/null/demo")
    (space.root / "templates" / "linux" / "null" / "demo").rename(tmp_path / "demo")
    (space.root / "templates" / "linux" / "null" / "demo").symlink_to(tmp_path / "demo")
    assert "leads out of the workspace" in str(error(space, "linux/null/demo"))


def test_a_file_that_leads_out_of_the_workspace(space: WorkspaceFolder, tmp_path: Path) -> None:
    space.null("linux/null/demo")
    (tmp_path / "outside.pkr.hcl").write_text('variable "x" {}\n')
    link = space.root / "templates/linux/null/demo/more.pkr.hcl"
    link.symlink_to(tmp_path / "outside.pkr.hcl")
    found = error(space, "linux/null/demo")
    assert (found.file, found.message) == (
        "templates/linux/null/demo/more.pkr.hcl",
        "leads out of the workspace",
    )
    link.unlink()
    space.write("templates/shared.pkr.hcl", 'variable "x" {}\n')
    link.symlink_to("../../../shared.pkr.hcl")
    assert link in templates.compose_files(["linux/null/demo"], workspace=space.open())


def test_what_is_no_plain_file_is_a_fault_at_once(space: WorkspaceFolder) -> None:
    space.null("linux/null/demo")
    folder = space.root / "templates/linux/null/demo"
    os.mkfifo(folder / "pipe.pkr.hcl")
    (folder / "circle.pkr.hcl").symlink_to("circle.pkr.hcl")
    (folder / "folder.pkr.hcl").mkdir()
    assert {
        fault.file.rpartition("/")[2]: fault.message for fault in error(space, "linux/null/demo").faults
    } == {
        "circle.pkr.hcl": "cannot be read: Too many levels of symbolic links",
        "folder.pkr.hcl": "cannot be read: it is no plain file",
        "pipe.pkr.hcl": "cannot be read: it is no plain file",
    }


def test_a_circle_of_folders_is_no_target(space: WorkspaceFolder) -> None:
    space.null("linux/null/demo")
    for place in ("linux/null/circle", "linux/circle", "circle"):
        (space.root / "templates" / place).symlink_to("circle")
    here = space.open()
    assert templates.list_builders(workspace=here) == ["source.null.demo"]
    for target in ("linux/null/circle", "circle/null/demo"):
        assert "does not exist" in str(error(space, target))


def test_faults_of_all_templates_are_reported_together(space: WorkspaceFolder) -> None:
    space.null("linux/null/good")
    for name in ("bad", "worse"):
        space.template(f"linux/null/{name}", f'source "qemu" "x" {{}}\n{BUILD}')
    with pytest.raises(TemplatesError) as caught:
        templates.list_builders(workspace=space.open())
    assert len(caught.value.faults) == 4


def test_a_changed_template_is_read_anew(space: WorkspaceFolder) -> None:
    template(space, "linux/proxmox/demo", "proxmox-iso")
    assert templates.list_builders(workspace=space.open()) == ["source.proxmox-iso.demo"]
    template(space, "linux/proxmox/demo", "proxmox-clone")
    assert templates.list_builders(workspace=space.open()) == ["source.proxmox-clone.demo"]


def test_builders_on_the_command_line(space: WorkspaceFolder) -> None:
    template(space, "linux/proxmox/debian-12", "proxmox-iso")
    run = [sys.executable, "-m", "hybridcore", "--workspace", str(space.root), "builders", "list"]
    done = subprocess.run([*run, "linux,proxmox"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "source.proxmox-iso.debian-12\n")


def test_a_broken_template_hides_no_other(space: WorkspaceFolder, capsys: pytest.CaptureFixture[str]) -> None:
    space.null("linux/null/good")
    space.template("linux/null/bad", 'source "null" "bad" {\n')
    run = ["--workspace", str(space.root)]
    assert cli.main([*run, "builders", "list"]) == 1
    shown = capsys.readouterr()
    assert shown.out == "source.null.good\n"
    assert "templates/linux/null/bad/build.pkr.hcl" in shown.err
    assert cli.main([*run, "--json", "builders", "list"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["builders"] == ["source.null.good"]
    assert [fault["file"] for fault in told["faults"]] == ["templates/linux/null/bad/build.pkr.hcl"]


@pytest.mark.parametrize(
    "command",
    [
        ["builders", "list"],
        ["validate", "--env", "dev"],
        ["inspect"],
        ["init"],
        ["build", "--env", "dev"],
        ["config", "render", "--env", "dev"],
    ],
    ids=" ".join,
)
def test_templates_that_are_no_targets_are_named(
    space: WorkspaceFolder, capsys: pytest.CaptureFixture[str], command: list[str]
) -> None:
    space.write("old/debian.json", '{"builders": [{"type": "qemu"}]}\n')
    text = f'source "null" "demo" {{}}\n{BUILD}'.replace("x.y", "null.demo")
    space.write("templates/linux/build.pkr.hcl", text)
    assert cli.main(["--workspace", str(space.root), *command]) == 1
    shown = capsys.readouterr()
    assert "there is no target in" in shown.err
    assert "which holds environments, old, templates" in shown.err
    assert "templates/linux: a template that is no target yet; its builds: null.demo (declare" in shown.err
    assert (
        "old/debian.json: a template in the older JSON is not read (convert it: packer hcl2_up" in shown.err
    )


def test_a_builder_means_its_target_and_one_of_two_targets_neither(space: WorkspaceFolder) -> None:
    template(space, "linux/qemu/x", "qemu")
    template(space, "linux/qemu/y", "qemu")
    template(space, "windows/qemu/x", "qemu")
    where = space.open()
    assert pipeline.named_targets(["source.qemu.y"], where) == ["linux/qemu/y"]
    with pytest.raises(TemplatesError) as caught:
        pipeline.named_targets(["source.qemu.x"], where)
    assert "source.qemu.x is the builder of 2 targets" in caught.value.message
    assert caught.value.hint == "name one: linux/qemu/x, windows/qemu/x"
    with pytest.raises(TemplatesError, match=r"no target has the builder source\.qemu\.z"):
        pipeline.named_targets(["source.qemu.z"], where)
