"""What is different between two versions: their packages, the inputs they were made of, their sizes."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ..errors import ImagesError
from . import packages
from .ordering import KEYS
from .records import files_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from .contents import Contents
    from .known import Known
    from .names import Image
    from .types import VersionRecord


class Change(NamedTuple):
    """What is different of one thing.

    Attributes:
        name: of a package, with its architecture where two have the name; or of an input.
        before: its version, or the digest of the input; empty where there is none.
        after: the same later.
    """

    name: str
    before: str
    after: str

    def to_dict(self) -> dict[str, str | None]:
        """The same as data; what is empty is None."""
        return {"name": self.name, "before": self.before or None, "after": self.after or None}


@dataclass(frozen=True)
class PackageChanges:
    """What is different between two contents, each sorted by name.

    Attributes:
        added: packages that are new.
        removed: packages that are gone.
        upgraded: packages of a later version, by the order of their distribution.
        downgraded: packages of an earlier one.
    """

    added: tuple[Change, ...] = ()
    removed: tuple[Change, ...] = ()
    upgraded: tuple[Change, ...] = ()
    downgraded: tuple[Change, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The same as data."""
        return {name: [one.to_dict() for one in changes] for name, changes in vars(self).items()}


def of_packages(before: Contents, after: Contents) -> PackageChanges:
    """Compare two contents.

    Args:
        before: those of the one version.
        after: those of the other.

    Raises:
        ImagesError: one has packages of Debian and the other of RPM, whose versions have no common order.
    """
    if before.kind != after.kind:
        raise ImagesError(f"packages of {before.kind} and of {after.kind} cannot be compared")
    key = KEYS[before.kind]
    several = _several(before) | _several(after)
    old, new = _versions(before, several), _versions(after, several)
    found: dict[str, list[Change]] = {"added": [], "removed": [], "upgraded": [], "downgraded": []}
    for name in sorted({*old, *new}):
        gone = sorted(old.get(name, set()) - new.get(name, set()), key=key)
        come = sorted(new.get(name, set()) - old.get(name, set()), key=key)
        # Of a kernel several versions may be there: only what stands alone was replaced by another one.
        if len(gone) == len(come) == 1 and key(gone[0]) != key(come[0]):
            word = "upgraded" if key(come[0]) > key(gone[0]) else "downgraded"
            found[word].append(Change(name, gone[0], come[0]))
            continue
        found["removed"] += [Change(name, one, "") for one in gone]
        found["added"] += [Change(name, "", one) for one in come]
    return PackageChanges(**{word: tuple(changes) for word, changes in found.items()})


def _several(contents: Contents) -> set[str]:
    """The names that packages of more than one architecture have."""
    architectures: dict[str, set[str]] = defaultdict(set)
    for one in contents.packages:
        architectures[one.name].add(one.architecture)
    return {name for name, found in architectures.items() if len(found) > 1}


def _versions(contents: Contents, several: set[str]) -> dict[str, set[str]]:
    """The versions of each package by its name, which holds the architecture where it is one of several."""
    found: dict[str, set[str]] = defaultdict(set)
    for one in contents.packages:
        found[f"{one.name}:{one.architecture}" if one.name in several else one.name].add(one.version)
    return found


class SizeChange(NamedTuple):
    """That a file of an image has another size.

    Attributes:
        name: of the file, without its folder.
        before: bytes; None where there was none.
        after: the same later.
    """

    name: str
    before: int | None
    after: int | None


@dataclass(frozen=True)
class Difference:
    """What is different between two versions.

    Attributes:
        image: of the one version.
        before: its number.
        other: the image of the other; the same one as a rule.
        after: its number.
        packages: what is different between their packages; None where that is not known.
        unknown: why it is not known.
        inputs: what they were made of, each with its digest or version.
        sizes: their files.
    """

    image: Image
    before: int
    other: Image
    after: int
    packages: PackageChanges | None
    unknown: str
    inputs: tuple[Change, ...]
    sizes: tuple[SizeChange, ...]

    def to_dict(self) -> dict[str, Any]:
        """The same as data."""
        return {
            "before": {"image": str(self.image), "version": self.before},
            "after": {"image": str(self.other), "version": self.after},
            "packages": self.packages.to_dict() if self.packages else None,
            "packages_unknown": self.unknown or None,
            "inputs": [one.to_dict() for one in self.inputs],
            "sizes": [one._asdict() for one in self.sizes],
        }


def compare(known: Known, image: Image, before: int, other: Image, after: int) -> Difference:
    """Compare two versions, of one image or of two.

    Args:
        known: what there is.
        image: the image of the one.
        before: its number.
        other: the image of the other.
        after: its number.

    Raises:
        ImagesError: one of them was never given, or its record cannot be read.
    """
    old, new = known.record(image, before), known.record(other, after)
    found, unknown = None, ""
    try:
        found = of_packages(packages.read(known, image, before), packages.read(known, other, after))
    except ImagesError as error:
        unknown = str(error)
    inputs = _changes(old["inputs"] or {}, new["inputs"] or {})
    return Difference(image, before, other, after, found, unknown, inputs, _sizes(old, new))


def _changes(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Change, ...]:
    names = sorted({*before, *after})
    pairs = ((name, before.get(name, ""), after.get(name, "")) for name in names)
    return tuple(Change(name, old, new) for name, old, new in pairs if old != new)


def _sizes(before: VersionRecord, after: VersionRecord) -> tuple[SizeChange, ...]:
    old, new = dict(_files(before)), dict(_files(after))
    changes = (SizeChange(name, old.get(name), new.get(name)) for name in sorted({*old, *new}))
    return tuple(one for one in changes if one.before != one.after)


def _files(record: VersionRecord) -> Iterator[tuple[str, int]]:
    for file in files_of(record):
        yield os.path.basename(file["path"]), file.get("size") or 0
