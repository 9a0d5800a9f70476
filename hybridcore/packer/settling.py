"""The end of runs whose caller died: written into the state, and what they left removed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from .. import state, temporary
from ..images import folders, retiring, versions
from ..images.known import Known
from ..images.locks import try_lock
from ..images.names import Image
from ..process.kill import kill_marked, marked
from .runs import close, remove_folder, run_folder, without_none

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from ..state.types import ResultEntry, RunEntry, RunningEntry
    from ..workspace import Workspace


def settle(
    workspace: Workspace, run_id: str, status: str, why: str, *, killed: Collection[str] | None = None
) -> list[str]:
    """Write the end of a run whose caller died; nothing when its end is written already.

    Args:
        workspace: whose state.
        run_id: names the run.
        status: ``cancelled``, or ``interrupted`` when it is found dead later.
        why: what happened, for people.
        killed: the targets whose Packer could not clean up; when not given, all that had been started.

    Returns:
        What a person should look for, a sentence each.
    """
    said: list[str] = []
    with state.transaction(workspace=workspace, command=f"settle run {run_id}") as data:
        entry = data["running"].pop(run_id, None)
        if entry is None:
            return []
        now = state.timestamp()
        env = entry.get("environment") or ""
        targets = state.targets_of(entry) if env else {}
        results: list[ResultEntry] = []
        for target, place in targets.items():
            adopted = versions.settle(data, workspace, Image(env, target))
            image = data["images"].setdefault(f"{env}/{target}", {"target": target, "environment": env})
            if adopted and image.get("run") == run_id:  # it died after it had written what it built
                image["last_attempt"] = {"status": "built", "run": run_id, "at": now}
            attempt = image.get("last_attempt")
            if attempt is None or attempt["run"] != run_id:
                log = place.get("log_path")
                started = bool(log) and os.path.exists(workspace.root / str(log))
                error = why
                if place.get("leaves") and (started if killed is None else target in killed):
                    error = f"{why}; {place['leaves']}"
                    said.append(f"{target}: {place['leaves']}")
                attempt = {"status": status, "run": run_id, "at": now, "error": error, "log_path": log}
                image["last_attempt"] = attempt = without_none(attempt)
            result: ResultEntry = {
                "target": target,
                "status": attempt["status"],
                "log_path": attempt.get("log_path"),
                "error": attempt.get("error"),
            }
            results.append(without_none(result))
        statuses = {result["status"] for result in results} or {status}
        run: RunEntry = {
            "id": run_id,
            "command": entry.get("command"),
            "environment": entry.get("environment"),
            "started_at": entry["started_at"],
            "finished_at": now,
            "status": statuses.pop() if len(statuses) == 1 else "partial",
        }
        close(data, without_none(run), results)
        current = {target: data["images"][f"{env}/{target}"].get("run") or "" for target in targets}
    for target, kept in current.items():
        if kept != run_id:
            _remove_unfinished(workspace, env, target, run_id, kept)
    known = Known.read(workspace)
    for target in current:
        retiring.let_latest_follow(known, Image(env, target))
    return said


def _remove_unfinished(workspace: Workspace, env: str, target: str, run_id: str, kept: str) -> None:
    """Remove the image of a run that died before the state knew it; ``latest`` is the one that is known.

    Whoever holds the target's lock may be recording that very image, when only the supervisor was killed.
    """
    if not (folders.target_folder(workspace, env, target) / run_id).is_dir():
        return
    with try_lock(workspace, env, target) as taken:
        known = Known.read(workspace)
        if taken and run_id not in known.runs(Image(env, target)):
            folders.remove(workspace, env, target, run_id, kept=kept)


def _is_building(workspace: Workspace, entry: RunningEntry) -> bool:
    """Whether somebody builds one of the targets of a run now."""
    env = entry.get("environment") or ""
    for target in state.targets_of(entry) if env else ():
        with try_lock(workspace, env, target) as taken:
            if not taken:
                return True
    return False


def settle_dead(workspace: Workspace) -> list[str]:
    """Find the runs that died without a word, end what they left running, and remove what they left behind.

    What another user's run left is that user's, or root's, to remove: it stays, in the state too.

    Args:
        workspace: where to look.

    Returns:
        A sentence for each such run, to be shown.
    """
    said = []
    data = state.peek(workspace=workspace)
    for run_id in state.interrupted(data):
        if other := _other_owner(run_folder(workspace, run_id)):
            said.append(f"run {run_id} of {other} was interrupted; what it left is for {other} to remove")
            continue
        # A lock reaches into other containers, unlike the number of a process, which names another one there.
        if _is_building(workspace, data["running"][run_id]):
            continue
        kill_marked(run_id)
        left = settle(workspace, run_id, "interrupted", "the run was found dead: its process is gone")
        said += left
        said.append(f"run {run_id} was interrupted; what it left was removed, its targets are built again")
    # In this order: a run is in the state before its folder is made.
    folders = sorted(workspace.runs.iterdir()) if workspace.runs.is_dir() else []
    running = state.peek(workspace=workspace)["running"]
    for folder in folders:
        if folder.name in running or _other_owner(folder):
            continue
        if alive := marked(folder.name):
            said.append(
                f"the folder {workspace.relative(folder)} stays: the state does not know this run, and its "
                f"processes are alive: {', '.join(map(str, sorted(alive)))}"
            )
        else:
            remove_folder(folder)
    temporary.sweep()
    return said


def _other_owner(folder: Path) -> str:
    """The user whose run a folder belongs to, if it is not ours to remove; empty where it is, or is gone."""
    try:
        owner = os.lstat(folder).st_uid
    except OSError:
        return ""
    if os.geteuid() in (0, owner):
        return ""
    return f"the user with the id {owner}"
