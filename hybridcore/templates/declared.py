"""Targets that the settings declare: over templates that lie anywhere, with files of values."""

from __future__ import annotations

import glob
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from .. import platforms
from ..errors import Fault, TemplatesError
from ..settings import is_name
from .files import TEMPLATE_SUFFIXES, read_bodies
from .selection import builds, select
from .slices import Slice
from .template import Template

if TYPE_CHECKING:
    from ..image_settings import ImageSetting
    from ..workspace import Workspace

SUFFIXES = (".pkrvars.hcl", ".pkrvars.json")
AUTO = (".auto.pkrvars.hcl", ".auto.pkrvars.json")


@dataclass(frozen=True)
class Declared:
    """One image of the settings.

    Attributes:
        target: ``<os>/<platform>/<name>``.
        setting: its table.
        values: the file that ``each`` found for it; empty without ``each``.
    """

    target: str
    setting: ImageSetting
    values: str = ""


def expand(workspace: Workspace) -> dict[str, Declared]:
    """The declared images, one for each file where a table says ``each``.

    Args:
        workspace: whose settings say them.

    Returns:
        The images by target, sorted.

    Raises:
        TemplatesError: an ``each`` finds no file, or two images have one name; has faults.
    """
    found: dict[str, Declared] = {}
    faults: list[Fault] = []
    for setting in workspace.settings.images.values():
        where = f'[images."{setting.target}"]'
        for one in images_of(setting, workspace, faults):
            other = found.setdefault(one.target, one)
            if not all(map(is_name, one.target.split("/"))):
                faults.append(
                    Fault(
                        f"{where}: {one.values} gives no name of a target",
                        file=setting.file,
                        line=setting.line,
                    )
                )
            elif other is not one:
                message = f"{one.target} is declared twice: by {other.values or 'its table'} and {one.values}"
                faults.append(
                    Fault(message, file=setting.file, line=setting.line, hint="rename one of the files")
                )
    if faults:
        raise TemplatesError("the images of the settings are not right", faults=faults)
    return dict(sorted(found.items()))


def images_of(setting: ImageSetting, workspace: Workspace, faults: list[Fault]) -> list[Declared]:
    """The images of one table.

    Args:
        setting: the table.
        workspace: where its files of values lie.
        faults: where to add that there are none.

    Returns:
        One image, or with ``each`` one for each file.
    """
    if not setting.each:
        return [Declared(setting.target, setting)]
    names = {
        name
        for pattern in setting.each
        for name in glob.glob(pattern, root_dir=workspace.root, recursive=True)
        if name.endswith(SUFFIXES)
    }
    if not names:
        where = f'[images."{setting.target}"]'
        message = f"{where}: no file of values is named by each = {', '.join(setting.each)!r}"
        hint = "a pattern of *.pkrvars.hcl or *.pkrvars.json files, relative to the workspace"
        faults.append(Fault(message, file=setting.file, line=setting.line, hint=hint))
    return [_image_of(setting, name) for name in sorted(names)]


def _image_of(setting: ImageSetting, name: str) -> Declared:
    """The image that a table with ``each`` declares for one file."""
    parent = setting.parent
    if parent is not None and "{name}" in parent.target:
        own = replace(parent, target=parent.target.replace("{name}", stem(name)))
        setting = replace(setting, parent=own)
    return Declared(setting.target.replace("{name}", stem(name)), setting, name)


def stem(name: str) -> str:
    """What a file of values is called without its suffix: ``os/debian-12.pkrvars.hcl`` is ``debian-12``."""
    base = Path(name).name
    return base.partition(".")[0] if base.startswith(".") else base[: base.index(".pkrvars.")]


