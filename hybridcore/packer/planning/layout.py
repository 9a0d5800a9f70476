"""Which folders of the workspace a build must find as real ones, and what it writes itself.

Packer does not follow a symbolic link that ``floppy_files``, ``cd_files`` and the like name, and what is
written into a linked folder lands in the workspace. So the mirror in which a build runs holds the folders
that are found here as real ones; all others are links, since a workspace may hold a great many files.
"""

from __future__ import annotations

import glob
import os
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from ...errors import HclError
from ...hcl import NotEvaluable
from ...hcl.nodes import ListNode
from ...templates.declared import AUTO
from ...templates.files import TEMPLATE_SUFFIXES
from .scope import Scope

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from ...hcl import Attribute
    from ...templates import Template
    from ...workspace import Workspace
    from .rendered import Rendered

# Folders that Packer walks through, or serves. `source` and `sources` are those of the provisioner "file".
_WALKED = frozenset({"floppy_files", "floppy_dirs", "cd_files", "http_directory", "source", "sources"})
# Folders that a builder makes anew, and refuses to find.
_MADE = frozenset({"output_directory", "output_dir"})
# Files that are written, in a folder that may be there; `files` are those of the post-processor "artifice".
_WRITTEN = frozenset(
    {"output", "target", "destination", "export_path", "log_file", "serial_log_file", "files"}
)
# Folders in which something temporary is put beside what is there.
_WRITTEN_INTO = frozenset({"inventory_directory"})
_GLOB = frozenset("*?[")
# Below these lies what runs write, this one too; a build finds them as links.
_RUNS = frozenset({"configs", "images", "logs", "state"})


@dataclass(frozen=True)
class Layout:
    """What a mirror for one target looks like. Paths are relative to the workspace, ``""`` is itself.

    Attributes:
        real: folders that are real.
        whole: those of them that are real with every folder below.
        absent: files and folders that the build makes; what lies there was left by somebody.
        written: files that the build may write over.
    """

    real: frozenset[str]
    whole: frozenset[str]
    absent: frozenset[str]
    written: frozenset[str]


def layout(
    template: Template, rendered: Rendered, workspace: Workspace, environ: Mapping[str, str]
) -> Layout:
    """Find out which folders a build names. Looks for what is there, and changes nothing.

    Args:
        template: the target.
        rendered: its configuration; an empty one where there is none.
        workspace: where it lies.
        environ: the environment of the build, which a default such as ``env("OUT")`` reads.

    Returns:
        The layout, as far as the template's attributes are known without a build. The folder of the
        template is real in any case, and each folder above it.
    """
    home = workspace.relative(template.cwd)
    real = {"", home, workspace.relative(template.folder)}
    whole: set[str] = set()
    written: set[str] = set()
    absent = {f"{home}/output-{template.source.labels[1]}"}  # what a builder makes that is told nothing
    scope = Scope(template, rendered, environ)
    absent.update(f"{home}/{name}" for name in own_manifests(template, rendered, environ))
    # Their values are in the rendered text, and would beat what the environment gives.
    absent.update(workspace.relative(path) for path in template.var_files if path.name.endswith(AUTO))
    absent.update(_unnamed_targets(template, rendered, workspace))
    for *__, attribute in template.used():
        if attribute.name not in _WALKED | _MADE | _WRITTEN | _WRITTEN_INTO:
            continue
        for path in _paths(attribute, scope, workspace, template.cwd):
            if attribute.name in _WALKED:
                whole.update(_folders(path, workspace))
            elif attribute.name in _WRITTEN_INTO:
                real.add(path)
            elif attribute.name in _MADE:
                absent.add(path)
            else:
                written.add(path)
    ways = {folder for path in absent | written | whole | real for folder in _above(path)}
    folders = frozenset(path for path in real | whole | ways if _is_folder(path, workspace))
    return Layout(
        real=folders,
        whole=frozenset(whole),
        absent=frozenset(absent.difference((home, *_above(home)))),
        written=frozenset(written),
    )


