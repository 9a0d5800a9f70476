"""The letters and words of HCL2: patterns, positions in a text, and errors that point into it."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right

from ..errors import HclError

MAX_BYTES = 32 * 1024 * 1024
"""The largest text that is read."""
MAX_DEPTH = 200
"""How deep brackets, blocks, templates and operators may nest; trees of them are walked by recursion."""

# A CR stands only before LF, or in a comment. A lone one becomes this mark before anything is read, so that
# patterns may take CR for white space; like every surrogate it is then refused everywhere but in comments.
LONE_CR_MARK = "\udc0d"
_LONE_CR = re.compile(r"\r(?!\n)")

SURROGATES = r"\ud800-\udfff"
ASCII_NAME = r"[A-Za-z_][A-Za-z0-9_-]*+"
PATH = rf"{ASCII_NAME}(?:\.{ASCII_NAME})*"
# Longest match of the scanner; not all of it is a number ("1.2.3"), see is_number_text.
NUMBER = r"[0-9](?:(?:[0-9.]|[eE][+-]?[0-9])*(?:[0-9]|[eE][+-]?[0-9]))?"
_NUMBER_TEXT = re.compile(r"(?P<digits>[0-9]+(?:\.[0-9]*)?)(?:[eE](?P<exponent>[+-]?[0-9]+))?").fullmatch
PLAIN = rf'[^"\\$%\r\n{SURROGATES}]++'
ESCAPE = (
    r"\\(?:[nrt\"\\]|u(?![dD][89a-fA-F])[0-9A-Fa-f]{4}"
    r"|U(?:0010|000(?!0[dD][89a-fA-F])[0-9A-Fa-f])[0-9A-Fa-f]{4})"
)
DOLLAR = r"\$\$\{|%%\{|[$%](?!\{)"
# A quoted string without control sequences and with no interpolation but a plain path such as ${var.name}.
# All repetitions of groups are bounded: the engine keeps a record for each round.
SIMPLE_STRING = rf'"(?:{PLAIN}|\\[nrt"\\]|[$%](?![{{$%])|\$\{{[ \t]*+{PATH}[ \t]*+\}}){{0,50}}"'
# The expressions that fill most of a real file. Its user must check what follows one.
SIMPLE_VALUE = rf"(?:{SIMPLE_STRING}|-?[0-9]+(?:\.[0-9]+)?|{PATH})"

# White space as Go has it, without CR and LF: what may stand around the closing word of a heredoc.
GO_SPACE = "\t\x0b\x0c \x85\xa0\u1680\u2028\u2029\u202f\u205f\u3000"
GO_SPACE += "".join(map(chr, range(0x2000, 0x200B)))

# Letters, digits, "_" and "-", and all that is beyond ASCII; `name_at` sorts out what no name may hold.
_NAME = re.compile(
    rf"[^\x00-\x40\x5b-\x5e\x60\x7b-\x7f{SURROGATES}]"
    rf"[^\x00-\x2c\x2e\x2f\x3a-\x40\x5b-\x5e\x60\x7b-\x7f{SURROGATES}]*+"
)
_BLANK = re.compile(r"[ \t\r\n]*+")
_SPACE = re.compile(r"[ \t\r]*+")
_LINE_COMMENTS = re.compile(r"(?:(?:\#|//)[^\n]*+[ \t\r\n]*+){1,200}")


class Document:
    """A text with its name, which knows line and column of each offset."""

    __slots__ = ("_closing", "_lines", "filename", "text")

    def __init__(self, text: str, filename: str) -> None:
        if text.startswith("\ufeff"):
            text = text[1:]
        self.text = _LONE_CR.sub(LONE_CR_MARK, text) if "\r" in text else text
        self.filename = filename
        self._lines: array[int] | None = None
        # The last search for each heredoc marker, or nested heredocs would search the same lines many times.
        self._closing: dict[str, tuple[int, tuple[int, int]]] = {}

    def position(self, offset: int) -> tuple[int, int]:
        """Line and column, both from 1, of the character at an offset."""
        if self._lines is None:
            starts = array("Q", [0])
            starts.extend(found.end() for found in re.finditer("\n", self.text))
            self._lines = starts
        line = bisect_right(self._lines, offset)
        return line, offset - self._lines[line - 1] + 1

    def error(self, offset: int, message: str) -> HclError:
        """An error that points at an offset of the text."""
        offset = min(offset, len(self.text))
        line, column = self.position(offset)
        start = self.text.rfind("\n", 0, offset) + 1
        start = max(start, offset - 80)
        source = self.text[start : start + 120].replace(LONE_CR_MARK, "\r")
        source = re.split(r"[\r\n]", source, maxsplit=1)[0]
        return HclError(
            message,
            filename=self.filename,
            line=line,
            column=column,
            source_line=source.encode("utf-8", "backslashreplace").decode("utf-8"),
        )

    def found(self, offset: int) -> str:
        """The character at an offset, in words for a message."""
        if offset >= len(self.text):
            return "the end of the file"
        character = self.text[offset]
        if character in "\r\n":
            return "the end of the line"
        if character == LONE_CR_MARK:
            return "a carriage return without line feed"
        if "\ud800" <= character <= "\udfff":
            return "bytes that are not UTF-8"
        name = name_at(self.text, offset)
        if name:
            return f'"{name[:40]}"'
        return f'"{character}"' if character.isprintable() else f"the character U+{ord(character):04X}"

    def closing_line(self, offset: int, marker: str) -> tuple[int, int]:
        """Where a heredoc ends: the start of the line with only its marker, and the offset after the marker.

        Args:
            offset: the start of the line to begin with.
            marker: the word behind ``<<``.

        Returns:
            Both -1 where there is no such line; it must end with a line feed.
        """
        searched, found = self._closing.get(marker, (offset + 1, (0, 0)))
        if not (searched <= offset <= found[0] or (found[0] < 0 and searched <= offset)):
            found = _closing_line(self.text, offset, marker)
            self._closing[marker] = offset, found
        return found


def _closing_line(text: str, offset: int, marker: str) -> tuple[int, int]:
    while (found := text.find(marker, offset)) >= 0:
        start = text.rfind("\n", offset, found) + 1 or offset
        end = text.find("\n", found)
        if end < 0:
            break
        if text[start:end].removesuffix("\r").strip(GO_SPACE) == marker:
            return start, end - 1 if text[end - 1] == "\r" else end
        offset = end + 1
    return -1, -1


def name_at(text: str, offset: int) -> str:
    """The identifier that starts at an offset, or an empty string."""
    found = _NAME.match(text, offset)
    if not found:
        return ""
    name = found.group()
    if name.isascii():
        return name
    if not name[0].isidentifier():
        return ""
    for index, character in enumerate(name):
        if character != "-" and not f"_{character}".isidentifier():
            return name[:index]
    return name


def is_number_text(text: str) -> bool:
    """Whether digits, dots and exponents are a number, and one whose exponent Packer can hold."""
    found = _NUMBER_TEXT(text)
    if not found or len(text) < 10:
        return bool(found)
    exponent = (found["exponent"] or "").lstrip("+-0")
    if not found["digits"].strip("0."):
        return len(exponent) <= 18
    return len(exponent) <= 10 and int(exponent or 0) < 2**31 - 1


def skip(text: str, offset: int, *, newlines: bool) -> int:
    """The offset after white space and comments.

    Args:
        text: the whole text.
        offset: where to begin.
        newlines: whether line ends are white space too; if not, a line comment is not skipped, for it ends
            its line.
    """
    blank = (_BLANK if newlines else _SPACE).match
    while True:
        found = blank(text, offset)
        offset = found.end() if found else offset
        if newlines and (comments := _LINE_COMMENTS.match(text, offset)):
            offset = comments.end()
        elif text.startswith("/*", offset):
            end = text.find("*/", offset + 2)
            if end < 0:
                return offset
            offset = end + 2
        else:
            return offset


def end_of_line(text: str, offset: int) -> int:
    """The offset after the line end at an offset, a comment before it included; -1 if there is none."""
    offset = skip(text, offset, newlines=False)
    if text.startswith(("#", "//"), offset):
        offset = text.find("\n", offset)
        return offset + 1 if offset >= 0 else len(text)
    if offset >= len(text):
        return offset
    return offset + 1 if text[offset] == "\n" else -1
