"""``packer fmt`` over many files at once, with check and diff, and writes that cannot be seen half done."""

from __future__ import annotations

import difflib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from ... import atomic, process, temporary
from ...errors import Fault, HclError, PackerError, WorkspaceError
from ...process.environment import child_environment
from ...process.lines import strip_ansi_text
from ...workspace import Workspace, resolve
from ..program.capabilities import probe_workspace
from ..program.commands import fmt_command
from .results import FmtResult

if TYPE_CHECKING:
    from collections.abc import Iterable

SUFFIXES = (".pkr.hcl", ".pkrvars.hcl")
_REFUSED = re.compile(r"failed to parse HCL (\S+)")
_TIMEOUT_S = 300.0


def fmt(paths: Iterable[str | Path], *, check: bool = False, workspace: Workspace | None = None) -> FmtResult:
    """See ``hybridcore.packer.fmt``.

    Packer formats copies in one folder, in one process however many files there are; what differs then is
    written back, each file by a rename.
    """
    where = resolve(workspace)
    files = find_files(paths, where)
    if not files:
        return FmtResult()
    capabilities = probe_workspace(where)
    with temporary.folder() as folder:
        copies = _copy(files, folder)
        done = process.run(
            fmt_command(capabilities, str(folder)),
            env=child_environment({"TMPDIR": str(folder)}),
            cwd=folder,
            timeout=_TIMEOUT_S,
        )
        output = strip_ansi_text(f"{done.stdout}\n{done.stderr}")
        refused = {Path(name).name for name in _REFUSED.findall(output)}
        if done.returncode and not refused:
            raise PackerError(f"packer fmt failed: {output.strip()}")
        faults = tuple(_fault(copies[name], where) for name in sorted(refused) if name in copies)
        changes = []
        for name, path in copies.items():
            new = Path(folder, name).read_bytes()
            old = path.read_bytes()
            if new != old:
                changes.append((path, old, new))
    if not check:
        for path, __, new in changes:
            atomic.replace(path, new)
    return FmtResult(
        tuple(where.relative(path) for path, __, __ in changes),
        "".join(_diff(where.relative(path), old, new) for path, old, new in changes),
        faults,
    )


def find_files(paths: Iterable[str | Path], workspace: Workspace) -> list[Path]:
    """Find the files that Packer can format.

    Args:
        paths: files, or folders to search; relative ones are relative to the current folder, or else to the
            workspace.
        workspace: what they must lie in.

    Returns:
        Files, absolute, sorted, each once.

    Raises:
        WorkspaceError: a path is missing, is no Packer file, or lies outside of the workspace; has faults.
    """
    found: set[Path] = set()
    faults = []
    for given in paths:
        path = Path(given)
        if not path.is_absolute() and not path.exists():
            path = workspace.root / path
        real = Path(os.path.realpath(path))
        if not real.exists():
            faults.append(Fault("there is no such file or folder", file=given))
        elif not real.is_relative_to(workspace.root):
            faults.append(Fault("lies outside of the workspace", file=given, hint=f"{workspace.root}"))
        elif real.is_dir():
            found.update(_search(real, workspace))
        elif real.name.endswith(SUFFIXES):
            found.add(real)
        else:
            faults.append(Fault("is not a Packer file", file=given, hint="*" + ", *".join(SUFFIXES)))
    if faults:
        raise WorkspaceError("these paths cannot be formatted", faults=faults)
    return sorted(found)


def _search(folder: Path, workspace: Workspace) -> list[Path]:
    """The Packer files below a folder; not in hidden folders, nor in what others own or runs leave."""
    skipped = {workspace.sources, workspace.images, workspace.state_dir, workspace.logs}
    found = []
    for here, folders, names in os.walk(folder):
        folders[:] = [
            name for name in folders if not name.startswith(".") and Path(here, name) not in skipped
        ]
        found += [
            Path(here, name)
            for name in names
            if name.endswith(SUFFIXES) and not os.path.islink(os.path.join(here, name))
        ]
    return found


def _copy(files: Iterable[Path], folder: Path) -> dict[str, Path]:
    """Copy the files into one flat folder, and say which copy is of which file."""
    copies = {}
    for number, path in enumerate(files):
        suffix = next(suffix for suffix in SUFFIXES if path.name.endswith(suffix))
        name = f"f{number:05}{suffix}"
        temporary.write(folder / name, path.read_bytes())
        copies[name] = path
    return copies


def _fault(path: Path, workspace: Workspace) -> Fault:
    """Why Packer cannot parse a file; it does not say where, our own parser does."""
    from ... import hcl

    try:
        hcl.load(path)
    except HclError as error:
        return Fault(error.message, file=workspace.relative(path), line=error.line)
    return Fault("Packer cannot parse this file", file=workspace.relative(path))


def _diff(name: str, old: bytes, new: bytes) -> str:
    before, after = (text.decode("utf-8", "replace").splitlines(keepends=True) for text in (old, new))
    lines = difflib.unified_diff(before, after, f"old/{name}", f"new/{name}")
    return "".join(
        line if line.endswith("\n") else line + "\n\\ No newline at end of file\n" for line in lines
    )
