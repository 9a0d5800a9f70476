"""Where the forms of secrets lie in a text, however its white space was changed.

Every form holds, at a known place, a *key* of up to four bytes that starts with a byte that is rare in
output. One regular expression finds the keys; only where one is found is its form compared, word by word:
whoever breaks lines puts the break where a blank was. So output without secrets is searched at the speed of a
character class. From there on the text is compared as a whole, its white space made one blank each, so that
the words of a long secret cost next to nothing, also where they repeat.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from .forms import COMMA, MIN_LENGTH, REDACTED

Span = tuple[int, int]

_KEY = 4
_BLANK = b" \t\r\n\v\f"
# As machine-readable output, JSON and others write white space.
_ESCAPED_BLANK = (b"\\n", b"\\r", b"\\t")
_BLANKS = re.compile(rb"(?:[ \t\r\n\v\f]|\\[nrt])+")
# All but a single blank.
_OTHER_BLANKS = re.compile(rb"(?: (?=[ \t\r\n\v\f\\])|[\t\r\n\v\f]|\\[nrt])(?:[ \t\r\n\v\f]|\\[nrt])*")
# Bytes of white space that are allowed for between two words when the length of a form is estimated.
_GAP = 64
# The key of a form is chosen from this many of its first bytes.
_LOOKED_AT = 64
_BASE64 = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_")
# Parts of what Packer prints all the time: a key that is one of them would match everywhere, and so sort out
# nothing.
_FREQUENT = frozenset(
    text[at : at + size]
    for text in (COMMA.encode(), REDACTED.encode())
    for size in range(1, _KEY + 1)
    for at in range(len(text))
)


class _Form(NamedTuple):
    """A form, by its words; the key starts in word number ``nth``, ``offset`` bytes after its start.

    ``lead`` and ``trail`` say how many blanks the form has around its words. ``rest`` is what follows that
    word, with one blank before each further one.
    """

    words: tuple[bytes, ...]
    rest: bytes = b""
    is_run: bool = False
    lead: int = 0
    trail: int = 0
    nth: int = 0
    offset: int = 0


class Search:
    """Finds forms.

    Args:
        texts: forms as they are written.
        runs: inner parts of base64, whose neighbours hold bits of the secret too.
    """

    def __init__(self, texts: Iterable[bytes], runs: Iterable[bytes]) -> None:
        found: dict[tuple[bytes, ...], _Form] = {}
        for form in map(_form, texts):
            known = found.get(form.words, form)
            lead, trail = max(form.lead, known.lead), max(form.trail, known.trail)
            found[form.words] = form._replace(lead=lead, trail=trail)
        for run in runs:
            found.setdefault((run,), _Form((run,), is_run=True))
        self._forms = _with_keys(list(found.values()))
        self._table: dict[bytes, list[_Form]] = {}
        for form in self._forms:
            key = form.words[form.nth][form.offset : form.offset + _KEY]
            self._table.setdefault(key, []).append(form)
        self._sizes = sorted({len(key) for key in self._table}, reverse=True)
        self._probe = _compile(self._table)
        self.longest = max((_longest(form.words) for form in self._forms), default=0)

    def may_be_in(self, data: bytes) -> bool:
        """Whether a form may be in a text: a quick look, which errs on the side of yes."""
        return self._probe.search(data) is not None

    def spans(self, data: bytes) -> Iterator[Span]:
        """Where each form lies, overlapping ones too, in no order."""
        narrow = _Narrow(data)
        for match in self._probe.finditer(data):
            key = match.start()
            for size in self._sizes:
                for form in self._table.get(data[key : key + size], ()):
                    span = _compare(narrow, key, form)
                    if span is not None:
                        yield _widen(data, *span) if form.is_run else _with_blanks(data, *span, form)

    def starts(self, data: bytes, end: int) -> Iterator[Span]:
        """The starts of forms, of at least 4 bytes, that ``end`` cuts off.

        Args:
            data: a text of which more is known than is shown.
            end: where what is shown ends.
        """
        for form in self._forms:
            first = form.words[0][:_KEY]
            at = data.find(first, max(0, end - _longest(form.words)), end)
            while at >= 0:
                if end - at >= MIN_LENGTH and _is_start(data, at, end, form.words):
                    yield at, end
                    break
                at = data.find(first, at + 1, end)


def _form(text: bytes) -> _Form:
    """A form by its words; in one of hardly any, its white space must be there too."""
    words = tuple(filter(None, _BLANKS.split(text)))
    if sum(map(len, words)) < MIN_LENGTH:
        return _Form((text,))
    return _Form(words, lead=text.index(words[0]), trail=len(text) - text.rindex(words[-1]) - len(words[-1]))


def _longest(words: tuple[bytes, ...]) -> int:
    return sum(map(len, words)) + (len(words) - 1) * _GAP


class _Narrow:
    """A text, and the same with one blank for all white space that is together; made when it is needed.

    Args:
        data: the text.
    """

    def __init__(self, data: bytes) -> None:
        self.data = data
        self._text: bytes | None = None
        # Where each run of white space that is more than one blank ends: in the text, and in the narrow text.
        self._ends: list[int] = []
        self._narrow_ends: list[int] = []

    def after(self, end: int, rest: bytes) -> int | None:
        """Where ``rest`` ends, which has single blanks, if it follows a place of the text."""
        if self._text is None:
            self._text = _OTHER_BLANKS.sub(b" ", self.data)
            gone = 0
            for match in _OTHER_BLANKS.finditer(self.data):
                gone += match.end() - match.start() - 1
                self._ends.append(match.end())
                self._narrow_ends.append(match.end() - gone)
        before = bisect_right(self._ends, end)
        at = end - (self._ends[before - 1] - self._narrow_ends[before - 1] if before else 0)
        if not self._text.startswith(rest, at):
            return None
        at += len(rest)
        before = bisect_left(self._narrow_ends, at)
        return at + (self._ends[before - 1] - self._narrow_ends[before - 1] if before else 0)


def _compare(narrow: _Narrow, key: int, form: _Form) -> Span | None:
    """The span of the form whose key was found; None where the key stands there alone."""
    data, words = narrow.data, form.words
    start = key - form.offset
    if start < 0 or not data.startswith(words[form.nth], start):
        return None
    end = start + len(words[form.nth])
    if form.rest:
        after = narrow.after(end, form.rest)
        if after is None:
            return None
        end = after
    for word in reversed(words[: form.nth]):
        before = _before_blanks(data, start)
        if before == start or not data.endswith(word, 0, before):
            return None
        start = before - len(word)
    return start, end


def _is_start(data: bytes, at: int, end: int, words: tuple[bytes, ...]) -> bool:
    """Whether a form begins at a place, and goes on beyond the end."""
    for word in words:
        if end - at < len(word):
            return word.startswith(data[at:end])
        if not data.startswith(word, at):
            return False
        at = _after_blanks(data, at + len(word))
        if at >= end:
            return True
    return False


def _after_blanks(data: bytes, at: int) -> int:
    limit = min(len(data), at + _GAP)
    while at < limit:
        if data[at] in _BLANK:
            at += 1
        elif data.startswith(_ESCAPED_BLANK, at):
            at += 2
        else:
            break
    return at


def _before_blanks(data: bytes, at: int) -> int:
    limit = max(0, at - _GAP)
    while at > limit:
        if data[at - 1] in _BLANK:
            at -= 1
        elif data.endswith(_ESCAPED_BLANK, 0, at):
            at -= 2
        else:
            break
    return at


def _widen(data: bytes, start: int, end: int) -> Span:
    """Take in the neighbours of a base64 run: they share bits with the secret."""
    if start and data[start - 1] in _BASE64:
        start -= 1
    if end < len(data) and data[end] in _BASE64:
        end += 1
    while end < len(data) and data[end] == 0x3D:
        end += 1
    return start, end


def _with_blanks(data: bytes, start: int, end: int, form: _Form) -> Span:
    """Take in the blanks that belong to the secret; the ends of lines stay."""
    first, last = max(0, start - form.lead), end + form.trail
    while start > first and (data[start - 1] in b" \t" or data.endswith(_ESCAPED_BLANK, first, start)):
        start -= 1 if data[start - 1] in b" \t" else 2
    while end < last and (data[end : end + 1] in (b" ", b"\t") or data.startswith(_ESCAPED_BLANK, end, last)):
        end += 1 if data[end] in b" \t" else 2
    return start, end


def merge(spans: Iterable[Span]) -> list[Span]:
    """Join spans that overlap or touch, so that no remainder of a secret stays between two masks."""
    merged: list[Span] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            if end > merged[-1][1]:
                merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return merged


def _weight(byte: int) -> float:
    """How frequent a byte is in the output of builds, roughly, in parts per thousand."""
    char = chr(byte)
    if char in " etaoinsr":
        return 60.0
    if char in "ldcumph-./:\n":
        return 25.0
    if char.islower() and byte < 128:
        return 12.0
    if char.isdigit() or char in ",_=()[]\"'":
        return 10.0
    return 1.5


def _with_keys(forms: list[_Form]) -> list[_Form]:
    """Choose in each form where its key starts, so that few and rare bytes start all the keys.

    A greedy weighted set cover: again and again the byte that starts a key in the most forms not yet
    covered, for its frequency.
    """
    places = [_places(form.words) for form in forms]
    counts: dict[int, int] = {}
    for found in places:
        for byte in found:
            counts[byte] = counts.get(byte, 0) + 1
    chosen = list(forms)
    left = list(range(len(forms)))
    while left:
        best = max(counts, key=lambda byte: (counts[byte] / _weight(byte), byte))
        for number in left:
            if best in places[number]:
                nth, offset = places[number][best]
                rest = b"".join(b" " + word for word in forms[number].words[nth + 1 :])
                chosen[number] = forms[number]._replace(nth=nth, offset=offset, rest=rest)
                for byte in places[number]:
                    counts[byte] -= 1
        left = [number for number in left if best not in places[number]]
    return chosen


def _places(words: tuple[bytes, ...]) -> dict[int, tuple[int, int]]:
    """Where the longest keys of a form may start: word and offset, by the first byte of the key."""
    looked_at = 0
    found: dict[int, tuple[int, int]] = {}
    # A key is as long as the longest word allows: a short one would match too often.
    size = min(_KEY, max(map(len, words)))
    for index, word in enumerate(words):
        for offset in range(min(len(word), _LOOKED_AT) - size + 1):
            key = word[offset : offset + size]
            if key not in _FREQUENT:
                found.setdefault(key[0], (index, offset))
        looked_at += len(word)
        if found and looked_at >= _LOOKED_AT:
            break
    if not found:
        index = max(range(len(words)), key=lambda number: len(words[number]))
        found[words[index][0]] = (index, 0)
    return found


def _compile(keys: Iterable[bytes]) -> re.Pattern[bytes]:
    """A pattern that stops wherever a key may be, and consumes one byte, so that no key hides another.

    It knows which bytes follow at each place of the keys with the same first byte, not which of them follow
    each other: so it is as short for thousands of keys as for one.
    """
    by_first: dict[int, list[bytes]] = {}
    for key in keys:
        by_first.setdefault(key[0], []).append(key[1:])
    parts = []
    for first, rests in sorted(by_first.items()):
        follow = [sorted(set(column)) for column in zip(*rests, strict=False)]
        ahead = b"".join(_class(column) for column in follow)
        parts.append(_class([first]) + (b"(?=" + ahead + b")" if ahead else b""))
    # Without any key the pattern matches nowhere.
    return re.compile(b"|".join(parts) or rb"(?!)", re.DOTALL)


def _class(members: list[int]) -> bytes:
    escaped = b"".join(b"\\x%02x" % byte for byte in members)
    return escaped if len(members) == 1 else b"[" + escaped + b"]"
