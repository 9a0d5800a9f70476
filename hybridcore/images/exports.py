"""A version in the forms that other programs read: variables of Packer and Terraform, a box of Vagrant."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ..errors import ImagesError
from ..hcl.writer import dumps_value
from .lookup import values_of
from .records import files_of
from .showing import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .known import Known
    from .names import Image

# What Vagrant calls the provider of each builder. Source: Vagrant's documentation, "Box Versioning".
_PROVIDERS = {
    "qemu": "libvirt",
    "virtualbox": "virtualbox",
    "vmware": "vmware_desktop",
    "parallels": "parallels",
    "hyperv": "hyperv",
}


def export(known: Known, image: Image, number: int, form: str) -> str:
    """Write a version in a form.

    Args:
        known: what there is.
        image: the image.
        number: the version.
        form: one of ``FORMS``.

    Raises:
        ImagesError: there is no such version, or it has nothing that can be written in this form.
    """
    return FORMS[form](known, image, number)


def _json(known: Known, image: Image, number: int) -> str:
    return json.dumps(shown(known, image, number), indent=2) + "\n"


def _variables(known: Known, image: Image, number: int) -> dict[str, str | int | None]:
    values = values_of(image, known.record(image, number), known.workspace).to_dict()
    return {name if name == "image" else f"image_{name}": value for name, value in values.items()}


def _pkrvars(known: Known, image: Image, number: int) -> str:
    """Variables of Packer. A value that is not there is left out, so that a default counts."""
    lines = []
    for name, value in _variables(known, image, number).items():
        if value is not None:
            lines.append(f"{name} = {dumps_value(value)}")
    return "\n".join(lines) + "\n"


def _tfvars(known: Known, image: Image, number: int) -> str:
    """Variables of Terraform, in JSON. Source: its documentation, "Variable Definitions (.tfvars) Files"."""
    return json.dumps(_variables(known, image, number), indent=2) + "\n"


def _vagrant(known: Known, image: Image, number: int) -> str:
    """The metadata of a box with all its versions up to this one. Source: Vagrant's "Box Metadata"."""
    known.record(image, number)
    versions = []
    for one in known.numbers(image):
        if one <= number and (providers := _boxes(known, image, one)):
            status = "revoked" if known.revoked(image, one) else "active"
            versions.append({"version": str(one), "status": status, "providers": providers})
    if not versions or versions[0]["version"] != str(number):
        raise ImagesError(
            f"{image}@{number} has no box of Vagrant among its files",
            hint='the post-processor "vagrant" makes one; its name ends in .box',
        )
    name = image.target.rpartition("/")[2]
    data = {"name": f"{image.env}/{name}", "description": str(image), "versions": versions}
    return json.dumps(data, indent=2) + "\n"


def _boxes(known: Known, image: Image, number: int) -> list[dict[str, str]]:
    record = known.record(image, number)
    kind = (record["builder"] or "").split(".")[1:2]
    provider = next((name for key, name in _PROVIDERS.items() if kind and kind[0].startswith(key)), "")
    found = []
    for file in files_of(record):
        if file["path"].endswith(".box"):
            named = next((name for name in _PROVIDERS.values() if name in file["path"]), provider)
            box = {"name": named or "libvirt", "url": (known.workspace.root / file["path"]).as_uri()}
            if file.get("sha256"):
                box |= {"checksum_type": "sha256", "checksum": str(file["sha256"])}
            found.append(box)
    return found


FORMS: Mapping[str, Callable[[Known, Image, int], str]] = {
    "json": _json,
    "pkrvars": _pkrvars,
    "tfvars": _tfvars,
    "vagrant": _vagrant,
}
"""The forms by their names."""
