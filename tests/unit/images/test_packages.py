"""The contents of versions: kept, read again, searched."""

from __future__ import annotations

import pytest

from hybridcore.errors import ImagesError
from hybridcore.images import packages
from tests.support.images import BASE, WEB, Shelf, installed


def test_contents_are_kept_once_for_all_that_hold_the_same(shelf: Shelf) -> None:
    for _ in range(2):
        shelf.build(WEB, contents=installed(openssl="1.0-1"))
    shelf.build(BASE, contents=installed(openssl="1.0-1"))
    assert len(list(shelf.workspace.contents.iterdir())) == 1
    known = shelf.known()
    assert packages.read(known, WEB, 2) == packages.read(known, BASE, 1) == installed(openssl="1.0-1")
    entry = known.record(WEB, 1)["contents"]
    assert entry
    assert entry["packages"] == 1


def test_a_version_without_a_list_says_so(shelf: Shelf) -> None:
    shelf.build(WEB)
    with pytest.raises(ImagesError, match="its build gave no list of packages"):
        packages.read(shelf.known(), WEB, 1)


def test_contents_that_were_edited_or_are_gone_are_one_clear_error(shelf: Shelf) -> None:
    shelf.build(WEB, contents=installed(openssl="1.0-1"))
    [file] = shelf.workspace.contents.iterdir()
    whole = file.read_bytes()
    for at in (0, len(whole) // 2, len(whole) - 1):
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        with pytest.raises(ImagesError, match="edited or are damaged"):
            packages.read(shelf.known(), WEB, 1)
    file.unlink()
    with pytest.raises(ImagesError, match="cannot be read: No such file"):
        packages.read(shelf.known(), WEB, 1)


def test_damaged_contents_are_written_anew_by_the_next_build(shelf: Shelf) -> None:
    shelf.build(WEB, contents=installed(openssl="1.0-1"))
    [file] = shelf.workspace.contents.iterdir()
    file.write_bytes(b"torn")
    shelf.build(WEB, contents=installed(openssl="1.0-1"))
    assert packages.read(shelf.known(), WEB, 1) == installed(openssl="1.0-1")


def test_a_package_is_found_by_its_name_and_by_its_source(shelf: Shelf) -> None:
    shelf.build(WEB, contents=installed(openssl="1.0-1", bash="5"))
    shelf.build(WEB, contents=installed(bash="5"))
    shelf.build(WEB)
    shelf.build(WEB, contents=installed(openssl="1.1-1"))
    found = packages.search(shelf.known(), WEB, "openssl", [4, 3, 2, 1])
    assert [(one.version, one.package.version) for one in found.holdings] == [(4, "1.1-1"), (1, "1.0-1")]
    assert [number for _, number, _ in found.unknown] == [3]
    by_source = packages.search(shelf.known(), WEB, "openssl-src", [4])
    assert [one.package.name for one in by_source.holdings] == ["openssl"]
