"""Reading the files of a template: all of a folder, or one."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import Fault, HclError
from ..workspace import Workspace, read_plain

if TYPE_CHECKING:
    from ..hcl import Body
    from ..hcl.json_form import Blocks

HCL_SUFFIX = ".pkr.hcl"
JSON_SUFFIX = ".pkr.json"
TEMPLATE_SUFFIXES = (HCL_SUFFIX, JSON_SUFFIX)
# What is a block in HCL's JSON form, with the number of its labels. What plugins and components take is no
# block here: it makes no difference for what it names. Source: the schemas of hcl2template/parser.go,
# types.variables.go, types.build.go and types.build.provisioners.go.
_STEP: tuple[int, Blocks] = (1, {"override": (0, {})})
_BLOCKS: Blocks = {
    "packer": (0, {"required_plugins": (0, {})}),
    "source": (2, {}),
    "variable": (1, {"validation": (0, {})}),
    "variables": (0, {}),
    "locals": (0, {}),
    "local": (1, {}),
    "data": (2, {}),
    "build": (
        0,
        {
            "source": (1, {}),
            "provisioner": _STEP,
            "error-cleanup-provisioner": _STEP,
            "post-processor": (1, {}),
            "post-processors": (0, {"post-processor": (1, {})}),
            "hcp_packer_registry": (0, {}),
            "dynamic": (1, {"content": (0, {})}),
        },
    ),
}


def read_bodies(place: Path, workspace: Workspace, faults: list[Fault]) -> list[tuple[Path, Body]]:
    """Read the files that Packer reads, in its order: HCL before JSON, each by name.

    Args:
        place: a folder, all of whose ``*.pkr.hcl`` and ``*.pkr.json`` files count, or one file.
        workspace: where it lies.
        faults: where to add what is wrong.

    Returns:
        Each file with what it says.
    """
    paths = [place]
    if os.path.isdir(place):
        try:
            names = sorted(os.listdir(place))
            paths = [place / name for suffix in TEMPLATE_SUFFIXES for name in names if name.endswith(suffix)]
        except OSError as error:
            faults.append(Fault(f"cannot be read: {error.strerror}", file=workspace.relative(place)))
            return []
    bodies = []
    for path in paths:
        if os.path.islink(path) and not workspace.holds(path):
            file = workspace.relative(path)
            faults.append(Fault("leads out of the workspace", file=file, hint="copy the file"))
            continue
        body = body_of(path, workspace, faults)
        if body is not None:
            bodies.append((path, body))
    return bodies


def body_of(path: Path, workspace: Workspace, faults: list[Fault]) -> Body | None:
    """What a file says, parsed once for as long as it does not change.

    Args:
        path: the file.
        workspace: for its name in faults.
        faults: where to add what is wrong.

    Returns:
        None where it cannot be read, or is no HCL.
    """
    try:
        stat = os.stat(path)
        return _parse(path, stat.st_mtime_ns, stat.st_size)
    except HclError as error:
        file = workspace.relative(path)
        faults.append(Fault(f"column {error.column}: {error.message}", file=file, line=error.line))
    except OSError as error:
        file = workspace.relative(path)
        faults.append(Fault(f"cannot be read: {error.strerror}", file=file))
    return None


@lru_cache(maxsize=4096)
def _parse(path: Path, mtime_ns: int, size: int) -> Body:
    """Parse a file once for as long as it does not change; its time and size are part of the key."""
    return read_body(path)


def read_body(path: Path) -> Body:
    """Read a file of HCL as ``hcl.load`` does, or in its JSON form, but nothing that is no plain file.

    Raises:
        HclError: it is not HCL2.
        OSError: it cannot be read, or is no plain file.
    """
    text = read_plain(path).decode("utf-8", "surrogateescape")
    if path.name.endswith(JSON_SUFFIX):
        from ..hcl.json_form import loads_json

        return loads_json(text, _BLOCKS, filename=str(path))
    from .. import hcl

    return hcl.loads(text, filename=str(path))
