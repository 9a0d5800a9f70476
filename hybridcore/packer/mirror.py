"""The folder in which Packer runs: the target's files, in a mirror of the workspace around them.

Packer runs in ``<mirror>/templates/<os>/<platform>/<name>/``. That folder, those above it and those that the
build names are real in the mirror, all others are symbolic links. A relative path from the template, such as
``${path.root}/../../../ansible/site.yml``, therefore means the same as in the workspace itself, while what
Packer writes belongs to this run alone. Each attempt to build a target has a mirror of its own.

In a real folder files up to 1 MiB are copies: a build may write over them, and who opens one is this build.
"""

from __future__ import annotations

import errno
import os
import shutil
import stat
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..templates.files import JSON_SUFFIX
from ..temporary import write
from .planning.layout import layout

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from ..templates import Template
    from ..workspace import Workspace
    from .planning.layout import Layout
    from .planning.rendered import Rendered

_COPIED = 1 << 20  # bytes; a larger file is a link
# A file that we may not read, or a link that leads nowhere: whoever needs it says so.
_UNREADABLE = (errno.EACCES, errno.EPERM, errno.ELOOP)


@dataclass(frozen=True)
class Mirror:
    """A mirror that was made.

    Attributes:
        root: stands for the workspace.
        cwd: the folder in it in which Packer runs.
        argument: the template in it.
        folders: those that are real, relative to ``root``; ``""`` is itself.
        copies: size and time (ns) of each file that was copied, by its path relative to ``root``.
    """

    root: Path
    cwd: Path
    argument: Path
    folders: list[str] = field(default_factory=list)
    copies: dict[str, tuple[int, int]] = field(default_factory=dict)

    def shown(self, text: str) -> str:
        """A text with the paths that people know: the mirror is gone when they read it."""
        return text.replace(f"{self.root}{os.sep}", "")

    def made(self) -> list[str]:
        """The files that a build made or changed here, relative to ``root``, sorted. Links do not count."""
        return sorted(self._made(""))

    def _made(self, level: str) -> Iterator[str]:
        with os.scandir(f"{self.root}/{level}") as entries:
            for entry in entries:
                name = f"{level}{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    yield from self._made(f"{name}/")
                elif entry.is_file(follow_symlinks=False):
                    status = entry.stat(follow_symlinks=False)
                    if self.copies.get(name) != (status.st_size, status.st_mtime_ns):
                        yield name


def make_mirror(
    template: Template,
    rendered: Rendered,
    folder: Path,
    workspace: Workspace,
    *,
    environ: Mapping[str, str],
    with_plugins: bool,
) -> Mirror:
    """Make a mirror for one target.

    Args:
        template: the target.
        rendered: its configuration, which may hold paths; an empty one where there is none.
        folder: the mirror; created, for its owner only (0700).
        workspace: what it mirrors.
        environ: the environment that Packer gets there.
        with_plugins: whether this Packer knows ``required_plugins``; if not, such blocks are left out.

    Returns:
        The mirror.

    Raises:
        OSError: it cannot be created.
    """
    home = workspace.relative(template.folder)
    mirror = Mirror(
        folder,
        folder / workspace.relative(template.cwd),
        folder / workspace.relative(template.argument),
    )
    cuts = {} if with_plugins else plugin_requirements(template)
    shape = layout(template, rendered, workspace, environ)
    _fill("", mirror, shape, workspace.root, {f"{home}/{name}" for name in cuts}, whole=False)
    for name, without in cuts.items():
        path = folder / home / name
        if without.strip():
            write(path, without.encode())
            status = path.stat()
            mirror.copies[f"{home}/{name}"] = (status.st_size, status.st_mtime_ns)
    return mirror


def _fill(
    level: str, mirror: Mirror, shape: Layout, workspace: Path, leave_out: set[str], *, whole: bool
) -> None:
    """Make a real folder of a mirror, and those below it."""
    here = f"{mirror.root}/{level}"
    os.mkdir(here, 0o700)
    mirror.folders.append(level)
    below = []
    with os.scandir(f"{workspace}/{level}") as entries:
        for entry in entries:
            path = f"{level}/{entry.name}" if level else entry.name
            if path in shape.absent or path in leave_out:
                continue
            # A link that is named as a folder becomes one, so that what is written there stays here.
            if path in shape.real or (whole and entry.is_dir(follow_symlinks=False)):
                below.append(path)
            else:
                _place(entry, f"{here}/{entry.name}", path, mirror, in_any_case=path in shape.written)
    for path in below:
        _fill(path, mirror, shape, workspace, leave_out, whole=whole or path in shape.whole)


def _place(entry: os.DirEntry[str], there: str, path: str, mirror: Mirror, *, in_any_case: bool) -> None:
    """Put a file or a folder into a mirror, as a copy or as a link."""
    try:
        if not entry.is_dir() and entry.is_file() and (in_any_case or entry.stat().st_size <= _COPIED):
            mirror.copies[path] = _copy(entry.path, there)
            return
    except FileNotFoundError:
        return  # gone since the folder was read
    except OSError as error:
        if error.errno not in _UNREADABLE:
            raise
    os.symlink(entry.path, there)


def _copy(source: str, there: str) -> tuple[int, int]:
    """Copy a file with its permissions and its time; gives its size and its time."""
    with open(source, "rb", buffering=0) as old:
        status = os.fstat(old.fileno())
        new = os.open(there, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with open(new, "wb") as file:
            shutil.copyfileobj(old, file, min(status.st_size + 1, _COPIED))
            file.flush()
            os.fchmod(new, stat.S_IMODE(status.st_mode))
            os.utime(new, ns=(status.st_atime_ns, status.st_mtime_ns))
            return os.fstat(new).st_size, status.st_mtime_ns


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
        if spans and path.name.endswith(JSON_SUFFIX):
            # There, the name of a comment hides the block; a Packer that is so old knows no other one.
            found[path.name] = path.read_text(encoding="utf-8-sig").replace('"required_plugins"', '"//"')
        elif spans:
            lines = path.read_text(encoding="utf-8-sig").split("\n")
            for first, last in spans:
                lines[first - 1 : last] = [""] * (last - first + 1)
            found[path.name] = "\n".join(lines)
    return found
