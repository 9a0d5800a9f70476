"""What is known of the image that another one starts from."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .fingerprint import PARENT

if TYPE_CHECKING:
    from ...state.types import ImageEntry
    from ...workspace import Workspace


@dataclass(frozen=True)
class ParentImage:
    """An image that others start from.

    Attributes:
        target: ``<os>/<platform>/<name>``.
        version: which of its images it is: the run that built it.
        path: its file, absolute; of several the largest. Empty where it has none, as on a platform.
        checksum: of that file, as ``iso_checksum`` takes it: ``sha256:`` and 64 hexadecimal digits.
        id: what its builder calls it, as the id of a template on a platform; empty for files.
        name: of that file; on a platform the last part of the id, which is the name where that is part of it.
    """

    target: str
    version: str
    path: str = ""
    checksum: str = ""
    id: str = ""
    name: str = ""

    @property
    def digest(self) -> str:
        """What of it decides the images that start from it: version and content, not where it lies."""
        return f"{self.version} {self.checksum or self.id}".rstrip()


def of_entry(target: str, entry: ImageEntry | None, workspace: Workspace) -> ParentImage | None:
    """An image as its entry of the state has it; None where there is none.

    Args:
        target: ``<os>/<platform>/<name>``.
        entry: of the state's ``images``.
        workspace: the paths in it are relative to this.
    """
    version = entry.get("run") if entry else None
    if entry is None or not version:
        return None
    artifacts = entry.get("artifacts") or []
    files = [
        (file.get("size") or 0, artifact["id"], file)
        for artifact in artifacts
        for file in artifact.get("files") or []
    ]
    if not files:
        known = next((artifact["id"] for artifact in artifacts if artifact["id"]), "")
        return ParentImage(target, version, id=known, name=known.rpartition("/")[2])
    # An image of several files is its disk, which is the largest.
    _, known, file = max(files, key=lambda one: one[0])
    return ParentImage(
        target,
        version,
        path=os.path.join(workspace.root, file["path"]),
        checksum=f"sha256:{file['sha256']}" if file.get("sha256") else "",
        id=known,
        name=os.path.basename(file["path"]),
    )


def recorded(entry: ImageEntry) -> dict[str, str] | None:
    """The parent of an image by its entry of the state: ``target`` and ``version``; None without one."""
    for name, digest in (entry.get("inputs") or {}).items():
        if name.startswith(PARENT):
            return {"target": name.removeprefix(PARENT), "version": digest.partition(" ")[0]}
    return None
