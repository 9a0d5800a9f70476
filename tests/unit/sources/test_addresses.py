"""Addresses of repositories: which can be used, and how they are shown."""

from __future__ import annotations

import pytest

from hybridcore.sources import addresses


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/x.git",
        "http://[::1]:8080/x.git",
        "https://example.org:8443/group/sub/x",
        "ssh://git@example.org:2222/x.git",
        "ssh://example.org/~me/x.git",
        "git@example.org:group/x.git",
        "git://example.org/x",
        "file:///srv/my repositories/x",
        "file://localhost/srv/x",
        "/srv/my repositories/x?y@z.bundle",
    ],
)
def test_accepted_urls(url: str) -> None:
    assert addresses.wrong(url) is None
    assert addresses.shown(url).partition("?")[0] == url.partition("?")[0]


def test_masking_of_web_addresses_and_control_characters() -> None:
    text = "fatal: unable to access 'https://token@example.org/x': \x1b[31mno\x07"
    assert addresses.masked(text) == "fatal: unable to access 'https://***@example.org/x': ?[31mno?"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("from https://me:pa@ss@example.org/x to", "from https://***@example.org/x to"),
        ("HTTP://token@example.org/x", "HTTP://***@example.org/x"),
        ("'ssh://git@example.org/x': no", "'ssh://git@example.org/x': no"),
        ("ssh://me:pass@example.org/x", "ssh://***@example.org/x"),
        ("https://example.org/x?private_token=a&b=c: no", "https://example.org/x?*** no"),
    ],
)
def test_what_git_says_of_addresses_is_shown_without_secrets(text: str, shown: str) -> None:
    """An address may be another than that of the settings: by `insteadOf`, or where a remote leads to."""
    assert addresses.masked(text) == shown