def _unnamed_targets(template: Template, rendered: Rendered, workspace: Workspace) -> Iterator[str]:
    """The folders of the other targets beside this one's that its files do not name.

    A link to each of them in each mirror would grow with the square of the targets of a batch.
    """
    parent = template.folder.parent
    level = workspace.relative(parent)
    if level.count("/") != 2 or not level.startswith("templates/"):
        return
    named = rendered.text + "".join(block.text for __, body in template.bodies for block in body.blocks)
    for name in _targets_in(parent, parent.stat().st_mtime_ns):
        if name != template.folder.name and name not in named:
            yield f"{level}/{name}"


@lru_cache(maxsize=64)
def _targets_in(folder: Path, mtime_ns: int) -> tuple[str, ...]:
    """The folders in a folder that hold templates; its time is part of the key."""
    paths = (path for suffix in TEMPLATE_SUFFIXES for path in folder.glob(f"*/*{suffix}"))
    return tuple(sorted({path.parent.name for path in paths}))


def own_manifests(template: Template, rendered: Rendered, environ: Mapping[str, str]) -> set[str]:
    """The manifests that the template has Packer write, relative to the folder in which Packer runs.

    One lies there where somebody ran Packer by hand. Packer would append to it, so it is no part of a build.

    Args:
        template: the target.
        rendered: its configuration; an empty one where there is none.
        environ: the environment of the build.

    Returns:
        Paths below that folder, as far as the attribute ``output`` is known without a build.
    """
    outputs = [
        inner.body.attributes.get("output")
        for __, block in template.blocks("build")
        for inner in block.body.nested()
        if (inner.type, *inner.labels[:1]) == ("post-processor", "manifest")
    ]
    found = {"packer-manifest.json"} if None in outputs else set()
    if told := [output for output in outputs if output is not None]:
        scope = Scope(template, rendered, environ)
        texts = (text for output in told for text in _texts(output, scope))
        found.update(os.path.relpath(template.cwd / text, template.cwd) for text in texts)
    return {path for path in found if path != "." and not path.startswith("../")}


def _texts(attribute: Attribute, scope: Scope) -> Iterator[str]:
    """The texts of a value; of a list those that are known."""
    try:
        node = attribute.node
    except HclError:
        return  # Packer says what is wrong with it
    for part in node.items if isinstance(node, ListNode) else (node,):
        try:
            value = scope.compute(part)
        except (NotEvaluable, HclError):
            continue
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, str):
                yield item


def _paths(attribute: Attribute, scope: Scope, workspace: Workspace, cwd: Path) -> Iterator[str]:
    """The paths below the workspace that an attribute names, as seen from Packer's folder."""
    for text in _texts(attribute, scope):
        named, computed, __ = text.partition("{{")  # the rest is known to the running build alone
        if computed:
            named = os.path.dirname(named) + "/"
        if not named or "\0" in named:
            continue
        path = os.path.relpath(cwd / named, workspace.root)
        if path != ".." and not path.startswith("../"):
            # Of a computed name the folder that it lies in counts: the caller takes the part above "{{".
            yield f"{path}/{{{{" if computed else path


def _folders(path: str, workspace: Workspace) -> Iterator[str]:
    """The folders that a path or a pattern names; not the workspace itself, nor what runs write."""
    found = [path]
    if _GLOB.intersection(path):
        found = glob.glob(path, root_dir=workspace.root)
    for name in found:
        if name != "." and name.partition("/")[0] not in _RUNS and _is_folder(name, workspace):
            yield name


def _is_folder(path: str, workspace: Workspace) -> bool:
    return "\0" not in path and os.path.isdir(workspace.root / path)


def _above(path: str) -> Iterator[str]:
    """The folders that a path lies in, the workspace last."""
    while path:
        path = os.path.dirname(path)
        yield path
