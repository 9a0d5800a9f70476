"""Which version an id, a path or a digest is."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from hybridcore import images, state
from hybridcore.images.finding import Match, find
from hybridcore.images.names import Image, Reference
from hybridcore.images.versions import add
from tests.support.images import WEB, Shelf

AMI = Image("dev", "linux/aws/web")


def found(shelf: Shelf, text: str, here: Path | None = None) -> list[tuple[str, int, str]]:
    matches = find(shelf.known(), text, here=here or shelf.workspace.root)
    return [(str(one.image), one.version, one.what) for one in matches]


def test_a_digest_a_path_and_a_copy_are_found(shelf: Shelf, tmp_path: Path) -> None:
    shelf.build(content="one")
    shelf.build(content="two")
    digest = hashlib.sha256(b"one").hexdigest()
    file = shelf.file(WEB, 1)
    copy = tmp_path / "copy"
    shutil.copy(file, copy)
    for text, what in (
        (digest, "sha256"),
        (f"sha256:{digest.upper()}", "sha256"),
        (str(file), "path"),
        (shelf.workspace.relative(file), "path"),
        (str(copy), "sha256"),
    ):
        assert found(shelf, text) == [(str(WEB), 1, what)], text
    latest = shelf.workspace.images / "dev" / WEB.target / "latest" / "disk"
    assert found(shelf, str(latest)) == [(str(WEB), 2, "path")]


@pytest.mark.parametrize("text", ["us-east-1:ami-0abc", "ami-0abc"])
def test_an_id_is_found_whole_and_without_its_region(shelf: Shelf, text: str) -> None:
    record = shelf.record(AMI)
    record["artifacts"] = [{"id": "eu-west-1:ami-0def,us-east-1:ami-0abc"}, {"id": "us-east-1:ami-0abc"}]
    with state.transaction(workspace=shelf.workspace) as data:
        add(data, shelf.workspace, AMI, record)
    assert (str(AMI), 1, "id") in found(shelf, text)


@pytest.mark.parametrize("text", ["", "ami", "0" * 64, "images/none", "/etc"])
def test_what_nothing_has_is_not_found(shelf: Shelf, text: str) -> None:
    shelf.build()
    assert found(shelf, text) == []


def test_retired_and_revoked_ones_are_told_as_such(shelf: Shelf) -> None:
    for text in ("one", "two", "three"):
        shelf.build(content=text)
    images.retire([], workspace=shelf.workspace)
    images.revoke(Reference(WEB, 1), workspace=shelf.workspace, reason="bad kernel")
    (match,) = find(shelf.known(), hashlib.sha256(b"one").hexdigest(), here=shelf.workspace.root)
    assert isinstance(match, Match)
    assert match.to_dict()["retired"] is True
    assert "bad kernel" in str(match.to_dict()["revoked"])
