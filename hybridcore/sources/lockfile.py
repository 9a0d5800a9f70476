"""``packer-hybrid.lock``: the commit and the digest of the files of each source, for ``frozen``."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from .. import atomic
from ..errors import Fault, SourcesError
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
_HEAD = '# Written by "packer-hybrid sources lock"; "sources sync --frozen" needs exactly this.\n'
_TREE = re.compile(r"sha256:[0-9a-f]{64}")
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


def read(workspace: Workspace) -> dict[str, Locked] | None:
    """Read the lock file.

    Returns:
        What it says, by the name of the source; None where there is no such file.

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
    entries = data.get("sources", {})
    if not isinstance(entries, dict):
        raise SourcesError("the lock file is not right: sources is no table", file=file, hint=hint)
    faults = [
        Fault(f"the entry of {name} is not url, ref, sha and tree", file=file, hint=hint)
        for name, entry in entries.items()
        if not _is_entry(entry)
    ]
    if faults:
        raise SourcesError("the lock file is not right", faults=faults)
    return {name: Locked(**entry) for name, entry in entries.items()}


def render(entries: Mapping[str, Locked]) -> str:
    """The text of a lock file: TOML, sources by name."""
    tables = [
        f"\n[sources.{json.dumps(name)}]\n"
        + "".join(f"{key} = {json.dumps(value)}\n" for key, value in asdict(entry).items())
        for name, entry in sorted(entries.items())
    ]
    return f"{_HEAD}version = {_VERSION}\n{''.join(tables)}"


def write(workspace: Workspace, entries: Mapping[str, Locked]) -> None:
    """Replace the lock file.

    Raises:
        OSError: it cannot be written; the old one is still there.
    """
    atomic.replace(path(workspace), render(entries).encode(), durable=True)


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
