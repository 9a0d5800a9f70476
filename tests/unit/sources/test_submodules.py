"""Where the submodules of a repository come from."""

from __future__ import annotations

import pytest

from hybridcore.sources.submodules import absolute, wrong


@pytest.mark.parametrize(
    ("outer", "url", "expected"),
    [
        ("https://example.org/a/b.git", "../c.git", "https://example.org/a/c.git"),
        ("https://example.org/a/b.git", "../../c/d", "https://example.org/c/d"),
        ("https://example.org/a/b.git", "./c", "https://example.org/a/b.git/c"),
        ("git@example.org:a/b.git", "../c.git", "git@example.org:a/c.git"),
        ("git@example.org:a.git", "../c.git", "git@example.org/c.git"),
        ("/srv/git/b/", "../c", "/srv/git/c"),
        ("https://example.org/b", "https://example.com/c", "https://example.com/c"),
    ],
)
def test_relative_urls(outer: str, url: str, expected: str) -> None:
    assert absolute(outer, url) == expected


@pytest.mark.parametrize(
    ("outer", "url", "words"),
    [
        ("https://example.org/b", "https://example.com/c", ""),
        ("https://example.org/b", "ssh://git@example.com/c", ""),
        ("file:///srv/b", "/srv/c", ""),
        ("/srv/b", "file:///srv/c", ""),
        ("http://example.org/b", "http://example.org/c", ""),
        ("https://example.org/b", "/srv/c", "is a path of this machine"),
        ("git@example.org:b", "file:///srv/c", "is a path of this machine"),
        ("https://example.org/b", "http://example.org/c", "is not protected on its way"),
        ("git@example.org:b", "git://example.org/c", "is not protected on its way"),
        ("https://example.org/b", "https://me:secret99@example.org/c", "has a password in it"),
        ("https://example.org/b", "--upload-pack=x", "is not a URL that can be cloned"),
    ],
)
def test_urls_that_are_refused(outer: str, url: str, words: str) -> None:
    found = wrong(outer, url)
    assert words in found
    assert bool(words) == bool(found)
    assert "secret99" not in found
