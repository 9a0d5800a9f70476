"""The conventions: ``linux/proxmox/debian-12`` holds ``source "proxmox-iso" "debian-12"``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import platforms
from ..errors import Fault

if TYPE_CHECKING:
    from pathlib import Path

    from ..hcl import Block
    from ..workspace import Workspace


def check_sources(
    sources: list[tuple[Path, Block]], platform: str, name: str, folder: Path, where: Workspace
) -> list[Fault]:
    """Check that there is one source block, that its type fits the platform, and its name the folder.

    Args:
        sources: the source blocks of a target, each with its file.
        platform: the middle part of the target.
        name: the last part of the target.
        folder: of the target.
        where: for the paths in the faults.

    Returns:
        What breaks the conventions.
    """
    if not sources:
        return [
            Fault("there is no source block", file=where.relative(folder), hint="a target has exactly one")
        ]
    faults = []
    for path, block in sources[1:]:
        hint = "a target has exactly one; a clone variant is a target of its own"
        faults.append(Fault("a second source block", file=where.relative(path), line=block.line, hint=hint))
    path, block = sources[0]
    known = platforms.by_name(platform)
    kind, label = block.labels if len(block.labels) == 2 else ("", "")
    if label == name and known.has(kind):
        return faults
    file, line = where.relative(path), block.line
    if len(block.labels) != 2:
        return [*faults, Fault("a source block has two labels, type and name", file=file, line=line)]
    if not known.has(kind):
        plugin = known.plugin
        allowed = ", ".join(known.source_types) or f"{plugin}, or {plugin}-iso, {plugin}-clone and the like"
        hint = f"{allowed}; or move the folder"
        message = f"a source of type {kind!r} does not belong to the platform {platform!r}"
        faults.append(Fault(message, file=file, line=line, hint=hint))
    if label != name:
        message = f"the source is named {label!r}, its folder {name!r}"
        faults.append(Fault(message, hint=f'source "{kind}" "{name}"', file=file, line=line))
    return faults
