"""How an image is written: ``<env>:<os>/<platform>/<name>``, then ``@`` and a version or a channel."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from ..errors import ImagesError
from ..settings import is_name

if TYPE_CHECKING:
    from ..state.types import ImageEntry
    from .types import VersionOf, VersionRecord

LATEST = "latest"
"""The channel that nobody assigns: the newest version that is complete and not revoked."""

_NUMBER = re.compile(r"[1-9][0-9]{0,8}").fullmatch
_HINT = "<env>:<os>/<platform>/<name>, as in dev:linux/qemu/web@7 or dev:linux/qemu/web@stable"


class Image(NamedTuple):
    """A target in an environment.

    Attributes:
        env: name of the environment.
        target: ``<os>/<platform>/<name>``.
    """

    env: str
    target: str

    @property
    def key(self) -> str:
        """Its name in the state: ``<env>/<os>/<platform>/<name>``."""
        return f"{self.env}/{self.target}"

    def __str__(self) -> str:
        return f"{self.env}:{self.target}"


class Reference(NamedTuple):
    """An image, and which of its versions.

    Attributes:
        image: the image.
        version: its number; 0 where none was written.
        channel: its channel; empty where none was written.
    """

    image: Image
    version: int = 0
    channel: str = ""

    def __str__(self) -> str:
        which = str(self.version) if self.version else self.channel
        return f"{self.image}@{which}" if which else str(self.image)


class Place(NamedTuple):
    """Where a version is promoted to.

    Attributes:
        env: an environment, where another one was named; else empty.
        channel: a channel; empty where none was named.
    """

    env: str = ""
    channel: str = ""


def image_of(key: str) -> Image:
    """The image of a name in the state."""
    env, __, target = key.partition("/")
    return Image(env, target)


def image_in(entry: ImageEntry | VersionOf | VersionRecord) -> Image:
    """The image that a mapping with ``environment`` and ``target`` names, as an entry of the state does."""
    return Image(entry["environment"], entry["target"])


def parse(text: str) -> Reference:
    """Read an image as people write it.

    Args:
        text: for example ``dev:linux/qemu/web``, ``dev:linux/qemu/web@7`` or ``dev:linux/qemu/web@stable``.

    Raises:
        ImagesError: it is not written so.
    """
    name, at, which = text.partition("@")
    env, colon, target = name.partition(":")
    parts = target.split("/")
    if not colon or not is_name(env) or len(parts) != 3 or not all(map(is_name, parts)):
        raise ImagesError(f"{text!r} does not name an image", hint=_HINT)
    image = Image(env, target)
    if not at:
        return Reference(image)
    if _NUMBER(which):
        return Reference(image, version=int(which))
    if wrong := _wrong_channel(which):
        raise ImagesError(f"{which!r} in {text!r} is neither a version nor a channel: {wrong}", hint=_HINT)
    return Reference(image, channel=which)


def parse_place(text: str) -> Place:
    """Read where a version is promoted to: ``stable``, ``prod:`` or ``prod:stable``.

    Raises:
        ImagesError: it is not written so, or it is a channel that nobody assigns.
    """
    env, colon, channel = text.rpartition(":")
    if colon and not is_name(env):
        raise ImagesError(f"{text!r} does not name an environment", hint="as in prod: or prod:stable")
    if channel or not colon:
        check_channel(channel)
    return Place(env, channel)


def check_channel(name: str) -> str:
    """Check the name of a channel that is to be assigned; gives it back.

    Raises:
        ImagesError: it is no name, is a number, or is ``latest``.
    """
    if wrong := _wrong_channel(name):
        raise ImagesError(f"{name!r} is not the name of a channel: {wrong}", hint="as in stable")
    if name == LATEST:
        raise ImagesError(
            "the channel 'latest' is managed: it is the newest version that is complete and not revoked",
            hint="promote to a channel of another name",
        )
    return name


def _wrong_channel(name: str) -> str:
    if not is_name(name):
        return "letters, digits, . _ - make a name"
    return "digits alone are a version, and versions begin at 1" if name.isdigit() else ""
