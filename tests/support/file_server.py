"""A web server of plain files on 127.0.0.1, with the faults that a test gives it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.web import QuietHandler, listening


@dataclass
class FileServer:
    """What is served, and how.

    Attributes:
        root: the folder.
        failures: how many requests are answered with 503 before the first that is served.
        redirects: place to where its requests are sent.
        cut: bytes of each file that are sent before the connection is closed; all when 0.
        seen: the path of each request.
        answers: how each request was answered: 200, 304, ...
        url: where it listens.
    """

    root: Path
    failures: int = 0
    redirects: dict[str, str] = field(default_factory=dict)
    cut: int = 0
    seen: list[str] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    url: str = ""


@contextmanager
def file_server(settings: FileServer, certificate: tuple[Path, Path] | None = None) -> Iterator[FileServer]:
    """Serve files.

    Args:
        settings: what it serves; tests may change it while it runs.
        certificate: certificate and key, for HTTPS.
    """

    class Handler(QuietHandler):
        def do_GET(self) -> None:
            settings.seen.append(self.path)
            file = settings.root / self.path.lstrip("/")
            if settings.failures:
                settings.failures -= 1
                self.send_error(503)
            elif self.path in settings.redirects:
                self.send_response(302)
                self.send_header("Location", settings.redirects[self.path])
                self.end_headers()
            elif not file.is_file():
                self.send_error(404)
            else:
                content = file.read_bytes()
                etag = f'"{hashlib.sha256(content).hexdigest()}"'
                if self.headers.get("If-None-Match") == etag:
                    self.send_response(304)
                    self.end_headers()
                    return
                self.send_response(200)
                self.send_header("ETag", etag)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content[: settings.cut] if settings.cut else content)

        def send_response(self, code: int, message: str | None = None) -> None:
            settings.answers.append(int(code))
            super().send_response(code, message)

    with listening(Handler, certificate) as port:
        settings.url = f"{'https' if certificate else 'http'}://127.0.0.1:{port}"
        yield settings
