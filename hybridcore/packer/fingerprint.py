"""What decides the content of an image, as one digest, and which part of it changed since the last build.

The fingerprint is the sha256 of the sorted JSON of an image's inputs: a name and a digest or version each.
The inputs are few (a whole folder counts as one), so that they fit into the state; the files of each folder
are kept beside it, under ``state/inputs/``, to tell which file it was.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ..workspace import Workspace

# Files that programs leave behind and that never reach an image.
_IGNORED = frozenset({"__pycache__", ".git", ".DS_Store", ".cache"})
# A file changed in the tick of the clock in which it was read keeps its times: its digest is not kept.
_RACY_NS = 50_000_000


def digest_of(data: bytes) -> str:
    """Hex sha256 of bytes."""
    return hashlib.sha256(data).hexdigest()


def fingerprint(inputs: Mapping[str, str]) -> str:
    """The fingerprint of an image.

    Args:
        inputs: digest or version of each input, by name.

    Returns:
        Hex sha256 of their sorted JSON.
    """
    return digest_of(json.dumps(inputs, sort_keys=True, ensure_ascii=False).encode())


class Digests:
    """Digests of files and folders; a file whose status has not changed is not read again.

    Args:
        workspace: its ``state/cache/digests.json`` remembers the digests.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._file = workspace.state_dir / "cache" / "digests.json"
        self._known: dict[str, list[int | str]] = {}
        self._trees: dict[str, dict[str, str]] = {}
        self._changed = False
        try:
            loaded = json.loads(self._file.read_bytes())
        except (OSError, ValueError):
            return  # a cache: what is not there is computed
        if isinstance(loaded, dict):
            self._known = loaded

    def file(self, path: str | Path) -> str:
        """Hex sha256 of a file's content.

        Raises:
            OSError: it cannot be read.
        """
        name = os.fspath(path)
        return self._file_digest(name, os.stat(name))

    def tree(self, folder: str | Path) -> dict[str, str]:
        """Digest of every file below a folder, by its path relative to the folder.

        Args:
            folder: where to look. Names that no provisioner reads, as ``__pycache__``, are left out.

        Returns:
            Hex sha256 of the content; a symbolic link counts by where it points, an executable file by its
            mode too. Read once in the life of this object.

        Raises:
            OSError: something in it cannot be read.
        """
        root = os.fspath(folder)
        if root not in self._trees:
            found: dict[str, str] = {}
            self._scan(root, "", found)
            self._trees[root] = dict(sorted(found.items()))
        return self._trees[root]

    def save(self) -> None:
        """Write what was learnt; a cache that cannot be written is only slower the next time."""
        if not self._changed:
            return
        temporary = self._file.with_name(f"{self._file.name}.{os.getpid()}.tmp")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            temporary.write_text(json.dumps(self._known), encoding="utf-8")
            temporary.replace(self._file)
        except OSError:
            temporary.unlink(missing_ok=True)

    def _scan(self, root: str, prefix: str, found: dict[str, str]) -> None:
        with os.scandir(f"{root}/{prefix}" if prefix else root) as entries:
            for entry in entries:
                if entry.name in _IGNORED or entry.name.endswith(".retry"):
                    continue
                name = prefix + entry.name
                if entry.is_symlink():
                    found[name] = "link:" + os.readlink(entry.path)
                    if entry.is_file():
                        found[name] += ":" + self._file_digest(entry.path, entry.stat())
                elif entry.is_dir():
                    self._scan(root, name + "/", found)
                elif entry.is_file():
                    status = entry.stat()
                    mark = ":x" if status.st_mode & stat.S_IXUSR else ""
                    found[name] = self._file_digest(entry.path, status) + mark

    def _file_digest(self, name: str, status: os.stat_result) -> str:
        identity: list[int | str] = [
            status.st_size,
            status.st_mtime_ns,
            status.st_ctime_ns,
            status.st_ino,
        ]
        known = self._known.get(name)
        if known is not None and known[:4] == identity:
            return str(known[4])
        with open(name, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if _now_ns() - status.st_ctime_ns > _RACY_NS:
            self._known[name] = [*identity, digest]
            self._changed = True
        return digest


def _now_ns() -> int:
    import time

    return time.time_ns()


def tree_digest(tree: Mapping[str, str]) -> str:
    """One digest for a folder, from those of its files."""
    return fingerprint(tree)


def changed_inputs(
    before: Mapping[str, str],
    now: Mapping[str, str],
    files_before: Mapping[str, Mapping[str, str]],
    files_now: Mapping[str, Mapping[str, str]],
) -> list[str]:
    """Say which inputs changed, file by file where a folder did.

    Args:
        before: the inputs of the last build.
        now: the inputs now.
        files_before: files of each folder among the inputs at the last build; may be empty.
        files_now: the same now.

    Returns:
        ``templates/ansible/base.yml changed``, ``packer 1.6.6 -> 1.9.4`` and the like, sorted.
    """
    reasons = []
    for name in sorted(before.keys() | now.keys()):
        if before.get(name) == now.get(name):
            continue
        if name in files_now and files_before.get(name):
            old, new = files_before[name], files_now[name]
            for path in sorted(old.keys() | new.keys()):
                if old.get(path) != new.get(path):
                    reasons.append(f"{name}/{path} {_how(path in old, path in new)}")
        elif len(before.get(name, "")) < 64 and name in before and name in now:
            reasons.append(f"{name} {before[name]} -> {now[name]}")
        else:
            reasons.append(f"{name} {_how(name in before, name in now)}")
    return reasons


def _how(was: bool, is_now: bool) -> str:
    return "changed" if was and is_now else ("added" if is_now else "removed")
