"""Forgetting an image whose target is no more: its versions, files, logs, configuration and state."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from .. import state, templates
from ..errors import Fault, ImagesError
from . import events, folders, records
from .known import Known
from .locks import try_lock
from .names import Image, image_of
from .retiring import lies_on, stood_on
from .versions import settle

if TYPE_CHECKING:
    from pathlib import Path

    from ..workspace import Workspace


def orphans(workspace: Workspace) -> list[Image]:
    """The images that the state knows and whose targets are no more, sorted."""
    targets = set(templates.target_names(workspace=workspace))
    known = state.read(workspace=workspace)["images"]
    return [image_of(key) for key in sorted(known) if image_of(key).target not in targets]


def forget(image: Image, *, workspace: Workspace, check: bool = False) -> list[str]:
    """Forget an image whose target is no more. Only its last number stays, so that none is given twice.

    Args:
        image: the image.
        workspace: where it lies.
        check: only say what would be removed.

    Returns:
        What was removed, as paths relative to the workspace; ``state`` for its entry.

    Raises:
        ImagesError: nothing is known of it, its target is there, or something needs it; has faults.
    """
    own = [one for one in _places(image, workspace) if one.exists() or one.is_symlink()]
    now = Known.read(workspace)
    entry = now.data["images"].get(image.key)
    if entry is None and not own:
        raise ImagesError(f"nothing is known of {image}", hint="packer-hybrid images list")
    if image.target in templates.target_names(workspace=workspace):
        raise ImagesError(
            f"{image} is not forgotten: the target {image.target} is there, and would be built again",
            hint="remove its template or its entry of the settings first",
        )
    removed = [workspace.relative(one) for one in own] + (["state"] if entry else [])
    if check:
        _check(now, image)
        return removed
    with try_lock(workspace, *image) as taken:
        if not taken:
            raise ImagesError(f"{image} is not forgotten: somebody is at work on it")
        with state.transaction(workspace=workspace, command=f"forget {image}") as data:
            settle(data, workspace, image)
            known = Known(workspace, data)
            _check(known, image)
            if known.has(image):
                records.keep_last(workspace, image, known.newest(image))
            data["images"].pop(image.key, None)
            data["manifests"].pop(image.key, None)
        # The records go last: whoever is killed here finds the rest and forgets it once more.
        for one in own:
            if one.is_dir() and not one.is_symlink():
                shutil.rmtree(one, ignore_errors=True)
            else:
                one.unlink(missing_ok=True)
        records.remove_all(workspace, image)
    events.tell(workspace, [events.event("forgotten", image, None, by=events.who())])
    return removed


def _places(image: Image, workspace: Workspace) -> list[Path]:
    """Where something of an image lies besides the state and its records."""
    return [
        folders.target_folder(workspace, *image),
        workspace.logs / "builds" / image.key,
        workspace.config_file(*image),
        workspace.state_dir / "inputs" / f"{image.key}.json",
    ]


def _check(known: Known, image: Image) -> None:
    """Refuse to forget what something needs, or what lies elsewhere and nobody would know of any more."""
    if not known.has(image):
        return
    faults = [
        Fault(f"{image}@{number} is held: {hold['reason']}")
        for number, hold in sorted((known.entry(image).get("holds") or {}).items())
    ]
    faults += [Fault(text) for texts in stood_on(known, image, {}).values() for text in texts]
    faults += [
        Fault(f"{image}@{number} lies on {platform.title}", hint="retire it first")
        for number in known.numbers(image)
        if (platform := lies_on(known, image, number))
    ]
    if faults:
        raise ImagesError(f"{image} is not forgotten", faults=faults)
