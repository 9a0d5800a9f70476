"""What Packer leaves of a secret where it has redacted another one that overlaps it, as in its own log."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from .forms import MIN_LENGTH, REDACTED
from .search import Span

_MARK = re.compile(re.escape(REDACTED.encode()))
_WORD = re.compile(rb"\w")


class Leftovers:
    """Finds the parts of secrets beside a mark of Packer's.

    Args:
        texts: the forms of secrets as they are written.
    """

    def __init__(self, texts: Iterable[bytes]) -> None:
        # A line's end stands before and after each, and is in the middle of one only where that has lines.
        self._texts = b"\n".join((b"", *texts, b""))

    def spans(self, data: bytes) -> Iterator[Span]:
        """Where a mark stands with what is left of a secret beside it.

        What is left has at least 4 bytes, or is the start or the end of a secret not within a longer word,
        or lies between two marks.
        """
        marks = [match.span() for match in _MARK.finditer(data)]
        begin = 0
        for number, (start, end) in enumerate(marks):
            line = data.rfind(b"\n", begin, start) + 1 or begin
            first = start - self._longest(data[line:start], at_end=True)
            if start - first < MIN_LENGTH and not self._is_start(data, first, start):
                first = start
            limit = marks[number + 1][0] if number + 1 < len(marks) else len(data)
            line = data.find(b"\n", end, limit)
            limit = limit if line < 0 else line
            last = end + self._longest(data[end:limit])
            between = last == limit and number + 1 < len(marks)
            if last - end < MIN_LENGTH and not between and not self._is_end(data, end, last):
                last = end
            if first < start or end < last:
                yield first, last
            begin = end

    def _longest(self, text: bytes, *, at_end: bool = False) -> int:
        """How many bytes at the start, or at the end, of a text are a part of a secret."""

        def is_part(size: int) -> bool:
            return (text[len(text) - size :] if at_end else text[:size]) in self._texts

        low, high = 0, 1
        while high <= len(text) and is_part(high):
            low, high = high, 2 * high
        high = min(high, len(text) + 1)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if is_part(middle) else (low, middle)
        return low

    def _is_start(self, data: bytes, first: int, end: int) -> bool:
        alone = not first or not _WORD.match(data, first - 1)
        return first < end and alone and b"\n" + data[first:end] in self._texts

    def _is_end(self, data: bytes, start: int, last: int) -> bool:
        return start < last and not _WORD.match(data, last) and data[start:last] + b"\n" in self._texts
