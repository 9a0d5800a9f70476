"""Promotion: a channel names a version, or one of an environment becomes one of another, without a build."""

from __future__ import annotations

import hashlib
import os
import shutil
from typing import TYPE_CHECKING, cast

from .. import state
from ..errors import Fault, ImagesError
from ..state.lock import Lock
from . import events, folders
from .changing import Change, assign, check_demands
from .known import Known
from .locks import target_lock
from .names import LATEST, Image, Place, Reference
from .records import NO_LINKS, files_of
from .retiring import let_latest_follow
from .versions import add, settle

if TYPE_CHECKING:
    from pathlib import Path

    from ..state.types import ArtifactEntry, FileEntry
    from ..workspace import Workspace
    from .types import VersionRecord


def promote(
    reference: Reference, place: Place, *, workspace: Workspace, reason: str = "", check: bool = False
) -> Change:
    """Have a channel name a version, or bring a version to another environment.

    Args:
        reference: the version; ``latest`` where none is named.
        place: a channel of the same environment; or another environment, and if it is named a channel there.
        workspace: where everything lies.
        reason: why, for the history.
        check: only say what would be changed.

    Returns:
        What was done; its image and version are those of the place.

    Raises:
        ImagesError: there is no such version, it must not be used, or it lacks what the channel demands;
            files of
            it are gone or not what was built.
        OSError: a file cannot be linked or copied.
    """
    if not place.env or place.env == reference.image.env:
        if not place.channel:
            raise ImagesError(f"{reference.image} is in the environment {place.env} already")
        return assign(reference, place.channel, workspace=workspace, reason=reason, check=check)
    there = Image(place.env, reference.image.target)
    brought = _bring(reference, there, workspace=workspace, channel=place.channel, reason=reason, check=check)
    if not place.channel or brought.version is None:
        return brought
    assigned = assign(
        Reference(there, brought.version), place.channel, workspace=workspace, reason=reason, check=check
    )
    if not brought.changed:
        return assigned
    said = f"{brought.said}; {assigned.said}"
    return Change(there, brought.version, True, said, assigned.moved, brought.before, brought.after)


def _bring(
    reference: Reference, there: Image, *, workspace: Workspace, channel: str, reason: str, check: bool
) -> Change:
    known = Known.read(workspace)
    number = known.resolve(reference)
    here = reference.image
    check_demands(known, here, number, channel)
    if found := _brought_before(known, here, number, there):
        return Change(there, found, False, f"{here}@{number} is {there}@{found} already")
    if check:
        said = f"{here}@{number} would become a version of {there}"
        return Change(there, None, True, said, (), {"version": None}, {"origin": f"{here}@{number}"})
    lock = Lock(
        target_lock(workspace, *there),
        command=f"promote {reference} to {there.env}",
        timeout=workspace.settings.lock_timeout,
        on_wait=lambda __: None,
        what=str(there),
    )
    lock.acquire()  # nobody builds it, or removes its folders, until the version is recorded
    try:
        record = _copied(known.record(here, number), there, workspace)
        with state.transaction(workspace=workspace, command=f"promote {reference} to {there.env}") as data:
            settle(data, workspace, there)
            now = Known(workspace, data)
            check_demands(now, here, number, channel)
            new = _brought_before(now, here, number, there)
            if new is None:
                labels = now.labels(here, number)
                new = add(data, workspace, there, {**record, "labels": labels, "recorded_at": now.now})
    finally:
        lock.release()
    after = Known.read(workspace)
    let_latest_follow(after, there)
    told = events.event(
        "promoted",
        there,
        new,
        by=events.who(),
        reason=reason or None,
        origin=f"{here}@{number}",
        channel=LATEST,
    )
    events.tell(workspace, [told])
    said = f"{here}@{number} is now {there}@{new}"
    return Change(
        there, new, True, said, (), {"version": None}, {"version": new, "origin": f"{here}@{number}"}
    )


def _brought_before(known: Known, here: Image, number: int, there: Image) -> int | None:
    """The version of another environment that a version was promoted to, if it was and is there."""
    if here.key not in known.parents(there):
        return None
    origin = {"environment": here.env, "target": here.target, "version": number}
    return next((one for one in known.numbers(there) if known.record(there, one)["origin"] == origin), None)


def _copied(record: VersionRecord, there: Image, workspace: Workspace) -> VersionRecord:
    """Bring the files of a version into the folder of another environment; gives the record of the copy.

    The files get a second name where the file system has that, so that they cost no room; who retires one of
    the versions takes away its own name of them alone.
    """
    run = record["run"] or "promoted"
    source = folders.target_folder(workspace, record["environment"], record["target"]) / run
    destination = folders.target_folder(workspace, *there) / run
    building = destination.with_name(f".{run}.brought")
    # Of one who died on the way: no version names it, since it is recorded before the lock is given back.
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    try:
        names = _link_all(record, source, building, workspace)
        if destination.exists():
            shutil.rmtree(destination)
        os.rename(building, destination)
    except BaseException:
        shutil.rmtree(building, ignore_errors=True)
        raise
    prefix = workspace.relative(destination)
    artifacts: list[ArtifactEntry] = []
    for artifact in record["artifacts"] or []:
        files: list[FileEntry] = [
            {**file, "path": f"{prefix}/{names[file['path']]}"} for file in artifact.get("files") or []
        ]
        artifacts.append(cast("ArtifactEntry", {**artifact, "files": files}))
    manifest = record["manifest"]
    if manifest and manifest["path"] in names:
        manifest = {**manifest, "path": f"{prefix}/{names[manifest['path']]}"}
    return {
        **record,
        "environment": there.env,
        "artifacts": artifacts,
        "manifest": manifest,
        "origin": {
            "environment": record["environment"],
            "target": record["target"],
            "version": record["version"],
        },
    }


def _link_all(record: VersionRecord, source: Path, building: Path, workspace: Workspace) -> dict[str, str]:
    """Link what lies in the folder of a run, and its files that lie elsewhere; gives the new names.

    Raises:
        ImagesError: a file is gone, or is not what was built; has faults.
    """
    names: dict[str, str] = {}
    for folder, __, files in os.walk(source):
        for name in sorted(files):
            path = f"{folder}/{name}"
            inner = os.path.relpath(path, source)
            os.makedirs(os.path.dirname(building / inner), exist_ok=True)
            _link(path, str(building / inner))
            names[os.path.relpath(path, workspace.root)] = inner
    faults = []
    for file in files_of(record):
        if file["path"] not in names:
            place = f"elsewhere/{len(names)}/{os.path.basename(file['path'])}"
            os.makedirs(os.path.dirname(building / place), exist_ok=True)
            try:
                _link(str(workspace.root / file["path"]), str(building / place))
            except FileNotFoundError:
                faults.append(Fault(f"{file['path']} is gone"))
                continue
            names[file["path"]] = place
        if not _is(building / names[file["path"]], file):
            faults.append(Fault(f"{file['path']} is not what was built"))
    if faults:
        version = f"{record['environment']}:{record['target']}@{record['version']}"
        raise ImagesError(f"{version} cannot be promoted: its files are not as they were", faults=faults)
    return names


def _link(source: str, destination: str) -> None:
    try:
        os.link(source, destination)
    except OSError as error:
        if error.errno not in NO_LINKS:
            raise
        shutil.copy2(source, destination)


def _is(path: Path, file: FileEntry) -> bool:
    with open(path, "rb") as opened:
        if file.get("size") not in (None, os.fstat(opened.fileno()).st_size):
            return False
        digest = file.get("sha256")
        return not digest or hashlib.file_digest(opened, "sha256").hexdigest() == digest
