"""``packer-hybrid.lock``: commit and digest of the files of each source, version and digest of plugins."""

from __future__ import annotations

import hashlib
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from .. import atomic
from ..errors import Fault, SourcesError
from ..image_settings import toml_text
from .records import SHA
from .shape import covers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import Any

    from ..workspace import Workspace
    from .git import Git

LOCK_FILE = "packer-hybrid.lock"
_VERSION = 1
_HEAD = """\
# Written by "packer-hybrid sources lock" and "packer-hybrid plugins lock".
# "sources sync --frozen" and "plugins sync" need exactly this.
"""
_TREE = re.compile(r"sha256:[0-9a-f]{64}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_TOGETHER = 200  # contents that are held in memory at a time


@dataclass(frozen=True)
class Locked:
    """What the lock file says of a source.

    Attributes:
        url: where it comes from.
        ref: branch, tag or commit that the settings had.
        sha: the commit.
        tree: digest of its files, as ``digest`` makes it.
    """

    url: str
    ref: str
    sha: str
    tree: str


def path(workspace: Workspace) -> Path:
    """Where the lock file lies."""
    return workspace.root / LOCK_FILE


@dataclass(frozen=True)
class LockedPlugin:
    """What the lock file says of a plugin of Packer.

    Attributes:
        version: the version that was locked.
        programs: SHA-256 of its program, by the machines that it is for, ``linux_amd64``.
    """

    version: str
    programs: Mapping[str, str]


@dataclass(frozen=True)
class LockFile:
    """What the lock file says.

    Attributes:
        sources: by name.
        plugins: by address.
    """

    sources: Mapping[str, Locked]
    plugins: Mapping[str, LockedPlugin]


def read(workspace: Workspace) -> LockFile | None:
    """Read the lock file.

    Returns:
        What it says; None where there is no such file.

    Raises:
        SourcesError: it cannot be read, or is not as ``render`` writes it.
    """
    import tomllib

    file = path(workspace)
    hint = f"write it anew with packer-hybrid sources lock, or get {LOCK_FILE} from where it is kept"
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (ValueError, RecursionError) as error:
        raise SourcesError(f"the lock file cannot be read: {error}", file=file, hint=hint) from error
    if data.get("version") != _VERSION:
        raise SourcesError(
            f"the lock file has version {data.get('version')!r}, known is {_VERSION}", file=file, hint=hint
        )
    tables = {}
    for table in ("sources", "plugins"):
        tables[table] = data.get(table, {})
        if not isinstance(tables[table], dict):
            raise SourcesError(f"the lock file is not right: {table} is no table", file=file, hint=hint)
    faults = [
        Fault(f"the entry of {name} is not url, ref, sha and tree", file=file, hint=hint)
        for name, entry in tables["sources"].items()
        if not _is_entry(entry)
    ] + [
        Fault(f"the entry of {name} is not a version and digests", file=file, hint=hint)
        for name, entry in tables["plugins"].items()
        if not _is_plugin(entry)
    ]
    if faults:
        raise SourcesError("the lock file is not right", faults=faults)
    return LockFile(
        {name: Locked(**entry) for name, entry in tables["sources"].items()},
        {name: LockedPlugin(**entry) for name, entry in tables["plugins"].items()},
    )


def render(content: LockFile) -> str:
    """The text of a lock file: TOML, sources by name, then plugins by address."""
    tables = [
        f"\n[sources.{toml_text(name)}]\n"
        + "".join(f"{key} = {toml_text(value)}\n" for key, value in asdict(entry).items())
        for name, entry in sorted(content.sources.items())
    ] + [
        f"\n[plugins.{toml_text(source)}]\nversion = {toml_text(plugin.version)}\n"
        + "".join(
            f"programs.{machine} = {toml_text(sha256)}\n"
            for machine, sha256 in sorted(plugin.programs.items())
        )
        for source, plugin in sorted(content.plugins.items())
    ]
    return f"{_HEAD}version = {_VERSION}\n{''.join(tables)}"


def write(workspace: Workspace, content: LockFile) -> None:
    """Replace the lock file.

    Raises:
        OSError: it cannot be written; the old one is still there.
    """
    atomic.replace(path(workspace), render(content).encode(), durable=True)


def digest(git: Git, folder: Path, sha: str, sparse: Sequence[str]) -> str:
    """The digest of the files of a commit, which does not rest on the hash that Git uses.

    Args:
        git: runs git.
        folder: a clone that has the commit.
        sha: the commit.
        sparse: the folders that are checked out; only these count.

    Returns:
        ``sha256:`` and the SHA-256 of, for each path in Git's order: its mode, a blank, the path, a zero
        byte, the SHA-256 of its content as it is in the repository (of a submodule: of its commit id).
    """
    entries = [entry for entry in git.entries(folder, sha) if covers(sparse, entry.path)]
    whole = hashlib.sha256()
    for start in range(0, len(entries), _TOGETHER):
        some = entries[start : start + _TOGETHER]
        blobs = iter(git.blobs(folder, [entry.sha for entry in some if not entry.is_submodule]))
        for entry in some:
            content = entry.sha.encode("ascii") if entry.is_submodule else next(blobs)
            whole.update(f"{entry.mode} {entry.path}\0".encode("utf-8", "surrogateescape"))
            whole.update(hashlib.sha256(content).digest())
    return f"sha256:{whole.hexdigest()}"


def _is_entry(entry: Any) -> bool:  # noqa: ANN401 -- whatever TOML has
    return (
        isinstance(entry, dict)
        and set(entry) == {"url", "ref", "sha", "tree"}
        and all(isinstance(value, str) for value in entry.values())
        and bool(SHA.fullmatch(entry["sha"]) and _TREE.fullmatch(entry["tree"]))
    )


def _is_plugin(entry: Any) -> bool:  # noqa: ANN401 -- whatever TOML has
    return (
        isinstance(entry, dict)
        and set(entry) == {"version", "programs"}
        and isinstance(entry["version"], str)
        and isinstance(entry["programs"], dict)
        and all(isinstance(value, str) and _SHA256.fullmatch(value) for value in entry["programs"].values())
    )
