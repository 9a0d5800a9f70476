"""A mirror of Debian's kind on 127.0.0.1, whose suites are signed with keys of the test."""

from __future__ import annotations

import gzip
import hashlib
import lzma
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

from hybridcore.images.mirrors import Suite
from hybridcore.workspace import Workspace
from tests.support.file_server import FileServer
from tests.support.workspaces import WorkspaceFolder

PACKERS = {".xz": lzma.compress, ".gz": gzip.compress, "": bytes}


@dataclass
class DebianMirror:
    """Suites in a folder that is served.

    Attributes:
        server: serves them.
        space: a workspace whose keyring is that of the test.
        home: of gpg, with the keys `archive` and `other`.
    """

    server: FileServer
    space: WorkspaceFolder
    home: Path

    def workspace(self) -> Workspace:
        return self.space.open()

    def suite(self, name: str) -> Suite:
        return Suite(f"{self.server.url}/debian", name, ("main",))

    def line(self, name: str) -> str:
        """As it stands in `sources.list`."""
        return f"deb {self.server.url}/debian {name} main"

    def file(self, suite: str, path: str) -> Path:
        return self.server.root / "debian/dists" / suite / path

    def publish(
        self,
        suite: str,
        versions: dict[str, str],
        *,
        form: str = ".xz",
        date: datetime | None = None,
        valid_until: datetime | None = None,
        sign_as: str = "archive",
    ) -> None:
        """Offer these packages."""
        text = "".join(
            f"Package: {name}\nArchitecture: amd64\nVersion: {version}\nDescription: of it\n\n"
            for name, version in versions.items()
        )
        packed = PACKERS[form](text.encode())
        path = f"main/binary-amd64/Packages{form}"
        index = self.file(suite, path)
        index.parent.mkdir(parents=True, exist_ok=True)
        index.write_bytes(packed)
        now = date or datetime.now(UTC)
        until = valid_until or now + timedelta(days=7)
        release = (
            f"Origin: Debian\nLabel: Debian\nSuite: {suite}\nCodename: {suite}\n"
            f"Date: {format_datetime(now, usegmt=True)}\nValid-Until: {format_datetime(until, usegmt=True)}\n"
            f"SHA256:\n {hashlib.sha256(packed).hexdigest()} {len(packed)} {path}\n"
        )
        subprocess.run(
            [
                *("gpg", "--homedir", str(self.home), "--batch", "--yes", "--local-user", sign_as),
                *("--clearsign", "--output", str(self.file(suite, "InRelease"))),
            ],
            input=release.encode(),
            check=True,
            capture_output=True,
        )


def make_keys(home: Path, keyring: Path) -> None:
    """Make the two keys, and a keyring that holds `archive` alone."""
    home.mkdir(mode=0o700)
    gpg = ["gpg", "--homedir", str(home), "--batch", "--quiet"]
    for name in ("archive", "other"):
        subprocess.run(
            [*gpg, "--passphrase", "", "--quick-gen-key", name, "ed25519", "sign"],
            check=True,
            capture_output=True,
        )
    public = subprocess.run([*gpg, "--export", "archive"], check=True, capture_output=True).stdout
    keyring.write_bytes(public)


def end_agent(home: Path) -> None:
    """End the agent that gpg has started for these keys."""
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=True, capture_output=True)
