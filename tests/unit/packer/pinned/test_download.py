"""One file over HTTP and HTTPS, from servers with faults."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hybridcore.errors import SourcesError
from hybridcore.monitor import NullMonitor
from hybridcore.packer.pinned import download as module
from hybridcore.packer.pinned.download import download
from tests.support.file_server import FileServer, file_server
from tests.support.git_servers import make_certificate

CONTENT = b"content " * 10_000


class Notes(NullMonitor):
    """Keeps the lines."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def line(self, target: str, text: str, kind: str) -> None:
        self.lines.append(text)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(module, "_FIRST_PAUSE_S", 0.01)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "file").write_bytes(CONTENT)
    return tmp_path / "served"


@pytest.fixture
def server(folder: Path) -> Iterator[FileServer]:
    with file_server(FileServer(folder)) as running:
        yield running


def get(url: str, to: Path, *, most: int = 1_000_000, monitor: NullMonitor | None = None) -> bytes:
    download(url, to, most_bytes=most, monitor=monitor or NullMonitor(), name="mars")
    return to.read_bytes()


def refused(url: str, to: Path, **more: int) -> str:
    with pytest.raises(SourcesError) as caught:
        get(url, to, **more)
    return str(caught.value)


def test_a_file_and_a_server_that_is_away_for_a_moment(server: FileServer, tmp_path: Path) -> None:
    server.failures = 2
    seen = Notes()
    assert get(f"{server.url}/file", tmp_path / "got", monitor=seen) == CONTENT
    pauses = [line.rpartition("; ")[2] for line in seen.lines]
    assert pauses == ["asking again in 0.01 s", "asking again in 0.02 s"]


def test_what_stays_away_and_what_is_not_there(server: FileServer, tmp_path: Path) -> None:
    server.failures = 9
    assert "503 Service Unavailable, 3 times" in refused(f"{server.url}/file", tmp_path / "got")
    server.failures = 0
    server.seen.clear()
    assert "the server says 404" in refused(f"{server.url}/none", tmp_path / "got")
    assert server.seen == ["/none"]


def test_an_answer_that_is_cut_or_too_large(server: FileServer, tmp_path: Path) -> None:
    assert "it has more than 0 MB" in refused(f"{server.url}/file", tmp_path / "got", most=1000)
    server.cut = 100
    assert ", 3 times" in refused(f"{server.url}/file", tmp_path / "got")


def test_another_transport_is_not_followed(server: FileServer, tmp_path: Path) -> None:
    server.redirects = {
        "/ftp": "ftp://127.0.0.1/file",
        "/file-of-here": "file:///etc/passwd",
        "/again": f"{server.url}/file",
    }
    assert "leads to another transport" in refused(f"{server.url}/ftp", tmp_path / "got")
    assert "is not allowed" in refused(f"{server.url}/file-of-here", tmp_path / "got")  # urllib's own words
    assert get(f"{server.url}/again", tmp_path / "got") == CONTENT


def test_https_needs_a_certificate_that_is_trusted_and_stays_https(
    folder: Path, server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority, certificate = make_certificate(tmp_path / "certificates")
    with file_server(FileServer(folder), certificate) as secure:
        error = refused(f"{secure.url}/file", tmp_path / "got")
        assert "certificate verify failed" in error
        assert "times" not in error
        monkeypatch.setenv("SSL_CERT_FILE", str(authority))
        assert get(f"{secure.url}/file", tmp_path / "got") == CONTENT
        secure.redirects["/down"] = f"{server.url}/file"
        assert "leads to another transport" in refused(f"{secure.url}/down", tmp_path / "got")
        assert server.seen == []
