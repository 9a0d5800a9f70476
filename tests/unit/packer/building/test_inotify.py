"""The kernel's notes of which files are opened, from real files."""

from __future__ import annotations

import os
import resource
import select
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from hybridcore.packer.building import inotify
from hybridcore.packer.building.inotify import Inotify


@pytest.fixture
def notes() -> Iterator[Inotify]:
    made = Inotify()
    yield made
    made.close()


def test_files_that_are_opened_are_noted_each_with_its_watch(notes: Inotify, tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    first, second = notes.add(str(tmp_path / "one")), notes.add(str(tmp_path / "two"))
    strange = os.fsdecode(b"caf\xe9 file")
    (tmp_path / "one/a").write_text("")
    (tmp_path / "two" / strange).write_text("x")
    assert select.select([notes], [], [], 0)[0] == [notes]
    assert list(notes.read()) == [(first, "a"), (second, strange)]
    assert list(notes.read()) == []
    (tmp_path / "one/a").read_text()
    assert list(notes.read()) == [(first, "a")]


def test_folders_other_calls_and_what_lies_below_do_not_count(notes: Inotify, tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "file").write_text("x")
    notes.add(str(tmp_path))
    os.listdir(tmp_path)
    os.listdir(tmp_path / "below")
    os.stat(tmp_path / "file")
    (tmp_path / "below/file").write_text("x")
    (tmp_path / "file").rename(tmp_path / "other")
    assert list(notes.read()) == []


def test_an_open_through_a_link_is_noted_where_the_file_lies(notes: Inotify, tmp_path: Path) -> None:
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
    (tmp_path / "there/file").write_text("x")
    (tmp_path / "here/link").symlink_to("../there/file")
    notes.add(str(tmp_path / "here"))
    there = notes.add(str(tmp_path / "there"))
    (tmp_path / "here/link").read_text()
    assert list(notes.read()) == [(there, "file")]


def test_more_notes_than_one_read_takes(notes: Inotify, tmp_path: Path) -> None:
    watch = notes.add(str(tmp_path))
    names = [f"{number:04}{'x' * 200}" for number in range(500)]
    for name in names:
        (tmp_path / name).touch()
    assert list(notes.read()) == [(watch, name) for name in names]


def test_what_the_kernel_had_to_leave_out_is_told(notes: Inotify, tmp_path: Path) -> None:
    limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    notes.add(str(tmp_path))
    files = [os.path.join(tmp_path, name) for name in "ab"]
    for number in range(limit + 2):  # equal notes one after the other are one
        os.close(os.open(files[number % 2], os.O_RDONLY | os.O_CREAT))
    assert list(notes.read())[-1] == (-1, "")


def test_a_folder_is_watched_no_more_and_one_that_is_gone_does_no_harm(
    notes: Inotify, tmp_path: Path
) -> None:
    (tmp_path / "gone").mkdir()
    watch, gone = notes.add(str(tmp_path)), notes.add(str(tmp_path / "gone"))
    shutil.rmtree(tmp_path / "gone")
    for one in (watch, gone, gone):
        notes.remove(one)
    list(notes.read())
    (tmp_path / "file").touch()
    assert list(notes.read()) == []


@pytest.mark.parametrize("name", ["none", "file"])
def test_what_is_no_folder_is_an_error_of_the_system(notes: Inotify, tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises((FileNotFoundError, NotADirectoryError)):
        notes.add(str(tmp_path / name))


def test_trouble_says_why_the_kernel_gives_none() -> None:
    assert inotify.trouble() == ""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    highest = os.open(".", os.O_RDONLY)
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest, hard))
    try:
        said = inotify.trouble()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        os.close(highest)
    assert said == "inotify: Too many open files"


def test_a_system_without_inotify_is_told_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inotify.ctypes, "CDLL", lambda *_, **__: object())
    assert inotify.trouble() == "inotify: Function not implemented"
