"""Indices of a mirror on this machine, signed with a key of the test."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from hybridcore.errors import ImagesError
from hybridcore.images.mirrors import Mirrors, Offered, Suite, suites
from tests.support.debian_mirror import DebianMirror


def offered(mirror: DebianMirror, suite: str = "bookworm") -> dict[str, list[Offered]]:
    return Mirrors(mirror.workspace()).offered(mirror.suite(suite), "debian", ["amd64"])


def test_the_lines_of_sources_name_suites() -> None:
    lines = [
        "deb [arch=amd64 signed-by=/k] http://a/debian/ bookworm main contrib",
        "deb http://a/debian bookworm-updates main",
        "deb http://a/flat ./",
    ]
    assert suites(lines) == [
        Suite("http://a/debian", "bookworm", ("main", "contrib")),
        Suite("http://a/debian", "bookworm-updates", ("main",)),
    ]


@pytest.mark.parametrize("form", [".xz", ".gz", ""])
def test_what_a_mirror_signed_is_read(mirror: DebianMirror, form: str) -> None:
    mirror.publish("bookworm", {"openssl": "3.0-2", "bash": "5.2-1"}, form=form)
    assert offered(mirror) == {
        "openssl:amd64": [Offered("3.0-2", "bookworm", security=False)],
        "bash:amd64": [Offered("5.2-1", "bookworm", security=False)],
    }
    mirror.publish("bookworm-security", {"openssl": "3.0-3"}, form=form)
    assert offered(mirror, "bookworm-security")["openssl:amd64"][0].security


def test_a_suite_is_fetched_once_and_asked_for_what_has_changed(mirror: DebianMirror) -> None:
    mirror.publish("bookworm", {"openssl": "3.0-2"})
    mirrors = Mirrors(mirror.workspace())
    for _ in range(3):
        mirrors.offered(mirror.suite("bookworm"), "debian", ["amd64"])
    assert len(mirror.server.seen) == 2
    offered(mirror)
    assert mirror.server.answers[2:] == [304]  # and the index is not asked for at all
    mirror.publish("bookworm", {"openssl": "3.0-4"})
    assert offered(mirror)["openssl:amd64"][0].version == "3.0-4"
    assert mirror.server.answers[3:] == [200, 200]


def test_a_release_that_is_not_signed_by_the_keyring_is_refused(mirror: DebianMirror) -> None:
    mirror.publish("bookworm", {"openssl": "3.0-2"}, sign_as="other")
    with pytest.raises(ImagesError, match="is not signed with a key of"):
        offered(mirror)
    mirror.publish("bookworm", {"openssl": "3.0-2"})
    file = mirror.file("bookworm", "InRelease")
    file.write_text(file.read_text().replace("Label: Debian", "Label: Debiam"))
    with pytest.raises(ImagesError, match="is not signed with a key of"):
        offered(mirror)
    mirror.publish("bookworm", {"openssl": "3.0-2"})
    assert offered(mirror), "what was refused is not kept"


def test_what_stands_outside_the_signature_is_not_read(mirror: DebianMirror) -> None:
    mirror.publish("bookworm", {"openssl": "3.0-2"})
    file = mirror.file("bookworm", "InRelease")
    more = f"Suite: bookworm\nSHA256:\n {'0' * 64} 1 main/binary-amd64/Packages.xz\n\n"
    for text in (more + file.read_text(), file.read_text() + more):
        file.write_text(text)
        assert offered(mirror) == {"openssl:amd64": [Offered("3.0-2", "bookworm", security=False)]}


def test_an_index_that_is_not_the_signed_one_is_refused(mirror: DebianMirror) -> None:
    mirror.publish("bookworm", {"openssl": "3.0-2"})
    index = mirror.file("bookworm", "main/binary-amd64/Packages.xz")
    whole = index.read_bytes()
    for content in (whole[:-1] + bytes([whole[-1] ^ 1]), whole[:-1]):
        index.write_bytes(content)
        with pytest.raises(ImagesError, match="is not what was signed"):
            offered(mirror)
    index.write_bytes(whole + b"more")
    with pytest.raises(ImagesError, match="has more than"):
        offered(mirror)


def test_a_release_that_expired_or_is_older_than_before_is_refused(mirror: DebianMirror) -> None:
    now = datetime.now(UTC)
    mirror.publish("bookworm", {"openssl": "3.0-2"}, valid_until=now - timedelta(hours=1))
    with pytest.raises(ImagesError, match="has expired"):
        offered(mirror)
    mirror.publish("bookworm", {"openssl": "3.0-2"}, date=now)
    offered(mirror)
    mirror.publish("bookworm", {"openssl": "3.0-1"}, date=now - timedelta(days=1))
    with pytest.raises(ImagesError, match="is older than what this mirror gave before"):
        offered(mirror)


def test_the_release_of_another_suite_is_refused(mirror: DebianMirror) -> None:
    mirror.publish("trixie", {"openssl": "3.5-1"})
    mirror.file("bookworm", "InRelease").parent.mkdir(parents=True)
    mirror.file("bookworm", "InRelease").write_bytes(mirror.file("trixie", "InRelease").read_bytes())
    with pytest.raises(ImagesError, match="is of another suite: trixie"):
        offered(mirror)


def test_a_mirror_that_cannot_be_reached_says_offline(mirror: DebianMirror) -> None:
    suite = Suite("http://127.0.0.1:1/debian", "bookworm", ("main",))
    with pytest.raises(ImagesError, match="offline: the mirror cannot be asked"):
        Mirrors(mirror.workspace()).offered(suite, "debian", ["amd64"])
    with pytest.raises(ImagesError, match="404"):
        offered(mirror, "nothing")
    with pytest.raises(ImagesError, match="only mirrors over HTTP"):
        Mirrors(mirror.workspace()).offered(Suite("file:///etc", "x", ("main",)), "debian", ["amd64"])


def test_without_a_keyring_nothing_is_believed(mirror: DebianMirror) -> None:
    mirror.publish("bookworm", {"openssl": "3.0-2"})
    mirror.space.settings("")
    with pytest.raises(ImagesError, match="no keyring of almalinux"):
        Mirrors(mirror.workspace()).offered(mirror.suite("bookworm"), "almalinux", ["amd64"])
