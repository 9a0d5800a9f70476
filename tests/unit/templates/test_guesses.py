"""What names tell of an image: operating systems, and names that are not taken."""

from __future__ import annotations

import pytest

from hybridcore.templates import guesses


@pytest.mark.parametrize(
    ("name", "os"),
    [
        ("debian-12-x86_64", "linux"),
        ("rhel9", "linux"),
        ("win2k19", "windows"),
        ("w2022-2108-dc-core", "windows"),
        ("windows-server-2025", "windows"),
        ("macOS-14.arm64", "macos"),
        ("freebsd-14", "freebsd"),
        ("builds/linux/photon/5", "linux"),
        ("web", ""),
        ("winter", ""),
        ("windows-and-debian", ""),
    ],
)
def test_operating_systems_by_name(name: str, os: str) -> None:
    assert guesses.operating_system([name])[0] == os
