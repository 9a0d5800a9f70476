"""What ``packer build -machine-readable`` prints, as typed events, and what they say together.

A line is ``timestamp,build,type,data...`` with ``%!(PACKER_COMMA)`` for a comma, and ``\\n`` and ``\\r``
as two characters. The encoding loses information: a newline and a literal backslash followed by an
``n`` look the same. Packer prints sensitive variables here in clear: mask what is shown of it, not what is
parsed, since a secret may be a name or a word of the protocol.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from ...process.forms import COMMA

if TYPE_CHECKING:
    from typing import TypeAlias

_LINE = re.compile(r"\d{9,12},([^,]*),([a-z][a-z0-9-]*),?(.*)", re.DOTALL)
_UI_KINDS = frozenset(("say", "message", "error"))


class Ui(NamedTuple):
    """A message for people. ``kind`` is ``say`` or ``error`` for Packer's own, ``message`` for details."""

    kind: str
    text: str


class ArtifactCount(NamedTuple):
    """How many artifacts a build left."""

    build: str
    total: int


class ArtifactField(NamedTuple):
    """One property of the artifact with the given number: ``id``, ``builder-id``, ``file``, ``end``..."""

    build: str
    number: int
    name: str
    values: tuple[str, ...]


class BuildError(NamedTuple):
    """A build failed, with Packer's message."""

    build: str
    message: str


class ErrorCount(NamedTuple):
    """How many builds failed."""

    total: int


class Unknown(NamedTuple):
    """A machine-readable line of a type that we do not use, or one that was cut."""

    build: str
    type: str
    values: tuple[str, ...]


class Text(NamedTuple):
    """A line that is not machine-readable: a log line, a Go panic, or the rest of a cut line."""

    text: str


Event: TypeAlias = "Ui | ArtifactCount | ArtifactField | BuildError | ErrorCount | Unknown | Text"


def unescape(text: str) -> str:
    """Undo the encoding of machine-readable data as far as it can be undone.

    Args:
        text: one field.

    Returns:
        The text with its commas and newlines; carriage returns before a newline are dropped.
    """
    if "%" in text:
        text = text.replace(COMMA, ",")
    if "\\" in text:
        text = text.replace("\\r\\n", "\n").replace("\\n", "\n").replace("\\r", "\r")
    return text


def parse_line(line: bytes | str) -> Event:
    """Parse one line.

    Args:
        line: with or without its end. Bytes that are not UTF-8 become U+FFFD.

    Returns:
        The event; ``Text`` for whatever is not machine-readable, and never an error.
    """
    if isinstance(line, bytes):
        line = line.decode("utf-8", "replace")
    line = line.rstrip("\r\n")
    match = _LINE.fullmatch(line)
    if match is None:
        return Text(line)
    build, kind, rest = match.groups()
    if kind == "ui":
        shown, __, text = rest.partition(",")
        if shown in _UI_KINDS:
            return Ui(shown, unescape(text))
    values = tuple(unescape(value) for value in rest.split(",")) if rest else ()
    event = _typed(build, kind, values)
    return Unknown(build, kind, values) if event is None else event


def _typed(build: str, kind: str, values: tuple[str, ...]) -> Event | None:
    first = values[0] if values else ""
    if kind == "artifact" and len(values) >= 2 and first.isdecimal():
        return ArtifactField(build, int(first), values[1], values[2:])
    if kind == "artifact-count" and first.isdecimal():
        return ArtifactCount(build, int(first))
    if kind == "error" and values:
        return BuildError(build, ",".join(values))
    if kind == "error-count" and first.isdecimal():
        return ErrorCount(int(first))
    return None


def human(event: Event) -> str | None:
    """The text that people read for an event.

    Args:
        event: any event.

    Returns:
        One or several lines, as Packer itself shows them: ``==> qemu.debian-12: Starting VM``; None
        for what is meant for programs (Packer repeats it for people).
    """
    if isinstance(event, Ui | Text):
        return event.text
    return None


# It starts with the line's end before it: a literal is searched several times as fast as ``^``.
_HEADER = re.compile(rb"\n\d{9,12},[^,\n]*,ui,(?:say|message|error),")


def human_lines(chunk: bytes) -> bytes:
    """The same as ``human`` for many lines at once, and much faster.

    Args:
        chunk: complete lines.

    Returns:
        What people read, in complete lines. Lines for programs stay as they are.
    """
    chunk = _HEADER.sub(b"\n", b"\n" + chunk)[1:]
    if b"%!(" in chunk:
        chunk = chunk.replace(COMMA.encode(), b",")
    if b"\\n" in chunk:
        chunk = chunk.replace(b"\\r\\n", b"\n").replace(b"\\n", b"\n")
    return chunk
