"""Retiring versions: which ones no rule keeps, removing their files, and what is left of times before."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from .. import platforms, state
from ..errors import Fault, ImagesError
from ..image_settings import age_s
from . import events, folders, retention
from .channels import stack
from .known import Known
from .locks import try_lock
from .names import LATEST, Image, image_in
from .versions import settle, with_number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from ..state.types import ArtifactEntry, ImageEntry
    from ..workspace import Workspace


@dataclass(frozen=True)
class Retirement:
    """What becomes of one version.

    Attributes:
        image: the image.
        version: its number.
        stays: whether it does.
        reason: why it stays, or goes.
        run: the run that made it.
        artifacts: what it is made of.
        platform: the platform on which it left something that is not removed here; empty where there is none.
        retired: whether it was retired now.
    """

    image: Image
    version: int
    stays: bool
    reason: str
    run: str = ""
    artifacts: tuple[ArtifactEntry, ...] = ()
    platform: str = ""
    retired: bool = False

    def to_dict(self) -> dict[str, Any]:
        """The same as data."""
        return {
            "image": str(self.image),
            "version": self.version,
            "stays": self.stays,
            "reason": self.reason,
            "artifacts": list(self.artifacts),
            "platform": self.platform or None,
            "retired": self.retired,
        }


def rules_of(workspace: Workspace, image: Image) -> retention.Rules:
    """The rules of an image, from the settings."""
    keep, max_age = workspace.settings.retention.of(*image)
    return retention.Rules(keep, max_age, age_s(max_age) if max_age else 0)


def plan(known: Known, images: Sequence[Image], *, now: float | None = None) -> list[Retirement]:
    """Say for each version of some images whether it stays, and why.

    A parent goes in the same step as the last of its children, where both are looked at.

    Args:
        known: what there is.
        images: those to look at.
        now: seconds since the epoch; this moment when not given.

    Returns:
        One entry a version, by image as given, the newest first.
    """
    going: dict[Image, set[int]] = {}
    found: dict[Image, list[Retirement]] = {}
    moment = time.time() if now is None else now

    def look(image: Image) -> None:
        if image in going:
            return
        going[image] = set()  # also ends a circle
        for child in known.children(image):
            if child in images:
                look(child)
        found[image] = _plan_one(known, image, going, moment)
        going[image] = {one.version for one in found[image] if not one.stays}

    for image in images:
        look(image)
    return [one for image in dict.fromkeys(images) for one in found[image]]


def _plan_one(known: Known, image: Image, going: Mapping[Image, set[int]], now: float) -> list[Retirement]:
    numbers = known.numbers(image)
    named = _named(known, image)
    children = stood_on(known, image, going)
    facts = []
    for number in numbers:
        wanted = [*named.get(number, ()), *children.get(number, ())]
        built_at, good = "", False
        try:
            built_at = known.record(image, number)["built_at"] or ""
            good = known.is_good(image, number)
        except ImagesError as error:
            wanted.append(error.message)
        facts.append(retention.Version(number, built_at, good, tuple(wanted)))
    decided = retention.decide(facts, rules_of(known.workspace, image), now=now)
    return [_retirement(known, image, one) for one in decided]


def _retirement(known: Known, image: Image, decision: retention.Decision) -> Retirement:
    found = Retirement(image, decision.number, decision.stays, decision.reason)
    try:
        record = known.record(image, decision.number)
    except ImagesError:
        return found
    platform = lies_on(known, image, decision.number)
    return replace(
        found,
        run=record["run"] or "",
        artifacts=tuple(record["artifacts"] or ()),
        platform=platform.name if platform else "",
    )


def _named(known: Known, image: Image) -> dict[int, list[str]]:
    """By version, what names it: channels, holds, builds that the last one left out."""
    entry = known.entry(image)
    found: dict[int, list[str]] = {}
    for name in (LATEST, *sorted(entry.get("channels") or {})):
        try:
            number = known.channel(image, name)
        except ImagesError:  # a record that cannot be read: what was assigned stays
            number = next(reversed(stack((entry.get("channels") or {}).get(name, ()))), None)
        if number:
            found.setdefault(number, []).append(f"the channel {name} names it")
    for text, hold in (entry.get("holds") or {}).items():
        found.setdefault(int(text), []).append(f"it is held: {hold['reason']}")
    others = set((entry.get("others") or {}).values())
    for number in known.numbers(image) if others else ():
        if known.record(image, number)["run"] in others:
            found.setdefault(number, []).append("it has builds that the last one left out")
    return found


def stood_on(known: Known, image: Image, going: Mapping[Image, set[int]]) -> dict[int, list[str]]:
    """By version, the versions that stay and have it as their parent; a copy has files of its own."""
    found: dict[int, list[str]] = {}
    for child in known.children(image):
        for version in known.numbers(child):
            parent = known.record(child, version)["parent"]
            if parent and image_in(parent) == image and version not in going.get(child, ()):
                found.setdefault(parent["version"], []).append(f"{child}@{version} stands on it")
    return found


def lies_on(known: Known, image: Image, number: int) -> platforms.Platform | None:
    """The platform on which a version left something that is not removed here; None where there is none."""
    platform = platforms.by_name(image.target.split("/")[1])
    if platform.local:
        return None
    artifacts = known.record(image, number)["artifacts"] or ()
    return platform if any(not one.get("files") for one in artifacts) else None


def retire(
    images: Sequence[Image],
    *,
    workspace: Workspace,
    version: int = 0,
    dry_run: bool = False,
    removed: bool = False,
    reason: str = "",
) -> list[Retirement]:
    """Retire the versions that no rule keeps: their numbers stay given, their records stay, their files go.

    What a version left on a platform is not ours to remove. Such a version is retired when the caller says
    that it was removed there.

    Args:
        images: those to look at; all when empty.
        workspace: where they lie.
        version: this one alone, of the one image, whether a rule lets it go or not.
        dry_run: only say what would be done.
        removed: what lay on platforms was removed there.
        reason: why, for the events.

    Returns:
        One entry a version that was looked at.

    Raises:
        ImagesError: the one version is wanted; nothing was changed.
    """
    if dry_run:
        known = Known.read(workspace)
        return _chosen(known, images or known.images(), version)
    with state.transaction(workspace=workspace, command="retire images") as data:
        before = Known(workspace, data)
        for image in images or before.images():
            settle(data, workspace, image)
        known = Known(workspace, data)
        looked_at = images or known.images()
        found = [
            replace(one, retired=not one.stays and (removed or not one.platform))
            for one in _chosen(known, looked_at, version)
        ]
        for one in found:
            if one.retired:
                _mark(data["images"][one.image.key], one.version)
    by = events.who()
    told = [
        events.event("retired", one.image, one.version, by=by, reason=reason or one.reason)
        for one in found
        if one.retired
    ]
    events.tell(workspace, told)
    clean(workspace, looked_at)
    return found


def _chosen(known: Known, images: Sequence[Image], version: int) -> list[Retirement]:
    found = plan(known, images)
    if not version:
        return found
    image = images[0]
    known.record(image, version)
    one = next((one for one in found if one.version == version), None)
    if one is None:
        raise ImagesError(f"{image}@{version} was retired already")
    wanted = [*_named(known, image).get(version, ()), *stood_on(known, image, {}).get(version, ())]
    if wanted:
        faults = [Fault(text) for text in wanted]
        raise ImagesError(f"{image}@{version} cannot be retired: it is wanted", faults=faults)
    if known.is_good(image, version) and version == known.latest(image):
        raise ImagesError(f"{image}@{version} cannot be retired: it is the last good one")
    return [replace(one, stays=False, reason="it was asked for")]


def _mark(entry: ImageEntry, version: int) -> None:
    entry["retired"] = with_number(entry.get("retired") or (), version)
    labels = entry.get("labels") or {}
    labels.pop(str(version), None)


def after_build(workspace: Workspace, image: Image) -> None:
    """What follows a good build: ``latest`` points to it, and what no rule keeps is retired.

    Args:
        workspace: where it lies.
        image: the image that was built.

    Raises:
        HybridError, OSError: it cannot be done; the new version is there all the same.
    """
    known = Known.read(workspace)
    let_latest_follow(known, image)
    if all(one.stays or one.platform for one in plan(known, [image])):
        clean(workspace, [image], known)
    else:
        retire([image], workspace=workspace)


def let_latest_follow(known: Known, image: Image) -> None:
    """Have ``latest`` of an image, in ``images/``, point to the newest version that can be used.

    Raises:
        ImagesError: a record cannot be read.
        OSError: a link cannot be set.
    """
    if known.has(image):
        number = known.latest(image)
        run = known.record(image, number)["run"] if number else None
        folders.let_latest_follow(known.workspace, *image, run)


def clean(workspace: Workspace, images: Sequence[Image], known: Known | None = None) -> None:
    """Remove the folders of images that belong to no version, unless somebody is at work there.

    Args:
        workspace: where they lie.
        images: whose.
        known: what there is, where the caller knows it.
    """
    known = known or Known.read(workspace)
    for image in images:
        if not _surplus(known, image):
            continue
        with try_lock(workspace, *image) as taken:
            # What was built and recorded since then is known now.
            now = Known.read(workspace)
            for run in _surplus(now, image) if taken else ():
                shutil.rmtree(folders.target_folder(workspace, *image) / run, ignore_errors=True)


def _surplus(known: Known, image: Image) -> list[str]:
    """The folders of an image that belong to no version, nor to a build."""
    found = folders.run_folders(known.workspace, *image)
    if len(found) <= 1:
        return []
    entry = known.entry(image)
    try:
        runs = known.runs(image)
    except ImagesError:
        return []  # whose folder is whose is not known for certain
    named = {*runs, entry.get("run") or "", *(entry.get("others") or {}).values(), *known.data["running"]}
    keep = rules_of(known.workspace, image).keep
    spare = max(0, keep - len(known.numbers(image))) if keep else len(found)
    return folders.surplus(found, known=named, spare=spare)
