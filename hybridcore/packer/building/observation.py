"""Which files of the workspace running builds read, besides the inputs that are known beforehand.

What lies in a mirror as a copy is opened there, by that build alone. All else is opened where it lies in the
workspace, and nobody tells by whom: such a file counts for each build that runs, unless one of them is known
to read it. The kernel's notes are read often, and around what this process opens itself.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ...settings import SETTINGS_FILE
from ..planning.fingerprint import CONFIGURATION, IGNORED
from .inotify import Inotify

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from ...workspace import Workspace
    from ..mirror import Mirror
    from ..planning.fingerprint import Digests
    from ..planning.plan import Planned

# The folders of the workspace that runs write into: nothing in them is an input.
_OWN = frozenset({"configs", "images", "logs", "state"})
# In a checkout the core lies in the workspace, and each process of ours that starts opens it.
_CORE = str(Path(__file__).resolve().parents[2])
# Packer evaluates all of a template whatever is selected; git, shells and our commands look at the others.
_NEVER = (
    *(".pkr.hcl", ".pkr.json", ".pkrvars.hcl", ".pkrvars.json"),
    *(".gitignore", ".gitattributes", SETTINGS_FILE),
)
# Who opens more files than these searches the workspace: that is no build that reads its inputs.
_MOST = 500
_MOST_NAMED = 5  # in one sentence
_FULL = "the kernel allows no more watches (fs.inotify.max_user_watches)"
_LOST = "more was opened than the kernel takes note of (fs.inotify.max_queued_events)"
_SEARCHED = f"more than {_MOST} files were opened that nothing names, as when somebody searches the workspace"


@dataclass
class Reading:
    """What a build was seen to read.

    Attributes:
        since: nanoseconds since 1970, when it was started.
        copies: files that it opened in its mirror, relative to the workspace.
        others: files that were opened in the workspace while it ran.
        trouble: why that may not be all; empty when it is.
    """

    since: int
    copies: set[str] = field(default_factory=set)
    others: set[str] = field(default_factory=set)
    trouble: str = ""


@dataclass
class _Running:
    mirror: Mirror
    known: frozenset[str]
    below: tuple[str, ...]
    never: tuple[str, ...]
    remembered: frozenset[str]
    reading: Reading
    watches: list[int] = field(default_factory=list)

    def knows(self, path: str) -> bool:
        return path in self.known or path.startswith(self.below)

    def may_learn(self, path: str) -> bool:
        """Whether a file is no known input and becomes one when it is opened."""
        others = tuple(f"{one}/" for one in self.never)
        return not (self.knows(path) or path in self.never or path.startswith(others))

    def has_read(self, path: str) -> bool:
        return path in self.remembered or path in self.reading.copies or path in self.reading.others


class Seen(NamedTuple):
    """What an image was made of, with what was seen.

    Attributes:
        inputs: digest or version of each input, by name.
        observed: those of them that nothing names.
        changed: which of them changed while it was built, a few words each.
        warnings: what there is to say.
    """

    inputs: Mapping[str, str]
    observed: tuple[str, ...]
    changed: list[str]
    warnings: list[str]


def add_reading(planned: Planned, reading: Reading | None, workspace: Workspace, digests: Digests) -> Seen:
    """Add to the inputs of a build what it was seen to read.

    Args:
        planned: the target, with the inputs that are known.
        reading: what was seen; None where nobody looked.
        workspace: where it lies.
        digests: of files.

    Returns:
        The inputs. A file that was read before and not this time counts no more, unless the look was not
        whole. One that the build itself wrote in the workspace is told, and does not count.
    """
    if reading is None:
        return Seen(planned.inputs, planned.observed, [], [])
    read = reading.copies | reading.others
    kept = [name for name in planned.observed if reading.trouble or name in read]
    inputs = {
        name: digest
        for name, digest in planned.inputs.items()
        if name in kept or name not in planned.observed
    }
    changed, written, new = [], [], []
    for path in sorted(read.difference(planned.observed)):
        try:
            status = os.stat(workspace.root / path)
            if not stat.S_ISREG(status.st_mode):
                continue
            if status.st_ctime_ns < reading.since:
                inputs[path] = digests.input(workspace.root / path)
                new.append(path)
            elif path in reading.copies:
                changed.append(f"{path} changed")
            else:
                written.append(path)
        except FileNotFoundError:
            if path in reading.copies:
                changed.append(f"{path} removed")
        except OSError as error:
            changed.append(f"{path} cannot be read: {error.strerror}")
    said = []
    if new:
        said.append(f"it reads {listed(new)}, which nothing names: inputs from now on")
    if written:
        said.append(f"{listed(written)} changed in the workspace while it was built: no inputs")
    if reading.trouble:
        said.append(f"what it reads is not all known: {reading.trouble}")
    return Seen(inputs, tuple(sorted((*kept, *new))), changed, said)


def listed(names: Sequence[str]) -> str:
    """Some names, and how many there are besides."""
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


class Observer:
    """Watches a workspace and the mirrors of running builds.

    Args:
        workspace: what is watched.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._root = str(workspace.root)
        self._running: dict[str, _Running] = {}
        self._concluding: dict[str, _Running] = {}
        self._folders: dict[int, tuple[str, str]] = {}  # by watch: the target, or nothing, and the folder
        self._inotify: Inotify | None = None
        self._trouble = ""
        try:
            self._inotify = Inotify()
            for folder in self._watched(""):
                self._add("", folder, f"{self._root}/{folder}")
        except OSError as error:
            full = error.errno in (errno.ENOSPC, errno.EMFILE)
            self._trouble = _FULL if full else f"the kernel takes no note of it: {error.strerror}"

    def fileno(self) -> int:
        """Readable when something was opened; -1 where nothing is watched."""
        return self._inotify.fileno() if self._inotify else -1

    def begin(self, planned: Planned, mirror: Mirror, never: Sequence[str] = ()) -> None:
        """Watch what a build reads, which is about to start; its mirror was made just now.

        Args:
            planned: the target.
            mirror: in which it runs.
            never: files and folders that do not count for it, although it may open them.
        """
        known, below = _known(planned, self._root)
        self.take(known.union(planned.observed, mirror.copies))  # opened by ourselves, before the build
        reading = Reading(time.time_ns(), trouble=self._trouble)
        running = _Running(mirror, known, below, tuple(never), frozenset(planned.observed), reading)
        self._running[planned.template.target] = running
        if self._inotify is None:
            return
        try:
            for folder in mirror.folders:
                path = f"{mirror.root}/{folder}"
                running.watches.append(self._add(planned.template.target, folder, path))
        except OSError:
            running.reading.trouble = _FULL

    def end(self, target: str) -> Reading:
        """What a build has read, which has ended. Its inputs may be looked at now, until ``concluded``."""
        self.take()
        if target not in self._running:
            return Reading(time.time_ns())  # it could not be started
        running = self._concluding[target] = self._running.pop(target)
        for watch in running.watches:
            del self._folders[watch]
            if self._inotify:
                self._inotify.remove(watch)
        reading = running.reading
        if len(reading.others - running.remembered) > _MOST:
            reading.others &= running.remembered
            reading.trouble = _SEARCHED
        return reading

    def concluded(self, target: str) -> None:
        """The inputs of a build are not looked at any more."""
        self.take()
        self._concluding.pop(target, None)

    def take(self, ours: Collection[str] = ()) -> None:
        """Take what was opened since the last time.

        Args:
            ours: files of the workspace that this process has opened since.
        """
        for watch, name in self._inotify.read() if self._inotify else ():
            if watch < 0:
                for running in self._running.values():
                    running.reading.trouble = _LOST
                continue
            target, folder = self._folders.get(watch, ("", None))
            if folder is None or name in IGNORED or name.endswith(_NEVER):
                continue
            path = f"{folder}/{name}" if folder else name
            if target:
                running = self._running[target]
                is_copy = path in running.mirror.copies
                if is_copy and (path in running.remembered or running.may_learn(path)):
                    running.reading.copies.add(path)
            elif path not in ours:
                self._opened(path)

    def close(self) -> None:
        """Watch nothing more."""
        if self._inotify:
            self._inotify.close()

    def _opened(self, path: str) -> None:
        """Take a file that was opened in the workspace itself."""
        explained = any(one.knows(path) for one in self._running.values()) or any(
            one.knows(path) or one.has_read(path) for one in self._concluding.values()
        )
        for running in self._running.values():
            if path in running.remembered or (running.may_learn(path) and not explained):
                running.reading.others.add(path)

    def _add(self, target: str, folder: str, path: str) -> int:
        if self._inotify is None:
            raise AssertionError("there is no watch without the kernel's events")
        watch = self._inotify.add(path)
        self._folders[watch] = target, folder
        return watch

    def _watched(self, folder: str) -> Iterator[str]:
        """The folders of the workspace, but for what runs write, hidden ones, Python environments and us."""
        below = []
        if f"{self._root}/{folder}" == _CORE:
            return
        try:
            with os.scandir(f"{self._root}/{folder}") as entries:
                for entry in entries:
                    if entry.name == "pyvenv.cfg":
                        return
                    if (
                        not entry.name.startswith(".")
                        and entry.name not in IGNORED
                        and (folder or entry.name not in _OWN)
                        and entry.is_dir(follow_symlinks=False)
                    ):
                        below.append(f"{folder}/{entry.name}" if folder else entry.name)
        except (PermissionError, FileNotFoundError):
            return  # not ours to read, or gone
        yield folder
        for one in below:
            yield from self._watched(one)


def _known(planned: Planned, root: str) -> tuple[frozenset[str], tuple[str, ...]]:
    """The files that are inputs, relative to the workspace, and the folders of which every file is one."""
    known = set(planned.inputs).difference(planned.observed)
    below = [f"sources/{name.removeprefix('source ')}/" for name in known if name.startswith("source ")]
    for folder, files in planned.files.items():
        if folder == CONFIGURATION:
            continue
        for name, digest in files.items():
            path = f"{folder}/{name}"
            known.add(path)
            if digest.startswith("link:"):  # the kernel tells of the file that the link leads to
                there = os.path.relpath(os.path.realpath(f"{root}/{path}"), root)
                known.add(there)
                below.append(f"{there}/")
    return frozenset(known), tuple(below)
