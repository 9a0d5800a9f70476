"""Servers of Git repositories for tests: over HTTP and HTTPS, SSH, and Git's own protocol, on 127.0.0.1."""

from __future__ import annotations

import base64
import getpass
import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from tests.support.builds import wait_for
from tests.support.web import QuietHandler, listening

SSHD = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")


@dataclass
class WebServer:
    """`git http-backend` behind a web server; a proxy for others' requests, too.

    Attributes:
        root: folder of the repositories.
        users: who may read, with passwords; anybody when empty.
        look: called with each request, while the git that asks still runs.
        failures: how many requests are answered with 503 before the first that is served.
        redirect: where requests are sent instead; nowhere when empty.
        seen: method and path of each request, with the headers that authorize it.
        port: where it listens.
    """

    root: Path
    users: dict[str, str] = field(default_factory=dict)
    look: Callable[[], None] = lambda: None
    failures: int = 0
    redirect: str = ""
    seen: list[tuple[str, str, str]] = field(default_factory=list)
    port: int = 0


@contextmanager
def web_server(settings: WebServer, certificate: tuple[Path, Path] | None = None) -> Iterator[WebServer]:
    """Run a web server.

    Args:
        settings: what it serves; tests may change it while it runs.
        certificate: certificate and key, for HTTPS.
    """

    class Handler(_Backend):
        served = settings

    with listening(Handler, certificate) as port:
        settings.port = port
        yield settings


class _Backend(QuietHandler):
    """One request: to git-http-backend(1), by the rules of CGI (RFC 3875)."""

    served: WebServer

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def _serve(self) -> None:
        served = self.served
        named = self.headers.get("Authorization") or self.headers.get("Proxy-Authorization") or ""
        served.seen.append((self.command, self.path, named))
        served.look()
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if served.failures:
            served.failures -= 1
            self._answer(503, {}, b"")
        elif served.redirect:
            self._answer(302, {"Location": served.redirect}, b"")
        elif served.users and not any(named == _basic(*user) for user in served.users.items()):
            self._answer(401, {"WWW-Authenticate": 'Basic realm="test"'}, b"")
        else:
            self._run(body)

    def _run(self, body: bytes) -> None:
        parts = urlsplit(self.path)
        env = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.served.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_CONFIG_COUNT": "2",
            "GIT_CONFIG_KEY_0": "safe.directory",
            "GIT_CONFIG_VALUE_0": "*",
            "GIT_CONFIG_KEY_1": "uploadpack.allowFilter",
            "GIT_CONFIG_VALUE_1": "true",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": parts.path,
            "QUERY_STRING": parts.query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "REMOTE_USER": "somebody",
        }
        done = subprocess.run(
            ["git", "http-backend"], input=body, env=env, stdout=subprocess.PIPE, check=True
        )
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        self._answer(int(fields.pop("Status", "200 OK").split()[0]), fields, content)

    def _answer(self, status: int, fields: dict[str, str], content: bytes) -> None:
        self.send_response(status)
        for name, value in {**fields, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def make_certificate(folder: Path) -> tuple[Path, tuple[Path, Path]]:
    """Make a certificate authority, and a certificate of it for 127.0.0.1.

    Returns:
        The authority's certificate, and the server's certificate and key.
    """
    folder.mkdir()
    ca, ca_key, request = folder / "ca.pem", folder / "ca.key", folder / "server.csr"
    certificate, key, extension = folder / "server.pem", folder / "server.key", folder / "extension"
    extension.write_text("subjectAltName = IP:127.0.0.1\n")
    new = ["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    sign = ["openssl", "x509", "-req", "-in", request, "-CA", ca, "-CAkey", ca_key, "-CAcreateserial"]
    for command in (
        [*new, "-x509", "-days", "2", "-subj", "/CN=Private CA", "-keyout", ca_key, "-out", ca],
        [*new, "-subj", "/CN=127.0.0.1", "-keyout", key, "-out", request],
        [*sign, "-days", "2", "-extfile", extension, "-out", certificate],
    ):
        subprocess.run(command, check=True, capture_output=True)
    return ca, (certificate, key)


@contextmanager
def git_daemon(root: Path) -> Iterator[int]:
    """Run `git daemon` for the repositories in a folder; gives its port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = ["git", "daemon", "--listen=127.0.0.1", f"--port={port}", f"--base-path={root}"]
    # A process group of its own: git starts the daemon proper as a child.
    with subprocess.Popen(
        [*command, "--export-all", "--reuseaddr"], stderr=subprocess.DEVNULL, start_new_session=True
    ) as server:
        try:
            wait_for(lambda: _listens(port), "git daemon listens")
            yield port
        finally:
            os.killpg(server.pid, 15)


@dataclass(frozen=True)
class SshServer:
    """An SSH server for the user who runs the tests.

    Attributes:
        url: what stands before the path of a repository.
        key: the key that may log in.
        known_hosts: a file that knows the server.
        host_key: the server's own key, public.
        port: where it listens.
    """

    url: str
    key: Path
    known_hosts: Path
    host_key: str
    port: int


@contextmanager
def ssh_server(folder: Path, address: str = "127.0.0.1") -> Iterator[SshServer]:
    """Run sshd, with keys of its own, on an address of this machine."""
    assert SSHD is not None
    folder.mkdir()
    for name in ("host", "user"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(command, check=True)
    with socket.create_server((address, 0)) as free:
        port = free.getsockname()[1]
    config = folder / "sshd_config"
    config.write_text(
        f"Port {port}\nListenAddress {address}\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/user.pub\n"
        "StrictModes no\nUsePAM no\nPasswordAuthentication no\nPidFile none\n"
        "Subsystem sftp internal-sftp\n"
    )
    if os.geteuid() == 0:
        os.makedirs("/run/sshd", exist_ok=True)  # where it insists to lock itself in before a login
    host_key = (folder / "host.pub").read_text()
    known_hosts = folder / "known_hosts"
    known_hosts.write_text(f"[{address}]:{port} {host_key}")
    with subprocess.Popen([SSHD, "-D", "-e", "-f", str(config)], stderr=subprocess.DEVNULL) as server:
        try:
            wait_for(lambda: _listens(port, address), "sshd listens")
            yield SshServer(
                f"ssh://{getpass.getuser()}@{address}:{port}", folder / "user", known_hosts, host_key, port
            )
        finally:
            server.terminate()


def _listens(port: int, address: str = "127.0.0.1") -> bool:
    try:
        socket.create_connection((address, port), timeout=1).close()
    except ConnectionRefusedError:
        return False
    return True
