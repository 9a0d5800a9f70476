"""The record of a version: written once, whole or not at all, and told from one that was edited."""

from __future__ import annotations

import errno
import os
from typing import Any

import pytest

from hybridcore import atomic
from hybridcore.errors import ImagesError
from hybridcore.images import records
from tests.support.images import BASE, WEB, Shelf


def test_what_is_written_is_read_and_named_after_its_number(shelf: Shelf) -> None:
    shelf.build()
    file = shelf.workspace.state_dir / "images/dev/linux/qemu/web/1.json"
    assert records.path(shelf.workspace, WEB, 1) == file
    assert records.read(shelf.workspace, WEB, 1)["packer"] == "1.9.4"
    assert [path.name for path in file.parent.iterdir()] == ["1.json"]


def test_a_record_is_never_written_again(shelf: Shelf) -> None:
    shelf.build()
    before = records.path(shelf.workspace, WEB, 1).read_bytes()
    with pytest.raises(ImagesError, match="has a record already; nothing was changed"):
        records.write(shelf.workspace, WEB, {**shelf.record(WEB), "version": 1})
    assert records.path(shelf.workspace, WEB, 1).read_bytes() == before


def test_also_where_files_have_one_name_alone(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    shelf.build()
    assert records.read(shelf.workspace, WEB, 1)["version"] == 1
    with pytest.raises(ImagesError, match="has a record already"):
        records.write(shelf.workspace, WEB, {**shelf.record(WEB), "version": 1})


def test_a_byte_that_was_changed_anywhere_is_found(shelf: Shelf) -> None:
    shelf.build()
    file = records.path(shelf.workspace, WEB, 1)
    content = file.read_bytes()
    for place in range(0, len(content), 7):
        changed = bytearray(content)
        changed[place] ^= 1
        file.write_bytes(changed)
        with pytest.raises(ImagesError, match=r"was edited or is damaged|is of a newer release"):
            records.read(shelf.workspace, WEB, 1)
    file.write_bytes(content[:-20])
    with pytest.raises(ImagesError, match="was edited or is damaged"):
        records.read(shelf.workspace, WEB, 1)


def test_a_missing_record_is_one_clear_error(shelf: Shelf) -> None:
    shelf.build()
    records.path(shelf.workspace, WEB, 1).unlink()
    with pytest.raises(ImagesError, match="the record of dev:linux/qemu/web@1 is missing") as caught:
        shelf.known().record(WEB, 1)
    assert "backup" in caught.value.hint


def test_a_record_of_a_newer_release_is_called_newer(shelf: Shelf) -> None:
    shelf.build()
    file = records.path(shelf.workspace, WEB, 1)
    file.write_bytes(file.read_bytes().replace(b'"format": 1', b'"format": 2', 1))
    with pytest.raises(ImagesError, match="is of a newer release") as caught:
        records.read(shelf.workspace, WEB, 1)
    assert "damaged" not in str(caught.value)


def test_the_record_of_another_version_is_refused(shelf: Shelf) -> None:
    shelf.build()
    shelf.build()
    first, second = (records.path(shelf.workspace, WEB, number) for number in (1, 2))
    second.write_bytes(first.read_bytes())
    with pytest.raises(ImagesError, match="is that of another version"):
        records.read(shelf.workspace, WEB, 2)


def test_a_full_disk_leaves_no_record(shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(fd: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    shelf.build(WEB)
    record: Any = {**shelf.record(BASE), "version": 1}
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ImagesError, match="cannot be written: No space left"):
        records.write(shelf.workspace, BASE, record)
    assert not records.exists(shelf.workspace, BASE, 1)
    assert not list(shelf.workspace.state_dir.rglob(f"*{atomic.TEMPORARY_SUFFIX}"))


def test_what_a_dead_writer_left_is_written_over(shelf: Shelf) -> None:
    shelf.build()
    left = records.path(shelf.workspace, WEB, 2).with_name("2.json.tmp")
    left.write_text("half a rec")
    assert shelf.build() == 2
    assert not left.exists()
    assert records.read(shelf.workspace, WEB, 2)["version"] == 2
