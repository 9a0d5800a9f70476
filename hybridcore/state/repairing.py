"""Mending a damaged state: keep what is there, put back the last good copy, say what is lost."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .. import atomic
from ..errors import StateError
from . import schema
from .codec import decode, encode
from .damage import DamagedStateError
from .durable import COPY_SUFFIX, MAX_BYTES, read_file, remove_leftovers, replace
from .store import state_lock

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from ..workspace import Workspace
    from .types import State

_LINE = re.compile(rb'^"([A-Za-z0-9._/-]+)": (\{.*\}),?$', re.MULTILINE)


@dataclass(frozen=True)
class Repair:
    """What a repair did.

    Attributes:
        problem: what was wrong; empty when nothing was.
        kept: where the damaged file is now; ``None`` when nothing was there to keep.
        restored: the time of writing of the copy that was put back; empty when there was no good
            copy, so that the state begins anew.
        lost: what is lost, a sentence each.
    """

    problem: str
    kept: Path | None = None
    restored: str = ""
    lost: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The same as data, for ``--json``."""
        return {
            "problem": self.problem,
            "kept": None if self.kept is None else str(self.kept),
            "restored": self.restored or None,
            "lost": list(self.lost),
        }


def repair(workspace: Workspace, *, timeout: float | None = None) -> Repair:
    """Mend the state of a workspace; does nothing when it is sound.

    Args:
        workspace: whose state.
        timeout: seconds to wait for the lock; ``[state] lock_timeout`` when not given.

    Returns:
        What was done.

    Raises:
        StateError: the state is of a newer version, so nothing is wrong with it; or a file could not
            be read, kept or written.
        LockError: somebody else held the lock for too long.
    """
    lock = state_lock(workspace, command="packer-hybrid state repair", timeout=timeout)
    lock.acquire()
    try:
        return _repair(workspace)
    finally:
        lock.release()


def _repair(workspace: Workspace) -> Repair:
    file = workspace.state_file
    copy_file = file.with_name(file.name + COPY_SUFFIX)
    remove_leftovers(file)
    problem = _problem(file)
    if not problem and (file.exists() or not copy_file.exists()):
        return Repair("")
    problem = problem or "the state is gone"
    content, data, copy_problem = _load_copy(copy_file)
    seen = _readable_entries(file)
    kept = _keep(file)
    replace(file, [content], keep_copy=False)
    restored = str(data["updated_at"] or "")
    return Repair(problem, kept, restored, tuple(_lost(seen, data, restored, copy_problem)))


def _problem(file: Path) -> str:
    """What is wrong with the state; empty when nothing is. Raises what a repair cannot mend."""
    try:
        content = read_file(file)
        if content is not None:
            decode(content, file=file)
    except DamagedStateError as error:
        return "\n".join([error.message, *(f"  {fault}" for fault in error.faults)])
    return ""


def _load_copy(file: Path) -> tuple[bytes, State, str]:
    """The last good copy as text and data, or else the empty state and why."""
    try:
        content = read_file(file)
        if content is not None:
            return content, decode(content, file=file), ""
        problem = "there was no good copy"
    except DamagedStateError as error:
        problem = f"the copy cannot be used, {error.message}"
    nothing = schema.empty()
    text = encode(nothing, file=file, history=0, before=None, always=True)
    return b"".join(text or []), nothing, problem


def _keep(file: Path) -> Path | None:
    kept = file.with_name(f"{file.name}.damaged-{schema.timestamp().replace(':', '')}")
    try:
        try:
            # A second name, so that at no moment there is no state: what takes the first name
            # replaces it in one step.
            os.link(file, kept, follow_symlinks=False)
        except FileNotFoundError:
            return None
        except OSError:
            os.rename(file, kept)  # a folder, or a file system without hard links
        atomic.sync_folder(file.parent)
    except OSError as error:
        raise StateError(f"cannot keep the damaged file aside: {error.strerror}", file=file) from error
    return kept


def _readable_entries(file: Path) -> dict[str, bytes]:
    """The images of which the damaged file still has a whole line."""
    try:
        with open(file, "rb") as damaged:
            content = damaged.read(MAX_BYTES)
    except OSError:
        return {}
    images = content.partition(b'\n"images": {\n')[2].partition(b"\n}")[0]
    return {key.decode(): line for key, line in _LINE.findall(images)}


def _lost(seen: dict[str, bytes], data: State, restored: str, copy_problem: str) -> list[str]:
    if restored:
        lost = [f"what was recorded after {restored}"]
    else:
        lost = [f"everything that was recorded: {copy_problem}"]
    for key, line in sorted(seen.items()):
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if entry != data["images"].get(key):
            known = "an older entry is known" if key in data["images"] else "not known any more"
            lost.append(f"image {key}, built at {entry.get('built_at') or 'an unknown time'}: {known}")
    return lost
