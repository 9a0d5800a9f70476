"""A new version of an image: its number, its record, and the pointer that makes it one.

The order is: the files of the image, the record, then the state with the pointer. Whoever dies in between
leaves a record without a pointer, which the next writer adopts where its files are there, and removes where
they are not.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, cast

from .. import state
from . import records

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..state.types import ImageEntry, ManifestEntry, State
    from ..workspace import Workspace
    from .names import Image
    from .types import ContentsOf, ParentOf, VersionRecord


def record_of(
    entry: ImageEntry,
    manifest: ManifestEntry | None,
    *,
    started_at: str | None = None,
    parent: ParentOf | None = None,
    allowed_revoked: str | None = None,
    contents: ContentsOf | None = None,
) -> VersionRecord:
    """The record of the build that an entry of the state describes.

    Args:
        entry: of the state's ``images``; ``version`` is the number, where one was given already.
        manifest: its entry of the state's ``manifests``; one of another run is left out.
        started_at: when the build began, where that is known.
        parent: the version that it was built on.
        allowed_revoked: why that version was revoked, where a build on it was allowed all the same.
        contents: what is installed in it, where that is known.
    """
    inputs = entry.get("inputs") or {}
    own = manifest if manifest and manifest.get("run") in (None, entry.get("run")) else None
    return {
        "environment": entry["environment"],
        "target": entry["target"],
        "version": entry.get("version") or 0,
        "complete": True,
        "run": entry.get("run"),
        "builder": entry.get("builder"),
        "fingerprint": entry.get("fingerprint"),
        "given_fingerprint": entry.get("given_fingerprint"),
        "inputs": inputs,
        "observed": entry.get("observed"),
        "artifacts": entry.get("artifacts") or [],
        "manifest": {"path": own["path"], "sha256": own["sha256"]} if own else None,
        "packer": inputs.get("packer"),
        "plugins": _inputs_named("plugin ", inputs),
        "sources": _inputs_named("source ", inputs),
        "started_at": started_at,
        "built_at": entry.get("built_at"),
        "recorded_at": state.timestamp(),
        "duration_s": entry.get("duration_s"),
        "log_path": entry.get("log_path"),
        "labels": {},
        "parent": parent,
        "origin": None,
        "allowed_revoked": allowed_revoked,
        "checks": None,
        "contents": contents,
        "attestation": None,
    }


def _inputs_named(prefix: str, inputs: Mapping[str, str]) -> dict[str, str]:
    return {name.removeprefix(prefix): value for name, value in inputs.items() if name.startswith(prefix)}


def next_number(data: State, workspace: Workspace, image: Image) -> int:
    """The number that the next version gets: one that was never given."""
    entry = data["images"].get(image.key)
    return ((entry.get("newest") if entry else 0) or records.last_forgotten(workspace, image)) + 1


def settle(data: State, workspace: Workspace, image: Image) -> int:
    """Bring what dead writers left of an image in order; within a transaction, before anything else.

    Args:
        data: the state, as a transaction gives it.
        workspace: whose.
        image: the image.

    Returns:
        How many versions were adopted.

    Raises:
        ImagesError: a record cannot be read or written.
    """
    entry = data["images"].get(image.key)
    if entry and entry.get("unrecorded") and entry.get("version"):
        # A state of schema version 1 had no records. What it knew is written down before anything follows it.
        record = record_of(entry, data["manifests"].get(image.key))
        if not records.exists(workspace, image, record["version"]):
            records.write(workspace, image, record)
        del entry["unrecorded"]
    first = number = next_number(data, workspace, image)
    while records.exists(workspace, image, number):
        record = records.read(workspace, image, number)
        whole = _is_whole(workspace, record)
        if not whole and number == first and not records.exists(workspace, image, number + 1):
            records.remove(workspace, image, number)
            break
        # Several of them were committed, and the state is an older one, restored after damage.
        point_at(data, image, record)
        if not whole:
            adopted = data["images"][image.key]
            adopted["retired"] = with_number(adopted.get("retired") or (), number)
        number += 1
    return number - first


def add(
    data: State, workspace: Workspace, image: Image, record: VersionRecord, *, signed: bool = True
) -> int:
    """Make a version: write its record, and point to it; within a transaction, after ``settle``.

    Args:
        data: the state, as a transaction gives it.
        workspace: whose.
        image: the image.
        record: what it is to say; its number is given here.
        signed: sign it where a key is set.

    Returns:
        The number.

    Raises:
        NotSignedError: it cannot be signed; nothing was changed.
        ImagesError: the record cannot be written.
    """
    number = next_number(data, workspace, image)
    whole: VersionRecord = {**record, "version": number, "attestation": None}
    if signed and workspace.settings.attest_key:
        from . import proving

        whole["attestation"] = proving.attest(workspace, whole)
    records.write(workspace, image, whole)
    point_at(data, image, whole)
    return number


def point_at(data: State, image: Image, record: VersionRecord) -> None:
    """Have the state name a version: it becomes the newest of its image.

    What was built here becomes also what the next build is compared with. A version that was promoted from
    another environment does not: what lies in this one did not make it.
    """
    known: ImageEntry = data["images"].get(image.key) or {"target": image.target, "environment": image.env}
    # Where to look for descendants.
    parents = {*(known.get("parents") or ()), *(parent.key for parent, __ in records.made_from(record))}
    entry: ImageEntry = {**known, "newest": record["version"], "parents": sorted(parents) or None}
    if not record["origin"]:
        entry = {
            **entry,
            "version": record["version"],
            "status": "built",
            "builder": record["builder"],
            "fingerprint": record["fingerprint"],
            "given_fingerprint": record["given_fingerprint"],
            "inputs": record["inputs"],
            "observed": record["observed"],
            "artifacts": record["artifacts"],
            "built_at": record["built_at"],
            "duration_s": record["duration_s"],
            "log_path": record["log_path"],
            "run": record["run"],
        }
        if manifest := record["manifest"]:
            data["manifests"][image.key] = {**manifest, "run": record["run"]}
    data["images"][image.key] = cast(
        "ImageEntry", {name: value for name, value in entry.items() if value is not None}
    )


def _is_whole(workspace: Workspace, record: VersionRecord) -> bool:
    """Whether the files of a record are there, of the size that it says."""
    for file in records.files_of(record):
        try:
            size = os.stat(workspace.root / file["path"]).st_size
        except OSError:
            return False
        if file.get("size") not in (None, size):
            return False
    return True


def with_number(ranges: Iterable[Iterable[int]], number: int) -> list[list[int]]:
    """Ranges of numbers with one more; neighbours are joined, so that they stay few."""
    numbers = sorted([*map(list, ranges), [number, number]])
    joined: list[list[int]] = []
    for first, last in numbers:
        if joined and first <= joined[-1][1] + 1:
            joined[-1][1] = max(joined[-1][1], last)
        else:
            joined.append([first, last])
    return joined
