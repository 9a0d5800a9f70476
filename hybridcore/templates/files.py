"""Reading the files of a template: all of a folder, or one."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import Fault, HclError
from ..workspace import Workspace, read_plain

if TYPE_CHECKING:
    from ..hcl import Body

SUFFIX = ".pkr.hcl"


def read_bodies(place: Path, workspace: Workspace, faults: list[Fault]) -> list[tuple[Path, Body]]:
    """Read the files that Packer reads, in its order: by name.

    Args:
        place: a folder, all of whose ``*.pkr.hcl`` files count, or one file.
        workspace: where it lies.
        faults: where to add what is wrong.

    Returns:
        Each file with what it says.
    """
    paths = [place]
    if place.is_dir():
        try:
            paths = sorted(path for path in place.iterdir() if path.name.endswith(SUFFIX))
        except OSError as error:
            faults.append(Fault(f"cannot be read: {error.strerror}", file=workspace.relative(place)))
            return []
    bodies = []
    for path in paths:
        file = workspace.relative(path)
        if path.is_symlink() and not workspace.holds(path):
            faults.append(Fault("leads out of the workspace", file=file, hint="copy the file"))
            continue
        try:
            stat = path.stat()
            bodies.append((path, _parse(path, stat.st_mtime_ns, stat.st_size)))
        except HclError as error:
            faults.append(Fault(f"column {error.column}: {error.message}", file=file, line=error.line))
        except OSError as error:
            faults.append(Fault(f"cannot be read: {error.strerror}", file=file))
    return bodies


@lru_cache(maxsize=4096)
def _parse(path: Path, mtime_ns: int, size: int) -> Body:
    """Parse a file once for as long as it does not change; its time and size are part of the key."""
    return read_body(path)


def read_body(path: Path) -> Body:
    """Read a file of HCL as ``hcl.load`` does, but nothing that is no plain file.

    Raises:
        HclError: it is not HCL2.
        OSError: it cannot be read, or is no plain file.
    """
    from .. import hcl

    return hcl.loads(read_plain(path).decode("utf-8", "surrogateescape"), filename=str(path))
