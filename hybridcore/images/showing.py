"""Images and versions as data: what ``packer-hybrid images`` and the modules tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import ImagesError
from .lineage import behind
from .lookup import values_of
from .names import LATEST, Image, Reference, image_in

if TYPE_CHECKING:
    from typing import Any

    from .known import Known


def shown(known: Known, image: Image, number: int) -> dict[str, Any]:
    """All that there is to say of a version.

    Args:
        known: what there is.
        image: the image.
        number: the version.

    Returns:
        The fields of its record, and what follows from the state: docs/images.md describes each.

    Raises:
        ImagesError: there is no such version, or its record cannot be read.
    """
    record = known.record(image, number)
    revocation = known.revocation(image, number)
    rest: dict[str, Any] = {
        name: value for name, value in record.items() if name not in ("environment", "target", "version")
    }
    return {
        "image": str(image),
        "environment": image.env,
        "target": image.target,
        "version": number,
        "channels": known.channels_of(image, number),
        "revoked": revocation.to_dict() if revocation and revocation.due else None,
        "revocation_announced": revocation.to_dict() if revocation and not revocation.due else None,
        "retired": not known.is_there(image, number),
        "held": known.held(image, number),
        "behind": behind(known, record) or None,
        **values_of(image, record, known.workspace).to_dict(),
        **rest,
        "labels": known.labels(image, number),
        "parent": _named(record["parent"]),
        "origin": _named(record["origin"]),
    }


def _named(version: Any) -> dict[str, Any] | None:  # noqa: ANN401 -- either type of a version elsewhere
    if version is None:
        return None
    return {"image": str(image_in(version)), **version}


def listed(known: Known, images: list[Image]) -> list[dict[str, Any]]:
    """Images with their channels and the versions that are there, the newest first.

    Args:
        known: what there is.
        images: those to tell of; all when empty.

    Returns:
        One entry an image. A version whose record cannot be read has ``problem``, and null for what is not
        known.
    """
    return [_listed(known, image) for image in images or known.images()]


def _listed(known: Known, image: Image) -> dict[str, Any]:
    names = [LATEST, *sorted(known.entry(image).get("channels") or {})]
    named: dict[str, int | None] = {}
    problems = []
    for name in names:
        try:
            named[name] = known.channel(image, name)
        except ImagesError as error:
            named[name] = None
            problems.append(error.message)
    return {
        "image": str(image),
        "environment": image.env,
        "target": image.target,
        "newest": known.newest(image),
        "channels": named,
        "versions": [_line(known, image, number, named) for number in known.numbers(image)],
        "history": known.entry(image).get("channels") or {},
        "problems": list(dict.fromkeys(problems)),
    }


def _line(known: Known, image: Image, number: int, named: dict[str, int | None]) -> dict[str, Any]:
    line: dict[str, Any] = {
        "version": number,
        "channels": [name for name, version in named.items() if version == number],
        "held": known.held(image, number),
        "built_at": None,
        "complete": None,
        "revoked": None,
        "behind": None,
        "labels": None,
        "run": None,
        "problem": None,
    }
    try:
        record = known.record(image, number)
        revoked = known.revoked(image, number)
        line |= {
            "built_at": record["built_at"],
            "complete": record["complete"],
            "revoked": revoked.to_dict() if revoked else None,
            "behind": behind(known, record) or None,
            "labels": known.labels(image, number),
            "run": record["run"],
        }
    except ImagesError as error:
        line["problem"] = error.message
    return line


def version_to_show(known: Known, reference: Reference) -> int:
    """The version that is meant where it is only looked at: without one, ``latest``, or the newest at all.

    Raises:
        ImagesError: there is none.
    """
    if reference.version or reference.channel:
        return known.resolve(reference)
    return known.latest(reference.image) or known.newest(reference.image)
