"""How an image, a version and a channel are written."""

from __future__ import annotations

import pytest

from hybridcore.errors import ImagesError
from hybridcore.images.names import Image, Place, Reference, check_channel, image_of, parse, parse_place

WEB = Image("dev", "linux/qemu/web")


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("dev:linux/qemu/web", Reference(WEB)),
        ("dev:linux/qemu/web@7", Reference(WEB, version=7)),
        ("dev:linux/qemu/web@stable", Reference(WEB, channel="stable")),
        ("dev:linux/qemu/web@latest", Reference(WEB, channel="latest")),
        ("dev:linux/qemu/web@7a", Reference(WEB, channel="7a")),
        ("prod-1:linux/qemu/debian-12.5", Reference(Image("prod-1", "linux/qemu/debian-12.5"))),
    ],
)
def test_what_is_written_is_meant_and_written_again(text: str, meant: Reference) -> None:
    assert parse(text) == meant
    assert str(meant) == text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "does not name an image"),
        ("linux/qemu/web", "does not name an image"),
        ("dev:linux/qemu", "does not name an image"),
        ("dev:linux/qemu/web/x", "does not name an image"),
        ("dev:linux/qemu/../x", "does not name an image"),
        ("../x:linux/qemu/web", "does not name an image"),
        ("dev:linux/qemu/.web", "does not name an image"),
        ("dev:linux/qemu/web\n", "does not name an image"),
        ("dev:linux/qemu/web@", "neither a version nor a channel"),
        ("dev:linux/qemu/web@0", "versions begin at 1"),
        ("dev:linux/qemu/web@007", "digits alone are a version"),
        ("dev:linux/qemu/web@-1", "neither a version nor a channel"),
        ("dev:linux/qemu/web@a:b", "neither a version nor a channel"),
        ("dev:linux/qemu/web@99999999999999", "digits alone are a version"),
        ("dev:linux/qemu/web@1@2", "neither a version nor a channel"),
    ],
)
def test_what_is_written_otherwise_is_refused(text: str, said: str) -> None:
    with pytest.raises(ImagesError, match=said):
        parse(text)


@pytest.mark.parametrize(
    ("text", "place"),
    [("stable", Place("", "stable")), ("prod:", Place("prod", "")), ("prod:stable", Place("prod", "stable"))],
)
def test_a_version_goes_to_a_channel_or_to_an_environment(text: str, place: Place) -> None:
    assert parse_place(text) == place


@pytest.mark.parametrize(
    "text", ["", ":", ":stable", "latest", "prod:latest", "7", "prod:7", "a:b:c", "a b", "../x:"]
)
def test_a_place_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ImagesError):
        parse_place(text)


def test_nobody_assigns_latest() -> None:
    with pytest.raises(ImagesError, match="'latest' is managed"):
        check_channel("latest")


def test_the_name_in_the_state_is_that_of_the_image() -> None:
    assert image_of(WEB.key) == WEB
    assert (WEB.key, str(WEB)) == ("dev/linux/qemu/web", "dev:linux/qemu/web")
