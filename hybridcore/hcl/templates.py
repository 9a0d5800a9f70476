"""The inside of strings: escapes, white space that markers strip, the indentation of ``<<-``, and directives."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from .lexer import DOLLAR, ESCAPE, GO_SPACE, PLAIN
from .nodes import Conditional, For, Join, Literal, Node, Template

_SPACES = GO_SPACE + "\r\n"
# A run of text as Packer's scanner cuts it: "~" strips no further than the run beside it.
_QUOTED_RUN = re.compile(rf"(?P<run>(?:{PLAIN}|{ESCAPE}){{1,1000}})|{DOLLAR}").match
_HEREDOC_RUN = re.compile(r"(?:\$\$\{|%%\{|[$%](?!\{)|[^$%\r\n]*+)(?:\r?\n)?").match
_ESCAPE = re.compile(r"\\(?:u(?P<short>.{4})|U(?P<long>.{8})|(?P<char>.))")
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

    line: int
    column: int
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


def _unescape(found: re.Match[str]) -> str:
    code = found["short"] or found["long"]
    return chr(int(code, 16)) if code else _CHARS[found["char"]]


def quoted_pieces(text: str, offset: int) -> tuple[list[tuple[int, str]], int]:
    """The runs of text of a quoted string from an offset on, and the offset of what ends them."""
    pieces = []
    while found := _QUOTED_RUN(text, offset):
        run = found.group()
        if found["run"]:
            run = _ESCAPE.sub(_unescape, run) if "\\" in run else run
        else:
            run = run.replace("$${", "${").replace("%%{", "%{")
        pieces.append((offset, run))
        offset = found.end()
    return pieces, offset


def heredoc_pieces(
    text: str, offset: int, marker: str, line_start: bool
) -> tuple[list[tuple[int, str]], int, bool]:
    """The runs of text of a heredoc from an offset on, the offset of what ends them, and whether that is the end."""
    pieces = []
    while True:
        if line_start:
            end = text.index("\n", offset)
            line = text[offset:end].removesuffix("\r")
            if line.strip(GO_SPACE) == marker:
                return pieces, offset + len(line), True
        found = _HEREDOC_RUN(text, offset)
        if not found or found.end() == offset:
            return pieces, offset, False
        run = found.group()
        pieces.append((offset, run.replace("$${", "${").replace("%%{", "%{")))
        offset = found.end()
        line_start = run.endswith("\n")


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
    parts, _ = _nest(iter(pieces))
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
    """Takes the indentation that all lines share from the runs at the beginning of lines."""
    indents: list[int] = []
    first_runs: list[int] = []
    line_start = True
    for index, piece in enumerate(pieces):
        value = piece.value if isinstance(piece, Text) else ""
        if line_start:
            rest = value.lstrip(_SPACES)
            if rest or not value.endswith("\n"):
                indents.append(len(value) - len(rest))
                if isinstance(piece, Text):
                    first_runs.append(index)
        line_start = value.endswith("\n")
    indent = min(indents, default=0)
    flushed = list(pieces)
    for index in first_runs:
        piece = flushed[index]
        if isinstance(piece, Text):
            flushed[index] = replace(piece, value=piece.value[indent:])
    return flushed


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
        other, _ = _nest(pieces)
    return Conditional(*place, node, content, Template(*place, other))
