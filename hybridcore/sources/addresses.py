"""Where a repository may come from, and how its address is shown: never with what could be a secret."""

from __future__ import annotations

import re

_SCHEMES = ("https", "http", "ssh", "git", "file")
_KNOWN = "https://, http://, ssh://, git://, file://, user@host:path or an absolute path"
_HELPERS = "use an SSH key, a git credential helper, or GIT_ASKPASS"
_ADDRESS = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://([^/?#]*)(.*)", re.DOTALL)
_USER = r"[\w.+-]+"
_HOST = re.compile(r"([\w.-]+|\[[0-9A-Fa-f:.]+\])(:\d+)?")
# user@host:path, as scp writes it, and as git understands it: gitglossary(7), git-clone(1) "GIT URLS".
_SCP = re.compile(rf"{_USER}@[\w.-]+:[^\s:?#][^\s?#]*")
_IN_TEXT = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://)([^\s'\"<>]*@)?([^\s'\"<>?]*)(\?[^\s'\"<>]*)?")


def wrong(url: str) -> tuple[str, str] | None:
    """What keeps an address from being used.

    Args:
        url: as the settings have it.

    Returns:
        What is wrong, without the secrets in it, and what to do; None when nothing is.
    """
    unknown = f"{shown(url)!r} is not a URL that can be cloned", _KNOWN
    parts = _ADDRESS.fullmatch(url)
    if parts is None:
        if re.match(rf"{_USER}:[^/].*@", url):
            return "the url has a password in it", _HELPERS
        return None if _SCP.fullmatch(url) or re.fullmatch(r"/[^\n\r]+", url) else unknown
    scheme, authority, rest = parts.groups()
    user, at, host = authority.rpartition("@")
    if scheme not in _SCHEMES:
        if scheme.lower() in _SCHEMES:
            return f"{shown(url)!r} has a scheme in capitals", f"write {scheme.lower()}://, as git does"
        return unknown
    if ":" in user or "@" in user:
        return "the url has a password in it", _HELPERS
    if at and scheme != "ssh":
        # Forges take a token in its place, and nobody can tell one from the other.
        return "the url has a user name in it, which may be a token", _HELPERS
    if scheme == "file":
        return None if authority in ("", "localhost") and re.fullmatch(r"/[^\n\r]+", rest) else unknown
    if "?" in rest or "#" in rest:
        return f"{shown(url)!r} has a query or a fragment, which may be a token", _HELPERS
    known = _HOST.fullmatch(host) and (not at or re.fullmatch(_USER, user)) and re.fullmatch(r"/\S+", rest)
    return None if known else unknown


def shown(url: str) -> str:
    """An address of the settings, whatever it may be, for people: without what stands before its last ``@``.

    The name of an account at an SSH server stays, as in ``git@example.org:path``: it is no secret.
    """
    kept = re.sub(r"[?#].*", "?***", url, flags=re.DOTALL)
    if re.fullmatch(rf"(ssh://)?{_USER}@[^@]*", kept) is None:
        kept = re.sub(r"^([A-Za-z][A-Za-z0-9+.-]*://)?.*@", r"\1***@", kept, flags=re.DOTALL)
    return _printable(kept)


def masked(text: str) -> str:
    """A text of git without user names, passwords and queries of addresses, without control characters."""
    return _printable(_IN_TEXT.sub(_without_secrets, text))


def _without_secrets(found: re.Match[str]) -> str:
    scheme, user, rest, query = found.groups()
    if user and (scheme.lower() != "ssh://" or re.search(r"[:@].", user)):
        user = "***@"
    return f"{scheme}{user or ''}{rest}" + ("?***" if query else "")


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() or char == "\n" else "?" for char in text)
