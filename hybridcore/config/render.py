"""The text of a rendered configuration, and writing it: whole or not at all, and not when unchanged."""

from __future__ import annotations

import contextlib
import os
import re
import stat

from .. import hcl
from ..errors import ConfigError, HclError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from ..hcl import Value
    from ..workspace import Workspace

HEADER = "# Rendered by packer-hybrid. Change the files named below, not this one."
_BATCH = 256  # files that are open at a time
_THREADS = 8
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]")


def text(
    target: str,
    env: str,
    digest: str,
    values: Mapping[str, Value],
    origins: Mapping[str, str],
    sensitive: Sequence[str],
) -> str:
    """Compose a configuration.

    Args:
        target: ``<os>/<platform>/<name>``.
        env: the environment.
        digest: digest of the inputs, ``sha256:...``.
        values: the values by variable.
        origins: the files that gave each value.
        sensitive: names of the variables that come from the environment of the build.

    Returns:
        A comment that says where everything comes from, then the values in ``packer fmt`` form.
    """
    lines = [HEADER, f"# target: {target}", f"# environment: {env}", f"# inputs: {digest}"]
    lines += [f"# {name}: {_plain(origins[name])}" for name in sorted(values)]
    lines += [f"# {name}: sensitive, from the environment of the build" for name in sorted(sensitive)]
    body = hcl.dumps(dict(sorted(values.items())))
    return "\n".join(lines) + "\n" + (f"\n{body}" if body.strip() else "")


def _plain(origin: str) -> str:
    """An origin for a comment: a file's name cannot end the line."""
    return _UNPRINTABLE.sub("?", origin)


def mask(content: str, names: Iterable[str]) -> str:
    """A configuration as it may be shown: without the values of sensitive variables.

    Ours never hold them, but the file on disk may have been written by somebody else.

    Args:
        content: what the file holds.
        names: names of the sensitive variables.

    Returns:
        The text, the values of these variables replaced.
    """
    secret = set(names)
    if not secret:
        return content
    try:
        attributes = sorted(hcl.loads(content).attributes.values(), key=lambda item: item.line)
    except HclError:
        return "# (a file that cannot be read, and may hold secrets, is not shown)\n"
    lines = content.split("\n")
    end = len(lines) - 1
    for attribute in reversed(attributes):
        if attribute.name in secret:
            lines[attribute.line - 1 : end] = [f"{attribute.name} = (sensitive)"]
        end = attribute.line - 1
    return "\n".join(lines)


def check_place(folder: Path, workspace: Workspace) -> None:
    """Check that a folder of configurations is inside the workspace, whatever symbolic links there are.

    Raises:
        ConfigError: it is not.
    """
    if not folder.resolve().is_relative_to(workspace.root):
        raise ConfigError(f"{workspace.relative(folder)} leads out of the workspace")


def read(path: Path) -> bytes | None:
    """What a configuration file holds, or None where there is none; a symbolic link counts as none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return None
    with open(descriptor, "rb") as stream:
        return stream.read()


def write(files: Sequence[tuple[Path, bytes]], workspace: Workspace) -> None:
    """Write configurations: first all of them beside their places, then each is renamed into its place.

    Args:
        files: paths and what they are to hold.
        workspace: for the names of files in errors.

    Raises:
        ConfigError: a file cannot be written; then no file of the batch was replaced, unless a rename failed.
    """
    written: list[tuple[str, Path]] = []
    path = workspace.configs
    try:
        for folder in {path.parent for path, _ in files}:
            folder.mkdir(parents=True, exist_ok=True)
        for start in range(0, len(files), _BATCH):
            descriptors: list[int] = []
            try:
                for path, content in files[start : start + _BATCH]:
                    temporary = f"{path.parent}/.{path.name}.{os.getpid()}.tmp"
                    written.append((temporary, path))
                    descriptors.append(_write_one(temporary, content, _mode(path)))
                _flush_all(descriptors)
            finally:
                for descriptor in descriptors:
                    os.close(descriptor)
        for temporary, path in written:
            os.replace(temporary, path)
        written.clear()
    except OSError as error:
        raise ConfigError(f"cannot be written: {error.strerror}", file=workspace.relative(path)) from error
    finally:
        for temporary, _ in written:
            with contextlib.suppress(OSError):
                os.unlink(temporary)


def _mode(path: Path) -> int | None:
    """The permissions of the file that is replaced; None where there is none."""
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return None
    return stat.S_IMODE(status.st_mode) if stat.S_ISREG(status.st_mode) else None


def _write_one(path: str, content: bytes, mode: int | None) -> int:
    """Write a temporary file; returns its descriptor, still to be flushed to disk."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o644)
    try:
        if mode is not None:
            os.fchmod(descriptor, mode)
        left = memoryview(content)
        while left:
            left = left[os.write(descriptor, left) :]
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _flush_all(descriptors: Sequence[int]) -> None:
    """Flush files to disk; many at a time, so that the file system can do it in few of its transactions."""

    def flush(some: Sequence[int]) -> None:
        for descriptor in some:
            os.fsync(descriptor)

    if len(descriptors) <= _THREADS:
        flush(descriptors)
        return
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(_THREADS) as pool:
        for _ in pool.map(flush, [descriptors[start::_THREADS] for start in range(_THREADS)]):
            pass  # looking at each result raises its error
