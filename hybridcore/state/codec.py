"""The text of the state file: JSON with a line for each entry, and a checksum over what follows it.

The lines make differences readable. With the checksum a writer need not do again what was done when
the file was written: of a thousand images a transaction parses, checks and encodes the one that was
built. A file whose checksum does not agree, say because somebody edited it, is parsed and checked whole.
"""

from __future__ import annotations

import json
import re
import zlib
from typing import TYPE_CHECKING, cast

from ..errors import Fault, StateError
from . import schema
from .damage import DamagedStateError, NewerStateError
from .entries import Entries
from .migrations import migrate

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

    from .types import State

# Whoever changes the layout of the text changes the word crc32 too: then every text of the old layout
# is parsed and checked whole.
_HEADER = re.compile(
    rb'\{\n"schema_version": ([0-9]{1,9}),\n"updated_at": "[0-9TZ:.-]{24}",\n'
    rb'"checksum": "crc32:([0-9a-f]{8})",'
)
_VERSION = re.compile(rb'\s*\{\s*"schema_version":\s*([0-9]{1,9})\s*,')
_LAST = list(schema.SECTIONS)[-1]
_LARGE = 10_000  # bytes; below it is cheaper to copy a part than to write it alone
# A value that holds itself ends in a RecursionError; a check for circles would cost a tenth of the time.
_encode = json.JSONEncoder(sort_keys=True, allow_nan=False, check_circular=False).encode


def decode(content: bytes, *, file: Path, lazy: bool = False) -> State:
    """Read the text of a state.

    Args:
        content: what the file holds.
        file: its path, for errors.
        lazy: the text ``is_sound``: give the images as ``Entries``, and check nothing again.

    Returns:
        The state, of the present schema version.

    Raises:
        DamagedStateError: with where and what.
        NewerStateError: of a newer version; or whole, with fields that are not known here.
    """
    if lazy:
        start, end = _lines_of(content, _LAST)
        data: dict[str, Any] = _parse(content[:start] + content[end:], file)
        data[_LAST] = Entries(content, start, end)
    else:
        data = _parsed_whole(content, file)
    data.pop("checksum", None)
    if lazy:
        return cast("State", data)
    data = migrate(data, file=file)
    faults = schema.check(data)
    if faults and is_sound(content):  # whoever wrote it had checked it, against another schema
        raise NewerStateError(f"the state is of a newer release: {faults[0].message}", file=file)
    if faults:
        raise DamagedStateError("it does not fit the schema", file=file, faults=faults)
    return cast("State", data)


def encode(
    data: State, *, file: Path, history: int, before: bytes | None, always: bool
) -> list[bytes | memoryview] | None:
    """Check a state, and give its text.

    Args:
        data: the state.
        file: where it is to be written, for errors.
        history: past runs to keep, the newest ones.
        before: the text that it replaces, when that ``is_sound``; entries that stand in it are not
            checked again.
        always: give a text also when nothing changed.

    Returns:
        The content of the file, ASCII, in parts; ``None`` when nothing but the time would change.

    Raises:
        StateError: the state does not fit the schema; has faults.
    """
    if schema.check_frame(data):
        raise _unfit(schema.check(data), file)
    sections: Mapping[str, Any] = data
    faults: list[Fault] = []
    parts: list[bytes | memoryview] = []
    try:
        for name, kind in schema.SECTIONS.items():
            value = sections[name]
            parts.append(f'\n"{name}": '.encode())
            if isinstance(value, Entries):
                lines, value = value.render(_encode)
                parts += _block(b"{", lines, b"}")
            elif isinstance(kind, schema.Table):
                known = _known(before, name)
                texts = {key: f"\n{_encode(key)}: {_encode(value[key])}".encode() for key in sorted(value)}
                parts += _block(b"{", [b",".join(texts.values())], b"}")
                value = {key: value[key] for key, text in texts.items() if text not in known}
            elif isinstance(kind, schema.Items):
                known = _known(before, name)
                value = value[-history:] if history else []
                items = [f"\n{_encode(item)}".encode() for item in value]
                parts += _block(b"[", [b",".join(items)], b"]")
                value = [item for item, text in zip(value, items, strict=True) if text not in known]
            else:
                parts.append(_encode(value).encode())
            if value is not None:
                schema.check_value(kind, value, name, faults)
            parts.append(b",")
    except (TypeError, ValueError, RecursionError) as error:
        raise _unfit(schema.check(data) or [Fault(f"not what JSON can hold: {error}")], file) from error
    if faults:
        raise _unfit(faults, file)
    parts[-1] = b"\n}\n"
    return _file(parts, None if always else before)


