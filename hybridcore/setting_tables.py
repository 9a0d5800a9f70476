"""Reads one table of the settings file: what each of its keys may hold, and what is wrong with others."""

from __future__ import annotations

import re
import reprlib
from typing import TYPE_CHECKING, NamedTuple

from .errors import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any


class Reader(NamedTuple):
    """How the value of a key is read.

    Attributes:
        read: gives what is wrong with a value, empty when nothing is, and the value as it is kept.
        hint: what to do about a wrong one.
    """

    read: Callable[[object], tuple[str, Any]]
    hint: str = ""


def read_table(
    table: Mapping[str, object],
    readers: Mapping[str, Reader],
    where: str,
    faults: list[Fault],
    *,
    file: str | None = None,
    line: int | None = None,
) -> dict[str, Any]:
    """Read one table.

    Args:
        table: what stands there.
        readers: by key.
        where: the table as people write it, ``[sources.demo]``.
        faults: what is wrong is added here: unknown keys, and what the readers say.
        file: that holds it, as shown to people, where the error does not tell.
        line: of the table in that file, where it is known.

    Returns:
        The values by key, wrong ones left out.
    """
    good = {}
    for key, given in table.items():
        if key not in readers:
            hint = f"one of {', '.join(readers)}"
            faults.append(Fault(f"unknown setting {key!r} in {where}", file=file, line=line, hint=hint))
            continue
        reader = readers[key]
        wrong, value = reader.read(given)
        if wrong:
            faults.append(Fault(f"{where} {key} {wrong}", file=file, line=line, hint=reader.hint))
        else:
            good[key] = value
    return good


def must_be(words: str, is_right: Callable[[Any], object], kind: type = str, hint: str = "") -> Reader:
    """A reader of values of one type.

    Args:
        words: what the value must be, ``a whole number``.
        is_right: whether a value of the type is that.
        kind: the type; a truth value is no number.
        hint: as in ``Reader``.
    """

    def read(value: object) -> tuple[str, Any]:
        right = isinstance(value, kind) and isinstance(value, bool) is (kind is bool) and is_right(value)
        return "" if right else f"must be {words}, not {reprlib.repr(value)}", value

    return Reader(read, hint)


def _any(_value: object) -> bool:
    return True


TEXT = must_be("a string", _any)
SWITCH = must_be("true or false", _any, bool)


def table_lines(text: str, section: str) -> dict[str, int]:
    """Find where the entries of a section begin; a header within a text of several lines counts too.

    Args:
        text: of the settings file.
        section: ``sources``, of which ``[sources.demo]`` is an entry.

    Returns:
        The line of the first table of each entry, by name; none of those that are written in another way.
    """
    name = r"""(?:"([^"\\\n]*)"|'([^'\n]*)'|([A-Za-z0-9_-]+))"""
    header = rf"^[ \t]*\[[ \t]*{section}[ \t]*\.[ \t]*{name}[ \t]*[.\]]"
    found: dict[str, int] = {}
    line, before = 1, 0
    for match in re.finditer(header, text, re.MULTILINE):
        line += text.count("\n", before, match.start())
        before = match.start()
        found.setdefault(match[1] or match[2] or match[3] or "", line)
    return found
