"""The conventions of a target: one source, of its platform, with the name of its folder."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hybridcore import hcl
from hybridcore.templates.naming import check_sources
from tests.support.workspaces import WorkspaceFolder


@pytest.mark.parametrize(
    ("platform", "blocks", "faults"),
    [
        ("qemu", ['source "qemu" "web" {}'], []),
        ("proxmox", ['source "proxmox-clone" "web" {}'], []),
        ("lxd", ['source "lxd" "web" {}'], []),  # a platform without a row: any source of its plugin
        ("lxd", ['source "lxd-vm" "web" {}'], []),
        ("qemu", [], ["t: there is no source block (a target has exactly one)"]),
        ("qemu", ['source "qemu" {}'], ["t/0.pkr.hcl:1: a source block has two labels, type and name"]),
        (
            "qemu",
            ['source "qemu" "db" {}'],
            ["t/0.pkr.hcl:1: the source is named 'db', its folder 'web' (source \"qemu\" \"web\")"],
        ),
        (
            "qemu",
            ['source "null" "web" {}'],
            [
                "t/0.pkr.hcl:1: a source of type 'null' does not belong to the platform 'qemu' "
                "(qemu; or move the folder)"
            ],
        ),
        (
            "lxd",
            ['source "lxdx" "web" {}'],
            [
                "t/0.pkr.hcl:1: a source of type 'lxdx' does not belong to the platform 'lxd' "
                "(lxd, or lxd-iso, lxd-clone and the like; or move the folder)"
            ],
        ),
    ],
)
def test_one_source(
    make_workspace: Callable[..., WorkspaceFolder], platform: str, blocks: list[str], faults: list[str]
) -> None:
    where = make_workspace().open()
    folder = where.root / "t"
    sources = [(folder / f"{n}.pkr.hcl", hcl.loads(text).blocks[0]) for n, text in enumerate(blocks)]
    assert [str(fault) for fault in check_sources(sources, platform, "web", folder, where)] == faults


def test_all_that_is_wrong_is_found_together(make_workspace: Callable[..., WorkspaceFolder]) -> None:
    where = make_workspace().open()
    blocks = hcl.loads('source "null" "a" {}\n\nsource "qemu" "web" {}\nsource "qemu" "b" {}\n').blocks
    file = where.root / "t" / "x.pkr.hcl"
    found = check_sources([(file, block) for block in blocks], "qemu", "web", where.root / "t", where)
    assert sorted((fault.line, fault.message.split(" ")[0]) for fault in found) == [
        (1, "a"),
        (1, "the"),
        (3, "a"),
        (4, "a"),
    ]
    assert sum("a second source block" in fault.message for fault in found) == 2
