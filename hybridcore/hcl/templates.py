"""The inside of strings: escapes, white space that markers strip, indentation of ``<<-``, and directives."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from .constructs import QUOTED
from .lexer import GO_SPACE
from .nodes import Conditional, For, Join, Literal, Node, Template

_SPACES = GO_SPACE + "\r\n"
_DECODED = re.compile(r"\$\$\{|%%\{|\\(?:u(?P<short>.{4})|U(?P<long>.{8})|(?P<char>.))")
_DOUBLED = re.compile(r"\$\$\{|%%\{")
_CHARS = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}


@dataclass(frozen=True, slots=True)
class Text:
    """A run of literal text."""

    line: int
    column: int
    value: str


@dataclass(frozen=True, slots=True)
class Interpolation:
    """``${ ... }``; ``strip`` on a side takes the white space there."""

    node: Node
    strip_left: bool
    strip_right: bool


@dataclass(frozen=True, slots=True)
class Mark:
    """``%{ ... }``: its word, and the names and the expression behind it."""

    line: int
    column: int
    word: str
    node: Node | None
    names: tuple[str, str]
    strip_left: bool
    strip_right: bool


def _decode(found: re.Match[str]) -> str:
    code = found["short"] or found["long"]
    if code:
        return chr(int(code, 16))
    return _CHARS[found["char"]] if found["char"] else found.group()[1:]


def quoted_text(text: str, offset: int) -> tuple[str, int]:
    """The text of a quoted string up to its end or the next sequence, and the offset of that."""
    end = offset
    while found := QUOTED(text, end):
        end = found.end()
    raw = text[offset:end]
    return (_DECODED.sub(_decode, raw) if "\\" in raw or "{" in raw else raw), end


def heredoc_texts(text: str, offset: int, end: int) -> list[tuple[int, str]]:
    """The text of a heredoc between two offsets, in up to three runs.

    The rest of the first line and the part of the last one are runs of their own: "~" strips no further.
    """
    first = text.find("\n", offset, end) + 1 or end
    last = max(text.rfind("\n", offset, end) + 1, first)
    cuts = ((offset, first), (first, last), (last, end))
    return [(a, _DOUBLED.sub(lambda found: found.group()[1:], text[a:b])) for a, b in cuts if a < b]


def assemble(pieces: list[Text | Interpolation | Mark], place: tuple[int, int], *, flush: bool) -> Node:
    """The tree of a string.

    Args:
        pieces: its runs of text, interpolations and directives, in order.
        place: line and column of the string.
        flush: whether the common indentation of its lines is taken away (``<<-``).
    """
    pieces = _strip(pieces)
    if flush:
        pieces = _flush(pieces)
    if len(pieces) == 1 and isinstance(pieces[0], Interpolation):
        return pieces[0].node
    if all(isinstance(piece, Text) for piece in pieces):
        return Literal(*place, "".join(piece.value for piece in pieces if isinstance(piece, Text)))
    parts, __ = _nest(iter(pieces))
    return Template(*place, parts)


def _strip(pieces: list[Text | Interpolation | Mark]) -> list[Text | Interpolation | Mark]:
    stripped: list[Text | Interpolation | Mark] = []
    for index, piece in enumerate(pieces):
        if isinstance(piece, Text):
            value = piece.value
            before = pieces[index - 1] if index else None
            after = pieces[index + 1] if index + 1 < len(pieces) else None
            if isinstance(before, (Interpolation, Mark)) and before.strip_right:
                value = value.lstrip(_SPACES)
            if isinstance(after, (Interpolation, Mark)) and after.strip_left:
                value = value.rstrip(_SPACES)
            piece = replace(piece, value=value)
        stripped.append(piece)
    return stripped


def _flush(pieces: list[Text | Interpolation | Mark]) -> list[Text | Interpolation | Mark]:
    """Takes the indentation that all lines share from the beginning of each line that is not blank."""
    indent = min(_indents(pieces), default=0)
    flushed: list[Text | Interpolation | Mark] = []
    line_start = True
    for piece in pieces:
        if isinstance(piece, Text) and indent:
            lines = piece.value.split("\n")
            for index, line in enumerate(lines):
                blank = index < len(lines) - 1 and not line.strip(_SPACES)
                if not blank and (line_start or index):
                    lines[index] = line[indent:]
            piece = replace(piece, value="\n".join(lines))
        line_start = isinstance(piece, Text) and piece.value.endswith("\n")
        flushed.append(piece)
    return flushed


def _indents(pieces: list[Text | Interpolation | Mark]) -> Iterator[int]:
    """The indentation of each line that is not blank."""
    line_start = True
    for piece in pieces:
        lines = piece.value.split("\n") if isinstance(piece, Text) else [""]
        ended = len(lines) > 1 and not lines[-1]
        for index, line in enumerate(lines[:-1] if ended else lines):
            rest = line.lstrip(_SPACES)
            if (line_start or index) and (rest or index == len(lines) - 1):
                yield len(line) - len(rest)
        line_start = ended


def _nest(pieces: Iterator[Text | Interpolation | Mark]) -> tuple[tuple[Node, ...], str]:
    """The nodes up to the directive that ends this level, and its word."""
    parts: list[Node] = []
    for piece in pieces:
        if isinstance(piece, Text):
            parts.append(Literal(piece.line, piece.column, piece.value))
        elif isinstance(piece, Interpolation):
            parts.append(piece.node)
        elif piece.node is None:
            return tuple(parts), piece.word
        else:
            parts.append(_directive(piece, piece.node, pieces))
    return tuple(parts), ""


def _directive(mark: Mark, node: Node, pieces: Iterator[Text | Interpolation | Mark]) -> Node:
    place = (mark.line, mark.column)
    inner, word = _nest(pieces)
    content = Template(*place, inner)
    if mark.word == "for":
        return Join(*place, For(*place, *mark.names, node, None, content, None, False))
    other: tuple[Node, ...] = ()
    if word == "else":
        other, __ = _nest(pieces)
    return Conditional(*place, node, content, Template(*place, other))
