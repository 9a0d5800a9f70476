"""What lies in a repository: templates, files of values, and what cannot be read."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ConfigError, Fault, TemplatesError
from ..settings import SETTINGS_FILE
from ..workspace import read_plain
from . import catalogue, declarations
from .declared import AUTO, SUFFIXES, auto_files, images_of
from .declared import load as load_declared
from .files import JSON_SUFFIX, TEMPLATE_SUFFIXES, body_of, read_bodies
from .selection import builds
from .slices import named

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..hcl import Body
    from ..workspace import Workspace
    from .declarations import Variable
    from .selection import Build

_MOST_NAMED = 10
# Folders at the root that are ours: what we render, remember and log, and overlays, which need no entry.
_OURS = frozenset({"configs", "environments", "logs", "sources", "state"})
_EXAMPLES = tuple(f"{suffix}{end}" for suffix in SUFFIXES for end in (".example", ".sample", ".dist"))


@dataclass(frozen=True)
class FoundTemplate:
    """A folder or a file that Packer can be given.

    Attributes:
        place: the folder or the file, relative to the workspace; ``.`` is its root.
        folder: the folder, or that of the file.
        bodies: its files with what they say.
        builds: its builds.
        variables: what it declares, by name.
        given: names that its ``*.auto.pkrvars.*`` files set.
    """

    place: str
    folder: str
    bodies: tuple[tuple[Path, Body], ...]
    builds: tuple[Build, ...]
    variables: Mapping[str, Variable]
    given: frozenset[str] = frozenset()

    @property
    def own_name(self) -> str:
        """Its path without the suffix of a file; empty for the root."""
        name = "" if self.place == "." else self.place
        for suffix in TEMPLATE_SUFFIXES:
            name = name.removesuffix(suffix)
        return name


@dataclass(frozen=True)
class ValuesFile:
    """A file of values.

    Attributes:
        path: relative to the workspace.
        names: the variables that it sets.
    """

    path: str
    names: frozenset[str]


@dataclass(frozen=True)
class Known:
    """An image that is a target already.

    Attributes:
        target: its name.
        place: its template, relative to the workspace.
        build: Packer's full name of its build.
        values: its files of values, relative to the workspace.
    """

    target: str
    place: str
    build: str
    values: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Survey:
    """What lies below a folder.

    Attributes:
        templates: what Packer can be given, sorted by place.
        values: files of values that Packer does not take by itself, sorted.
        examples: files that are to be copied to such, sorted.
        paths: every file and folder, relative to the workspace.
        faults: what cannot be used, and why.
        name: of the workspace's folder.
    """

    templates: tuple[FoundTemplate, ...]
    values: tuple[ValuesFile, ...]
    examples: tuple[str, ...] = ()
    paths: frozenset[str] = frozenset()
    faults: tuple[Fault, ...] = ()
    name: str = ""


def survey(folder: Path, workspace: Workspace) -> Survey:
    """Read what lies below a folder; hidden folders, and our own, are passed over.

    Args:
        folder: in the workspace.
        workspace: where it lies.

    Returns:
        What was found.
    """
    faults: list[Fault] = []
    paths: set[str] = set()
    files: list[Path] = []
    for here, folders, names in os.walk(folder):
        ours = _OURS if Path(here) == workspace.root else frozenset()
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in ours)
        for name in [*folders, *sorted(names)]:
            path = Path(here, name)
            relative = path.relative_to(workspace.root).as_posix()
            if not relative.isprintable():
                if name.endswith((*TEMPLATE_SUFFIXES, *SUFFIXES)):
                    message = "the name holds characters that cannot be shown"
                    faults.append(Fault(message, file=repr(relative)))
                continue
            paths.add(relative)
            if name in names:
                files.append(path)
    templates: list[FoundTemplate] = []
    for place in sorted({path.parent for path in files if path.name.endswith(TEMPLATE_SUFFIXES)}):
        templates += _templates(place, workspace, faults)
    values = [
        one
        for path in files
        if path.name.endswith(SUFFIXES) and not path.name.endswith(AUTO)
        if (one := _values(path, workspace, faults))
    ]
    faults += [fault for path in files if (fault := _json(path, workspace))]
    return Survey(
        templates=tuple(templates),
        values=tuple(sorted(values, key=lambda one: one.path)),
        examples=tuple(sorted(workspace.relative(path) for path in files if path.name.endswith(_EXAMPLES))),
        paths=frozenset(paths),
        faults=tuple(faults),
        name=workspace.root.name,
    )


def _templates(folder: Path, workspace: Workspace, faults: list[Fault]) -> list[FoundTemplate]:
    """The templates of a folder: all its files together, or, where they repeat names, each file alone."""
    unread: list[Fault] = []
    bodies = read_bodies(folder, workspace, unread)
    faults += unread
    if unread:
        return []
    if not any(block.type in ("source", "build") for __, body in bodies for block in body.blocks):
        return []  # files that others link to
    if not _repeats(bodies):
        return _template(folder, bodies, workspace, faults)
    found = []
    for path, body in bodies:
        kinds = {block.type for block in body.blocks}
        if "build" in kinds and _repeats([(path, body)]):
            message = "declares something twice, as Packer will say"
            faults.append(Fault(message, file=workspace.relative(path)))
        elif "build" in kinds:
            found += _template(path, [(path, body)], workspace, faults)
        elif "source" in kinds:
            message = "the folder's files declare the same names, and this one alone has no build block"
            hint = "give each image a folder of its own"
            faults.append(Fault(message, file=workspace.relative(path), hint=hint))
    return found


def _repeats(bodies: Sequence[tuple[Path, Body]]) -> bool:
    """Whether files declare something twice, so that Packer does not take them together."""
    names = [name for name, __ in named(bodies)]
    return len(set(names)) < len(names)


def _template(
    place: Path, bodies: Sequence[tuple[Path, Body]], workspace: Workspace, faults: list[Fault]
) -> list[FoundTemplate]:
    file = workspace.relative(place)
    there = builds(bodies, workspace, faults)
    if not there:
        if not any(block.type == "build" for __, body in bodies for block in body.blocks):
            faults.append(Fault("there is no build block, so nothing in it is an image", file=file))
        return []
    folder = place if place.is_dir() else place.parent
    given: set[str] = set()
    for name in auto_files(folder) if place.is_dir() else ():
        if one := _values(folder / name, workspace, faults):
            given |= one.names
    return [
        FoundTemplate(
            place=file,
            folder=workspace.relative(folder),
            bodies=tuple(bodies),
            builds=tuple(there),
            variables=declarations.read(bodies, workspace).variables,
            given=frozenset(given),
        )
    ]


def _values(path: Path, workspace: Workspace, faults: list[Fault]) -> ValuesFile | None:
    file = workspace.relative(path)
    if not path.name.endswith(".json"):
        body = body_of(path, workspace, faults)
        return None if body is None else ValuesFile(file, frozenset(body.attributes))
    try:
        return ValuesFile(file, frozenset(json.loads(read_plain(path))))
    except OSError as error:
        faults.append(Fault(f"cannot be read: {error.strerror}", file=file))
    except (ValueError, TypeError, RecursionError):
        faults.append(Fault("is not an object of JSON", file=file))
    return None


def _json(path: Path, workspace: Workspace) -> Fault | None:
    """Why a template in the older JSON cannot be used; None where the file is no such thing."""
    if not path.name.endswith(".json") or path.name.endswith((JSON_SUFFIX, *SUFFIXES)):
        return None
    file = workspace.relative(path)
    try:
        text = read_plain(path)
        builders = json.loads(text).get("builders") if b'"builders"' in text else None
    except (OSError, ValueError, AttributeError, RecursionError):
        return None
    if not isinstance(builders, list):
        return None
    hint = f"convert it: packer hcl2_upgrade -with-annotations {file}"
    return Fault("a template in the older JSON is not read", file=file, hint=hint)


def known_images(found: Survey, workspace: Workspace) -> tuple[list[Known], list[Fault]]:
    """The images that are targets already, and tables whose image is no longer there.

    Args:
        found: what lies there.
        workspace: whose settings count.

    Returns:
        The images, and a fault for each thing that is missing.
    """
    known: list[Known] = []
    vanished: list[Fault] = []
    for setting in workspace.settings.images.values():
        for one in images_of(setting, workspace, vanished):
            if not setting.template and not setting.only:
                continue  # keys for a folder of the convention, which is found below
            try:
                template = load_declared(one, workspace)
            except TemplatesError as error:
                vanished += error.as_faults()
                continue
            place = workspace.relative(template.argument)
            values = frozenset(map(workspace.relative, template.var_files))
            known.append(Known(one.target, place, template.only[-1], values))
    declared = {one.target for one in known}
    for there in found.templates:
        folder, __, target = there.place.partition("/")
        if folder != "templates" or target.count("/") != 2 or target in declared:
            continue
        try:
            catalogue.load(target, workspace, {})
        except TemplatesError:
            continue
        known += [Known(target, there.place, build.name) for build in there.builds]
    return known, vanished


def shown(folder: Path) -> str:
    """What to say of a folder in which nothing was found."""
    ours = {SETTINGS_FILE, "configs", "logs", "state"}
    there = sorted(path.name for path in folder.iterdir() if path.name not in ours)
    return ", ".join(there[:8]) + (" and more" if len(there) > 8 else "") if there else "nothing"


def none_found(workspace: Workspace, chosen: str = "") -> ConfigError:
    """The error for a workspace, or a choice, without a target; it says what lies there instead.

    Args:
        workspace: where targets were looked for.
        chosen: the operating system and the platform that were asked for, if any.
    """
    there = catalogue.target_names(workspace=workspace)
    if there:
        more = f" and {len(there) - _MOST_NAMED} more" if len(there) > _MOST_NAMED else ""
        hint = f"there are: {', '.join(there[:_MOST_NAMED])}{more}"
        return ConfigError(f"there is no target of {chosen}", hint=hint)
    found = survey(workspace.root, workspace)
    faults = [
        Fault(
            f"a template that is no target yet; its builds: {', '.join(build.name for build in one.builds)}",
            file=one.place,
            hint="declare its images in [images]: packer-hybrid adopt proposes them",
        )
        for one in found.templates
    ]
    faults += found.faults
    if len(faults) > _MOST_NAMED:
        faults[_MOST_NAMED:] = [Fault(f"and {len(faults) - _MOST_NAMED} more")]
    return ConfigError(
        f"there is no target in {workspace.root}, which holds {shown(workspace.root)}",
        hint="a target is a folder templates/<os>/<platform>/<name> of Packer files, or a table in [images]",
        faults=faults,
    )
