"""The order of versions of packages, as the distribution has it: as keys that Python compares.

Sources: deb-version(7); ``rpmvercmp``, as the section "Version Comparison" of rpm's manual describes it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Key = Callable[[str], Any]

_DEBIAN_PAIR = re.compile(r"([^0-9]*)([0-9]*)").findall
_DEBIAN_END = ((0,), (0, ""))
_RPM_SEGMENT = re.compile(r"[0-9]+|[A-Za-z]+|~|\^").findall
_RPM_END = (0,)
_RPM_SIGNS = {"~": (-1,), "^": (1,)}  # before the end of a version, and right behind it


def debian_key(version: str) -> tuple[Any, ...]:
    """What versions of Debian's packages are sorted by.

    Args:
        version: ``[epoch:]upstream[-revision]``.
    """
    epoch, colon, rest = version.partition(":")
    if not colon:
        epoch, rest = "0", version
    upstream, dash, revision = rest.rpartition("-")
    if not dash:
        upstream, revision = rest, ""
    return (_number(epoch), _debian_part(upstream), _debian_part(revision))


def _debian_part(text: str) -> tuple[Any, ...]:
    """Pairs of what is no digit, by the order of its characters, and the number behind it."""
    pairs = [(_debian_order(other), _number(digits)) for other, digits in _DEBIAN_PAIR(text)]
    while len(pairs) > 1 and pairs[-1] == _DEBIAN_END:
        pairs.pop()  # nothing and 0 are the same
    return (*pairs, _DEBIAN_END)


def _debian_order(text: str) -> tuple[int, ...]:
    """A tilde comes before the end, the end before letters, letters before everything else."""
    return (
        *(
            -1 if sign == "~" else ord(sign) + (0 if sign.isascii() and sign.isalpha() else 256)
            for sign in text
        ),
        0,
    )


def rpm_key(version: str) -> tuple[Any, ...]:
    """What versions of RPM's packages are sorted by.

    Args:
        version: ``[epoch:]version[-release]``.
    """
    epoch, colon, rest = version.partition(":")
    if not colon:
        epoch, rest = "0", version
    upstream, __, release = rest.partition("-")
    return (_number(epoch), _rpm_part(upstream), _rpm_part(release))


def _rpm_part(text: str) -> tuple[Any, ...]:
    """Its segments: numbers come after letters, both after the end of a version; separators do not count."""
    segments: list[Any] = []
    for segment in _RPM_SEGMENT(text):
        if segment in _RPM_SIGNS:
            segments.append(_RPM_SIGNS[segment])
        elif segment.isdigit():
            segments.append((3, *_number(segment)))
        else:
            segments.append((2, segment))
    return (*segments, _RPM_END)


def _number(digits: str) -> tuple[int, str]:
    """A number of any length by its size: Python reads no number of more than 4,300 digits."""
    digits = digits.lstrip("0")
    return len(digits), digits


KEYS: dict[str, Key] = {"deb": debian_key, "rpm": rpm_key}
"""The key of each kind of package, by the type of its purl."""
