"""The part of a template that one image uses."""

from __future__ import annotations

import pytest

from hybridcore import hcl
from hybridcore.templates.selection import builds
from hybridcore.templates.slices import Slice
from hybridcore.workspace import Workspace
from tests.support.templates import TEMPLATE


def test_a_slice_is_what_the_build_names_and_what_that_names(workspace: Workspace) -> None:
    bodies = [(workspace.root / "x.pkr.hcl", hcl.loads(TEMPLATE))]
    found = builds(bodies, workspace, [])
    used = Slice(bodies, [found[0]])
    assert sorted(used.parts) == [
        "build 1",
        "data.null.first",
        "local.name",
        "local.suffix",
        "source.qemu.web",
        "variable.cpus",
    ]
    again = [(workspace.root / "x.pkr.hcl", hcl.loads("# moved\n\n" + TEMPLATE.replace('"x"', '"y"')))]
    assert Slice(again, [builds(again, workspace, [])[0]]).digests() == used.digests()
    other = [(workspace.root / "x.pkr.hcl", hcl.loads(TEMPLATE.replace("default = 2", "default = 4")))]
    changed = Slice(other, [builds(other, workspace, [])[0]]).digests()
    assert {name for name, digest in used.digests().items() if changed[name] != digest} == {"variable.cpus"}


def parts(text: str, workspace: Workspace, number: int = 0) -> list[str]:
    bodies = [(workspace.root / "x.pkr.hcl", hcl.loads(text))]
    return sorted(Slice(bodies, [builds(bodies, workspace, [])[number]]).parts)


def test_builds_are_counted_over_all_files(workspace: Workspace) -> None:
    assert parts(TEMPLATE, workspace, 1) == ["build 1", "source.null.helper"]
    assert parts(TEMPLATE, workspace, 2)[0] == "build 2"


@pytest.mark.parametrize(
    ("more", "used"),
    [
        (
            'local "x" {\n  expression = var.y\n}\nvariables {\n  y = 1\n  z = 2\n}\n',
            ["local.x", "variable.y"],
        ),
        ("locals {\n  x = local.y\n  y = local.x\n}\n", ["local.x", "local.y"]),  # a circle ends
        # Of a data source the expression tells the type alone, so all of that type count.
        (
            "locals {\n  x = data.http.a.body\n}\n"
            'data "http" "a" {}\ndata "http" "b" {}\ndata "amazon" "a" {}\n',
            ["data.http.a", "data.http.b", "local.x"],
        ),
        ("", []),  # a name that nothing declares
    ],
)
def test_what_names_lead_to(workspace: Workspace, more: str, used: list[str]) -> None:
    text = 'source "null" "n" {\n  a {\n    b = local.x\n  }\n}\nbuild {\n  sources = ["null.n"]\n}\n'
    assert parts(text + more, workspace) == sorted(["build 1", "source.null.n", *used])


def test_what_a_provisioner_names_belongs_to_the_build(workspace: Workspace) -> None:
    text = (
        'source "null" "n" {}\nvariable "a" {}\nvariable "b" {}\nbuild {\n  sources = ["null.n"]\n'
        '  provisioner "shell" {\n    inline = ["${var.a}"]\n  }\n}\n'
    )
    assert parts(text, workspace) == ["build 1", "source.null.n", "variable.a"]


def test_attributes_have_their_block_and_their_body(workspace: Workspace) -> None:
    bodies = [(workspace.root / "x.pkr.hcl", hcl.loads(TEMPLATE))]
    used = Slice(bodies, [builds(bodies, workspace, [])[0]])
    found = {(block.type, one.name): owner for _, block, owner, one in used.attributes()}
    assert ("locals", "name") in found
    assert ("locals", "other") not in found
    assert all(owner.attributes[name].name == name for (_, name), owner in found.items())


def test_the_whole_is_every_block(workspace: Workspace) -> None:
    bodies = [
        (workspace.root / "x.pkr.hcl", hcl.loads(TEMPLATE + 'packer {\n  required_version = ">= 1.7"\n}\n'))
    ]
    whole = Slice.whole(bodies)
    assert {one.name for *_, one in whole.attributes()} >= {"required_version", "other", "headless"}
    named = {"variable.unused", "local.other", "source.null.helper", "data.null.first", "variable.cpus"}
    assert named < set(whole.parts)
    assert {name for name in whole.parts if name.startswith("build ")} == {"build 6", "build 7"}
