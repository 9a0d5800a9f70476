"""`packer-hybrid builders list`: what it prints, and what of a workspace where not all is right."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from hybridcore.cli import main
from tests.support.workspaces import WorkspaceFolder


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder]) -> WorkspaceFolder:
    made = make_workspace()
    made.null("linux/null/a")
    return made


def run(space: WorkspaceFolder, *arguments: str) -> int:
    return main(["--workspace", str(space.root), *arguments])


def test_builders(space: WorkspaceFolder, capsys: pytest.CaptureFixture[str]) -> None:
    space.null("windows/null/b")
    assert run(space, "builders", "list") == 0
    assert capsys.readouterr().out == "source.null.a\nsource.null.b\n"
    assert run(space, "--json", "builders", "list", "linux,null") == 0
    assert json.loads(capsys.readouterr().out) == {"builders": ["source.null.a"]}
    assert run(space, "builders", "list", "linux,qemu") == 1
    assert "no target of linux,qemu (there are: linux/null/a, windows/null/b)" in capsys.readouterr().err
    assert capsys.readouterr().out == ""


def test_builders_of_more_than_an_os_and_a_platform(
    space: WorkspaceFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(space, "builders", "list", "linux,null,a") == 1
    assert "'linux,null,a' is not OS,PLATFORM (as in linux,proxmox)" in capsys.readouterr().err


def test_a_broken_template_hides_no_other_one(
    space: WorkspaceFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    space.template("linux/null/broken", "source {")
    assert run(space, "builders", "list") == 1
    printed = capsys.readouterr()
    assert printed.out == "source.null.a\n"
    assert "templates/linux/null/broken/build.pkr.hcl:1" in printed.err
    assert run(space, "--json", "builders", "list") == 1
    found = json.loads(capsys.readouterr().out)
    assert found["builders"] == ["source.null.a"]
    assert [fault["file"] for fault in found["faults"]] == ["templates/linux/null/broken/build.pkr.hcl"]


def test_two_targets_of_one_name_are_one_builder(
    space: WorkspaceFolder, capsys: pytest.CaptureFixture[str]
) -> None:
    space.null("windows/null/a")
    assert run(space, "builders", "list") == 0
    assert capsys.readouterr().out == "source.null.a\n"
