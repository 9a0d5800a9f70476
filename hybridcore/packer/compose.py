"""The folder in which Packer runs: the target's files, in a mirror of the workspace around them.

Packer runs in ``<run>/<target>/templates/<os>/<platform>/<name>/``, where every file of the target's folder
is a symbolic link, and so is everything beside it on each level up to the workspace. A relative path from the
template, such as ``${path.root}/../../../ansible/site.yml``, therefore means the same as in the workspace
itself, while what Packer writes into its current folder belongs to this run alone.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path

    from ..templates import Template
    from ..workspace import Workspace


def compose(template: Template, folder: Path, workspace: Workspace, *, with_plugins: bool) -> Path:
    """Make the folder that Packer gets for a target.

    Args:
        template: the target.
        folder: the mirror of the workspace, for this run alone; created, for its owner only (0700).
        workspace: what it mirrors.
        with_plugins: whether this Packer knows ``required_plugins``; if not, such blocks are left out.

    Returns:
        The folder to run Packer in, below ``folder``.

    Raises:
        OSError: it cannot be created.
    """
    os.mkdir(folder, 0o700)
    here, there = str(folder), str(workspace.root)
    for part in ("templates", *template.target.split("/")):
        _link_all(there, here, leave_out={part})
        here, there = f"{here}/{part}", f"{there}/{part}"
        os.mkdir(here, 0o700)
    cuts = {} if with_plugins else plugin_requirements(template)
    _link_all(there, here, leave_out=set(cuts))
    for name, text in cuts.items():
        if text.strip():
            with open(f"{here}/{name}", "w", encoding="utf-8") as file:
                file.write(text)
    return folder.joinpath("templates", *template.target.split("/"))


def _link_all(source: str, destination: str, *, leave_out: set[str]) -> None:
    """Link every visible entry of a folder."""
    with os.scandir(source) as entries:
        for entry in entries:
            if entry.name not in leave_out and not entry.name.startswith("."):
                os.symlink(entry.path, f"{destination}/{entry.name}")


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
