"""The images of the state, taken up one at a time."""

from __future__ import annotations

import json
from collections.abc import MutableMapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .types import ImageEntry


class Entries(MutableMapping[str, "ImageEntry"]):
    """A mapping over lines ``"key": value`` of the state file, which parses what is looked at.

    It is no ``dict``, so that nothing in the interpreter copies it past these methods.

    Args:
        content: a text that holds the lines, each after a newline, with commas between them.
        start: where they begin in it, at the newline before the first one.
        end: where they end; equal to ``start`` when there is none.
    """

    def __init__(self, content: bytes, start: int, end: int) -> None:
        # The whole text, and places in it: to copy a megabyte costs more than to find a line.
        self._content = content
        self._start = start
        self._end = end
        self._places: dict[str, tuple[int, int] | None] = {}
        self._touched: dict[str, ImageEntry] = {}
        self._deleted: set[str] = set()

    def __getitem__(self, key: str) -> ImageEntry:
        if key not in self._touched:
            place = None if key in self._deleted else self._find(key)
            if place is None:
                raise KeyError(key)
            self._touched[key] = json.loads(self._content[place[0] : place[1]])
        return self._touched[key]

    def __setitem__(self, key: str, value: ImageEntry) -> None:
        self._touched[key] = value
        self._deleted.discard(key)

    def __delitem__(self, key: str) -> None:
        self[key]  # raises for a key that is not there
        del self._touched[key]
        self._deleted.add(key)

    def __iter__(self) -> Iterator[str]:
        stored = [key for key in self._lines() if key not in self._deleted]
        return iter(dict.fromkeys([*stored, *self._touched]))

    def __len__(self) -> int:
        return sum(1 for __ in self)

    def __repr__(self) -> str:
        return repr(dict(self))

    def render(
        self, encode: Callable[[object], str]
    ) -> tuple[list[bytes | memoryview], dict[str, ImageEntry]]:
        """The lines as they are now.

        Args:
            encode: gives the JSON of a value.

        Returns:
            The text in parts, and the entries that are not as they were in the file.
        """
        fresh: dict[str, ImageEntry] = {}
        places: list[tuple[int, int, bytes]] = []
        new: dict[str, bytes] = {}
        for key, value in self._touched.items():
            text = encode(value).encode()
            place = self._find(key)
            if place is None:
                new[key] = text
            elif self._content[place[0] : place[1]] != text:
                places.append((*place, text))
            else:
                continue
            fresh[key] = value
        if not new and not self._deleted:
            return self._splice(sorted(places)), fresh
        lines = self._lines()
        for key in fresh:
            lines[key] = f"\n{encode(key)}: ".encode() + encode(fresh[key]).encode()
        return [b",".join(lines[key] for key in sorted(lines) if key not in self._deleted)], fresh

    def _splice(self, places: list[tuple[int, int, bytes]]) -> list[bytes | memoryview]:
        whole = memoryview(self._content)
        parts: list[bytes | memoryview] = []
        at = self._start
        for start, end, text in places:
            parts += [whole[at:start], text]
            at = end
        return [*parts, whole[at : self._end]]

    def _find(self, key: str) -> tuple[int, int] | None:
        """Where the value of a key stands."""
        if key not in self._places:
            # A newline cannot stand inside a JSON string, so this finds the beginning of a line.
            mark = f"\n{json.dumps(key)}: ".encode()
            at = self._content.find(mark, self._start, self._end)
            end = self._content.find(b",\n", at + len(mark), self._end) if at >= 0 else -1
            place = (at + len(mark), self._end if end < 0 else end)
            self._places[key] = place if at >= 0 else None
        return self._places[key]

    def _lines(self) -> dict[str, bytes]:
        """The line of each key, with the newline before it; from then on none is searched for."""
        found: dict[str, bytes] = {}
        at = self._start + 1
        for line in self._content[at : self._end].split(b",\n") if at <= self._end else ():
            end = at + len(line)
            value = line.index(b'": ') + len(b'": ')
            key = json.loads(line[: value - len(b": ")])
            found[key] = b"\n" + line
            self._places[key] = (at + value, end)
            at = end + len(b",\n")
        return found
