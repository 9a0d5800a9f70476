"""What decides the content of an image, as one digest, and which part of it changed since the last build.

The fingerprint is the sha256 of the sorted JSON of an image's inputs: a name and a digest or version each.
The inputs are few (a whole folder counts as one), so that they fit into the state; the files of each folder
are kept beside it, under ``state/inputs/``, to tell which file it was.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
from typing import TYPE_CHECKING

from ... import atomic

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from ...workspace import Workspace

# The input that is rendered configuration; its "files" are its variables.
CONFIGURATION = "configuration"
# The input that is the image that a target starts from; the name of that target follows.
PARENT = "parent "
# Files that programs leave behind and that never reach an image.
IGNORED = frozenset({"__pycache__", ".git", ".DS_Store", ".cache"})
# A file changed in the tick of the clock in which it was read keeps its times: its digest is not kept. A tick
# is a jiffy, or on file systems with whole seconds up to two of them.
_RACY_NS = 50_000_000
_RACY_SECONDS_NS = 2_000_000_000
_SHA256 = 64  # hex digits


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
        self._workspace = workspace
        self._file = workspace.state_dir / "cache" / "digests.json"
        # By folder and name: size, mtime and ctime in nanoseconds, inode, and what ``_content`` gave.
        self._known: dict[str, dict[str, list[int | str]]] = {}
        self._trees: dict[str, dict[str, str]] = {}
        self._changed = False
        try:
            loaded = json.loads(self._file.read_bytes())
        except (OSError, ValueError):
            return  # a cache: what is not there is computed
        if isinstance(loaded, dict) and isinstance(loaded.get("folders"), dict):
            self._known = {
                name: known for name, known in loaded["folders"].items() if isinstance(known, dict)
            }

    def look_again(self) -> Digests:
        """Forget the trees that were read, so that folders are read again; returns itself."""
        self._trees.clear()
        return self

    def file(self, path: str | Path) -> str:
        """Hex sha256 of a file's content.

        Raises:
            OSError: it cannot be read.
        """
        return self.input(path)[:_SHA256]

    def input(self, path: str | Path) -> str:
        """Hex sha256 of a file, and ``:x`` when it is executable, as ``tree`` gives it.

        Raises:
            OSError: it cannot be read.
        """
        folder, name = os.path.split(os.path.abspath(path))
        return self._content(folder, name, os.stat(path))

    def tree(self, folder: str | Path) -> dict[str, str]:
        """Digest of every file below a folder, by its path relative to the folder.

        Args:
            folder: where to look. Names that no provisioner reads, as ``__pycache__``, are left out.

        Returns:
            Hex sha256 of the content; a symbolic link counts by where it points and by what is there, an
            executable file by its mode too. A folder counts once, however many links lead to it; one above
            this one, and what runs write (``configs/``, ``images/``, ``logs/``, ``state/``), is not
            followed. Read once in the life of this object.

        Raises:
            OSError: something in it cannot be read.
        """
        root = os.fspath(folder)
        if root not in self._trees:
            found: dict[str, str] = {}
            seen: set[tuple[int, int]] = set()
            links = self._scan(root, "", found, seen)
            # The folders of the tree come first and links in order, whatever the order of the file system.
            while links:
                more: list[str] = []
                for link in sorted(links):
                    if self._is_followed(f"{root}/{link}", root, seen):
                        more += self._scan(f"{root}/{link}", f"{link}/", found, seen)
                links = more
            self._trees[root] = {name: found[name] for name in sorted(found)}
        return self._trees[root]

    def save(self) -> None:
        """Write what was learnt; a cache that cannot be written is only slower the next time."""
        if not self._changed:
            return
        there = {folder: names for folder, names in self._known.items() if os.path.isdir(folder)}
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            atomic.replace(self._file, json.dumps({"folders": there}).encode())

    def _is_followed(self, link: str, root: str, seen: AbstractSet[tuple[int, int]]) -> bool:
        status = os.stat(link)
        if (status.st_dev, status.st_ino) in seen:
            return False
        there = os.path.realpath(link)
        where = self._workspace
        written = (where.configs, where.images, where.logs, where.state_dir)
        return not _is_in(os.path.realpath(root), there) and not any(
            _is_in(there, os.path.realpath(folder)) for folder in written
        )

    def _scan(
        self,
        folder: str,
        prefix: str,
        found: dict[str, str],
        seen: set[tuple[int, int]],
        parent: int | None = None,
    ) -> list[str]:
        """Add the files below a folder; the links to folders among them, which are not followed here."""
        links: list[str] = []
        # Relative to an open folder, the kernel does not walk the whole path again for each file.
        here = os.open(
            os.path.basename(folder) if parent is not None else folder,
            os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC,
            dir_fd=parent,
        )
        try:
            status = os.fstat(here)
            seen.add((status.st_dev, status.st_ino))
            known = self._known.get(folder, {})
            with os.scandir(here) as entries:
                for entry in entries:
                    name = entry.name
                    if name in known:
                        status = entry.stat(follow_symlinks=False)
                        content = _unchanged(known[name], status)
                        if content:  # so it is a plain file, and counts
                            found[prefix + name] = content
                            continue
                    if name in IGNORED:
                        continue
                    if entry.is_file(follow_symlinks=False):
                        found[prefix + name] = self._content(folder, name, entry.stat(follow_symlinks=False))
                    elif entry.is_dir(follow_symlinks=False):
                        links += self._scan(f"{folder}/{name}", f"{prefix}{name}/", found, seen, here)
                    elif entry.is_symlink():
                        found[prefix + name] = "link:" + os.readlink(name, dir_fd=here)
                        if os.path.isdir(f"{folder}/{name}"):
                            links.append(prefix + name)
                        elif os.path.isfile(f"{folder}/{name}"):
                            content = self._content(folder, name, entry.stat())
                            found[prefix + name] += ":" + content
        finally:
            os.close(here)
        return links

    def _content(self, folder: str, name: str, status: os.stat_result) -> str:
        """Hex sha256 of a file, and ``:x`` when it is executable."""
        known = _unchanged(self._known.get(folder, {}).get(name), status)
        if known:
            return known
        with open(f"{folder}/{name}", "rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        if status.st_mode & stat.S_IXUSR:
            content += ":x"
        whole = status.st_ctime_ns % 1_000_000_000 == 0 == status.st_mtime_ns % 1_000_000_000
        if _now_ns() - status.st_ctime_ns > (_RACY_SECONDS_NS if whole else _RACY_NS):
            identity = [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]
            self._known.setdefault(folder, {})[name] = [*identity, content]
            self._changed = True
        return content


def _is_in(path: str, folder: str) -> bool:
    """Whether a path is a folder or something below it."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def _unchanged(known: object, status: os.stat_result) -> str:
    """What is remembered of a file, if its status is the same; an empty text when not, or when damaged."""
    if not isinstance(known, list) or len(known) != 5:
        return ""
    size, mtime, ctime, inode, content = known
    same = (
        ctime == status.st_ctime_ns
        and mtime == status.st_mtime_ns
        and size == status.st_size
        and inode == status.st_ino
    )
    return content if same and isinstance(content, str) else ""


