"""Which version an id, a path or a digest is."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .names import Image

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from .known import Known
    from .types import VersionRecord

_DIGEST = re.compile(r"(?:sha256:)?([0-9a-fA-F]{64})").fullmatch


@dataclass(frozen=True)
class Match:
    """A version that something is a part of.

    Attributes:
        image: the image.
        version: its number.
        what: by what it was found: ``id``, ``path`` or ``sha256``.
        artifact: the id of the artifact.
        path: its file, relative to the workspace, where it was found by one.
        retired: whether its files are gone.
        revoked: why it is not to be used, where that is so.
    """

    image: Image
    version: int
    what: str
    artifact: str
    path: str = ""
    retired: bool = False
    revoked: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The same as data."""
        return {
            "image": str(self.image),
            "version": self.version,
            "found_by": self.what,
            "artifact": self.artifact,
            "path": self.path or None,
            "retired": self.retired,
            "revoked": self.revoked or None,
        }


def find(known: Known, text: str, *, here: Path) -> list[Match]:
    """Find the versions that something is a part of, retired ones too, the newest first.

    Args:
        known: what there is.
        text: an id, as a builder calls what it made, or a part of one between colons and commas (an AMI
            without its
            region); the path of a file; a sha256. The content of a file counts too, wherever it lies now.
        here: a relative path starts here.

    Raises:
        ImagesError: a record cannot be read.
        OSError: a file that is named cannot be read.
    """
    digest = _DIGEST(text)
    wanted = digest[1].lower() if digest else ""
    file = here / text
    path = os.path.relpath(os.path.realpath(file), known.workspace.root)
    found = [
        match
        for image in known.images()
        for number in range(known.newest(image), 0, -1)
        for match in _matches(known, image, known.record(image, number), text, path, wanted)
    ]
    if not found and not wanted and file.is_file():
        with open(file, "rb") as opened:
            return find(known, hashlib.file_digest(opened, "sha256").hexdigest(), here=here)
    return found


def _matches(
    known: Known, image: Image, record: VersionRecord, text: str, path: str, digest: str
) -> Iterator[Match]:
    number = record["version"]
    for artifact in record["artifacts"] or []:
        found = ""
        where = ""
        for file in artifact.get("files") or []:
            if digest and file.get("sha256") == digest:
                found, where = "sha256", file["path"]
            elif file["path"] in (path, text):
                found, where = "path", file["path"]
        if not found and text and (artifact["id"] == text or text in re.split(r"[:,]", artifact["id"])):
            found = "id"
        if found:
            revoked = known.revoked(image, number)
            yield Match(
                image,
                number,
                found,
                artifact["id"],
                where,
                not known.is_there(image, number),
                str(revoked) if revoked else "",
            )
            return
