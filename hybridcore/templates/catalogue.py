"""Which targets there are, and what the files of each say, checked against the conventions."""

from __future__ import annotations

from os import listdir as os_listdir  # `os` is a parameter here
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import Fault, TemplatesError
from ..settings import is_name
from ..workspace import Workspace, resolve
from .declared import auto_files, expand, with_setting
from .declared import load as load_declared
from .files import TEMPLATE_SUFFIXES, read_bodies
from .naming import check_sources
from .selection import builds
from .template import Template

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from .declared import Declared


def list_builders(
    os: str | None = None, platform: str | None = None, *, workspace: Workspace | None = None
) -> list[str]:
    """List the canonical identifiers of the builders.

    Args:
        os: only those of this operating system, ``linux``.
        platform: only those of this platform, ``proxmox``.
        workspace: where to look; found when not given.

    Returns:
        ``source.<type>.<name>`` for each target, sorted, without repetition.

    Raises:
        TemplatesError: a template breaks the conventions; has faults, all of them.
    """
    return sorted({template.builder for template in load_catalogue(os, platform, workspace)})


def load_catalogue(
    os: str | None = None, platform: str | None = None, workspace: Workspace | None = None
) -> list[Template]:
    """Load every target: every folder three levels below ``templates/`` that holds Packer files.

    Args:
        os: only those of this operating system.
        platform: only those of this platform.
        workspace: where to look; found when not given.

    Returns:
        The templates, sorted by target.

    Raises:
        TemplatesError: templates break the conventions; has faults, those of every template.
    """
    found, faults = load_each(os, platform, workspace)
    if faults:
        raise TemplatesError("templates break the conventions", faults=faults)
    return found


def load_each(
    os: str | None = None, platform: str | None = None, workspace: Workspace | None = None
) -> tuple[list[Template], list[Fault]]:
    """Load every target that can be used; the arguments are those of ``load_catalogue``.

    Returns:
        The templates, sorted by target, and what is wrong with the others.
    """
    where = resolve(workspace)
    declared = expand(where)
    return _load_some(_names(where, declared, os, platform), where, declared)


def _load_some(
    targets: Iterable[str], where: Workspace, declared: Mapping[str, Declared]
) -> tuple[list[Template], list[Fault]]:
    """The templates of targets that can be used, and what is wrong with the others."""
    found = []
    faults: list[Fault] = []
    for target in targets:
        try:
            found.append(load(target, where, declared))
        except TemplatesError as error:
            faults += error.as_faults()
    return found, faults


def target_of(builder: str, workspace: Workspace) -> str:
    """The target that a canonical identifier means.

    Args:
        builder: ``source.<type>.<name>``.
        workspace: where to look.

    Returns:
        ``<os>/<platform>/<name>``.

    Raises:
        TemplatesError: no target has this builder, or several have.
    """
    loaded, __ = load_each(workspace=workspace)
    found = [template.target for template in loaded if template.builder == builder]
    if len(found) == 1:
        return found[0]
    if found:
        hint = f"name one: {', '.join(found)}"
        raise TemplatesError(f"{builder} is the builder of {len(found)} targets", hint=hint)
    raise TemplatesError(f"no target has the builder {builder}", hint="see packer-hybrid builders list")


def list_targets(
    os: str | None = None, platform: str | None = None, workspace: Workspace | None = None
) -> list[str]:
    """List the targets; see ``load_catalogue``.

    Returns:
        ``<os>/<platform>/<name>``, sorted.
    """
    return [template.target for template in load_catalogue(os, platform, workspace)]


def target_names(
    os: str | None = None, platform: str | None = None, workspace: Workspace | None = None
) -> list[str]:
    """List the targets as ``list_targets`` does, without reading their files.

    Args:
        os: only those of this operating system.
        platform: only those of this platform.
        workspace: where to look; found when not given.

    Returns:
        ``<os>/<platform>/<name>``, sorted.
    """
    where = resolve(workspace)
    return _names(where, expand(where), os, platform)


def _names(
    where: Workspace, declared: Mapping[str, Declared], os: str | None, platform: str | None
) -> list[str]:
    found = set(_folders(str(where.templates)))
    # A folder that declared images share is their template, not a target by itself.
    found -= {one.setting.template.removeprefix("templates/").rstrip("/") for one in declared.values()}
    found.update(declared)
    named = [(target, *target.split("/")[:2]) for target in sorted(found)]
    return [
        target
        for target, of_os, of_platform in named
        if os in (None, of_os) and platform in (None, of_platform)
    ]


