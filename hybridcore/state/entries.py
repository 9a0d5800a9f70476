"""The images of the state, taken up one at a time."""

from __future__ import annotations

import json
from collections.abc import MutableMapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    Value = Any  # what JSON can hold


class Entries(MutableMapping[str, "Value"]):
    """A mapping over lines ``"key": value`` of the state file, which parses what is looked at.

    It is no ``dict``, so that nothing in the interpreter copies it past these methods.

    Args:
        block: the lines, each after a newline, with commas between them; empty for none.
    """

    def __init__(self, block: bytes) -> None:
        self._block = block
        self._touched: dict[str, Value] = {}
        self._deleted: set[str] = set()

    def __getitem__(self, key: str) -> Value:
        if key not in self._touched:
            place = None if key in self._deleted else self._find(key)
            if place is None:
                raise KeyError(key)
            self._touched[key] = json.loads(self._block[place[0] : place[1]])
        return self._touched[key]

    def __setitem__(self, key: str, value: Value) -> None:
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
        return sum(1 for _ in self)

    def __repr__(self) -> str:
        return repr(dict(self))

    def render(self, encode: Callable[[Value], str]) -> tuple[list[bytes | memoryview], dict[str, Value]]:
        """The lines as they are now.

        Args:
            encode: gives the JSON of a value.

        Returns:
            The text in parts, and the entries that are not as they were in the file.
        """
        fresh: dict[str, Value] = {}
        places: list[tuple[int, int, bytes]] = []
        new: dict[str, bytes] = {}
        for key, value in self._touched.items():
            text = encode(value).encode()
            place = self._find(key)
            if place is None:
                new[key] = text
            elif self._block[place[0] : place[1]] != text:
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
        whole = memoryview(self._block)
        parts: list[bytes | memoryview] = []
        at = 0
        for start, end, text in places:
            parts += [whole[at:start], text]
            at = end
        return [*parts, whole[at:]]

    def _find(self, key: str) -> tuple[int, int] | None:
        # A newline cannot stand inside a JSON string, so this finds the beginning of a line.
        mark = f"\n{json.dumps(key)}: ".encode()
        at = self._block.find(mark)
        if at < 0:
            return None
        end = self._block.find(b",\n", at + len(mark))
        return at + len(mark), len(self._block) if end < 0 else end

    def _lines(self) -> dict[str, bytes]:
        lines = (b"\n" + line for line in self._block[1:].split(b",\n") if line)
        return {json.loads(line[: line.index(b'": ') + 1]): line for line in lines}
