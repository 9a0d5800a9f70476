"""The life of a run in the state: begun, each result, finished."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import time
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, TypeVar, cast

from .. import state, temporary
from ..errors import ConfigError, NotSignedError
from ..images import events, versions
from ..images.names import Image
from .planning.fingerprint import fingerprint
from .results import Status

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from typing import Any

    from ..images.types import ParentOf, VersionRecord
    from ..state.types import (
        AttemptEntry,
        ImageEntry,
        ManifestEntry,
        PackerEntry,
        ResultEntry,
        RunEntry,
        RunningTargetEntry,
        State,
    )
    from ..workspace import Workspace
    from .results import BuildResult

    Entry = TypeVar("Entry", bound=Mapping[str, object])


def new_run_id() -> str:
    """A name for a run: its time in UTC to the millisecond and six random digits; names sort by time."""
    now = time.time_ns() // 1_000_000
    stamp = time.strftime("%Y%m%dT%H%M%S", time.gmtime(now // 1000))
    return f"{stamp}.{now % 1000:03}Z-{secrets.token_hex(3)}"


def run_folder(workspace: Workspace, run_id: str) -> Path:
    """The folder in which the targets of a run are built."""
    return workspace.runs / run_id


def remove_folder(folder: Path) -> None:
    """Remove the folder of a run or of one attempt, and the temporary folders that ``tmp`` links remember."""
    for link in (folder / "tmp", *folder.glob("*/tmp")):
        if link.is_symlink():
            made = Path(os.readlink(link))
            if made.name.startswith(temporary.PREFIX):
                shutil.rmtree(made, ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


def begin(
    workspace: Workspace,
    run_id: str,
    *,
    env: str,
    command: str,
    logs: Mapping[str, Path],
    owner: int,
    packer: PackerEntry,
    plugins: Mapping[str, Iterable[str]] = MappingProxyType({}),
    leaves: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Write into the state that a run has begun.

    Args:
        workspace: whose state.
        run_id: names the run.
        env: name of the environment.
        command: what is being done, for people.
        logs: the log of each target.
        owner: the process whose end means that the run has ended: the supervisor.
        packer: ``path`` and ``version`` of the program that builds.
        plugins: the versions of each plugin that it finds beside it, by source address, the newest last.
        leaves: by target, what its Packer may leave when it is killed, and only a person can remove.
    """
    now = state.timestamp()
    targets: dict[str, RunningTargetEntry] = {}
    for target, log in logs.items():
        targets[target] = {"log_path": workspace.relative(log)}
        if leaves.get(target):
            targets[target]["leaves"] = leaves[target]
    with state.transaction(workspace=workspace, command=command) as data:
        data["packer"] = packer
        data["plugins"] = {source: ", ".join(versions) for source, versions in plugins.items()}
        data["running"][run_id] = {
            **state.process_identity(owner),
            "started_at": now,
            "environment": env,
            "command": command,
            "targets": targets,
        }


class Record(NamedTuple):
    """What the state is to remember of a build that has ended.

    Attributes:
        result: how it ended; without a fingerprint where it is not known what it was built of.
        inputs: digest or version of each input, by name.
        given: the fingerprint that the build itself was given, as far as inputs were known then.
        observed: those of the inputs that nothing names and the build was seen to read.
        parent: the version that it was built on, if any.
        allowed_revoked: why that version was revoked, where a build on it was allowed all the same.
    """

    result: BuildResult
    inputs: Mapping[str, str]
    given: str
    observed: Sequence[str] = ()
    parent: ParentOf | None = None
    allowed_revoked: str | None = None


def record(
    workspace: Workspace, run_id: str, env: str, finished: Sequence[Record], *, left: Collection[str] = ()
) -> dict[str, str]:
    """Write the results of targets into the state, as soon as they are known.

    Args:
        workspace: whose state.
        run_id: the run they belong to.
        env: name of the environment.
        finished: results, each with what it was built of.
        left: targets that the run does not build any more, since somebody else does, or did.

    Returns:
        Why the version of a target is not signed, by target, where a key is set and it cannot be used.
    """
    with state.transaction(workspace=workspace, command=f"record run {run_id}") as data:
        told = [_record_one(data, workspace, run_id, env, one) for one in finished]
        run = data["running"].get(run_id)
        targets = (run.get("targets") if run else None) or {}
        for target in left:
            targets.pop(target, None)
    events.tell(workspace, [one for one in told if one])
    pairs = zip(finished, told, strict=True)
    return {one.result.target: event["unsigned"] for one, event in pairs if event and "unsigned" in event}


def _record_one(
    data: State, workspace: Workspace, run_id: str, env: str, one: Record
) -> dict[str, Any] | None:
    """Write one result into the state; gives the event that it is."""
    result = one.result
    image = Image(env, result.target)
    attempt: AttemptEntry = {
        "status": result.status.value,
        "run": run_id,
        "at": result.finished_at or state.timestamp(),
        "log_path": result.log_path,
        "error": "\n".join(result.errors)[:2000] or None,
    }
    number, unsigned = None, None
    if result.changed:
        versions.settle(data, workspace, image)
        before = data["images"].get(image.key)
        others = _others(before, one.inputs) if before else {}
        version = _version(workspace, run_id, image, one)
        try:
            number = versions.add(data, workspace, image, version)
        except NotSignedError as error:
            # The key was right when the build began: a good image is not thrown away for it.
            unsigned = str(error)
            number = versions.add(data, workspace, image, version, signed=False)
        if others or (before and before.get("others")):
            data["images"][image.key]["others"] = others
    entry = data["images"].setdefault(image.key, {"target": image.target, "environment": env})
    entry["last_attempt"] = without_none(attempt)
    if number:
        return events.event("built", image, number, by=events.who(), run=run_id, unsigned=unsigned)
    if result.status in (Status.FAILED, Status.TIMED_OUT):
        why = result.errors[0][:500] if result.errors else None
        return events.event("failed", image, None, by=events.who(), run=run_id, reason=why)
    return None