def is_sound(content: bytes) -> bool:
    """Whether a text is of this version, and as it was when it was checked and written."""
    header = _HEADER.match(content)
    if not header or int(header[1]) != schema.SCHEMA_VERSION:
        return False
    return zlib.crc32(memoryview(content)[header.end() :]) == int(header[2], 16)


def _unfit(faults: list[Fault], file: Path) -> StateError:
    return StateError(
        "what was to be written to the state does not fit its schema; nothing was written",
        file=file,
        faults=faults,
    )


def _file(parts: list[bytes | memoryview], before: bytes | None) -> list[bytes | memoryview] | None:
    parts = _joined(parts)
    checksum = 0
    for part in parts:
        checksum = zlib.crc32(part, checksum)
    header = _HEADER.match(before) if before is not None else None
    # Where the checksums agree nothing changed, most likely; the bytes say so for certain.
    unchanged = header and int(header[2], 16) == checksum
    if before is not None and header and unchanged and before[header.end() :] == b"".join(parts):
        return None
    start = (
        f'{{\n"schema_version": {schema.SCHEMA_VERSION},\n"updated_at": "{schema.timestamp()}",\n'
        f'"checksum": "crc32:{checksum:08x}",'
    )
    return [start.encode(), *parts]


def _joined(parts: list[bytes | memoryview]) -> list[bytes | memoryview]:
    """The same text in few parts: small ones together, large ones as they are."""
    joined: list[bytes | memoryview] = []
    small: list[bytes | memoryview] = []
    for part in parts:
        if len(part) < _LARGE:
            small.append(part)
        else:
            joined += [b"".join(small), part]
            small = []
    return [*joined, b"".join(small)]


def _block(start: bytes, lines: list[bytes | memoryview], end: bytes) -> list[bytes | memoryview]:
    return [start, *lines, b"\n" + end] if any(lines) else [start + end]


def _lines_of(content: bytes, name: str) -> tuple[int, int]:
    """Where the lines of a section stand in a sound text, from the newline before them to their end."""
    mark = f'\n"{name}": '.encode()
    start = content.index(mark) + len(mark) + 1
    if content[start : start + 1] != b"\n":
        return start, start
    if name == _LAST:  # the largest one: not searched through
        return start, len(content) - len(b"\n}\n}\n")
    bracket = b"\n}" if content[start - 1 : start] == b"{" else b"\n]"
    return start, content.index(bracket, start)


def _known(before: bytes | None, name: str) -> set[bytes]:
    if before is None:
        return set()
    start, end = _lines_of(before, name)
    return {b"\n" + line for line in before[start + 1 : end].split(b",\n")}


def _parsed_whole(content: bytes, file: Path) -> dict[str, Any]:
    """Parse a text; one of a newer version may be written in a way that is not known here."""
    try:
        return _parse(content, file)
    except DamagedStateError:
        if version := _VERSION.match(content):
            migrate({"schema_version": int(version[1])}, file=file)
        raise


def _parse(content: bytes, file: Path) -> dict[str, Any]:
    try:
        data = json.loads(content.decode("utf-8"), parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise DamagedStateError(f"byte {error.start} is not UTF-8", file=file, line=line) from error
    except json.JSONDecodeError as error:
        if not content.strip(b"\0 \n"):
            raise DamagedStateError("it is empty", file=file) from error
        what = f"not JSON: {error.msg} at column {error.colno}"
        raise DamagedStateError(what, file=file, line=error.lineno) from error
    except (RecursionError, ValueError) as error:
        raise DamagedStateError(f"not JSON as the state is written: {error}", file=file) from error
    if not isinstance(data, dict):
        raise DamagedStateError("it must hold an object", file=file, line=1)
    return data


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")
