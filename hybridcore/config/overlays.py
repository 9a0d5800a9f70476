"""Overlays: the files under ``environments/`` that apply to a target, what they say, and how they merge.

A file applies to every target below its folder: ``environments/<env>/`` to all, ``<env>/<os>/`` to those of
an operating system, ``<env>/<os>/<platform>/`` to those of a platform, ``<env>/<os>/<platform>/<name>/`` to
one. A file that is named like a folder of ``templates/`` at its place, such as
``<env>/linux/qemu/debian-12.pkrvars.hcl``, counts as a file of that folder.
"""

from __future__ import annotations

import math
import os
import re
from dataclasses import dataclass

from .. import hcl
from ..errors import ConfigError, Fault, HclError
from ..hcl import types
from . import placeholders

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from ..hcl import Value
    from ..workspace import Workspace

COMMON = "common"
HCL_SUFFIX = ".pkrvars.hcl"
JSON_SUFFIX = ".pkrvars.json"
TEMPLATE_SUFFIX = ".pkrvars.hcl.tmpl"
SUFFIXES = (HCL_SUFFIX, JSON_SUFFIX, TEMPLATE_SUFFIX)
_FROM_ENVIRONMENT = re.compile(r'env\(\s*"PKR_VAR_([^"\\]+)"\s*\)')


@dataclass(frozen=True)
class Entry:
    """One value that a layer gives to a variable.

    Attributes:
        value: the plain value.
        file: the file that says so as shown to people, or ``caller`` or ``provisioners``.
        line: the line in that file, or 0 where there is none.
        marked: it is no value but ``env("PKR_VAR_...")``: the build gets it from its environment.
    """

    value: Value
    file: str
    line: int = 0
    marked: bool = False

    @property
    def origin(self) -> str:
        """Where the value comes from, ``file:line``."""
        return f"{self.file}:{self.line}" if self.line else self.file


class Overlays:
    """The overlays of one call; each folder is listed, and each file read, once.

    Args:
        env: the environment's name.
        workspace: where the overlays lie.
        faults: where to add what is wrong with them.
    """

    def __init__(self, env: str, workspace: Workspace, faults: list[Fault]) -> None:
        self.env = env
        self.workspace = workspace
        self.faults = faults
        self.used_placeholders: set[str] = set()
        self.entries: dict[str, Mapping[str, Entry]] = {}
        self._folders: dict[tuple[str, str], dict[str, list[Path]]] = {}
        self._files: dict[Path, Mapping[str, Entry]] = {}
        self._sources: dict[Path, str] = {}
        self._check_environment()

    def layers(self, target: str, given: Mapping[str, Value]) -> list[Mapping[str, Entry]]:
        """What applies to a target, in the order in which later wins.

        Args:
            target: ``<os>/<platform>/<name>``.
            given: the values for placeholders.

        Returns:
            For each file what it says.
        """
        found = [
            self._read(path, target, given)
            for scope in dict.fromkeys((COMMON, self.env))
            for path in self._paths(scope, target)
        ]
        return [layer for layer in found if layer]

    def folders(self, target: str) -> list[str]:
        """The folders in which a value for a target can be set, as shown to people."""
        below = ("", *_prefixes(target))
        return [
            f"{self.workspace.environments.name}/{scope}/{folder}".rstrip("/") + "/"
            for scope in dict.fromkeys((COMMON, self.env))
            for folder in below
        ]

    def _check_environment(self) -> None:
        folder = self.workspace.environments
        if not folder.is_dir() or (folder / self.env).is_dir():
            return
        there = sorted(path.name for path in folder.iterdir() if path.is_dir() and path.name != COMMON)
        raise ConfigError(
            f"there is no environment {self.env!r}: no folder {self.workspace.relative(folder / self.env)}",
            hint=f"there are: {', '.join(there)}" if there else "create that folder, it may be empty",
        )

    def _paths(self, scope: str, target: str) -> list[Path]:
        """The files of a scope for a target: for everything first, for this target alone last."""
        paths: list[Path] = []
        above = None
        for folder in ("", *_prefixes(target)):
            if above is not None:
                paths += self._list(scope, above).get(folder, ())
            paths += self._list(scope, folder).get(folder, ())
            above = folder
        return paths

    def _list(self, scope: str, folder: str) -> Mapping[str, list[Path]]:
        """The overlays in a folder by name, below the folders that they count for."""
        found = self._folders.get((scope, folder))
        if found is None:
            found = self._folders[scope, folder] = {}
            here = self.workspace.environments / scope / folder
            for name in self._names(here):
                found.setdefault(place(folder, name, self.workspace), []).append(here / name)
        return found

    def _names(self, folder: Path) -> list[str]:
        """The names of the overlays in a folder, in order; what leads out of the workspace is a fault."""
        try:
            with os.scandir(folder) as entries:
                found = sorted(
                    (each.name, each.is_symlink()) for each in entries if each.name.endswith(SUFFIXES)
                )
        except (FileNotFoundError, NotADirectoryError):
            return []
        folder_inside = folder.resolve().is_relative_to(self.workspace.root)
        names = []
        for name, is_link in found:
            path = folder / name
            if path.resolve().is_relative_to(self.workspace.root) if is_link else folder_inside:
                names.append(name)
            else:
                file = self.workspace.relative(path)
                self.faults.append(Fault("leads out of the workspace", file=file, hint="copy the file"))
        return names

    def _read(self, path: Path, target: str, given: Mapping[str, Value]) -> Mapping[str, Entry]:
        if not path.name.endswith(TEMPLATE_SUFFIX):
            if path not in self._files:
                self._files[path] = self.entries[str(path)] = read_file(path, self.workspace, self.faults)
            return self._files[path]
        file = self.workspace.relative(path)
        if path not in self._sources:
            text = read_text(path, self.workspace, self.faults)
            self._sources[path] = placeholders.as_hcl(text, file, self.faults)
        facts = placeholders.facts(target, self.env)
        values = placeholders.Placeholders({**facts, **given}, file, self.faults)
        entries = parse_hcl(self._sources[path], file, self.faults, values.value)
        self.used_placeholders |= values.used
        self.entries[f"{path} for {target}"] = entries
        return entries


