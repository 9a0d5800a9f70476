"""Versions that are signed when they are recorded, and verified later."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey

from hybridcore.errors import ImagesError
from hybridcore.images import proving, records
from hybridcore.images.names import parse, parse_place
from hybridcore.images.promoting import promote
from tests.support.images import BASE, PROD, WEB, Shelf, installed, new_key
from tests.support.workspaces import WorkspaceFolder


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return new_key(tmp_path / "key.pem")


@pytest.fixture
def signed(make_workspace: Callable[..., WorkspaceFolder], key: Path) -> Shelf:
    """A base and a web that stands on it, both signed, with contents."""
    space = make_workspace()
    space.settings(f'[attest]\nkey = "{key}"\n')
    shelf = Shelf(space.open())
    shelf.build(BASE, contents=installed(bash="5"))
    shelf.build(WEB, parent=f"{BASE}@1", contents=installed(bash="5", openssl="3"))
    return shelf


def wrong(shelf: Shelf, number: int = 1) -> list[str]:
    found = proving.verify(shelf.known(), WEB, number)
    assert found.ok == (not [one for one in found.checks if one.wrong])
    return [f"{one.what}: {one.wrong}" for one in found.checks if one.wrong]


def test_a_version_is_signed_and_verified(signed: Shelf) -> None:
    found = proving.verify(signed.known(), WEB, 1)
    assert found.ok
    assert found.signed
    assert [one.what for one in found.checks] == [
        f"record of {WEB}@1",
        signed.workspace.relative(signed.file(WEB, 1)),
        f"contents of {WEB}@1",
        f"attestation of {WEB}@1",
        f"record of {BASE}@1",
        f"contents of {BASE}@1",
        f"attestation of {BASE}@1",
    ]


def test_an_independent_implementation_verifies_it(signed: Shelf, key: Path, tmp_path: Path) -> None:
    entry = signed.known().record(WEB, 1)["attestation"]
    assert entry
    public = subprocess.run(
        ["openssl", "pkey", "-in", str(key), "-pubout"], check=True, capture_output=True, text=True
    ).stdout
    theirs = SSlibKey(entry["keyid"], "ed25519", "ed25519", {"public": raw(public)})
    document = json.loads((signed.workspace.root / entry["path"]).read_text())
    envelope = Envelope.from_dict(document)
    assert list(envelope.verify([theirs], threshold=1)) == [entry["keyid"]]
    envelope.payload = envelope.payload.replace(b'"environment":"dev"', b'"environment":"dew"')
    with pytest.raises(VerificationError):
        envelope.verify([theirs], threshold=1)


def raw(public: str) -> str:
    """The 32 bytes of a public key as hexadecimal digits."""
    import base64

    return base64.b64decode("".join(public.split("\n")[1:-2]))[-32:].hex()


def places(shelf: Shelf) -> dict[str, Path]:
    known = shelf.known()
    found = {}
    for image in (BASE, WEB):
        record = known.record(image, 1)
        found[f"record of {image}"] = records.path(shelf.workspace, image, 1)
        for name, entry in (("contents", record["contents"]), ("attestation", record["attestation"])):
            assert entry
            found[f"{name} of {image}"] = shelf.workspace.root / entry["path"]
    found["file"] = shelf.file(WEB, 1)
    return found


def test_one_byte_that_was_changed_anywhere_is_found(signed: Shelf) -> None:
    tried = 0
    for name, file in places(signed).items():
        whole = file.read_bytes()
        for at in sorted({0, len(whole) // 3, len(whole) // 2, len(whole) - 1}):
            file.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
            assert wrong(signed), f"byte {at} of {name}"
            tried += 1
        file.write_bytes(whole + b"\n")
        assert wrong(signed), f"a line more of {name}"
        file.write_bytes(whole)
        assert wrong(signed) == []
    assert tried >= 20


def test_a_record_that_was_written_anew_is_found(signed: Shelf) -> None:
    """Its own digest is right then: only the signature tells."""
    for image in (WEB, BASE):
        file = records.path(signed.workspace, image, 1)
        whole = file.read_bytes()
        record = signed.known().record(image, 1)
        file.write_bytes(records.encode({**record, "packer": "9.9.9"}))
        assert any("is not the one that was signed" in one for one in wrong(signed))
        file.write_bytes(records.encode({**record, "attestation": None}))
        assert f"attestation of {image}@1: there is none" in wrong(signed)
        file.write_bytes(whole)


def test_a_parent_that_was_exchanged_with_its_signature_is_found(signed: Shelf) -> None:
    signed.build(BASE, content="another")
    other = signed.known().record(BASE, 2)
    first = signed.known().record(BASE, 1)
    exchanged = {**other, "version": 1, "attestation": None}
    attestation = proving.attest(signed.workspace, exchanged)  # by somebody who has the key, later
    records.path(signed.workspace, BASE, 1).write_bytes(
        records.encode({**exchanged, "attestation": attestation})
    )
    assert first != exchanged
    assert wrong(signed) == [f"record of {BASE}@1: it is not the one that was built on"]


def test_the_attestation_of_another_version_does_not_do(signed: Shelf) -> None:
    signed.build(WEB)
    record = signed.known().record(WEB, 1)
    other = signed.known().record(WEB, 2)["attestation"]
    records.path(signed.workspace, WEB, 1).write_bytes(records.encode({**record, "attestation": other}))
    assert any("was not signed" in one for one in wrong(signed))


def test_another_key_is_not_trusted(signed: Shelf, key: Path) -> None:
    key.unlink()
    new_key(key)
    assert f"attestation of {WEB}@1: it is signed with another key" in wrong(signed)[0]


def test_what_is_not_signed_is_told_and_is_wrong_where_a_key_is_set(
    shelf: Shelf, make_workspace: Callable[..., WorkspaceFolder], key: Path
) -> None:
    shelf.build(WEB)
    found = proving.verify(shelf.known(), WEB, 1)
    assert found.ok
    assert not found.signed
    assert [one.note for one in found.checks if one.note] == ["there is none, and no key is set"]
    (shelf.workspace.root / "packer-hybrid.toml").write_text(f'[attest]\nkey = "{key}"\n')
    again = Shelf(WorkspaceFolder(shelf.workspace.root).open())
    assert wrong(again) == [f"attestation of {WEB}@1: there is none"]


def test_a_version_that_was_promoted_is_signed_anew_and_leads_to_its_origin(signed: Shelf) -> None:
    promote(parse(f"{WEB}@1"), parse_place("prod:"), workspace=signed.workspace)
    found = proving.verify(signed.known(), PROD, 1)
    assert found.ok
    assert f"attestation of {WEB}@1" in [one.what for one in found.checks]
    signed.file(WEB, 1).write_text("changed")  # another name of the same file
    assert not proving.verify(signed.known(), PROD, 1).ok


def test_a_key_that_cannot_be_used_signs_nothing_and_leaves_no_version(signed: Shelf, key: Path) -> None:
    key.chmod(0o644)
    with pytest.raises(ImagesError, match=f"{WEB}@2 cannot be signed: .*used by others"):
        signed.build(WEB)
    assert signed.known().newest(WEB) == 1
    assert not records.exists(signed.workspace, WEB, 2)
