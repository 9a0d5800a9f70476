"""Which packages of an image have updates."""

from __future__ import annotations

from dataclasses import replace

from hybridcore.images.mirrors import Mirrors, Offered
from hybridcore.images.outdated import Update, outdated, updates
from tests.support.debian_mirror import DebianMirror
from tests.support.images import BASE, WEB, Shelf, installed


def test_a_package_is_outdated_where_a_later_version_is_offered() -> None:
    found = installed(openssl="3.0-1", bash="5.2-1", curl="8.0~rc1", gone="1")
    offered = {
        "openssl:amd64": [Offered("3.0-2", "bookworm", False), Offered("3.0-10", "bookworm-security", True)],
        "bash:amd64": [Offered("5.2-1", "bookworm", False), Offered("5.1-9", "old", True)],
        "curl:amd64": [Offered("8.0", "bookworm-updates", False)],
        "openssl:i386": [Offered("9", "bookworm", False)],
    }
    assert updates(found, offered) == (
        Update("curl", "amd64", "8.0~rc1", "8.0", "bookworm-updates", security=False),
        Update("openssl", "amd64", "3.0-1", "3.0-10", "bookworm-security", security=True),
    )


def test_a_security_update_counts_also_where_another_suite_has_a_later_one() -> None:
    offered = {"a:amd64": [Offered("2", "security", True), Offered("3", "updates", False)]}
    assert updates(installed(a="1"), offered)[0] == Update("a", "amd64", "1", "3", "updates", security=True)


def test_images_are_compared_with_their_own_mirrors_and_a_suite_is_fetched_once(mirror: DebianMirror) -> None:
    mirror.publish("bookworm", {"openssl": "3.0-1", "bash": "5.2-1"})
    mirror.publish("bookworm-security", {"openssl": "3.0-2"})
    shelf = Shelf(mirror.workspace())
    lines = (mirror.line("bookworm"), mirror.line("bookworm-security"))
    shelf.build(BASE, contents=replace(installed(bash="5.2-1"), mirrors=lines))
    shelf.build(WEB, contents=replace(installed(bash="5.2-1", openssl="3.0-1"), mirrors=lines))
    mirrors = Mirrors(shelf.workspace)
    assert outdated(shelf.known(), BASE, 1, mirrors).updates == ()
    found = outdated(shelf.known(), WEB, 1, mirrors)
    assert found.updates == (
        Update("openssl", "amd64", "3.0-1", "3.0-2", "bookworm-security", security=True),
    )
    assert len(mirror.server.seen) == 4


def test_what_is_not_known_is_said(mirror: DebianMirror) -> None:
    shelf = Shelf(mirror.workspace())
    shelf.build(WEB)
    shelf.build(WEB, contents=installed(a="1"))
    shelf.build(WEB, contents=installed("rpm", a="1"))
    shelf.build(WEB, contents=replace(installed(a="1"), mirrors=("deb http://127.0.0.1:1/debian x main",)))
    mirrors = Mirrors(shelf.workspace)
    said = [outdated(shelf.known(), WEB, number, mirrors) for number in (1, 2, 3, 4)]
    assert [one.updates for one in said] == [None] * 4
    assert "gave no list of packages" in said[0].unknown
    assert "gave no sources.list" in said[1].unknown
    assert "indices of RPM are not read" in said[2].unknown
    assert "offline: " in said[3].unknown