def _version(workspace: Workspace, run_id: str, image: Image, one: Record) -> VersionRecord:
    """What the record of the version says that a build made."""
    result = one.result
    manifest: ManifestEntry | None = None
    if result.manifest_path:
        digest = hashlib.sha256((workspace.root / result.manifest_path).read_bytes()).hexdigest()
        manifest = {"path": result.manifest_path, "sha256": digest, "run": run_id}
    built: ImageEntry = {
        "environment": image.env,
        "target": image.target,
        "builder": result.builder,
        "fingerprint": result.fingerprint or None,
        "given_fingerprint": one.given if one.given != result.fingerprint else None,
        "inputs": dict(one.inputs),
        "observed": list(one.observed) or None,
        "artifacts": [artifact.to_dict() for artifact in result.artifacts],
        "built_at": result.finished_at,
        "duration_s": round(result.duration_s, 3),
        "log_path": result.log_path,
        "run": run_id,
    }
    return versions.record_of(
        built,
        manifest,
        started_at=result.started_at,
        parent=one.parent,
        allowed_revoked=one.allowed_revoked,
        contents=result.contents,
    )


def without_none(entry: Entry) -> Entry:
    """An entry without the fields that are None: they need not be written."""
    return cast("Entry", {name: value for name, value in entry.items() if value is not None})


def _others(image: ImageEntry, inputs: Mapping[str, str]) -> dict[str, str]:
    """The runs whose images stay beside that of a new run, since it left out builds that they made.

    Args:
        image: as the state had it before the new run.
        inputs: of the new run: ``only`` and ``except`` among them where it left something out.

    Returns:
        The last run of each other choice of builds, by the choice; none where the new run made everything.
    """
    choice = _choice(inputs)
    run_before = image.get("run")
    before = {_choice(image.get("inputs") or {}): run_before} if run_before else {}
    others = {**(image.get("others") or {}), **before} if choice else {}
    return {name: run for name, run in others.items() if name != choice}


def _choice(inputs: Mapping[str, str]) -> str:
    return " ".join(f"{name}={inputs[name]}" for name in ("only", "except") if inputs.get(name))


def forget(workspace: Workspace, env: str, target: str, path: str) -> None:
    """Forget that a build of an image was seen to read a file; until it is seen again, it does not count.

    Args:
        workspace: whose state.
        env: name of the environment.
        target: ``<os>/<platform>/<name>``.
        path: the file, relative to the workspace.

    Raises:
        ConfigError: no build of the image was seen to read it.
        StateError: the state cannot be read or written.
    """
    with state.transaction(workspace=workspace, command=f"forget {path}") as data:
        image = data["images"].get(f"{env}/{target}")
        observed = (image.get("observed") if image else None) or []
        if image is None or path not in observed:
            hint = f"one of {', '.join(observed)}" if observed else "nothing was seen that nothing names"
            raise ConfigError(f"no build of {env}/{target} was seen to read {path}", hint=hint)
        image["observed"] = [name for name in observed if name != path]
        inputs = {name: digest for name, digest in (image.get("inputs") or {}).items() if name != path}
        given = image.get("given_fingerprint") or image.get("fingerprint")
        now = fingerprint(inputs)
        image.update({"inputs": inputs, "fingerprint": now})
        image["given_fingerprint"] = given if given != now else None


def _short(result: BuildResult) -> ResultEntry:
    entry: ResultEntry = {
        "target": result.target,
        "status": result.status.value,
        "duration_s": round(result.duration_s, 3),
    }
    if result.log_path:
        entry["log_path"] = result.log_path
    if result.errors:
        entry["error"] = result.errors[0][:500]
    return entry


def finish(
    workspace: Workspace,
    run_id: str,
    *,
    env: str,
    command: str,
    started_at: str,
    status: str,
    results: Sequence[BuildResult],
) -> None:
    """Write into the state that a run has ended.

    Args:
        workspace: whose state.
        run_id: names the run.
        env: name of the environment.
        command: what was done, for people.
        started_at: when the run began.
        status: of the whole batch.
        results: of every target of the batch, also of those that nothing was done for.
    """
    with state.transaction(workspace=workspace, command=command) as data:
        data["running"].pop(run_id, None)
        close(
            data,
            {
                "id": run_id,
                "command": command,
                "environment": env,
                "started_at": started_at,
                "finished_at": state.timestamp(),
                "status": status,
            },
            [_short(result) for result in results],
        )


def close(data: State, run: RunEntry, results: list[ResultEntry]) -> None:
    """Write the end of a run into the last run and the history.

    Args:
        data: the state, changed.
        run: how it ended, without its results.
        results: of each of its targets.
    """
    data["last_run"] = {**run, "targets": [entry["target"] for entry in results]}
    # Somebody may have taken it for dead when its supervisor was killed; what its caller says counts.
    others = [one for one in data["history"] if one["id"] != run["id"]]
    data["history"] = [*others, {**run, "results": results}]
