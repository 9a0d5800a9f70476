"""A version in the forms of other programs."""

from __future__ import annotations

import json

import pytest

from hybridcore import images, state
from hybridcore.errors import ImagesError
from hybridcore.hcl import evaluate, loads
from hybridcore.images.exports import FORMS, export
from hybridcore.images.names import Reference
from hybridcore.images.versions import add
from tests.support.images import WEB, Shelf


def test_variables_of_packer_are_what_our_own_reader_reads(shelf: Shelf) -> None:
    shelf.build()
    text = export(shelf.known(), WEB, 1, "pkrvars")
    body = loads(text, filename="x.pkrvars.hcl")
    values = {name: evaluate(attribute, {}) for name, attribute in body.attributes.items()}
    assert values == {
        "image": str(WEB),
        "image_version": 1,
        "image_path": str(shelf.file(WEB, 1)),
        "image_checksum": images.look_up(str(WEB), workspace=shelf.workspace).checksum,
        "image_id": "VM",
        "image_name": "disk",
    }


def test_what_would_begin_a_template_is_no_template(shelf: Shelf) -> None:
    record = shelf.record(WEB)
    record["artifacts"] = [{"id": 'a "${b}" %{c}'}]
    with state.transaction(workspace=shelf.workspace) as data:
        add(data, shelf.workspace, WEB, record)
    text = export(shelf.known(), WEB, 1, "pkrvars")
    assert 'image_id = "a \\"$${b}\\" %%{c}"\n' in text


def test_variables_of_terraform_are_json(shelf: Shelf) -> None:
    shelf.build()
    data = json.loads(export(shelf.known(), WEB, 1, "tfvars"))
    assert (data["image"], data["image_version"], data["image_id"]) == (str(WEB), 1, "VM")


def test_all_of_a_version_as_json(shelf: Shelf) -> None:
    shelf.build()
    data = json.loads(export(shelf.known(), WEB, 1, "json"))
    assert (data["image"], data["version"], data["revoked"]) == (str(WEB), 1, None)


def box(shelf: Shelf) -> None:
    record = shelf.record(WEB)
    path = (record["artifacts"] or [])[0]["files"][0]["path"]  # type: ignore[index]
    (shelf.workspace.root / path).rename(shelf.workspace.root / f"{path}.box")
    record["artifacts"][0]["files"][0]["path"] = f"{path}.box"  # type: ignore[index]
    with state.transaction(workspace=shelf.workspace) as data:
        add(data, shelf.workspace, WEB, record)


def test_a_box_of_vagrant_has_metadata_with_all_its_versions(shelf: Shelf) -> None:
    box(shelf)
    box(shelf)
    images.revoke(Reference(WEB, 1), workspace=shelf.workspace, reason="bad kernel")
    data = json.loads(export(shelf.known(), WEB, 2, "vagrant"))
    assert (data["name"], data["description"]) == ("dev/web", str(WEB))
    assert [(one["version"], one["status"]) for one in data["versions"]] == [
        ("2", "active"),
        ("1", "revoked"),
    ]
    (provider,) = data["versions"][0]["providers"]
    assert (provider["name"], provider["checksum_type"]) == ("libvirt", "sha256")
    assert provider["url"] == shelf.file(WEB, 2).as_uri()


def test_without_a_box_there_is_no_metadata(shelf: Shelf) -> None:
    shelf.build()
    with pytest.raises(ImagesError, match="has no box of Vagrant"):
        export(shelf.known(), WEB, 1, "vagrant")


def test_each_form_refuses_what_is_not_there(shelf: Shelf) -> None:
    shelf.build()
    for form in FORMS:
        with pytest.raises(ImagesError, match="has no version 9"):
            export(shelf.known(), WEB, 9, form)
