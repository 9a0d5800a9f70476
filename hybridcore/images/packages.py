"""The contents of versions: kept under the digest of what they say, read again, and searched.

A document stands in ``state/contents/``, and the records of all versions with these contents name it. Like a
record it stays when a version is retired, so that what was in an image can be told later.
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, NamedTuple

from .. import atomic
from ..errors import ImagesError
from . import contents

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from ..workspace import Workspace
    from .contents import Contents, Package
    from .known import Known
    from .names import Image
    from .types import ContentsOf

_SUFFIX = ".cdx.json"


def keep(workspace: Workspace, found: Contents) -> ContentsOf:
    """Keep the contents of a version, durably, before its record is written.

    Args:
        workspace: where.
        found: what is installed in it.

    Returns:
        What the record is to say of them.

    Raises:
        OSError: they cannot be written.
    """
    document = contents.to_cyclonedx(found)
    digest = hashlib.sha256(document).hexdigest()
    file = workspace.contents / f"{digest}{_SUFFIX}"
    if not (file.is_file() and file.stat().st_size == len(document)):
        file.parent.mkdir(parents=True, exist_ok=True)
        atomic.replace(file, document, durable=True)
    return {"path": workspace.relative(file), "sha256": digest, "packages": len(found.packages)}


def document_of(known: Known, image: Image, number: int) -> bytes:
    """The CycloneDX document of a version.

    Raises:
        ImagesError: its contents are not known, or are not what was written.
    """
    entry = known.record(image, number)["contents"]
    name = f"{image}@{number}"
    if entry is None:
        raise ImagesError(
            f"the contents of {name} are not known: its build gave no list of packages",
            hint="docs/images.md shows the provisioner that has the image give it",
        )
    file: Path = known.workspace.contents / f"{os.path.basename(entry['sha256'])}{_SUFFIX}"
    shown = known.workspace.relative(file)
    try:
        document = file.read_bytes()
    except OSError as error:
        raise ImagesError(
            f"the contents of {name} cannot be read: {error.strerror}",
            file=shown,
            hint="restore state/contents/ from a backup; the other versions are told of",
        ) from error
    if hashlib.sha256(document).hexdigest() != entry["sha256"]:
        raise ImagesError(
            f"the contents of {name} were edited or are damaged: they are not what was written",
            file=shown,
            hint="restore this file from a backup; the other versions are told of",
        )
    return document


def read(known: Known, image: Image, number: int) -> Contents:
    """The contents of a version; the errors are those of ``document_of``."""
    return contents.from_cyclonedx(document_of(known, image, number))


class Holding(NamedTuple):
    """A version that holds a package.

    Attributes:
        image: the image.
        version: its number.
        package: the package.
    """

    image: Image
    version: int
    package: Package

    def to_dict(self) -> dict[str, Any]:
        """The same as data."""
        return {"image": str(self.image), "version": self.version, "package": self.package._asdict()}


class Search(NamedTuple):
    """What a search for a package found.

    Attributes:
        holdings: the versions that hold it, those of an image newest first.
        unknown: the versions whose contents are not known, and why.
    """

    holdings: list[Holding]
    unknown: list[tuple[Image, int, str]]


def search(known: Known, image: Image, name: str, numbers: list[int]) -> Search:
    """Find the versions of an image that hold a package.

    Args:
        known: what there is.
        image: the image.
        name: of the package, or of its source package.
        numbers: the versions to look at.
    """
    found = Search([], [])
    documents: dict[str, Contents] = {}  # versions with the same contents name the same document
    for number in numbers:
        try:
            entry = known.record(image, number)["contents"]
            digest = entry["sha256"] if entry else ""
            held = documents.get(digest) or read(known, image, number)
        except ImagesError as error:
            found.unknown.append((image, number, error.message))
            continue
        documents[digest] = held
        found.holdings.extend(
            Holding(image, number, one) for one in held.packages if name in (one.name, one.source)
        )
    return found
