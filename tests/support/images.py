"""Versions of images without a Packer: their files, their records, and the state that names them."""

from __future__ import annotations

import hashlib
import itertools
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from hybridcore import state
from hybridcore.images import packages, retiring, versions
from hybridcore.images.contents import Contents, Package
from hybridcore.images.known import Known
from hybridcore.images.names import Image, parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hybridcore.images.types import ParentOf, VersionRecord
    from hybridcore.state.types import ArtifactEntry, ImageEntry
    from hybridcore.workspace import Workspace

BASE = Image("dev", "linux/qemu/base")
WEB = Image("dev", "linux/qemu/web")
PROD = Image("prod", "linux/qemu/web")


def installed(kind: str = "deb", /, **versions: str) -> Contents:
    """Contents with these packages, each of a source package `<name>-src`."""
    found = sorted(Package(name, one, "amd64", f"{name}-src", one) for name, one in versions.items())
    return Contents(kind, tuple(found), "debian" if kind == "deb" else "almalinux")


def new_key(file: Path) -> Path:
    """A private key of Ed25519 that its owner alone can read."""
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", str(file)], check=True)
    file.chmod(0o600)
    return file


@dataclass
class Shelf:
    """A workspace whose images are made at once.

    Attributes:
        workspace: the workspace.
        runs: gives each version a run of its own.
    """

    workspace: Workspace
    runs: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def record(
        self,
        image: Image,
        *,
        parent: str = "",
        content: str = "",
        built_at: str = "",
        contents: Contents | None = None,
        inputs: dict[str, str] | None = None,
    ) -> VersionRecord:
        """The record of a build whose files are there; `parent` is an image with its version."""
        run = f"20261124T0000{next(self.runs):02}.000Z-abcdef"
        text = content or f"{image} of {run}"
        path = f"images/{image.env}/{image.target}/{run}/disk"
        file = self.workspace.root / path
        file.parent.mkdir(parents=True)
        file.write_text(text)
        digest = hashlib.sha256(text.encode()).hexdigest()
        artifact: ArtifactEntry = {
            "id": "VM",
            "builder_id": "transcend.qemu",
            "files": [{"path": path, "size": len(text), "sha256": digest}],
        }
        built: ImageEntry = {
            "environment": image.env,
            "target": image.target,
            "builder": f"source.qemu.{image.target.rpartition('/')[2]}",
            "fingerprint": hashlib.sha256(run.encode()).hexdigest(),
            "inputs": inputs
            or {
                "packer": "1.9.4",
                "plugin github.com/hashicorp/qemu": "1.0.9",
                "source site": "0" * 40,
            },
            "artifacts": [artifact],
            "built_at": built_at or state.timestamp(),
            "duration_s": 1.5,
            "log_path": f"logs/builds/{image.key}/{run}.log",
            "run": run,
        }
        stands_on: ParentOf | None = None
        if parent:
            found = parse(parent)
            stands_on = {
                "environment": found.image.env,
                "target": found.image.target,
                "version": found.version,
                "channel": None,
            }
        return versions.record_of(
            built,
            None,
            started_at=built_at or state.timestamp(),
            parent=stands_on,
            contents=packages.keep(self.workspace, contents) if contents else None,
        )

    def build(
        self,
        image: Image = WEB,
        *,
        parent: str = "",
        complete: bool = True,
        built_at: str = "",
        content: str = "",
        contents: Contents | None = None,
        inputs: dict[str, str] | None = None,
    ) -> int:
        """Make a version as a good build does, but retire none; gives its number."""
        record = self.record(
            image, parent=parent, content=content, built_at=built_at, contents=contents, inputs=inputs
        )
        with state.transaction(workspace=self.workspace) as data:
            versions.settle(data, self.workspace, image)
            number = versions.add(data, self.workspace, image, {**record, "complete": complete})
        retiring.let_latest_follow(self.known(), image)
        return number

    def known(self, now: str = "") -> Known:
        """What is known now."""
        return Known(self.workspace, state.read(workspace=self.workspace), now)

    def file(self, image: Image, number: int) -> Path:
        """The disk of a version."""
        artifacts = self.known().record(image, number)["artifacts"] or []
        return self.workspace.root / (artifacts[0].get("files") or [])[0]["path"]

    def latest(self, image: Image = WEB) -> str:
        """The run that the link `latest` points to; empty where there is none."""
        link = self.workspace.images / image.env / image.target / "latest"
        return str(link.readlink()) if link.is_symlink() else ""
