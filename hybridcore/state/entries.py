"""A part of the state that is parsed an entry at a time, when it is looked at."""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from _collections_abc import dict_items, dict_values
    from collections.abc import Iterator
    from typing import Any

    Value = Any  # what JSON can hold


class Entries(dict[str, "Value"]):
    """A dict that parses a value when it is first looked at.

    Args:
        lines: the JSON text of each value, by its key.
    """

    def __init__(self, lines: dict[str, bytes]) -> None:
        super().__init__(dict.fromkeys(lines))
        self.lines = lines

    def __getitem__(self, key: str) -> Value:
        line = self.lines.pop(key, None)
        if line is not None:
            super().__setitem__(key, json.loads(line))
        return super().__getitem__(key)

    def __setitem__(self, key: str, value: Value) -> None:
        self.lines.pop(key, None)
        super().__setitem__(key, value)

    def __delitem__(self, key: str) -> None:
        super().__delitem__(key)
        self.lines.pop(key, None)

    def __iter__(self) -> Iterator[str]:
        # As it would be anyway; but that it is defined keeps dict() and {**this} from copying
        # values past __getitem__.
        return super().__iter__()

    def get(self, key: str, default: Value = None) -> Value:
        """The value of a key, or else the default."""
        try:
            return self[key]
        except KeyError:
            return default

    def setdefault(self, key: str, default: Value = None) -> Value:
        """The value of a key, which becomes the default where there is none."""
        if key not in self:
            self[key] = default
        return self[key]

    def pop(self, key: str, *default: Value) -> Value:
        """Take a key out."""
        self._parse()
        return super().pop(key, *default)

    def popitem(self) -> tuple[str, Value]:
        """Take the last key out."""
        self._parse()
        return super().popitem()

    def update(self, *args: Value, **kwargs: Value) -> None:
        """Set several keys."""
        for key, value in dict(*args, **kwargs).items():
            self[key] = value

    def clear(self) -> None:
        """Take all keys out."""
        self.lines.clear()
        super().clear()

    def items(self) -> dict_items[str, Value]:
        """Keys and values."""
        self._parse()
        return super().items()

    def values(self) -> dict_values[str, Value]:
        """Values."""
        self._parse()
        return super().values()

    def copy(self) -> dict[str, Value]:
        """A plain dict of the same."""
        self._parse()
        return dict(super().items())

    def __eq__(self, other: object) -> bool:
        self._parse()
        return super().__eq__(other)

    __hash__ = None

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __repr__(self) -> str:
        self._parse()
        return super().__repr__()

    def __ior__(self, other: Value) -> Entries:  # type: ignore[override,misc]
        self.update(other)
        return self

    def __reduce__(self) -> tuple[Value, ...]:
        return (dict, (self.copy(),))  # what is copied deeply or pickled is a plain dict

    def _parse(self) -> None:
        for key in list(self.lines):
            self.__getitem__(key)
