"""One version of an image as others use it: its file, its digest, what its builder calls it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import ImagesError
from .known import Known
from .names import Image, Reference, parse

if TYPE_CHECKING:
    from typing import Any

    from ..workspace import Workspace
    from .types import VersionRecord


@dataclass(frozen=True)
class Found:
    """A version, and what those want who start from it or run it.

    Attributes:
        image: the image.
        version: its number.
        path: its file, absolute; of several the largest. Empty where it has none, as on a platform.
        checksum: of that file, as ``iso_checksum`` takes it: ``sha256:`` and 64 hexadecimal digits.
        id: what its builder calls it, as the id of a template on a platform.
        name: of that file; on a platform the last part of the id.
    """

    image: Image
    version: int
    path: str = ""
    checksum: str = ""
    id: str = ""
    name: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The same as data; what is empty is None."""
        return {
            "image": str(self.image),
            "version": self.version,
            "path": self.path or None,
            "checksum": self.checksum or None,
            "id": self.id or None,
            "name": self.name or None,
        }


def values_of(image: Image, record: VersionRecord, workspace: Workspace) -> Found:
    """What a version gives to those who use it, from its record.

    Args:
        image: the image.
        record: of the version.
        workspace: the paths in it are relative to this.
    """
    artifacts = record["artifacts"] or []
    number = record["version"]
    files = [(artifact["id"], file) for artifact in artifacts for file in artifact.get("files") or []]
    if not files:
        known = next((artifact["id"] for artifact in artifacts if artifact["id"]), "")
        return Found(image, number, id=known, name=known.rpartition("/")[2])
    # An image of several files is its disk, which is the largest.
    known, file = max(files, key=lambda one: one[1].get("size") or 0)
    return Found(
        image,
        number,
        path=os.path.join(workspace.root, file["path"]),
        checksum=f"sha256:{file['sha256']}" if file.get("sha256") else "",
        id=known,
        name=os.path.basename(file["path"]),
    )


def look_up(
    reference: Reference | str,
    *,
    workspace: Workspace,
    allow_revoked: bool = False,
    known: Known | None = None,
) -> Found:
    """Find the version that is meant, for use.

    Args:
        reference: an image with a version or a channel; without one ``latest``.
        workspace: where it lies.
        allow_revoked: give also a version that is revoked or incomplete.
        known: what there is, where the caller has read it.

    Raises:
        ImagesError: there is none, it was retired, or it must not be used; says why.
    """
    meant = parse(reference) if isinstance(reference, str) else reference
    known = known or Known.read(workspace)
    number = known.resolve(meant)
    name = f"{meant.image}@{number}"
    if not known.is_there(meant.image, number):
        raise ImagesError(f"{name} was retired: its files are gone")
    record = known.record(meant.image, number)
    if not allow_revoked:
        if revoked := known.revoked(meant.image, number):
            raise ImagesError(f"{name} is not to be used: {revoked}")
        if not record["complete"]:
            raise ImagesError(f"{name} is incomplete: its checks did not pass")
    return values_of(meant.image, record, workspace)