def load(declared: Declared, workspace: Workspace) -> Template:
    """Read the template of a declared image, and find the build that it is.

    Args:
        declared: the image.
        workspace: where everything lies.

    Returns:
        What its files say, and what of them it uses.

    Raises:
        TemplatesError: something named is not there, or not exactly one build remains; has faults.
    """
    setting, target = declared.setting, declared.target
    place = workspace.root / (setting.template or f"templates/{target}")
    folder = place if place.is_dir() else place.parent
    faults = _missing(declared, workspace)
    if place.is_file() and not place.name.endswith(TEMPLATE_SUFFIXES):
        name = workspace.relative(place)
        message = f"{target}: {name}: Packer takes it for a template in the older JSON"
        hint = f"convert it: packer hcl2_upgrade -with-annotations {name}; names end in .pkr.hcl or .pkr.json"
        faults.append(Fault(message, file=setting.file, line=setting.line, hint=hint))
    if faults:
        raise TemplatesError(f"the image {target} cannot be used", faults=faults)
    bodies = read_bodies(place, workspace, faults)
    if not bodies and not faults:
        message = f"{target}: {workspace.relative(place)} holds no *.pkr.hcl or *.pkr.json file"
        faults.append(Fault(message, file=setting.file, line=setting.line, hint=_other_files(folder)))
    there = [] if faults else builds(bodies, workspace, faults, setting.vars)
    chosen, more = ([], []) if faults else select(there, setting, target)
    faults += more
    if chosen and (wrong := _wrong_platform(target, chosen[-1].source.labels[0], setting)):
        faults.append(wrong)
    if faults:
        raise TemplatesError(f"the image {target} cannot be used", faults=faults)
    image = chosen[-1]
    auto = [folder / name for name in auto_files(folder)] if place == folder else []
    template = Template(
        target=target,
        folder=folder,
        bodies=tuple(bodies),
        source=image.source,
        source_file=image.source_file,
        workspace=workspace,
        argument=place,
        cwd=workspace.root / setting.cwd if setting.cwd else folder,
        only=tuple(one.name for one in chosen),
        attributes=image.attributes,
        slice=Slice(bodies, chosen),
        setting=setting,
        var_files=(*auto, *_files_of(declared, workspace)),
    )
    return _told(template)


def with_setting(template: Template, declared: Declared) -> Template:
    """A target that is a folder, with the keys that its table in the settings adds.

    Raises:
        TemplatesError: a file that it names is not there, or leads out of the workspace; has faults.
    """
    setting, workspace = declared.setting, template.workspace
    faults = _missing(declared, workspace)
    if faults:
        raise TemplatesError(f"the image {template.target} cannot be used", faults=faults)
    return _told(
        replace(
            template,
            cwd=workspace.root / setting.cwd if setting.cwd else template.cwd,
            setting=setting,
            var_files=_files_of(declared, workspace),
        )
    )


def _told(template: Template) -> Template:
    """A template, when it declares the variables that it is told of its parent.

    Raises:
        TemplatesError: it does not; has faults.
    """
    setting = template.setting
    if setting is None or setting.parent is None:
        return template
    missing = sorted(setting.parent.variables.keys() - template.variable_names())
    faults = [
        Fault(
            f"{template.target}: parent: the template does not declare the variable {name!r}",
            file=setting.file,
            line=setting.line,
            hint=f"one of {', '.join(sorted(template.variable_names()))}",
        )
        for name in missing
    ]
    if faults:
        raise TemplatesError(f"the image {template.target} cannot be used", faults=faults)
    return template


def _files_of(declared: Declared, workspace: Workspace) -> tuple[Path, ...]:
    names = [*declared.setting.var_files, *([declared.values] if declared.values else [])]
    return tuple(workspace.root / name for name in names)


def _missing(declared: Declared, workspace: Workspace) -> list[Fault]:
    """What a table names and cannot be used."""
    setting, target = declared.setting, declared.target
    root = workspace.root
    named = [("cwd", setting.cwd, "folder")] if setting.cwd else []
    named += [("var_files", name, "file") for name in setting.var_files]
    if setting.template:
        named.append(("template", setting.template, "any"))
    if setting.checks:
        named.append(("checks", setting.checks, "file"))
    return [
        Fault(f"{target}: {key} = {name!r}: it {problem}", file=setting.file, line=setting.line)
        for key, name, kind in named
        if (problem := _problem(root / name, kind, workspace))
    ]


def auto_files(folder: Path) -> list[str]:
    """The files of values that Packer takes by itself, in its order: HCL before JSON, each by name.

    Source: ``filesInDir`` and what calls it in hcl2template/parser.go.
    """
    names = sorted(os.listdir(folder))
    return [name for suffix in AUTO for name in names if name.endswith(suffix)]


def _problem(path: Path, kind: str, workspace: Workspace) -> str:
    if not workspace.holds(path):
        return "leads out of the workspace"
    if not path.exists():
        return "is not there"
    if (kind == "folder") != path.is_dir() and kind != "any":
        return f"is no {kind}"
    return ""


def _other_files(folder: Path) -> str:
    """What to do where a folder holds templates of another kind."""
    old = sorted(path.name for path in folder.glob("*.json") if not path.name.endswith(SUFFIXES))
    if not old:
        return "name a folder or a file of HCL2"
    return f"the older JSON is not read; convert it: packer hcl2_upgrade -with-annotations {old[0]}"


def _wrong_platform(target: str, kind: str, setting: ImageSetting) -> Fault | None:
    platform = target.split("/")[1]
    known = platforms.by_name(platform)
    if not known.source_types or known.has(kind):
        return None
    message = f"{target}: a source of type {kind!r} does not belong to the platform {platform!r}"
    hint = f"one of {', '.join(known.source_types)}, or another target"
    return Fault(message, file=setting.file, line=setting.line, hint=hint)
