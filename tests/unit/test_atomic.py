"""Files that are replaced whole, by any number of writers at once."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hybridcore import atomic
from hybridcore.packer.stream import manifest
from hybridcore.state import inputs
from hybridcore.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable

WRITERS = 8
ROUNDS = 40


def _manifest(path: Path, content: bytes) -> None:
    build = manifest.ManifestBuild(content.decode(), "null", 1, (), "id", "run")
    manifest.write(path, manifest.Manifest((build,), "run"))


def _record(path: Path, content: bytes) -> None:
    inputs.write_files(Workspace(path.parent), "dev/x", {"inputs": {"file": content.decode()}})
    written = inputs.files_record(Workspace(path.parent), "dev/x")
    if not path.is_symlink():
        path.symlink_to(written)


@pytest.mark.parametrize(
    "write",
    [atomic.replace, partial(atomic.replace, durable=True), _manifest, _record],
    ids=["plain", "durable", "manifest", "record"],
)
def test_writers_at_once_do_not_mix(tmp_path: Path, write: Callable[[Path, bytes], None]) -> None:
    """They have one pid here, as the first processes of two containers have."""
    path = tmp_path / "file"
    contents = [bytes([ord("a") + number]) * 100_000 for number in range(WRITERS)]
    write(path, contents[0])

    def write_often(content: bytes) -> list[bytes]:
        read = []
        for _ in range(ROUNDS):
            write(path, content)
            read.append(path.read_bytes())
        return read

    with ThreadPoolExecutor(WRITERS) as pool:
        read = {each for result in pool.map(write_often, contents) for each in result}
    for found in read:
        assert sum(content in found for content in contents) == 1
        assert len(found) < 101_000
    assert not list(tmp_path.rglob("*.tmp"))


def test_mode_of_the_old_file_stays_and_a_new_one_is_like_any_other(tmp_path: Path) -> None:
    path = tmp_path / "file"
    before = os.umask(0o027)
    try:
        atomic.replace(path, b"1")
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
        path.chmod(0o604)
        atomic.replace(path, b"2")
    finally:
        os.umask(before)
    assert path.read_bytes() == b"2"
    assert stat.S_IMODE(path.stat().st_mode) == 0o604


def test_a_link_is_replaced_and_what_it_names_stays(tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"keep")
    (tmp_path / "file").symlink_to("other")
    atomic.replace(tmp_path / "file", b"new")
    assert (tmp_path / "other").read_bytes() == b"keep"
    assert not (tmp_path / "file").is_symlink()


@pytest.mark.parametrize("call", ["write", "fsync", "rename", "fchmod"])
def test_a_call_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fail(*_args: object, **_kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(OSError, match="No space left"):
        atomic.replace(path, b"new", durable=True)
    monkeypatch.undo()
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_a_write_that_is_cut_short_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, data[:3]))
    atomic.replace(tmp_path / "file", b"0123456789")
    assert (tmp_path / "file").read_bytes() == b"0123456789"
