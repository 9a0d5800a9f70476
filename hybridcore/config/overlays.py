"""Overlays: the files under ``environments/`` that apply to a target, what they say, and how they merge.

A file applies to every target below its folder: ``environments/<env>/`` to all, ``<env>/<os>/`` to those of
an operating system, ``<env>/<os>/<platform>/`` to those of a platform, ``<env>/<os>/<platform>/<name>/`` to
one. A file that is named like a target or a folder of some at its place, such as
``<env>/linux/qemu/debian-12.pkrvars.hcl``, counts as a file of that folder.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..errors import ConfigError, Fault
from . import placeholders
from .entries import Entry, parse_hcl, read_file, read_text
from .names import SUFFIXES, TEMPLATE_SUFFIX, Names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ..hcl import Value
    from ..workspace import Workspace

COMMON = "common"


class Overlays:
    """The overlays of one call; each folder is listed, and each file read, once.

    Args:
        env: the environment's name.
        workspace: where the overlays lie.
        faults: where to add what is wrong with them.

    Attributes:
        incomplete: the targets whose values are not all known, since an overlay of theirs cannot be read.
        warnings: what may not mean what its name says.
    """

    def __init__(self, env: str, workspace: Workspace, faults: list[Fault]) -> None:
        self.env = env
        self.workspace = workspace
        self.faults = faults
        self.incomplete: set[str] = set()
        self.warnings: set[str] = set()
        self.used_placeholders: set[str] = set()
        self.entries: dict[str, Mapping[str, Entry]] = {}
        self._folders: dict[tuple[str, str], dict[str, list[Path]]] = {}
        self._files: dict[Path, Mapping[str, Entry] | None] = {}
        self._sources: dict[Path, str | None] = {}
        self._unreadable: set[Path] = set()  # folders that hold an overlay which could not be read
        self._names_of_targets = Names(workspace)
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
        if None in found or (self._unreadable and self._unreadable & self._folders_of(target)):
            self.incomplete.add(target)
        return [layer for layer in found if layer]

    def folders(self, target: str) -> list[str]:
        """The folders in which a value for a target can be set, as shown to people."""
        below = ("", *_prefixes(target))
        return [
            f"{self.workspace.environments.name}/{scope}/{folder}".rstrip("/") + "/"
            for scope in dict.fromkeys((COMMON, self.env))
            for folder in below
        ]

    def _folders_of(self, target: str) -> set[Path]:
        return {
            self.workspace.environments / scope / folder
            for scope in (COMMON, self.env)
            for folder in ("", *_prefixes(target))
        }

    def _check_environment(self) -> None:
        folder = self.workspace.environments
        if not folder.is_dir() or (folder / self.env).is_dir():
            return
        there = sorted(path.name for path in folder.glob("*") if path.is_dir() and path.name != COMMON)
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
            for name in self._names(here, folder):
                where = place(folder, name, self._names_of_targets)
                found.setdefault(where, []).append(here / name)
                if where == folder:
                    self.warnings.update(self._names_of_targets.of_file(here / name, folder))
        return found

    def _names(self, here: Path, folder: str) -> list[str]:
        """The names of the overlays in a folder, in order; what leads out of the workspace is a fault."""
        try:
            with os.scandir(here) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            if here.parent.is_dir():  # else it was told of the folder above
                file = self.workspace.relative(here)
                self.faults.append(Fault(f"cannot be read: {error.strerror}", file=file))
            self._unreadable.add(here)
            return []
        inside = self.workspace.holds(here)
        overlays = []
        for entry in found:
            if not entry.name.endswith(SUFFIXES):
                self.warnings.update(self._names_of_targets.of_other(entry, folder))
            elif self.workspace.holds(here / entry.name) if entry.is_symlink() else inside:
                overlays.append(entry.name)
            else:
                file = self.workspace.relative(here / entry.name)
                self.faults.append(Fault("leads out of the workspace", file=file, hint="copy the file"))
                self._unreadable.add(here)
        return overlays

    def _read(self, path: Path, target: str, given: Mapping[str, Value]) -> Mapping[str, Entry] | None:
        """What a file says for a target; None when it cannot be read."""
        if not path.name.endswith(TEMPLATE_SUFFIX):
            if path not in self._files:
                found = self._files[path] = read_file(path, self.workspace, self.faults)
                self.entries[str(path)] = found or {}
            return self._files[path]
        file = self.workspace.relative(path)
        if path not in self._sources:
            text = read_text(path, self.workspace, self.faults)
            self._sources[path] = None if text is None else placeholders.as_hcl(text, file, self.faults)
        source = self._sources[path]
        if source is None:
            return None
        facts = placeholders.facts(target, self.env)
        values = placeholders.Placeholders({**facts, **given}, file, self.faults)
        entries = parse_hcl(source, file, self.faults, values.value)
        self.used_placeholders |= values.used
        self.entries[f"{path} for {target}"] = entries or {}
        return entries


def _prefixes(target: str) -> tuple[str, str, str]:
    system, platform, __ = target.split("/")
    return system, f"{system}/{platform}", target


def place(folder: str, name: str, names: Names) -> str:
    """The folder that an overlay counts for.

    Args:
        folder: where it lies below ``environments/<env>/``, as in ``linux/qemu``; empty at the top.
        name: the file's name.
        names: of the targets.

    Returns:
        ``linux/qemu/debian-12`` for ``debian-12.pkrvars.hcl`` when that is a target, otherwise the folder.
    """
    named = f"{folder}/{name.split('.pkrvars.')[0]}".lstrip("/")
    return named if names.has(named) else folder


def applies(parts: Sequence[str], target: str, names: Names) -> bool:
    """Whether an overlay applies to a target.

    Args:
        parts: its path below ``environments/<env>/``, in components.
        target: ``<os>/<platform>/<name>``.
        names: of the targets.
    """
    where = place("/".join(parts[:-1]), parts[-1], names)
    return f"{target}/".startswith(f"{where}/" if where else "")


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
