"""What the state may hold: the schema that every write is checked against.

docs/state.md explains each field.

The schema is data: a kind is a leaf (a function that gives what is wrong, or nothing), or one of
``Record``, ``Table`` and ``Items`` below. A field that is not required may be left out or be ``None``.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from ..errors import Fault

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from .types import State

    Leaf: TypeAlias = Callable[[object], str]
    Kind: TypeAlias = "Leaf | Record | Table | Items"

SCHEMA_VERSION = 2

STATUSES = ("built", "unchanged", "failed", "cancelled", "timed_out", "interrupted")
"""How a build ends; a run of several targets that ended differently is ``partial``."""

_MAX_FAULTS = 50  # enough to mend by; a wholly wrong file would give one for each of its values
_NAME = r"[A-Za-z0-9_][A-Za-z0-9._-]*"
_ENV = re.compile(_NAME)
_TARGET = re.compile(rf"{_NAME}/{_NAME}/{_NAME}")
_KEY = re.compile(rf"{_NAME}/{_NAME}/{_NAME}/{_NAME}")
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
_CHANNEL = re.compile(r"(?![0-9]+\Z)[A-Za-z0-9_][A-Za-z0-9._-]*")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def timestamp(seconds: float | None = None) -> str:
    """A time as the state writes it: RFC 3339, UTC, milliseconds.

    Args:
        seconds: seconds since the epoch; now when not given.

    Returns:
        For example ``2026-11-22T05:25:08.123Z``.
    """
    milliseconds = (time.time_ns() if seconds is None else int(seconds * 1e9)) // 1_000_000
    whole, rest = divmod(milliseconds, 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole)) + f".{rest:03}Z"


def empty() -> State:
    """The state of a workspace in which nothing has happened yet."""
    return {
        "schema_version": SCHEMA_VERSION,
        "updated_at": None,
        "packer": {},
        "plugins": {},
        "sources": {},
        "manifests": {},
        "last_run": None,
        "history": [],
        "running": {},
        "images": {},
    }


class Record:
    """An object with known fields."""

    def __init__(self, required: Mapping[str, Kind], optional: Mapping[str, Kind]) -> None:
        self.required = required
        self.fields = {**required, **optional}


class Table:
    """An object whose keys are names of something."""

    def __init__(self, key: Leaf, value: Kind) -> None:
        self.key = key
        self.value = value


class Items:
    """A list."""

    def __init__(self, item: Kind) -> None:
        self.item = item


def _text(value: object) -> str:
    return "" if isinstance(value, str) else "must be a string"


def _matching(pattern: re.Pattern[str], expected: str) -> Leaf:
    def check_text(value: object) -> str:
        good = isinstance(value, str) and pattern.fullmatch(value)
        return "" if good else f"must be {expected}"

    return check_text


def _count(value: object) -> str:
    good = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return "" if good else "must be a whole number, not negative"


def _flag(value: object) -> str:
    return "" if isinstance(value, bool) else "must be true or false"


def _seconds(value: object) -> str:
    good = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < float("inf")
    return "" if good else "must be a number of seconds, not negative"


def _one_of(*words: str) -> Leaf:
    return lambda value: "" if value in words else "must be one of " + ", ".join(words)


_time = _matching(_TIME, "a time as 2026-11-22T05:25:08.123Z")
_sha256 = _matching(_SHA256, "a sha256 in lower-case hexadecimal digits")
_env = _matching(_ENV, "the name of an environment")
_target = _matching(_TARGET, "a target, <os>/<platform>/<name>")
_image_key = _matching(_KEY, "<environment>/<os>/<platform>/<name>")
_status = _one_of(*STATUSES)
_run_status = _one_of(*STATUSES, "partial")

_number = _matching(_NUMBER, "the number of a version, from 1")
_channel = _matching(_CHANNEL, "the name of a channel")
_how = _one_of("promoted", "rolled_back", "revoked")

_FILE = Record({"path": _text}, {"size": _count, "sha256": _sha256})
_ARTIFACT = Record({"id": _text}, {"builder_id": _text, "files": Items(_FILE)})
_ATTEMPT = Record({"status": _status, "run": _text, "at": _time}, {"error": _text, "log_path": _text})
_ASSIGNMENT = Record({"how": _how, "at": _time}, {"version": _count, "by": _text, "reason": _text})
_REVOKED = Record({"recorded_at": _time, "reason": _text}, {"at": _time, "by": _text, "only_this": _flag})
_HOLD = Record({"at": _time, "reason": _text}, {"by": _text})
_IMAGE = Record(
    {"target": _target, "environment": _env},
    {
        "builder": _text,
        "status": _status,
        "fingerprint": _sha256,
        "given_fingerprint": _sha256,
        "observed": Items(_text),
        "inputs": Table(_text, _text),
        "artifacts": Items(_ARTIFACT),
        "built_at": _time,
        "duration_s": _seconds,
        "log_path": _text,
        "run": _text,
        "others": Table(_text, _text),
        "last_attempt": _ATTEMPT,
        "newest": _count,
        "version": _count,
        "unrecorded": _flag,
        "parents": Items(_image_key),
        "channels": Table(_channel, Items(_ASSIGNMENT)),
        "revoked": Table(_number, _REVOKED),
        "labels": Table(_number, Table(_text, _text)),
        "holds": Table(_number, _HOLD),
        "retired": Items(Items(_count)),
    },
)
_RUN = {"id": _text, "command": _text, "environment": _env, "started_at": _time}
_END = {"finished_at": _time, "status": _run_status}
_RESULT = Record(
    {"target": _target, "status": _status},
    {"duration_s": _seconds, "log_path": _text, "error": _text},
)
_RUNNING = Record(
    {"pid": _count, "host": _text, "started_at": _time},
    {
        "boot_id": _text,
        "pid_start_time": _count,
        "environment": _env,
        "command": _text,
        "targets": Table(_target, Record({}, {"leaves": _text, "log_path": _text})),
    },
)

SECTIONS: Mapping[str, Kind] = {
    "packer": Record({}, {"path": _text, "version": _text}),
    "plugins": Table(_text, _text),
    "sources": Table(_text, Record({"url": _text}, {"ref": _text, "sha": _text, "synced_at": _time})),
    "manifests": Table(_image_key, Record({"path": _text, "sha256": _sha256}, {"run": _text})),
    "last_run": Record({"id": _text}, {**_RUN, **_END, "targets": Items(_target)}),
    "history": Items(Record({"id": _text}, {**_RUN, **_END, "results": Items(_RESULT)})),
    "running": Table(_text, _RUNNING),
    "images": Table(_image_key, _IMAGE),
}
"""The sections of the state, in the order in which they stand in the file; the largest is the last."""

_OPTIONAL_SECTIONS = ("last_run",)


def check(data: object) -> list[Fault]:
    """Check a whole state.

    Args:
        data: what is to be written, or was read.

    Returns:
        What is wrong, at most 50 faults; empty when all is well.
    """
    faults = check_frame(data)
    if isinstance(data, dict):
        for name, kind in SECTIONS.items():
            if data.get(name) is not None:
                check_value(kind, data[name], name, faults)
    return faults[:_MAX_FAULTS]


def check_frame(data: object) -> list[Fault]:
    """Check that a state has its sections, of the right sort, and nothing else.

    Args:
        data: what is to be written, or was read.

    Returns:
        What is wrong.
    """
    if not isinstance(data, dict):
        return [Fault("the state must be an object")]
    faults: list[Fault] = []
    version = data.get("schema_version")
    if version != SCHEMA_VERSION or isinstance(version, bool):
        faults.append(Fault(f"schema_version must be {SCHEMA_VERSION}, not {_short(version)}"))
    if data.get("updated_at") is not None and _time(data["updated_at"]):
        faults.append(Fault(f"updated_at {_time(data['updated_at'])}, not {_short(data['updated_at'])}"))
    for name in data:
        if name not in SECTIONS and name not in ("schema_version", "updated_at"):
            faults.append(Fault(f"unknown field {_short(name)}", hint="one of " + ", ".join(SECTIONS)))
    for name in SECTIONS:
        if data.get(name) is None and not (name in data and name in _OPTIONAL_SECTIONS):
            faults.append(Fault(f"{name} is missing"))
    return faults


def check_value(kind: Kind, value: object, where: str, faults: list[Fault]) -> None:
    """Check a value against a kind.

    Args:
        kind: what it must be.
        value: what it is.
        where: its place in the state, for the faults.
        faults: gets what is wrong, until there are 50.
    """
    if len(faults) >= _MAX_FAULTS:
        return
    if isinstance(kind, Record):
        if not isinstance(value, dict):
            faults.append(Fault(f"{where} must be an object, not {_short(value)}"))
            return
        fields = kind.fields
        for name in kind.required:
            if value.get(name) is None:
                faults.append(Fault(f"{where}.{name} is missing"))
        for name, item in value.items():
            field = fields.get(name)
            if field is None:
                faults.append(Fault(f"{where} has an unknown field {_short(name)}", hint=", ".join(fields)))
            elif item is not None:
                check_value(field, item, f"{where}.{name}", faults)
    elif isinstance(kind, Table):
        if not isinstance(value, Mapping):
            faults.append(Fault(f"{where} must be an object, not {_short(value)}"))
            return
        for name, item in value.items():
            wrong = "must be a string" if not isinstance(name, str) else kind.key(name)
            if wrong:
                faults.append(Fault(f"the key {_short(name)} of {where} {wrong}"))
            else:
                check_value(kind.value, item, f"{where}[{name!r}]", faults)
    elif isinstance(kind, Items):
        if not isinstance(value, list | tuple):
            faults.append(Fault(f"{where} must be a list, not {_short(value)}"))
            return
        for index, item in enumerate(value):
            check_value(kind.item, item, f"{where}[{index}]", faults)
    else:
        wrong = kind(value)
        if wrong:
            faults.append(Fault(f"{where} {wrong}, not {_short(value)}"))


def _short(value: object) -> str:
    if isinstance(value, dict | list | tuple):
        return f"a {type(value).__name__}"
    text = ascii(value)
    return text if len(text) <= 60 else text[:57] + "..."