def _now_ns() -> int:
    import time

    return time.time_ns()


def tree_digest(tree: Mapping[str, str]) -> str:
    """One digest for a folder, from those of its files.

    Args:
        tree: what ``Digests.tree`` gives, in its order.
    """
    # No name holds a NUL; one that is not UTF-8 is taken as it is.
    parts = [part for item in tree.items() for part in item]
    return digest_of("\0".join(parts).encode("utf-8", "surrogateescape"))


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
        ``templates/ansible/base.yml changed``, ``configuration: memory changed``, ``packer 1.6.6 -> 1.9.4``
        and the like, sorted.
    """
    reasons = []
    for name in sorted(before.keys() | now.keys()):
        if before.get(name) == now.get(name):
            continue
        if name in files_now and files_before.get(name):
            old, new = files_before[name], files_now[name]
            for path in sorted(old.keys() | new.keys()):
                if old.get(path) != new.get(path):
                    place = f"{name}: {path}" if name == CONFIGURATION else f"{name}/{path}"
                    reasons.append(f"{place} {_how(path in old, path in new)}")
        elif name.startswith(PARENT) and name in before and name in now:
            versions = [inputs[name].partition(" ")[0] for inputs in (before, now)]
            reasons.append(f"its {name} has another version: {' -> '.join(versions)}")
        elif len(before.get(name, "")) < 64 and name in before and name in now:
            reasons.append(f"{name} {before[name]} -> {now[name]}")
        else:
            reasons.append(f"{name} {_how(name in before, name in now)}")
    return reasons


def _how(was: bool, is_now: bool) -> str:
    return "changed" if was and is_now else ("added" if is_now else "removed")