def _folders(templates: str) -> Iterator[str]:
    """The folders three levels below a folder that hold Packer files, relative to it."""
    level = [""]
    for __ in range(3):
        level = [f"{above}{name}/" for above in level for name in _listed(f"{templates}/{above}")]
    for folder in level:
        if holds_template(f"{templates}/{folder}"):
            yield folder[:-1]


def holds_template(folder: str) -> bool:
    """Whether a folder holds Packer files."""
    return any(name.endswith(TEMPLATE_SUFFIXES) for name in _listed(folder))


def _listed(folder: str) -> list[str]:
    """The names in a folder; none where it is no folder, or cannot be read."""
    try:
        return os_listdir(folder)
    except OSError:
        return []


def compose_files(targets: Sequence[str], *, workspace: Workspace | None = None) -> list[Path]:
    """List the files that Packer gets for targets.

    Args:
        targets: ``<os>/<platform>/<name>``.
        workspace: where they lie; found when not given.

    Returns:
        The files, in the order of the targets and, for each, in the order in which Packer reads
        them: by name.

    Raises:
        TemplatesError: a target is missing or breaks the conventions; has faults, all of them.
    """
    where = resolve(workspace)
    return [path for template in load_all(targets, where) for path, __ in template.bodies]


def load_all(targets: Sequence[str], workspace: Workspace | None = None) -> list[Template]:
    """Load several targets, and report what is wrong with any of them together.

    Raises:
        TemplatesError: a target is missing or breaks the conventions; has faults.
    """
    where = resolve(workspace)
    found, faults = _load_some(targets, where, expand(where))
    if faults and len(targets) == 1 and len(faults) == 1:
        fault = faults[0]
        raise TemplatesError(fault.message, file=fault.file, line=fault.line, hint=fault.hint)
    if faults:
        raise TemplatesError("targets cannot be used", faults=faults)
    return found


def target_folder(target: str, workspace: Workspace | None = None) -> Path:
    """Find the folder of a target.

    Args:
        target: ``<os>/<platform>/<name>``.
        workspace: where to look; found when not given.

    Returns:
        The folder, inside ``templates/``.

    Raises:
        TemplatesError: the name is not of that form, or there is no such folder.
    """
    where = resolve(workspace)
    parts = target.split("/")
    if len(parts) != 3 or not all(is_name(part) for part in parts):
        raise TemplatesError(
            f"{target!r} is not a target", hint="<os>/<platform>/<name>, as in linux/qemu/debian-12"
        )
    folder = where.templates.joinpath(*parts)
    if not folder.is_dir():
        there = ", ".join(target_names(workspace=where))
        raise TemplatesError(
            f"the target {target} does not exist: there is no folder {where.relative(folder)}",
            hint=f"there are: {there}" if there else "templates/ holds no target yet",
        )
    if not where.holds(folder):
        raise TemplatesError(f"the folder {where.relative(folder)} leads out of the workspace")
    return folder


def load(
    target: str, workspace: Workspace | None = None, declared: Mapping[str, Declared] | None = None
) -> Template:
    """Read the files of a target, and check the conventions or what the settings declare.

    Args:
        target: ``<os>/<platform>/<name>``.
        workspace: where it lies; found when not given.
        declared: what ``expand`` gives, where the caller has it.

    Returns:
        What its files say.

    Raises:
        TemplatesError: it is missing or breaks the conventions; has faults, with file and line.
    """
    where = resolve(workspace)
    mine = (declared if declared is not None else expand(where)).get(target)
    if mine is not None and (mine.setting.template or mine.setting.only):
        return load_declared(mine, where)
    folder = target_folder(target, where)
    __, platform, name = target.split("/")
    faults: list[Fault] = []
    bodies = read_bodies(folder, where, faults)
    for name_of_file in auto_files(folder) if not faults else ():
        hint = "put the values into an overlay under environments/, or declare the target in [images]"
        file = where.relative(folder / name_of_file)
        faults.append(Fault("variable files do not belong to a template", file=file, hint=hint))
    sources = [(path, block) for path, body in bodies for block in body.blocks if block.type == "source"]
    if not faults:
        faults = check_sources(sources, platform, name, folder, where)
    if not faults and not builds(bodies, where, faults) and not faults:
        any_build = any(block.type == "build" for __, body in bodies for block in body.blocks)
        hint = f'sources = ["source.{".".join(sources[0][1].labels)}"]'
        message = "no build block names the source" if any_build else "there is no build block"
        faults = [Fault(message, file=where.relative(folder), hint=hint)]
    if faults:
        raise TemplatesError(f"the template of {target} cannot be used", faults=faults)
    source_file, source = sources[0]
    template = Template(target, folder, tuple(bodies), source, source_file, where)
    return template if mine is None else with_setting(template, mine)
