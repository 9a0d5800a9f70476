"""What is known of images: the state and the records, read once, and what follows from them.

Nothing of it is stamped on a version: whether one is revoked, and what a channel names, is found out when
it is asked, from the revocations of the state and the parents that the records name.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from .. import state
from ..errors import ImagesError
from . import channels, records
from .names import LATEST, Image, Reference, image_of
from .versions import record_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

    from ..state.types import AssignmentEntry, ImageEntry, State
    from ..workspace import Workspace
    from .types import VersionRecord


@dataclass(frozen=True)
class Revocation:
    """That a version is not to be used.

    Attributes:
        at: from when on; the time of the word itself where no other was said.
        recorded_at: when that was said.
        reason: why.
        by: who said so.
        only_this: what descends from it can be used.
        inherited_from: the version that was revoked, where it is another one, which this one stands on.
        due: whether its time has come.
    """

    at: str
    recorded_at: str
    reason: str
    by: str
    only_this: bool = False
    inherited_from: str | None = None
    due: bool = True

    def to_dict(self) -> dict[str, Any]:
        """The same as data."""
        return {
            "at": self.at,
            "recorded_at": self.recorded_at,
            "reason": self.reason,
            "by": self.by,
            "only_this": self.only_this,
            "inherited_from": self.inherited_from,
        }

    def __str__(self) -> str:
        source = f" with {self.inherited_from}, which it stands on" if self.inherited_from else ""
        return f"revoked{source} at {self.at}: {self.reason}"


class Known:
    """The images of a workspace at one moment.

    Args:
        workspace: whose.
        data: the state, as ``state.peek`` gives it or a transaction does.
        now: the moment, RFC 3339 in UTC; this one when not given.
    """

    def __init__(self, workspace: Workspace, data: State, now: str = "") -> None:
        self.workspace = workspace
        self.data = data
        self._now = now
        self._records: dict[tuple[Image, int], VersionRecord] = {}

    @classmethod
    def read(cls, workspace: Workspace) -> Known:
        """The images of a workspace as the state says now."""
        return cls(workspace, state.peek(workspace=workspace))

    @property
    def now(self) -> str:
        """The moment at which all of it is looked at, RFC 3339 in UTC."""
        self._now = self._now or state.timestamp()
        return self._now

    def images(self) -> list[Image]:
        """Every image that has a version, sorted."""
        return [image_of(key) for key, entry in sorted(self.data["images"].items()) if entry.get("newest")]

    def has(self, image: Image) -> bool:
        """Whether an image has a version."""
        entry = self.data["images"].get(image.key)
        return bool(entry and entry.get("newest"))

    def entry(self, image: Image) -> ImageEntry:
        """What the state says of an image.

        Raises:
            ImagesError: it has no version.
        """
        if not self.has(image):
            raise ImagesError(
                f"there is no image {image}", hint="packer-hybrid images list names those that there are"
            )
        return self.data["images"][image.key]

    def newest(self, image: Image) -> int:
        """The highest number that was given."""
        return self.entry(image).get("newest") or 0

    def runs(self, image: Image) -> set[str]:
        """The runs that made the versions of an image that are there; none of an image without versions."""
        if not self.has(image):
            return set()
        return {self.record(image, number)["run"] or "" for number in self.numbers(image)}

    def numbers(self, image: Image) -> list[int]:
        """The versions of an image that are there, the newest first; those that were retired are not."""
        return list(self._there(image))

    def _there(self, image: Image) -> Iterator[int]:
        gone = self.entry(image).get("retired") or []
        return (number for number in range(self.newest(image), 0, -1) if not _within(gone, number))

    def is_there(self, image: Image, number: int) -> bool:
        """Whether a version was given and not retired."""
        gone = self.entry(image).get("retired") or []
        return 1 <= number <= self.newest(image) and not _within(gone, number)

    def record(self, image: Image, number: int) -> VersionRecord:
        """The record of a version, retired or not.

        Raises:
            ImagesError: there is no such version; or its record is missing, edited, or of a newer release.
        """
        if (image, number) not in self._records:
            entry, newest = self.entry(image), self.newest(image)
            if not 1 <= number <= newest:
                raise ImagesError(f"{image} has no version {number}", hint=f"its versions go up to {newest}")
            if entry.get("unrecorded") and entry.get("version") == number:
                found = record_of(entry, self.data["manifests"].get(image.key))
            else:
                found = records.read(self.workspace, image, number)
            self._records[image, number] = found
        return self._records[image, number]

    @cached_property
    def _anything_is_revoked(self) -> bool:
        """Whether any version is; if not, nobody needs to read what versions stand on."""
        return any(entry.get("revoked") for entry in self.data["images"].values())

    def revocation(self, image: Image, number: int) -> Revocation | None:
        """Why a version is not to be used, now or later; None when nobody said so.

        Its own revocation counts before one of what it stands on; one whose time has come before one that is
        announced.
        """
        found = list(self._revocations(image, number, set()))
        return next((one for one in found if one.due), found[0] if found else None)

    def revoked(self, image: Image, number: int) -> Revocation | None:
        """Why a version is not to be used now; None when it may be."""
        if not self._anything_is_revoked:
            return None
        found = self.revocation(image, number)
        return found if found and found.due else None

    def _revocations(
        self, image: Image, number: int, seen: set[tuple[Image, int]], *, below: bool = False
    ) -> Iterator[Revocation]:
        if (image, number) in seen:
            return
        seen.add((image, number))
        entry = self.data["images"].get(image.key)
        if entry is None:
            return  # a parent that was forgotten: nothing is known of it any more
        own = (entry.get("revoked") or {}).get(str(number))
        if own and not (below and own.get("only_this")):
            at = own.get("at") or own["recorded_at"]
            # One without a time of its own holds at once, also when the clock is set back later.
            due = not own.get("at") or at <= self.now
            yield Revocation(
                at=at,
                recorded_at=own["recorded_at"],
                reason=own["reason"],
                by=own.get("by") or "",
                only_this=bool(own.get("only_this")),
                inherited_from=f"{image}@{number}" if below else None,
                due=due,
            )
        if not entry.get("newest") or not entry.get("parents"):
            return
        for other, version in self.stands_on(image, number):
            yield from self._revocations(other, version, seen, below=True)

    def stands_on(self, image: Image, number: int) -> list[tuple[Image, int]]:
        """The versions that a version was made from; see ``records.made_from``."""
        return records.made_from(self.record(image, number))

    def is_good(self, image: Image, number: int) -> bool:
        """Whether a version is there, complete and not revoked."""
        return (
            self.is_there(image, number)
            and bool(self.record(image, number)["complete"])
            and self.revoked(image, number) is None
        )

    def latest(self, image: Image) -> int | None:
        """The newest good version; None when there is none."""
        return next((number for number in self._there(image) if self.is_good(image, number)), None)

    def channel(self, image: Image, name: str) -> int | None:
        """The version that a channel names; None when it names none.

        Raises:
            ImagesError: there is no such channel.
        """
        if name == LATEST:
            return self.latest(image)
        return channels.current(self.history(image, name), lambda number: self.is_good(image, number))

    def channels(self, image: Image) -> dict[str, int | None]:
        """What each channel of an image names; ``latest`` is the first."""
        named = sorted(self.entry(image).get("channels") or {})
        return {name: self.channel(image, name) for name in (LATEST, *named)}

    def history(self, image: Image, name: str) -> list[AssignmentEntry]:
        """The assignments of a channel, the newest last.

        Raises:
            ImagesError: there is no such channel.
        """
        known = self.entry(image).get("channels") or {}
        if name not in known:
            names = ", ".join([LATEST, *sorted(known)])
            raise ImagesError(f"{image} has no channel {name!r}", hint=f"there are: {names}")
        return known[name]

    def channels_of(self, image: Image, number: int) -> list[str]:
        """The channels that name a version; ``latest`` is the first."""
        return [name for name, version in self.channels(image).items() if version == number]

    def labels(self, image: Image, number: int) -> dict[str, str]:
        """The labels of a version: those that were set, or else those that it was born with."""
        own = (self.entry(image).get("labels") or {}).get(str(number))
        return dict(own if own is not None else self.record(image, number)["labels"])

    def held(self, image: Image, number: int) -> str | None:
        """Why a version is never retired; None where it is not held."""
        hold = (self.entry(image).get("holds") or {}).get(str(number))
        return hold["reason"] if hold else None

    def parents(self, image: Image) -> list[str]:
        """The names in the state of the images that versions of this one stand on; none of an unknown one."""
        entry = self.data["images"].get(image.key)
        return (entry.get("parents") if entry else None) or []

    def resolve(self, reference: Reference) -> int:
        """The version that is meant; ``latest`` where none is written.

        Raises:
            ImagesError: there is none.
        """
        if reference.version:
            self.record(reference.image, reference.version)
            return reference.version
        name = reference.channel or LATEST
        found = self.channel(reference.image, name)
        if found is None:
            raise ImagesError(
                f"the channel {name!r} of {reference.image} names no version that can be used",
                hint=f"packer-hybrid images list {reference.image} says why",
            )
        return found

    def children(self, image: Image) -> list[Image]:
        """The images of which some version stands on a version of this one."""
        return [
            image_of(key)
            for key, entry in sorted(self.data["images"].items())
            if image.key in (entry.get("parents") or ())
        ]

    def descendants(self, image: Image, number: int) -> list[tuple[Image, int]]:
        """The versions that are there and stand on a version, near ones first."""
        found: list[tuple[Image, int]] = []
        above = [(image, number)]
        while above:
            parents, above = above, []
            for child in dict.fromkeys(child for parent, __ in parents for child in self.children(parent)):
                for version in self.numbers(child):
                    stands = self.stands_on(child, version)
                    if (child, version) not in found and any(parent in stands for parent in parents):
                        above.append((child, version))
            found += above
        return found


def _within(ranges: Iterable[Iterable[int]], number: int) -> bool:
    return any(first <= number <= last for first, last in ranges)
