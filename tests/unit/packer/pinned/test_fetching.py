"""The program of a plugin out of folders and archives."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from hybridcore.errors import SourcesError
from hybridcore.monitor import NullMonitor
from hybridcore.packer.pinned.fetching import Fetched, fetch
from hybridcore.plugin_settings import PluginSetting
from tests.support.plugins import SOURCE, digest, file_name, packed, program
from tests.support.workspaces import WorkspaceFolder


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder]) -> WorkspaceFolder:
    return make_workspace()


def get(
    space: WorkspaceFolder, origin: str, *, pin: str = "", version: str = "1.2.3", archive: str = ""
) -> Fetched:
    setting = PluginSetting(SOURCE, version, origin, archive_sha256=archive)
    return fetch(setting, pin, space.open(), space.root / "new", NullMonitor())


def refused(space: WorkspaceFolder, origin: str, **more: str) -> str:
    with pytest.raises(SourcesError) as caught:
        get(space, origin, **more)
    return str(caught.value)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (packed("other", program(), "zip"), "has no packer-plugin-mars"),
        (packed(file_name("1.2.4"), program(), "zip"), "has no packer-plugin-mars"),
        (b"no archive at all", "neither a zip nor a tar archive"),
        (packed(file_name(), program(), "zip").replace(b"echo", b"ECHO"), "is damaged"),
        (packed(file_name(), program(), "tar.gz")[:-40], "is damaged"),
        (packed(file_name(), b"#!/bin/sh\necho hello\n", "zip"), "does not answer to describe"),
        (packed(file_name(), b"not a program", "zip"), "its program cannot be run"),
    ],
)
def test_archives_that_are_not_right(space: WorkspaceFolder, content: bytes, expected: str) -> None:
    (space.root / "mars.zip").write_bytes(content)
    assert expected in refused(space, "mars.zip")


def test_a_link_in_an_archive_is_not_followed(space: WorkspaceFolder) -> None:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        entry = tarfile.TarInfo(file_name())
        entry.type, entry.linkname = tarfile.SYMTYPE, "/bin/true"
        tar.addfile(entry)
    (space.root / "mars.tar").write_bytes(data.getvalue())
    assert "has no packer-plugin-mars" in refused(space, "mars.tar")


def test_a_program_of_its_own(space: WorkspaceFolder) -> None:
    (space.root / file_name()).write_bytes(program())
    found = get(space, "packer-plugin-mars_v{version}_x5.0_{os}_{arch}", pin=digest(program()))
    assert found.file.read_bytes() == program()
    assert found.place == space.root / ".packer-plugins" / SOURCE / file_name()
    assert (found.sha256, found.warning) == (digest(program()), "")


def test_a_program_of_another_digest_is_not_run(space: WorkspaceFolder, tmp_path: Path) -> None:
    (space.root / file_name()).write_bytes(f"#!/bin/sh\ntouch {tmp_path}/was-run\n".encode())
    assert f"pinned is {'0' * 64}" in refused(space, file_name(), pin="0" * 64)
    assert not (tmp_path / "was-run").exists()


def test_an_archive_of_another_digest(space: WorkspaceFolder) -> None:
    (space.root / "mars.zip").write_bytes(packed(file_name(), program(), "zip"))
    assert f"archive_sha256 is {'0' * 64}" in refused(space, "mars.zip", archive="0" * 64)


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("../elsewhere", "leaves the workspace"),
        ("nowhere", "is not there"),
        ("ftp://127.0.0.1/x.zip", "is no place to fetch from"),
        ("file://other.example.org/x.zip", "is no place to fetch from"),
        ("templates", "has no packer-plugin-mars"),
    ],
)
def test_places_that_are_none(space: WorkspaceFolder, origin: str, expected: str) -> None:
    assert expected in refused(space, origin)
