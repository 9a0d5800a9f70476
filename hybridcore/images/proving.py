"""Versions are attested when they are recorded, and verified later: files, contents, signature, parents."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from .. import __version__, atomic
from ..errors import HybridError, ImagesError, NotSignedError
from . import attestations, packages, records, signing
from .names import Image, image_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any

    from ..workspace import Workspace
    from .known import Known
    from .types import AttestationOf, VersionRecord

_SUFFIX = ".intoto.json"


def attest(workspace: Workspace, record: VersionRecord) -> AttestationOf:
    """Make the attestation of a version that is about to be recorded, and keep it, durably.

    Args:
        workspace: whose settings name the key.
        record: of the version, its number given.

    Returns:
        What the record is to say of it.

    Raises:
        NotSignedError: the key cannot be used, a parent's record cannot be read, or the disk is full.
    """
    name = f"{image_in(record)}@{record['version']}"
    try:
        parents = [
            records.read(workspace, *one)
            for one in records.made_from(record)
            if records.exists(workspace, *one)
        ]
        payload = attestations.statement(record, parents, release=__version__)
        keyid, signature = signing.sign(workspace, attestations.to_be_signed(payload))
        document = attestations.Envelope(payload, keyid, signature).encode()
        digest = hashlib.sha256(document).hexdigest()
        file = _file(workspace, digest)
        file.parent.mkdir(parents=True, exist_ok=True)
        atomic.replace(file, document, durable=True)
    except OSError as error:
        raise NotSignedError(f"{name} cannot be signed: {error.strerror}", file=error.filename) from error
    except HybridError as error:
        raise NotSignedError(
            f"{name} cannot be signed: {error.message}", file=error.file, hint=error.hint
        ) from error
    return {"path": workspace.relative(file), "sha256": digest, "keyid": keyid}


def _file(workspace: Workspace, digest: str) -> Path:
    return workspace.attestations / f"{os.path.basename(digest)}{_SUFFIX}"


class Check(NamedTuple):
    """One thing that was checked.

    Attributes:
        what: the thing.
        wrong: what is wrong with it; empty where it is right.
        note: what could not be checked, and is no fault.
    """

    what: str
    wrong: str = ""
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The same as data."""
        return {
            "what": self.what,
            "ok": not self.wrong,
            "wrong": self.wrong or None,
            "note": self.note or None,
        }


@dataclass(frozen=True)
class Verification:
    """What came of verifying a version.

    Attributes:
        image: the image.
        version: its number.
        checks: all that was checked.
        signed: whether its own attestation holds.
    """

    image: Image
    version: int
    checks: tuple[Check, ...]
    signed: bool

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not any(one.wrong for one in self.checks)

    def to_dict(self) -> dict[str, Any]:
        """The same as data."""
        return {
            "image": str(self.image),
            "version": self.version,
            "ok": self.ok,
            "signed": self.signed,
            "checks": [one.to_dict() for one in self.checks],
        }


def verify(known: Known, image: Image, number: int) -> Verification:
    """Verify a version: its files, its contents, its signature, and the chain of its parents.

    Args:
        known: what there is.
        image: the image.
        number: the version.

    Raises:
        ImagesError: there is no such version; or a key of ``[attest]`` cannot be used.
        ProcessError: ``openssl`` cannot be started.
    """
    known.entry(image)
    keys = signing.trusted_keys(known.workspace)
    chain = list(_chain(known, image, number, keys, "", set()))
    checks = [one for check in chain for one in check.checks]
    signed = bool(keys) and not any(one.wrong for one in chain[0].checks) and chain[0].signed
    return Verification(image, number, tuple(checks), signed)


class _Link(NamedTuple):
    """A version of a chain, as far as it was checked."""

    checks: list[Check]
    signed: bool


