"""The text of a rendered configuration, and writing it: whole or not at all, and not when unchanged."""

from __future__ import annotations

import contextlib
import os
import re
from typing import TYPE_CHECKING

from .. import atomic, hcl
from ..errors import ConfigError, HclError
from ..workspace import read_plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from ..hcl import Value
    from ..workspace import Workspace

HEADER = "# Rendered by packer-hybrid. Change the files named below, not this one."
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
        body = hcl.loads(content)
    except HclError:
        return "# (a file that cannot be read, and may hold secrets, is not shown)\n"
    items = sorted(
        [(one.line, name) for name, one in body.attributes.items()]
        + [(block.line, block.type) for block in body.blocks]
    )
    lines = content.split("\n")
    end = len(lines) - (lines[-1] == "")  # the last line may have no end
    for line, name in reversed(items):
        if name in secret:
            lines[line - 1 : end] = [f"{name} = (sensitive)"]
        end = line - 1
    return "\n".join(lines)


def check_place(folder: Path, workspace: Workspace) -> None:
    """Check that a folder of configurations is inside the workspace, whatever symbolic links there are.

    Raises:
        ConfigError: it is not.
    """
    if not workspace.holds(folder):
        raise ConfigError(f"{workspace.relative(folder)} leads out of the workspace")


def read(path: Path) -> bytes | None:
    """What a configuration file holds; None where there is no plain file. A symbolic link counts as none."""
    if path.is_symlink():
        return None
    try:
        return read_plain(path)
    except OSError:
        return None


def write(files: Sequence[tuple[Path, bytes]], workspace: Workspace) -> None:
    """Write configurations: first all of them beside their places, then each is renamed into its place.

    Args:
        files: paths and what they are to hold.
        workspace: for the names of files in errors.

    Raises:
        ConfigError: a file cannot be written; then no file of the batch was replaced, unless a rename failed.
    """
    with contextlib.ExitStack() as stack:

        def write_beside(path: Path, content: bytes) -> str:
            with _named(path, workspace):
                path.parent.mkdir(parents=True, exist_ok=True)
                return stack.enter_context(atomic.beside(path, [content], durable=True))

        for (path, __), temporary in zip(files, _write_all(write_beside, files), strict=True):
            with _named(path, workspace):
                os.rename(temporary, path)


@contextlib.contextmanager
def _named(path: Path, workspace: Workspace) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise ConfigError(f"cannot be written: {error.strerror}", file=workspace.relative(path)) from error


def _write_all(write_one: Callable[[Path, bytes], str], files: Sequence[tuple[Path, bytes]]) -> list[str]:
    """Write many files at a time, so that the file system can flush them in few of its transactions."""
    if len(files) <= _THREADS:
        return [write_one(path, content) for path, content in files]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(_THREADS) as pool:
        return list(pool.map(write_one, *zip(*files, strict=True)))