def _prefixes(target: str) -> tuple[str, str, str]:
    system, platform, _ = target.split("/")
    return system, f"{system}/{platform}", target


def place(folder: str, name: str, workspace: Workspace) -> str:
    """The folder that an overlay counts for.

    Args:
        folder: where it lies below ``environments/<env>/``, as in ``linux/qemu``; empty at the top.
        name: the file's name.
        workspace: where the templates lie.

    Returns:
        ``linux/qemu/debian-12`` for ``debian-12.pkrvars.hcl`` when that is a target, otherwise the folder.
    """
    named = f"{folder}/{name.split('.pkrvars.')[0]}".lstrip("/")
    here = workspace.templates / named
    below = 2 - named.count("/")  # levels down to the targets; less than none inside a target's own folder
    if below < 0 or not here.is_dir():
        return folder
    pattern = "*/" * below + "*.pkr.hcl"
    return named if any(here.glob(pattern)) else folder


def applies(parts: Sequence[str], target: str, workspace: Workspace) -> bool:
    """Whether an overlay applies to a target.

    Args:
        parts: its path below ``environments/<env>/``, in components.
        target: ``<os>/<platform>/<name>``.
        workspace: where the templates lie.
    """
    where = place("/".join(parts[:-1]), parts[-1], workspace)
    return f"{target}/".startswith(f"{where}/" if where else "")


def read_file(path: Path, workspace: Workspace, faults: list[Fault]) -> dict[str, Entry]:
    """Read a file of values, ``*.pkrvars.hcl`` or ``*.pkrvars.json``.

    Args:
        path: the file.
        workspace: for its name in faults.
        faults: where to add what is wrong.

    Returns:
        The values by variable.
    """
    text = read_text(path, workspace, faults)
    file = workspace.relative(path)
    return parse_json(text, file, faults) if path.suffix == ".json" else parse_hcl(text, file, faults)


