"""The regular expressions of Packer (RE2), as patterns of Python's ``re`` where both mean the same.

RE2 takes time linear in the text; ``re`` backtracks, and a hostile pattern could keep it busy for years. So
the ways in which a pattern can run through a text are counted before it runs. What has too many of them, and
what the two read differently, raises ``UnknownPattern`` and is left to Packer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_WORK = 100_000_000
"""Steps that a match may take, counted high: a fraction of a second."""
_MAX_SIZE = 1000  # of what is repeated, written out: RE2 refuses more
_MAX_DEPTH = 50

_SPACE = r"\t\n\f\r "  # without the vertical tab, which Python's \s takes
_POSIX = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "blank": r"\t ",
    "digit": "0-9",
    "lower": "a-z",
    "punct": r"!-/:-@\[-`{-~",
    "space": r"\t-\r ",
    "upper": "A-Z",
    "word": r"\w",
    "xdigit": "0-9A-Fa-f",
}
_CONTROLS = {"a": "\a", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_FLAGS = re.compile(r"\(\?([ims]+)\)").match
_GROUP = re.compile(r"\((?:\?P<[A-Za-z_][A-Za-z_0-9]*>|\?[ims]*:|(?!\?))").match
_REPEAT = re.compile(r"([*+?]|\{(\d+)(,?)(\d*)\})(\??)", re.ASCII).match
_CLASS = re.compile(r"\[(\^?)(\]?(?:\[:[a-z]+:\]|\\.|[^\]\\])*)\]", re.DOTALL).match
_ONE = r"(?:\\.|[^\\])"
_MEMBER = re.compile(rf"\[:([a-z]+):\]|(\\[dDwWsS])|({_ONE})(?:-({_ONE}))?", re.DOTALL).finditer


class UnknownPattern(Exception):
    """A pattern is wrong, uses what is not read here, or could take too long."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece of a pattern.

    Args:
        text: the piece as Python writes it.
        least: the fewest characters that it matches.
        size: its length when each counted repetition is written out.
        ways: the most ways to run through it on the given text.
    """

    text: str
    least: int
    size: int
    ways: int


def translate(pattern: str, text: str) -> re.Pattern[str]:
    """A pattern of Packer's as one of Python's that finds the same in a text, in bounded time.

    Args:
        pattern: as a template has it.
        text: what it will be matched with.

    Raises:
        UnknownPattern: only Packer can match this.
    """
    flags = ""
    start = 0
    if found := _FLAGS(pattern):
        flags, start = found[1], found.end()
    if not (text + pattern).isascii() and re.search(r"\(\?[ms]*i", pattern):
        raise UnknownPattern("upper and lower case beyond ASCII")
    translator = _Translator(pattern, start, len(text))
    part = translator.alternatives("m" in flags)
    if translator.at < len(pattern):
        raise UnknownPattern('unexpected ")"')
    if part.ways * (len(text) + 1) * (len(text) + len(part.text)) > MAX_WORK:
        raise UnknownPattern("matching could take too long")
    letters = "".join(letter for letter in flags if letter != "m")
    try:
        return re.compile(f"(?{letters}:{part.text})" if letters else part.text, re.ASCII)
    except (re.error, OverflowError) as error:
        raise UnknownPattern(str(error)) from None


class _Translator:
    """Reads a pattern from left to right; ``at`` is the place in it."""

    def __init__(self, pattern: str, at: int, length: int) -> None:
        self._pattern = pattern
        self._length = length
        self._depth = 0
        self.at = at

    def alternatives(self, lines: bool) -> _Part:
        """What stands between parentheses; ``lines`` tells whether ``^`` and ``$`` are those of lines."""
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise UnknownPattern("nested too deep")
        parts = [self._sequence(lines)]
        while self._pattern.startswith("|", self.at):
            self.at += 1
            parts.append(self._sequence(lines))
        self._depth -= 1
        return _Part(
            "|".join(part.text for part in parts),
            min(part.least for part in parts),
            sum(part.size for part in parts),
            sum(part.ways for part in parts),
        )

    def _sequence(self, lines: bool) -> _Part:
        texts, least, size, ways = [], 0, 0, 1
        while self.at < len(self._pattern) and self._pattern[self.at] not in "|)":
            part = self._repeated(self._atom(lines))
            texts.append(part.text)
            least += part.least
            size += part.size
            ways = min(ways * part.ways, MAX_WORK + 1)
        return _Part("".join(texts), least, size, ways)

    def _atom(self, lines: bool) -> _Part:
        character = self._pattern[self.at]
        if found := _GROUP(self._pattern, self.at):
            self.at = found.end()
            opening = found[0]
            inner = self.alternatives(lines or (opening.endswith(":") and "m" in opening))
            if not self._pattern.startswith(")", self.at):
                raise UnknownPattern('a missing ")"')
            self.at += 1
            if opening.endswith(":"):
                opening = opening.replace("m", "")
            return _Part(f"{opening}{inner.text})", inner.least, inner.size, inner.ways)
        if found := _CLASS(self._pattern, self.at):
            self.at = found.end()
            return _Part(f"[{found[1]}{_members(found[2])}]", 1, 1, 1)
        self.at += 1
        if character == "\\":
            return self._escape()
        if character in "([*+?":
            raise UnknownPattern(f'what "{character}" begins')
        if character == "^":
            return _Part("(?m:^)" if lines else r"\A", 0, 1, 1)
        if character == "$":
            return _Part("(?m:$)" if lines else r"\Z", 0, 1, 1)
        return _Part("." if character == "." else re.escape(character), 1, 1, 1)

    def _escape(self) -> _Part:
        letter = self._pattern[self.at : self.at + 1]
        self.at += 1
        if letter and letter in "AzbB":
            return _Part(r"\Z" if letter == "z" else f"\\{letter}", 0, 1, 1)
        if letter and letter in "sS":
            return _Part(f"[{_SPACE}]" if letter == "s" else f"[^{_SPACE}]", 1, 1, 1)
        return _Part(
            f"\\{letter}" if letter and letter in "dDwW" else re.escape(_letter(f"\\{letter}")), 1, 1, 1
        )

    def _repeated(self, part: _Part) -> _Part:
        found = _REPEAT(self._pattern, self.at)
        if not found:
            return part
        self.at = found.end()
        if _REPEAT(self._pattern, self.at):
            raise UnknownPattern("a repetition of a repetition")
        if not part.least:
            raise UnknownPattern("a repetition of what may be empty")
        sign, low, comma, high = found[1], found[2], found[3], found[4]
        if max(len(low or ""), len(high or "")) > 4:
            raise UnknownPattern("the numbers of a repetition")
        least = int(low) if low else int(sign == "+")
        most = int(high) if high else 1 if sign == "?" else self._length if comma or not low else least
        size = part.size * max(least, int(high or 1))
        if size > _MAX_SIZE or (high and not (comma and least <= most)):
            raise UnknownPattern("the numbers of a repetition")
        ways, each = 0, 1
        for count in range(min(most, self._length) + 1):
            ways += each if count >= least else 0
            each *= part.ways
            if ways + each > MAX_WORK:
                raise UnknownPattern("matching could take too long")
        return _Part(part.text + found[0], part.least * least, size, max(ways, each))


def _letter(text: str) -> str:
    """The character that stands for itself or is escaped."""
    if not text.startswith("\\"):
        return text
    letter = text[1:]
    if letter in _CONTROLS:
        return _CONTROLS[letter]
    if letter.isascii() and letter.isprintable() and letter and not letter.isalnum():
        return letter
    raise UnknownPattern(f"the escape {text}")


def _members(inside: str) -> str:
    """What stands between brackets, as Python writes it."""
    written = []
    for found in _MEMBER(inside):
        name, kind, low, high = found.groups()
        if name:
            if name not in _POSIX:
                raise UnknownPattern("an unknown class of characters")
            written.append(_POSIX[name])
        elif kind == r"\s":
            written.append(_SPACE)
        elif kind == r"\S":
            raise UnknownPattern(r"\S between brackets")
        elif kind:
            written.append(kind)
        elif high:
            if _letter(low) > _letter(high):
                raise UnknownPattern("a range in the wrong order")
            written.append(f"{re.escape(_letter(low))}-{re.escape(_letter(high))}")
        else:
            written.append(re.escape(_letter(low)))
    return "".join(written)
