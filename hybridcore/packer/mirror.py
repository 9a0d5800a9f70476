"""The folder in which Packer runs: the target's files, in a mirror of the workspace around them.

Packer runs in ``<mirror>/templates/<os>/<platform>/<name>/``, where every file of the target's folder is a
symbolic link, and so is everything beside it on each level up to the workspace. A relative path from the
template, such as ``${path.root}/../../../ansible/site.yml``, therefore means the same as in the workspace
itself, while what Packer writes into its current folder belongs to this run alone. A batch has one mirror, in
which the folder of each of its targets is a real one.
"""

from __future__ import annotations

import os
import shutil

from ..hcl import NotEvaluable, evaluate
from ..temporary import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ..templates import Template
    from ..workspace import Workspace


def compose(template: Template, folder: Path, workspace: Workspace, *, with_plugins: bool) -> Path:
    """Make a mirror for one target, and fill it.

    Args:
        template: the target.
        folder: the mirror; created, for its owner only (0700).
        workspace: what it mirrors.
        with_plugins: as for ``fill``.

    Returns:
        The folder to run Packer in, below ``folder``.

    Raises:
        OSError: it cannot be created.
    """
    make_mirror([template], folder, workspace)
    return fill(template, folder, with_plugins=with_plugins)


def make_mirror(templates: Sequence[Template], folder: Path, workspace: Workspace) -> None:
    """Mirror a workspace up to the folders of targets, which are left out.

    Args:
        templates: the targets.
        folder: the mirror; created, for its owner only (0700).
        workspace: what it mirrors.

    Raises:
        OSError: it cannot be created.
    """
    real: dict[str, set[str]] = {}
    for template in templates:
        level = ""
        for part in ("templates", *template.target.split("/")):
            real.setdefault(level, set()).add(part)
            level = f"{level}/{part}"
    for level, parts in real.items():  # a level comes after the one above it
        os.mkdir(f"{folder}{level}", 0o700)
        _link_all(f"{workspace.root}{level}", f"{folder}{level}", leave_out=parts)


def fill(template: Template, mirror: Path, *, with_plugins: bool) -> Path:
    """Make the folder of a target in a mirror, anew if it is there.

    Args:
        template: the target.
        mirror: what ``make_mirror`` made.
        with_plugins: whether this Packer knows ``required_plugins``; if not, such blocks are left out.

    Returns:
        The folder to run Packer in.

    Raises:
        OSError: it cannot be created.
    """
    here = mirror.joinpath("templates", *template.target.split("/"))
    if here.exists():
        shutil.rmtree(here)
    os.mkdir(here, 0o700)
    cuts = {} if with_plugins else plugin_requirements(template)
    _link_all(str(template.folder), str(here), leave_out=cuts.keys() | own_manifests(template))
    for name, text in cuts.items():
        if text.strip():
            write(here / name, text.encode())
    return here


def _link_all(source: str, destination: str, *, leave_out: set[str]) -> None:
    """Link every visible entry of a folder."""
    with os.scandir(source) as entries:
        for entry in entries:
            if entry.name not in leave_out and not entry.name.startswith("."):
                os.symlink(entry.path, f"{destination}/{entry.name}")


def own_manifests(template: Template) -> set[str]:
    """The manifests that the template has Packer write, relative to its folder.

    One lies there where somebody ran Packer by hand. Packer would append to it, so it is no part of a build.

    Args:
        template: the target.

    Returns:
        Paths below its folder, as far as the attribute ``output`` is known without a build.
    """
    here = dict.fromkeys(("root", "cwd"), ".")
    found = set()
    for _, block in template.blocks("build"):
        for inner in block.body.nested():
            if (inner.type, *inner.labels[:1]) != ("post-processor", "manifest"):
                continue
            output = inner.body.attributes.get("output")
            try:
                path = "packer-manifest.json" if output is None else evaluate(output, {"path": here})
            except NotEvaluable:
                continue
            if isinstance(path, str):
                found.add(os.path.normpath(path))
    return {path for path in found if path != "." and not path.startswith(("/", "../"))}


def plugin_requirements(template: Template) -> dict[str, str]:
    """The files of a target that hold ``required_plugins``, as Packer before 1.7 can read them.

    Packer 1.6 refuses the block with "Unsupported block type".

    Args:
        template: the target.

    Returns:
        Name of each such file and its text without the block, its lines kept so that line numbers hold.
    """
    found = {}
    for path, body in template.bodies:
        spans = [
            (inner.line, inner.end_line)
            for block in body.blocks
            if block.type == "packer"
            for inner in block.body.blocks
            if inner.type == "required_plugins"
        ]
        if spans:
            lines = path.read_text(encoding="utf-8-sig").split("\n")
            for first, last in spans:
                lines[first - 1 : last] = [""] * (last - first + 1)
            found[path.name] = "\n".join(lines)
    return found
