"""Which files of values fit a build, and which are alternatives to each other."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hybridcore.errors import Fault
from hybridcore.templates.fitting import grouped, may_fit
from hybridcore.templates.survey import FoundTemplate, ValuesFile, survey
from tests.support.workspaces import WorkspaceFolder

TEMPLATE = """\
variable "release" {}
variable "host" {}
source "proxmox-iso" "debian" {}
source "proxmox-iso" "vm" {}
build {
  sources = ["source.proxmox-iso.debian", "source.proxmox-iso.vm"]
}
"""
OWNERS = frozenset({"builds/web", "builds/db"})


@pytest.fixture
def template(make_workspace: Callable[..., WorkspaceFolder]) -> FoundTemplate:
    space = make_workspace()
    space.write("builds/web/web.pkr.hcl", TEMPLATE)
    workspace = space.open()
    (found,) = survey(workspace.root, workspace).templates
    return found


@pytest.mark.parametrize(
    ("path", "names", "fits"),
    [
        ("builds/web/a.pkrvars.hcl", {"release"}, [True, True]),
        ("a.pkrvars.hcl", {"release", "other"}, [True, True]),
        ("a.pkrvars.hcl", {"other"}, [False, False]),
        ("builds/db/a.pkrvars.hcl", {"release"}, [False, False]),
        ("builds/web/tests/a.pkrvars.hcl", {"release"}, [False, False]),
        ("vsphere.pkrvars.hcl", {"release"}, [False, False]),
        ("debian.pkrvars.hcl", {"release"}, [True, False]),
        ("rocky.pkrvars.hcl", {"release"}, [False, True]),
        ("VM.pkrvars.hcl", {"release"}, [False, True]),
    ],
)
def test_what_a_file_sets_where_it_lies_and_its_name_decide(
    template: FoundTemplate, path: str, names: set[str], fits: list[bool]
) -> None:
    file = ValuesFile(path, frozenset(names))
    assert [may_fit(file, template, build, OWNERS) for build in template.builds] == fits


def test_files_that_set_the_same_are_alternatives_and_the_others_are_shared(template: FoundTemplate) -> None:
    files = [
        ValuesFile("hosts.pkrvars.hcl", frozenset({"host"})),
        ValuesFile("os/b.pkrvars.hcl", frozenset({"release"})),
        ValuesFile("os/a.pkrvars.hcl", frozenset({"release"})),
    ]
    faults: list[Fault] = []
    assert grouped(files, template, faults) == (
        ["hosts.pkrvars.hcl"],
        ["os/a.pkrvars.hcl", "os/b.pkrvars.hcl"],
        [],
    )
    assert faults == []


def test_an_alternative_that_leaves_a_variable_unset_is_told(template: FoundTemplate) -> None:
    whole, half = frozenset({"release", "host"}), frozenset({"host"})
    files = [ValuesFile(f"{name}.pkrvars.hcl", names) for name, names in (("a", whole), ("b", half))]
    faults: list[Fault] = []
    assert grouped(files, template, faults) == ([], ["a.pkrvars.hcl"], [])
    (fault,) = faults
    assert (fault.file, "leaves release without a value" in fault.message) == ("b.pkrvars.hcl", True)
