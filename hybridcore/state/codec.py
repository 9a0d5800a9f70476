"""The text of the state file: JSON with one line for each entry, and a checksum in its second line.

The lines make differences readable, and let a transaction take up only the entries that it looks at:
of a thousand images it parses, checks and writes anew the one that was built. That is sound because
the checksum says that the rest is as it was when it was checked. A file whose checksum does not
agree, say because somebody edited it, is parsed and checked whole.
"""

from __future__ import annotations

import json
import zlib

from ..errors import Fault, StateError
from . import schema
from .entries import Entries
from .migrations import migrate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

_START = b'{\n"checksum": "crc32:'
_BODY = len(_START) + len(b'00000000",\n')
_BIG = "images"  # the one section that grows with the workspace
_encode = json.JSONEncoder(sort_keys=True, allow_nan=False).encode


def decode(content: bytes, *, file: Path, lazy: bool = False) -> dict[str, Any]:
    """Read the text of a state.

    Args:
        content: what the file holds.
        file: its path, for errors.
        lazy: give the images as ``Entries``.

    Returns:
        The state, of the present schema version.

    Raises:
        StateError: damaged, with where and what; or of a newer version.
    """
    sound = _is_sound(content)
    if sound and lazy:
        data = _decode_lazily(content)
        if data is not None:
            return data
    data = _parse(content, file)
    data.pop("checksum", None)
    data = migrate(data, file=file)
    faults = [] if sound else schema.check(data)
    if faults:
        raise damaged("it does not fit the schema", file, faults=faults)
    return data


def encode(data: dict[str, Any], *, history: int, updated_at: str | None) -> bytes:
    """The text of a state.

    Args:
        data: a state that was checked.
        history: past runs to keep, the newest ones.
        updated_at: the time to write in it.

    Returns:
        The content of the file, ASCII; equal states give equal texts.
    """
    lines = [
        b'"schema_version": %d' % schema.SCHEMA_VERSION,
        b'"updated_at": ' + _encode(updated_at).encode(),
    ]
    for name in schema.SECTIONS:
        value = data[name]
        if name == "history":
            value = value[-history:] if history else []
        start = f'"{name}": '
        if isinstance(value, dict) and isinstance(schema.SECTIONS[name], schema.Table):
            raw = value.lines if isinstance(value, Entries) else {}
            entries = [
                b"%b: %b" % (_encode(key).encode(), raw[key] if key in raw else _encode(value[key]).encode())
                for key in sorted(value)
            ]
            lines.append(start.encode() + _block(b"{", entries, b"}"))
        elif isinstance(value, list | tuple):
            lines.append(start.encode() + _block(b"[", [_encode(item).encode() for item in value], b"]"))
        else:
            lines.append((start + _encode(value)).encode())
    body = b",\n".join(lines) + b"\n}\n"
    return _START + b'%08x",\n' % zlib.crc32(body) + body


def same(one: bytes, other: bytes) -> bool:
    """Whether two texts of states differ in nothing but the time of writing."""
    return _after_time(one) == _after_time(other)


def damaged(
    what: str, file: Path, *, line: int | None = None, faults: list[Fault] | None = None
) -> StateError:
    """The error for a state that cannot be trusted."""
    return StateError(
        f"the state is damaged: {what}",
        file=file,
        line=line,
        hint="packer-hybrid state repair keeps this file and restores the last good copy",
        faults=faults or (),
    )


def _after_time(content: bytes) -> bytes:
    at = content.find(b'\n"updated_at": ', 0, 300)
    return content[content.find(b"\n", at + 1) :] if at >= 0 else content


def _block(start: bytes, entries: list[bytes], end: bytes) -> bytes:
    return start + b"\n" + b",\n".join(entries) + b"\n" + end if entries else start + end


def _is_sound(content: bytes) -> bool:
    if not content.startswith(_START):
        return False
    return content[len(_START) : _BODY] == b'%08x",\n' % zlib.crc32(memoryview(content)[_BODY:])


def _decode_lazily(content: bytes) -> dict[str, Any] | None:
    # The text is our own (its checksum agrees), so its lines are laid out as encode does it.
    start = content.find(b'\n"%b": {\n' % _BIG.encode())
    if start < 0:
        return None  # no images
    first = content.index(b"{\n", start) + 2
    last = content.index(b"\n}", first - 1)
    lines: dict[str, bytes] = {}
    for line in content[first:last].split(b",\n"):
        key, _, value = line.partition(b'": ')
        lines[key[1:].decode()] = value
    data: dict[str, Any] = json.loads(content[:first] + content[last + 1 :])
    del data["checksum"]
    if data["schema_version"] != schema.SCHEMA_VERSION:
        return None  # the whole of it has to go through the migrations
    data[_BIG] = Entries(lines)
    return data


def _parse(content: bytes, file: Path) -> dict[str, Any]:
    try:
        data = json.loads(content.decode("utf-8"), parse_constant=_refuse_constant)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise damaged(f"byte {error.start} is not UTF-8", file, line=line) from error
    except json.JSONDecodeError as error:
        what = f"not JSON: {error.msg} at column {error.colno}" if content.strip(b"\0 \n") else "it is empty"
        raise damaged(what, file, line=error.lineno) from error
    except (RecursionError, ValueError) as error:
        raise damaged(f"not JSON of ours: {error}", file) from error
    if not isinstance(data, dict):
        raise damaged("the file must hold an object", file, line=1)
    return data


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")
