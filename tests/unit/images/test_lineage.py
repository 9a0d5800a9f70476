"""What a version stands on and what stands on it."""

from __future__ import annotations

import pytest

from hybridcore import images
from hybridcore.images.lineage import behind, lineage
from hybridcore.images.names import Image, Place, Reference
from tests.support.images import BASE, PROD, WEB, Shelf

APP = Image("dev", "linux/qemu/app")


@pytest.fixture
def family(shelf: Shelf) -> Shelf:
    """base@1 <- web@1 <- app@1; base@2; web@1 is also prod's."""
    shelf.build(BASE)
    shelf.build(WEB, parent=f"{BASE}@1")
    shelf.build(APP, parent=f"{WEB}@1")
    shelf.build(BASE)
    images.promote(Reference(WEB, 1), Place("prod"), workspace=shelf.workspace)
    return shelf


def test_it_goes_up_and_down(family: Shelf) -> None:
    found = lineage(family.known(), WEB, 1).to_dict()
    assert {(one["from"], one["to"], one["kind"]) for one in found["edges"]} == {
        (f"{BASE}@1", f"{WEB}@1", "parent"),
        (f"{WEB}@1", f"{APP}@1", "parent"),
        (f"{WEB}@1", f"{PROD}@1", "origin"),
        (f"{BASE}@1", f"{PROD}@1", "parent"),
    }
    names = {f"{one['image']}@{one['version']}" for one in found["nodes"]}
    assert names == {f"{BASE}@1", f"{WEB}@1", f"{APP}@1", f"{PROD}@1"}


def test_it_says_who_is_behind_and_what_is_revoked(family: Shelf) -> None:
    images.revoke(Reference(BASE, 1), workspace=family.workspace, reason="bad kernel")
    known = family.known()
    assert behind(known, known.record(WEB, 1)) == f"{BASE}@2"
    assert behind(known, known.record(APP, 1)) == ""
    text = lineage(known, WEB, 1).text()
    assert text.splitlines()[0].startswith(f"{BASE}@1  (revoked at ")
    assert f"  {WEB}@1  (this one; " in text
    assert f"behind {BASE}@2" in text


def test_a_diagram_for_mermaid(family: Shelf) -> None:
    lines = lineage(family.known(), WEB, 1).mermaid().splitlines()
    assert lines[0] == "flowchart TD"
    assert f'  v0["{WEB}@1<br>latest"]' in lines
    assert sum(" --> " in line for line in lines) == 3
    assert sum(" -.-> " in line for line in lines) == 1


def test_a_parent_that_was_forgotten_is_left_out(shelf: Shelf) -> None:
    shelf.build(WEB, parent=f"{BASE}@7")
    found = lineage(shelf.known(), WEB, 1)
    assert (len(found.nodes), found.edges) == (1, ())
    assert behind(shelf.known(), shelf.known().record(WEB, 1)) == ""
