"""The record of a version, ``state/images/<env>/<target>/<number>.json``: written once, never changed.

A record becomes a version when the state says so: its pointer, ``newest`` of the image's entry, is written
after it. One with a higher number was left by a writer that died between the two.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
from typing import TYPE_CHECKING

from .. import atomic
from ..errors import ImagesError
from .names import image_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from ..state.types import FileEntry
    from ..workspace import Workspace
    from .names import Image
    from .types import VersionRecord

FORMAT = 1
"""The version of the record's own form."""

NO_LINKS = frozenset({errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.ENOSYS, errno.EACCES, errno.EXDEV})
"""What the system says where a file can have no second name (FAT, some network file systems)."""

_SUFFIX = ".json"
_HEAD = re.compile(rb'\{\n"format": ([0-9]{1,9}),\n"sha256": "([0-9a-f]{64})",\n')
_LAST = "last"
_WHOLE = 4 * 1024 * 1024  # bytes; a record is some kilobytes, what is larger than this is none


def files_of(record: VersionRecord) -> Iterator[FileEntry]:
    """The files of a version, those of all its artifacts."""
    for artifact in record["artifacts"] or ():
        yield from artifact.get("files") or ()


def made_from(record: VersionRecord) -> list[tuple[Image, int]]:
    """The versions that a version was made from: its parent, and the one that it was promoted from."""
    return [(image_in(one), one["version"]) for one in (record["parent"], record["origin"]) if one]


def folder(workspace: Workspace, image: Image) -> Path:
    """The folder of an image's records."""
    return workspace.state_dir.joinpath("images", image.key)


def path(workspace: Workspace, image: Image, number: int) -> Path:
    """The record of a version."""
    return workspace.state_dir.joinpath("images", image.key, f"{number}{_SUFFIX}")


def encode(record: Mapping[str, object]) -> bytes:
    """The text of a record: sorted, a line a field, and in its head the digest of the lines behind that."""
    lines = [
        f"{json.dumps(name)}: {json.dumps(value, sort_keys=True)}" for name, value in sorted(record.items())
    ]
    body = (",\n".join(lines) + "\n}\n").encode()
    digest = hashlib.sha256(body).hexdigest()
    return f'{{\n"format": {FORMAT},\n"sha256": "{digest}",\n'.encode() + body


def write(workspace: Workspace, image: Image, record: VersionRecord) -> None:
    """Write the record of a new version, durably; the caller holds the state's lock.

    Args:
        workspace: whose.
        image: the image.
        record: what ``docs/images.md`` describes; ``version`` is its number.

    Raises:
        ImagesError: there is one already, or it cannot be written; then there is none.
    """
    file = path(workspace, image, record["version"])
    try:
        _make_folders(file.parent, workspace.state_dir)
        _write_new(file, encode(record))
        atomic.sync_folder(file.parent)
    except FileExistsError as error:
        raise ImagesError(
            f"version {record['version']} of {image} has a record already; nothing was changed", file=file
        ) from error
    except OSError as error:
        hint = "free some space and run it again" if error.errno in (errno.ENOSPC, errno.EDQUOT) else ""
        raise ImagesError(
            f"the record of {image}@{record['version']} cannot be written: {error.strerror}",
            file=file,
            hint=hint,
        ) from error


def read(workspace: Workspace, image: Image, number: int) -> VersionRecord:
    """Read the record of a version.

    Raises:
        ImagesError: it is missing, was edited, is of a newer release or of another version.
    """
    file = path(workspace, image, number)
    name = f"{image}@{number}"
    try:
        with open(file, "rb", buffering=0) as opened:
            content = opened.read(min(os.fstat(opened.fileno()).st_size, _WHOLE))
    except FileNotFoundError as error:
        raise ImagesError(
            f"the record of {name} is missing",
            file=file,
            hint="restore state/images/ from a backup; the other versions can be used",
        ) from error
    except OSError as error:
        raise ImagesError(f"the record of {name} cannot be read: {error.strerror}", file=file) from error
    head = _HEAD.match(content)
    if head and int(head[1]) > FORMAT:
        raise ImagesError(
            f"the record of {name} is of a newer release: its format is {int(head[1])}, "
            f"and this release knows formats up to {FORMAT}",
            file=file,
            hint="use the newer release of hybridcore.packer here too",
        )
    body = content[head.end() :] if head else b""
    if not head or hashlib.sha256(body).hexdigest().encode() != head[2]:
        raise ImagesError(
            f"the record of {name} was edited or is damaged: it is not what was written",
            file=file,
            hint="restore this file from a backup; the other versions can be used",
        )
    record: VersionRecord = json.loads(b"{" + body)
    if (record["environment"], record["target"], record["version"]) != (*image, number):
        raise ImagesError(f"the record of {name} is that of another version", file=file)
    return record


def remove(workspace: Workspace, image: Image, number: int) -> None:
    """Remove the record of what never became a version."""
    path(workspace, image, number).unlink(missing_ok=True)


def remove_all(workspace: Workspace, image: Image) -> None:
    """Remove the records of an image that is forgotten; its last number stays."""
    where = folder(workspace, image)
    for file in where.glob(f"*{_SUFFIX}"):
        file.unlink(missing_ok=True)


def exists(workspace: Workspace, image: Image, number: int) -> bool:
    """Whether there is a record of that number."""
    return os.path.lexists(path(workspace, image, number))


def last_forgotten(workspace: Workspace, image: Image) -> int:
    """The last number that was given before an image was forgotten; 0 where it never was."""
    try:
        return int((folder(workspace, image) / _LAST).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0


def keep_last(workspace: Workspace, image: Image, number: int) -> None:
    """Keep the last number of an image that is forgotten, so that none is given twice."""
    where = folder(workspace, image)
    _make_folders(where, workspace.state_dir)
    atomic.replace(where / _LAST, f"{number}\n".encode(), durable=True)


def _write_new(file: Path, content: bytes) -> None:
    """Write a file that is not there yet, whole or not at all."""
    # Only one writer at a time has the state's lock, so one name will do; what a dead one left is written
    # over.
    temporary = f"{file}{atomic.TEMPORARY_SUFFIX}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    fd = os.open(temporary, flags, 0o666)
    try:
        with open(fd, "wb", buffering=0) as opened:
            rest = memoryview(content)
            while rest:
                rest = rest[opened.write(rest) or 0 :]
            os.fsync(opened.fileno())
        try:
            os.link(temporary, file)  # unlike a rename it refuses where there is one
        except OSError as error:
            if error.errno not in NO_LINKS:
                raise
            if os.path.lexists(file):
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(file)) from error
            os.rename(temporary, file)
    finally:
        if os.path.lexists(temporary):
            os.unlink(temporary)


def _make_folders(where: Path, top: Path) -> None:
    """Make a folder and those above it, durably, as far as they are missing below one that is there."""
    missing = []
    while where != top and not where.is_dir():
        missing.append(where)
        where = where.parent
    for one in reversed(missing):
        one.mkdir(exist_ok=True)
        atomic.sync_folder(one.parent)