def read_text(path: Path, workspace: Workspace, faults: list[Fault]) -> str:
    """Read a text file; what is wrong becomes a fault and the text is empty."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        faults.append(Fault(f"is not UTF-8 at byte {error.start}", file=workspace.relative(path)))
    except OSError as error:
        faults.append(Fault(f"cannot be read: {error.strerror}", file=workspace.relative(path)))
    return ""


def _constant(attribute: hcl.Attribute) -> Value:
    return attribute.value


def parse_hcl(
    text: str, file: str, faults: list[Fault], value_of: Callable[[hcl.Attribute], Value] = _constant
) -> dict[str, Entry]:
    """Read the values of a ``.pkrvars.hcl`` text; only constants, as in Packer.

    Args:
        text: the text.
        file: its name, for origins and faults.
        faults: where to add what is wrong.
        value_of: gives the value of an attribute, or raises ``NotEvaluable``.

    Returns:
        The values by variable.
    """
    try:
        body = hcl.loads(text, filename=file)
    except HclError as error:
        faults.append(Fault(f"column {error.column}: {error.message}", file=file, line=error.line))
        return {}
    for block in body.blocks:
        faults.append(
            Fault(
                f"a block {block.type!r} in a file of values",
                file=file,
                line=block.line,
                hint=f"for a map write {block.type} = {{",
            )
        )
    entries: dict[str, Entry] = {}
    for name, attribute in body.attributes.items():
        marked = _FROM_ENVIRONMENT.fullmatch(attribute.expression.strip())
        try:
            entries[name] = Entry(value_of(attribute), file, attribute.line)
            continue
        except hcl.NotEvaluable:
            pass
        if marked is not None and marked.group(1) == name:
            entries[name] = Entry(None, file, attribute.line, marked=True)
        else:
            faults.append(
                Fault(
                    f"{name}: expected a constant, found an expression that Packer would have to evaluate",
                    file=file,
                    line=attribute.line,
                    hint="variables and functions cannot be used in a file of values",
                )
            )
    return entries


def parse_json(text: str, file: str, faults: list[Fault]) -> dict[str, Entry]:
    """Read the values of a ``.pkrvars.json`` text: one object.

    Args:
        text: the text.
        file: its name, for origins and faults.
        faults: where to add what is wrong.

    Returns:
        The values by variable.
    """
    import json

    def once(pairs: list[tuple[str, Value]]) -> dict[str, Value]:
        names = [name for name, _ in pairs]
        for name in sorted({name for name in names if names.count(name) > 1}):
            faults.append(Fault(f"{name}: given twice", file=file))
        return dict(pairs)

    try:
        data = json.loads(
            text or "{}", object_pairs_hook=once, parse_float=_json_number, parse_constant=_json_number
        )
    except json.JSONDecodeError as error:
        faults.append(Fault(f"is not JSON: {error.msg}", file=file, line=error.lineno))
        return {}
    except ValueError as error:
        faults.append(Fault(f"is not JSON that HCL can express: {error}", file=file))
        return {}
    except RecursionError:
        faults.append(Fault("is nested too deep", file=file))
        return {}
    if _depth(data) > types.MAX_DEPTH:
        faults.append(Fault("is nested too deep", file=file))
        return {}
    if not isinstance(data, dict):
        faults.append(Fault("must hold one JSON object", file=file, line=1))
        return {}
    return {name: Entry(value, file, _json_line(text, name)) for name, value in data.items()}


def _json_number(text: str) -> int | float:
    value = float(text)
    if value in (math.inf, -math.inf) or math.isnan(value):
        raise ValueError(f"{text:.20} is no number of it")
    return int(value) if value.is_integer() and abs(value) < 2**53 else value


def _depth(value: Value) -> int:
    """How deep lists and maps nest, at most one more than is allowed; found without recursion."""
    depth, level = 0, [value]
    while level and depth <= types.MAX_DEPTH:
        depth += 1
        level = [
            item
            for each in level
            if isinstance(each, dict | list)
            for item in (each.values() if isinstance(each, dict) else each)
        ]
    return depth


def _json_line(text: str, name: str) -> int:
    """The line of the first key of that name; the JSON parser of the standard library tells none."""
    import json

    found = re.search(re.escape(json.dumps(name, ensure_ascii=False)) + r"\s*:", text)
    return text.count("\n", 0, found.start()) + 1 if found else 1


def merge(lower: Value, upper: Value) -> Value:
    """Merge a value over another: maps merge key by key, anything else replaces.

    Args:
        lower: the value so far.
        upper: the value that wins.

    Returns:
        The merged value. A ``null`` for a key of a map stays in it, so that ``without_nulls`` can tell later.
    """
    return merge_maps(lower, upper) if isinstance(lower, dict) and isinstance(upper, dict) else upper


def merge_maps(lower: Mapping[str, Value], upper: Mapping[str, Value]) -> dict[str, Value]:
    """Merge a map over another, key by key; see ``merge``."""
    merged = dict(lower)
    for name, value in upper.items():
        merged[name] = merge(merged[name], value) if name in merged else value
    return merged
