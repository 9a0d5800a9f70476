"""Which packages of a version have updates, by the mirrors that the image itself installs from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ..errors import ImagesError
from . import packages
from .mirrors import suites
from .ordering import KEYS

if TYPE_CHECKING:
    from typing import Any

    from .contents import Contents
    from .known import Known
    from .mirrors import Mirrors, Offered
    from .names import Image


class Update(NamedTuple):
    """A package that has an update.

    Attributes:
        package: its name.
        architecture: of the package.
        installed: its version in the image.
        available: the newest that the mirrors have.
        suite: where that comes from.
        security: whether a newer one than that of the image is in a suite of security updates.
    """

    package: str
    architecture: str
    installed: str
    available: str
    suite: str
    security: bool


@dataclass(frozen=True)
class Freshness:
    """What is known of the updates of a version.

    Attributes:
        image: the image.
        version: its number.
        updates: packages that have some, by name; None where that is not known.
        unknown: why it is not known.
    """

    image: Image
    version: int
    updates: tuple[Update, ...] | None
    unknown: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The same as data."""
        return {
            "image": str(self.image),
            "version": self.version,
            "updates": None if self.updates is None else [one._asdict() for one in self.updates],
            "unknown": self.unknown or None,
        }


def outdated(known: Known, image: Image, number: int, mirrors: Mirrors) -> Freshness:
    """Find the packages of a version that have updates.

    Args:
        known: what there is.
        image: the image.
        number: the version.
        mirrors: what there is to install; the same for all images, so that each suite is fetched once.

    Raises:
        OSError: the cache cannot be written.
    """
    try:
        found = packages.read(known, image, number)
        if found.kind != "deb":
            raise ImagesError("indices of RPM are not read; only Debian and its kin can be compared")
        lines = suites(found.mirrors)
        if not lines:
            raise ImagesError(
                f"the mirrors of {image}@{number} are not known: its build gave no sources.list",
                hint="docs/images.md shows the provisioner that has the image give it",
            )
        architectures = sorted({one.architecture for one in found.packages} - {"all", ""}) or ["all"]
        offered: dict[str, list[Offered]] = {}
        for suite in lines:
            for name, ones in mirrors.offered(suite, found.system, architectures).items():
                offered.setdefault(name, []).extend(ones)
    except ImagesError as error:
        return Freshness(image, number, None, str(error))
    return Freshness(image, number, updates(found, offered))


def updates(found: Contents, offered: dict[str, list[Offered]]) -> tuple[Update, ...]:
    """Compare what is installed with what there is.

    Args:
        found: what is installed.
        offered: what there is, by name and architecture, ``openssl:amd64``.
    """
    key = KEYS[found.kind]
    updates = []
    for one in found.packages:
        installed = key(one.version)
        newer = [
            other
            for other in offered.get(f"{one.name}:{one.architecture}", ())
            if key(other.version) > installed
        ]
        if newer:
            best = max(newer, key=lambda other: key(other.version))
            security = any(other.security for other in newer)
            updates.append(
                Update(one.name, one.architecture, one.version, best.version, best.suite, security)
            )
    return tuple(updates)
