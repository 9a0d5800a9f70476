"""Images and versions as data."""

from __future__ import annotations

from hybridcore import images
from hybridcore.images import records
from hybridcore.images.changing import assign
from hybridcore.images.names import Reference, parse
from hybridcore.images.showing import listed, shown, version_to_show
from tests.support.images import BASE, WEB, Shelf


def test_a_version_is_shown_with_what_follows_from_the_state(shelf: Shelf) -> None:
    shelf.build(BASE)
    shelf.build(WEB, parent=f"{BASE}@1")
    assign(Reference(WEB, 1), "stable", workspace=shelf.workspace)
    images.hold(Reference(WEB, 1), workspace=shelf.workspace, reason="audit")
    found = shown(shelf.known(), WEB, 1)
    assert {name: found[name] for name in ("image", "version", "channels", "revoked", "held", "retired")} == {
        "image": str(WEB),
        "version": 1,
        "channels": ["latest", "stable"],
        "revoked": None,
        "held": "audit",
        "retired": False,
    }
    assert found["parent"] == {
        "image": str(BASE),
        "environment": "dev",
        "target": BASE.target,
        "version": 1,
        "channel": None,
    }
    assert found["artifacts"][0]["files"][0]["sha256"]
    images.revoke(Reference(BASE, 1), workspace=shelf.workspace, reason="bad kernel")
    revoked = shown(shelf.known(), WEB, 1)["revoked"]
    assert (revoked["reason"], revoked["inherited_from"]) == ("bad kernel", f"{BASE}@1")


def test_an_announced_revocation_is_not_one_yet(shelf: Shelf) -> None:
    shelf.build()
    at = "2099-01-01T00:00:00.000Z"
    images.revoke(Reference(WEB, 1), workspace=shelf.workspace, reason="end of life", at=at)
    found = shown(shelf.known(), WEB, 1)
    assert (found["revoked"], found["revocation_announced"]["at"]) == (None, at)


def test_without_a_version_the_latest_is_shown_or_else_the_newest(shelf: Shelf) -> None:
    shelf.build()
    shelf.build(complete=False)
    assert version_to_show(shelf.known(), parse(str(WEB))) == 1
    images.revoke(Reference(WEB, 1), workspace=shelf.workspace, reason="bad kernel")
    assert version_to_show(shelf.known(), parse(str(WEB))) == 2


def test_a_list_goes_on_where_a_record_cannot_be_read(shelf: Shelf) -> None:
    for _ in range(2):
        shelf.build()
    records.path(shelf.workspace, WEB, 2).unlink()
    (found,) = listed(shelf.known(), [])
    assert [(one["version"], bool(one["problem"])) for one in found["versions"]] == [(2, True), (1, False)]
    assert "is missing" in found["problems"][0]
