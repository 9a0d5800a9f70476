"""Names of overlays that may not mean what they say; how they reach a user is in test_config_generate.py."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from hybridcore.config.names import Names
from tests.support.workspaces import WorkspaceFolder


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder]) -> WorkspaceFolder:
    space = make_workspace()
    for target in ("linux/qemu/web", "linux/null/db"):
        space.write(f"templates/{target}/x.pkr.hcl", "")
    return space


@pytest.mark.parametrize(
    ("folder", "name", "warning"),
    [
        ("", "sizes.pkrvars.hcl", ""),
        ("", "all.pkrvars.json", ""),
        ("linux", "linus.pkrvars.hcl", ""),
        (
            "",
            "linus.pkrvars.hcl",
            "counts for every target, since linus/ has no target (linux was",
        ),
        ("", "windows.pkrvars.hcl", "counts for every target, since windows/ has no target; give it"),
        ("", "qemu.pkrvars.hcl", "since qemu/ has no target; give it another name if that is meant"),
        (
            "linux",
            "qmeu.pkrvars.hcl.tmpl",
            "counts for every target of linux, since linux/qmeu/ has no target (qemu was meant?)",
        ),
        ("linux/qemu", "db.pkrvars.hcl", "linux/qemu/db/ has no target; give it"),  # it is elsewhere
        ("linux/qemu/web", "db.pkrvars.hcl", ""),  # in the folder of a target nothing can be meant but it
    ],
)
def test_names_of_files(space: WorkspaceFolder, folder: str, name: str, warning: str) -> None:
    file = space.root / "environments/dev" / folder / name
    found = list(Names(space.open()).of_file(file, folder))
    shown = f"environments/dev/{folder}/{name}".replace("//", "/")
    assert [(warning in one, one.startswith(f"{shown}: ")) for one in found] == (
        [(True, True)] if warning else []
    )


@pytest.mark.parametrize(
    ("path", "warning"),
    [
        ("notes.txt", ""),
        ("x.tfvars", "x.tfvars: is not used, overlays end in .pkrvars.hcl, .pkrvars.json, .pkrvars.hcl.tmpl"),
        ("x.hcl", "x.hcl: is not used"),
        ("linux/x.pkrvars.hcl", ""),
        ("linx/in/x.pkrvars.hcl", "linx/: is not used, since linx/ has no target"),
        ("files/data.json", ""),  # a folder without overlays may lie there
    ],
)
def test_what_lies_there_and_is_not_used(space: WorkspaceFolder, path: str, warning: str) -> None:
    space.write(f"environments/dev/{path}", "")
    with os.scandir(space.root / "environments/dev") as entries:
        (entry,) = entries
        found = list(Names(space.open()).of_other(entry, ""))
    assert [one.startswith(f"environments/dev/{warning}") for one in found] == ([True] if warning else [])


def test_a_circle_of_links_is_no_folder(space: WorkspaceFolder) -> None:
    (space.root / "environments/dev/loop").symlink_to("loop")
    with os.scandir(space.root / "environments/dev") as entries:
        (entry,) = entries
        assert list(Names(space.open()).of_other(entry, "")) == []
