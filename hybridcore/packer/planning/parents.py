"""Which version of an image another one starts from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import ImagesError
from ...images.lookup import look_up, values_of
from ...images.names import LATEST, Image, Reference
from .fingerprint import PARENT

if TYPE_CHECKING:
    from ...image_settings import ParentSetting
    from ...images.known import Known
    from ...images.lookup import Found
    from ...images.types import ParentOf
    from ...state.types import ImageEntry
    from ...templates import Template

NEVER_BUILT = "it was never built"


def parent_of(
    template: Template, env: str, known: Known, *, allow_revoked: bool = False
) -> tuple[Found | None, str]:
    """The version that a target starts from, if it is built now.

    Args:
        template: the target.
        env: name of the environment.
        known: the images that there are.
        allow_revoked: where there is none that may be used, take the newest that could be meant.

    Returns:
        The version that the channel of its parent names, without one the newest good one; and why there is
        none. Both are empty where it has no parent.
    """
    parent = template.parent
    if parent is None:
        return None, ""
    image = Image(env, parent.target)
    entry = known.data["images"].get(image.key)
    if entry is None or not entry.get("newest"):
        return None, NEVER_BUILT
    reference = Reference(image, channel=parent.channel)
    try:
        return look_up(reference, workspace=known.workspace, known=known), ""
    except ImagesError as error:
        number = _last_meant(known, image, parent.channel) if allow_revoked else None
        if number:
            return values_of(image, known.record(image, number), known.workspace), ""
        return None, _why(known, image, parent.channel) or str(error)


def _last_meant(known: Known, image: Image, channel: str) -> int | None:
    """The version that a channel named last, or without one the newest; whether it may be used or not."""
    if channel in ("", LATEST):
        return next(iter(known.numbers(image)), None)
    history = (known.entry(image).get("channels") or {}).get(channel) or []
    named = (one.get("version") for one in reversed(history))
    return next((one for one in named if one and known.is_there(image, one)), None)


def _why(known: Known, image: Image, channel: str) -> str:
    """That the version which could be meant is revoked, and how a build on it is allowed; else empty."""
    number = _last_meant(known, image, channel)
    word = known.revoked(image, number) if number else None
    return f"{image}@{number} is {word} (--allow-revoked allows a build on it)" if word else ""


def no_parent(target: str, why: str) -> str:
    """That a parent cannot be started from, in words; ``why`` is what ``parent_of`` gave."""
    return f"its parent {target} was never built" if why == NEVER_BUILT else f"its parent {target}: {why}"


def digest(found: Found) -> str:
    """What of a version decides the images that start from it: number and content, not where it lies."""
    return f"{found.version} {found.checksum or found.id}".rstrip()


def recorded(entry: ImageEntry) -> dict[str, str | int | None] | None:
    """The parent of an image by its entry of the state: ``target`` and ``version``; None without one."""
    for name, value in (entry.get("inputs") or {}).items():
        if name.startswith(PARENT):
            version = value.partition(" ")[0]
            known = int(version) if version.isdigit() else None
            return {"target": name.removeprefix(PARENT), "version": known}
    return None


def as_recorded(found: Found, parent: ParentSetting) -> ParentOf:
    """The parent as the record of a version has it."""
    return {
        "environment": found.image.env,
        "target": found.image.target,
        "version": found.version,
        "channel": parent.channel or None,
    }
