"""Proof of how a version came to be: an in-toto statement with SLSA provenance, in a signed DSSE envelope.

Sources: https://in-toto.io/Statement/v1, https://slsa.dev/spec/v1.0/provenance, and the protocol of DSSE 1.0
(github.com/secure-systems-lab/dsse). A statement names the files of a version, its contents and its record by
their digests, so that whoever trusts the key can tell whether one of them was changed.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from typing import TYPE_CHECKING, NamedTuple

from ..errors import ImagesError
from . import records
from .names import image_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from .types import VersionRecord

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://slsa.dev/provenance/v1"
PAYLOAD_TYPE = "application/vnd.in-toto+json"
BUILD_TYPE = "urn:hybridcore:packer:build:v1"

_SHA256 = re.compile(r"(?:sha256:)?([0-9a-f]{64})").fullmatch
_COMMIT = re.compile(r"[0-9a-f]{40}").fullmatch


class Envelope(NamedTuple):
    """What a DSSE envelope holds.

    Attributes:
        payload: the statement, as it was signed.
        keyid: names the key.
        signature: of ``to_be_signed(payload)``.
    """

    payload: bytes
    keyid: str
    signature: bytes

    def encode(self) -> bytes:
        """The envelope as it is kept."""
        signature = {"keyid": self.keyid, "sig": base64.b64encode(self.signature).decode()}
        document = {
            "payload": base64.b64encode(self.payload).decode(),
            "payloadType": PAYLOAD_TYPE,
            "signatures": [signature],
        }
        return json.dumps(document, sort_keys=True).encode() + b"\n"


def decode(document: bytes) -> Envelope:
    """Read an envelope with one signature.

    Raises:
        ImagesError: it is none.
    """
    try:
        data = json.loads(document)
        [signature] = data["signatures"]
        if data["payloadType"] != PAYLOAD_TYPE:
            raise ValueError(f"its payload is of type {data['payloadType']!r}")
        return Envelope(
            base64.b64decode(data["payload"], validate=True),
            signature["keyid"],
            base64.b64decode(signature["sig"], validate=True),
        )
    except (ValueError, KeyError, TypeError, binascii.Error) as error:
        raise ImagesError(f"the attestation is no envelope of an in-toto statement: {error}") from error


def to_be_signed(payload: bytes) -> bytes:
    """What the signature of an envelope is of: type and payload, each with its length."""
    return b"DSSEv1 %d %s %d %s" % (len(PAYLOAD_TYPE), PAYLOAD_TYPE.encode(), len(payload), payload)


def digest_of(record: VersionRecord) -> str:
    """The digest of a record without its attestation, which comes after it."""
    unsigned: VersionRecord = {**record, "attestation": None}
    return hashlib.sha256(records.encode(unsigned)).hexdigest()


def subjects(record: VersionRecord) -> list[dict[str, Any]]:
    """What a statement about a version is about: its files, its manifest, its contents, its record."""
    found: dict[str, str] = {}
    for file in records.files_of(record):
        if digest := file.get("sha256"):
            found[file["path"]] = digest
    for document in (record["manifest"], record["contents"]):
        if document:
            found[document["path"]] = document["sha256"]
    found[f"{image_in(record)}@{record['version']}"] = digest_of(record)
    return [{"name": name, "digest": {"sha256": digest}} for name, digest in found.items()]


def statement(record: VersionRecord, parents: list[VersionRecord], *, release: str) -> bytes:
    """The statement about a version: what was made, of what, by what, when.

    Args:
        record: of the version, its number given.
        parents: the records of the versions that it was made from.
        release: the version of this program.

    Returns:
        JSON; of values it holds digests alone.
    """
    artifacts = [artifact["id"] for artifact in record["artifacts"] or () if not artifact.get("files")]
    document = {
        "_type": STATEMENT_TYPE,
        "subject": subjects(record),
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": {
                    "environment": record["environment"],
                    "target": record["target"],
                    "builder": record["builder"],
                },
                "internalParameters": {
                    "fingerprint": record["fingerprint"],
                    "version": record["version"],
                    "origin": record["origin"],
                    "artifacts": artifacts,
                },
                "resolvedDependencies": [*_inputs(record), *map(_version, parents)],
            },
            "runDetails": {
                "builder": {"id": "urn:hybridcore:packer:packer-hybrid", "version": {"hybridcore": release}},
                "metadata": {
                    "invocationId": record["run"] or "",
                    **_times(record),
                },
            },
        },
    }
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()


def _times(record: VersionRecord) -> dict[str, str]:
    times = {"startedOn": record["started_at"], "finishedOn": record["built_at"]}
    return {name: time for name, time in times.items() if time}


def _inputs(record: VersionRecord) -> Iterator[dict[str, Any]]:
    """What a version was made of: files and settings by digest, programs and sources by version."""
    for name, value in sorted((record["inputs"] or {}).items()):
        if found := _SHA256(value):
            yield {"name": name, "digest": {"sha256": found[1]}}
        elif _COMMIT(value):
            yield {"name": name, "digest": {"gitCommit": value}}
        else:
            # What has no digest, as the version of a program has none, stands there itself.
            yield {"name": name, "content": base64.b64encode(value.encode()).decode()}


def _version(record: VersionRecord) -> dict[str, Any]:
    """A version that another one was made from."""
    return {"name": f"{image_in(record)}@{record['version']}", "digest": {"sha256": digest_of(record)}}


def dependency(payload: bytes, name: str) -> str:
    """The sha256 that a statement says of something that the version was made from; empty where it does not.

    Raises:
        ImagesError: it is no statement of ours.
    """
    try:
        listed = json.loads(payload)["predicate"]["buildDefinition"]["resolvedDependencies"]
        return next((one["digest"]["sha256"] for one in listed if one["name"] == name), "")
    except (ValueError, KeyError, TypeError) as error:
        raise ImagesError(f"the attestation is no statement of how a version was built: {error}") from error


def differences(payload: bytes, record: VersionRecord) -> list[str]:
    """What a statement says otherwise than the record that it is about, a sentence each.

    Args:
        payload: the statement, its signature checked.
        record: the record as it is now.
    """
    try:
        said = json.loads(payload)
        if (said["_type"], said["predicateType"]) != (STATEMENT_TYPE, PREDICATE_TYPE):
            return ["the attestation is no statement with SLSA provenance"]
        signed = {one["name"]: one["digest"]["sha256"] for one in said["subject"]}
    except (ValueError, KeyError, TypeError) as error:
        return [f"the attestation is no statement of ours: {error}"]
    now = {one["name"]: one["digest"]["sha256"] for one in subjects(record)}
    return [
        f"{name} {_word(signed.get(name), now.get(name))}"
        for name in sorted({*signed, *now})
        if signed.get(name) != now.get(name)
    ]


def _word(signed: str | None, now: str | None) -> str:
    if signed is None:
        return "was not signed"
    return "is not the one that was signed" if now else "was signed, and is no part of it any more"
