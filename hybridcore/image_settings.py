"""The ``[images."<os>/<platform>/<name>"]`` tables: targets over templates that lie anywhere."""

from __future__ import annotations

import os
import re
import reprlib
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

from .errors import Fault
from .setting_tables import Reader, must_be, read_table, table_lines

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

# Seconds of each unit in which an age is written.
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_AGE = re.compile(r"(\d+)([smhdw])").fullmatch
# A list that is longer is written one item a line.
_LINE = 100
_NAME = re.compile(r"(?!\.)[A-Za-z0-9_][A-Za-z0-9._-]*").fullmatch


def _key(kind: str, text: str, default: Any = "") -> Any:  # noqa: ANN401 -- the default of any field
    """A row of the table of keys: what it holds, one of the kinds that ``_read`` knows."""
    more = {"default_factory": dict} if default is dict else {"default": default}
    return field(metadata={"kind": kind, "help": text}, **more)  # pylint: disable=invalid-field-call


PARENT_VALUES = ("path", "checksum", "id", "name", "version")
"""What a template can be told of its parent; ``packer.planning.parents`` says what each is."""


@dataclass(frozen=True)
class ParentSetting:
    """The image that another one starts from.

    Attributes:
        target: ``<os>/<platform>/<name>``; may hold ``{name}`` where the table has ``each``.
        channel: which version of it; empty for the newest, which then is built in the same batch.
        variables: what each variable of the template is told, one of ``PARENT_VALUES``.
    """

    target: str
    channel: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, str | None]:
        """The edge as data."""
        return {"target": self.target, "channel": self.channel or None}


@dataclass(frozen=True)
class ImageSetting:
    """One declared image, or with ``each`` one for each file of values.

    Its fields are the table of what can be set there, but for the first three: what it is and where it
    stands. Documentation and checks read it.
    """

    target: str
    file: str
    line: int | None = None
    template: str = _key("path", "a folder or one file; the folder of the target when not given")
    only: tuple[str, ...] = _key(
        "texts", "which build, as Packer writes it: `[build.]type.name`; of several the last is the image", ()
    )
    cwd: str = _key("path", "where Packer runs; the template's folder when not given")
    var_files: tuple[str, ...] = _key("paths", "files of values, later ones win", ())
    each: tuple[str, ...] = _key(
        "patterns", "a pattern, or several: one image for each file, `{name}` is its stem", ()
    )
    inputs: tuple[str, ...] = _key("paths", "patterns of more files that decide the image", ())
    max_age: str = _key("age", "build again when older, as in `7d`; units s, m, h, d, w")
    vars: Mapping[str, Any] = _key("values", "values by variable, which win over `var_files`", dict)
    parent: ParentSetting | None = _key(  # noqa: RUF009 -- a field, as the others are
        "parent", "the target whose image this one starts from", None
    )
    checks: str = _key("path", "a file of what must hold in the booted image before it counts")


IMAGE_KEYS = {one.name: one for one in fields(ImageSetting) if one.metadata}


def age_s(text: str) -> int:
    """Seconds of an age such as ``7d``; 0 when it is none."""
    match = _AGE(text)
    return int(match[1]) * _UNITS[match[2]] if match else 0


AGE = must_be("an age such as 7d or 12h", age_s)
"""Reads an age."""


def parse_images(
    table: Mapping[str, Any], file: str, faults: list[Fault], text: str = ""
) -> dict[str, ImageSetting]:
    """Read the tables of declared images.

    Args:
        table: what stands in ``[images]``.
        file: that holds it, as shown to people.
        faults: where to add what is wrong.
        text: of that file, to find the line of each table.

    Returns:
        The images by target, which may hold ``{name}``.
    """
    found = {}
    lines = table_lines(text, "images")
    for target, entry in sorted(table.items()):
        line = lines.get(target)
        where = f'[images."{target}"]'
        parts = target.split("/")
        if len(parts) != 3 or not all(_NAME(part.replace("{name}", "x")) for part in parts):
            hint = '<os>/<platform>/<name>, in quotes, as in [images."linux/proxmox/debian-12"]'
            faults.append(Fault(f"{where} does not name a target", file=file, line=line, hint=hint))
            continue
        if not isinstance(entry, dict):
            faults.append(Fault(f"{where} must be a table", file=file, line=line))
            continue
        values = read_table(entry, _READERS, where, faults, file=file, line=line)
        if "parent" in entry:
            values["parent"], wrongs = _parent(entry["parent"], each="each" in entry)
            faults += (Fault(f"{where} {wrong}", file=file, line=line) for wrong in wrongs)
        if bool(entry.get("each")) != ("{name}" in target):
            faults.append(
                Fault(
                    f"{where}: `each` and a target with {{name}} go together",
                    file=file,
                    line=line,
                    hint="give both or none",
                )
            )
        found[target] = ImageSetting(target=target, file=file, line=line, **values)
    return found