def _chain(
    known: Known, image: Image, number: int, keys: dict[str, str], expected: str, seen: set[tuple[Image, int]]
) -> Iterator[_Link]:
    """Check a version, then those that it was made from.

    Args:
        known: what there is.
        image: the image.
        number: the version.
        keys: public keys that count, by name.
        expected: the digest of its record that the signed statement of its child names; empty for none.
        seen: what was checked already.
    """
    if (image, number) in seen:
        return
    seen.add((image, number))
    name = f"{image}@{number}"
    is_first = len(seen) == 1
    try:
        record = known.record(image, number)
    except ImagesError as error:
        yield _Link([Check(f"record of {name}", wrong=error.message)], signed=False)
        return
    checks = [Check(f"record of {name}")]
    if expected and attestations.digest_of(record) != expected:
        checks = [Check(f"record of {name}", wrong="it is not the one that was built on")]
    if is_first:
        if known.is_there(image, number):
            checks += _files(known.workspace, record)
        else:
            checks.append(Check(f"files of {name}", note="retired: they are gone"))
    if record["contents"]:
        checks.append(_contents(known, image, number))
    envelope, check = _signature(known.workspace, record, keys)
    checks.append(check)
    signed = envelope is not None and not check.wrong
    yield _Link(checks, signed=signed)
    for parent, version in records.made_from(record):
        of_parent = (
            attestations.dependency(envelope.payload, f"{parent}@{version}") if envelope and signed else ""
        )
        yield from _chain(known, parent, version, keys, of_parent, seen)


def _files(workspace: Workspace, record: VersionRecord) -> Iterator[Check]:
    """Compare the files of a version with their digests."""
    named = [(file["path"], file.get("sha256") or "") for file in records.files_of(record)]
    if record["manifest"]:
        named.append((record["manifest"]["path"], record["manifest"]["sha256"]))
    for path, digest in named:
        if not digest:
            yield Check(path, note="no digest of it is known")
            continue
        try:
            with open(workspace.root / path, "rb") as opened:
                is_same = hashlib.file_digest(opened, "sha256").hexdigest() == digest
        except OSError as error:
            yield Check(path, wrong=f"it cannot be read: {error.strerror}")
            continue
        yield Check(path, wrong="" if is_same else "it is not what was built")
    for artifact in record["artifacts"] or ():
        if not artifact.get("files"):
            yield Check(artifact["id"], note="it lies on a platform, and was not looked at")


def _contents(known: Known, image: Image, number: int) -> Check:
    what = f"contents of {image}@{number}"
    try:
        packages.document_of(known, image, number)
    except ImagesError as error:
        return Check(what, wrong=error.message)
    return Check(what)


def _signature(
    workspace: Workspace, record: VersionRecord, keys: dict[str, str]
) -> tuple[attestations.Envelope | None, Check]:
    """Check the attestation of a version: that it is the one of the record, is signed, and says the same."""
    what = f"attestation of {image_in(record)}@{record['version']}"
    entry = record["attestation"]
    if entry is None:
        if not keys:
            return None, Check(what, note="there is none, and no key is set")
        return None, Check(what, wrong="there is none")
    if not keys:
        return None, Check(what, wrong="no key is set to check it with: [attest] trusted = FOLDER")
    try:
        document = _file(workspace, entry["sha256"]).read_bytes()
    except OSError as error:
        return None, Check(what, wrong=f"it cannot be read: {error.strerror}")
    if hashlib.sha256(document).hexdigest() != entry["sha256"]:
        return None, Check(what, wrong="it was edited or is damaged")
    try:
        envelope = attestations.decode(document)
    except ImagesError as error:
        return None, Check(what, wrong=error.message)
    public = keys.get(envelope.keyid)
    if public is None:
        return None, Check(what, wrong=f"it is signed with another key, {envelope.keyid[:12]}")
    if not signing.is_signed(public, attestations.to_be_signed(envelope.payload), envelope.signature):
        return None, Check(what, wrong="its signature is wrong")
    wrong = "; ".join(attestations.differences(envelope.payload, record))
    return envelope, Check(what, wrong=wrong)
