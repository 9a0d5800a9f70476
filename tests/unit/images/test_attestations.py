"""Statements and envelopes, read by implementations that are not ours."""

from __future__ import annotations

import json

import pytest
from google.protobuf import json_format
from in_toto_attestation.predicates.provenance.v1 import provenance_pb2
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement
from securesystemslib.dsse import Envelope as TheirEnvelope

from hybridcore.errors import ImagesError
from hybridcore.images import attestations
from tests.support.images import BASE, WEB, Shelf, installed


def payload_of(shelf: Shelf) -> bytes:
    shelf.build(BASE)
    shelf.build(WEB, parent=f"{BASE}@1", contents=installed(openssl="1"))
    known = shelf.known()
    return attestations.statement(known.record(WEB, 1), [known.record(BASE, 1)], release="1.2.3")


def test_a_statement_is_one_of_in_toto_with_provenance_of_slsa(shelf: Shelf) -> None:
    payload = payload_of(shelf)
    theirs = json_format.Parse(payload, statement_pb2.Statement())  # refuses fields that it does not know
    Statement.copy_from_pb(theirs).validate()
    predicate = json.dumps(json.loads(payload)["predicate"])
    provenance = json_format.Parse(predicate, provenance_pb2.Provenance())
    listed = provenance.build_definition.resolved_dependencies
    names = {one.name: (dict(one.digest), bytes(one.content)) for one in listed}
    record = shelf.known().record(WEB, 1)
    assert names["packer"] == ({}, b"1.9.4")
    assert names["source site"] == ({"gitCommit": "0" * 40}, b"")
    assert names["plugin github.com/hashicorp/qemu"] == ({}, b"1.0.9")
    assert names[f"{BASE}@1"] == ({"sha256": attestations.digest_of(shelf.known().record(BASE, 1))}, b"")
    assert provenance.run_details.metadata.invocation_id == record["run"]
    assert provenance.run_details.metadata.HasField("started_on")
    assert provenance.run_details.metadata.HasField("finished_on")


def test_a_statement_is_about_all_that_belongs_to_a_version(shelf: Shelf) -> None:
    payload = payload_of(shelf)
    record = shelf.known().record(WEB, 1)
    subjects = {one["name"]: one["digest"]["sha256"] for one in json.loads(payload)["subject"]}
    contents = record["contents"]
    assert contents
    file = (record["artifacts"] or [])[0]["files"][0]
    assert subjects == {
        file["path"]: file["sha256"],
        contents["path"]: contents["sha256"],
        f"{WEB}@1": attestations.digest_of(record),
    }
    assert attestations.differences(payload, record) == []
    assert attestations.differences(payload, {**record, "labels": {"a": "b"}}) == [
        f"{WEB}@1 is not the one that was signed"
    ]
    assert attestations.differences(payload, {**record, "contents": None}) == [
        f"{WEB}@1 is not the one that was signed",
        f"{contents['path']} was signed, and is no part of it any more",
    ]


def test_an_envelope_is_one_of_dsse() -> None:
    ours = attestations.Envelope(b'{"a": 1}', "key", b"\x00\xff" * 32)
    theirs = TheirEnvelope.from_dict(json.loads(ours.encode()))
    assert theirs.pae() == attestations.to_be_signed(b'{"a": 1}')
    assert theirs.payload == b'{"a": 1}'
    assert attestations.decode(ours.encode()) == ours


@pytest.mark.parametrize(
    "document",
    [b"", b"[]", b'{"signatures": []}', b'{"signatures": [{}], "payloadType": "text/plain", "payload": ""}'],
)
def test_what_is_no_envelope_is_an_error(document: bytes) -> None:
    with pytest.raises(ImagesError, match="no envelope"):
        attestations.decode(document)


@pytest.mark.parametrize(
    "payload", [b"", b"[]", b"{}", b'{"_type": "a", "predicateType": "b", "subject": []}']
)
def test_a_statement_of_something_else_is_told(payload: bytes, shelf: Shelf) -> None:
    shelf.build(WEB)
    assert len(attestations.differences(payload, shelf.known().record(WEB, 1))) == 1