def _parent(value: object, *, each: bool) -> tuple[ParentSetting | None, list[str]]:
    """The parent that a table names, and what is wrong with it."""
    entry = {"target": value} if isinstance(value, str) else value
    if not isinstance(entry, dict):
        return None, ["parent must be a target, or a table with target, channel and variables"]
    wrong = [
        f"has an unknown setting {key!r} in parent: target, channel and variables can stand there"
        for key in entry
        if key not in ("target", "channel", "variables")
    ]
    target, channel, variables = entry.get("target"), entry.get("channel", ""), entry.get("variables", {})
    parts = target.split("/") if isinstance(target, str) else []
    if len(parts) != 3 or not all(_NAME(part.replace("{name}", "x") if each else part) for part in parts):
        wrong.append(f"parent does not name a target, <os>/<platform>/<name>: {reprlib.repr(target)}")
    if "channel" in entry and not (isinstance(channel, str) and _NAME(channel)):
        wrong.append(f"parent: channel must be a name such as stable, not {reprlib.repr(channel)}")
    if not isinstance(variables, dict):
        wrong.append(f"parent: variables must be a table, not {reprlib.repr(variables)}")
        variables = {}
    wrong += (
        f"parent: {name} = {reprlib.repr(what)} is not one of {', '.join(PARENT_VALUES)}"
        for name, what in variables.items()
        if what not in PARENT_VALUES
    )
    return (None if wrong else ParentSetting(str(target), str(channel), variables)), wrong


def _reader(kind: str) -> Reader:
    def read(value: object) -> tuple[str, Any]:
        wrong, kept = _read(kind, value)
        return wrong and f"{wrong}, not {reprlib.repr(value)}", kept

    return Reader(read)


def _read(kind: str, value: object) -> tuple[str, Any]:
    """What is wrong with a value, and the value as the field holds it."""
    if kind == "parent":
        return "", value  # ``_parent`` reads it, which needs to know of ``each``
    if kind == "values":
        return ("" if isinstance(value, dict) else "must be a table"), value
    if kind in ("texts", "paths", "patterns"):
        items = [value] if isinstance(value, str) and kind != "paths" else value
        if not isinstance(items, list) or not all(isinstance(item, str) and item for item in items):
            return "must be a list of strings", ()
        wrong = next(filter(None, map(_leaves, items)), "") if kind != "texts" else ""
        return wrong, tuple(items)
    if not isinstance(value, str) or not value:
        return "must be a string", ""
    if kind == "age":
        return ("" if age_s(value) else "must be an age such as 7d or 12h"), value
    return _leaves(value), value


_READERS = {name: _reader(one.metadata["kind"]) for name, one in IMAGE_KEYS.items()}


def to_toml(setting: ImageSetting) -> str:
    """The table of a declared image, as ``parse_images`` reads it.

    Args:
        setting: what it says; ``vars`` and ``parent`` are left out.

    Returns:
        Lines of TOML; a list of one is written as a string where that may stand there.
    """
    lines = [f"[images.{toml_text(setting.target)}]"]
    for name, row in IMAGE_KEYS.items():
        value, kind = getattr(setting, name), row.metadata["kind"]
        if not value or kind in ("values", "parent"):
            continue
        if isinstance(value, str):
            text = toml_text(value)
        elif len(value) == 1 and kind != "paths":
            text = toml_text(value[0])
        else:
            text = f"[{', '.join(map(toml_text, value))}]"
            if len(text) > _LINE:
                text = "[\n" + "".join(f"  {toml_text(one)},\n" for one in value) + "]"
        lines.append(f"{name} = {text}")
    return "\n".join(lines) + "\n"


def toml_text(text: str) -> str:
    """A basic string of TOML. Source: the grammar of ``basic-string`` in TOML 1.0.0."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + re.sub(r"[\x00-\x1f\x7f]", lambda match: f"\\u{ord(match[0]):04x}", escaped) + '"'


def _leaves(path: str) -> str:
    return "" if is_inside(path) else "must lie in the workspace, relative to it"


def is_inside(path: str) -> bool:
    """Whether a path that is relative to the workspace stays in it, by its text."""
    normal = os.path.normpath(path)
    return not (normal.startswith(("/", "../")) or normal == ".." or "\0" in path)
