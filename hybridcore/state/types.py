"""The types of the state's entries, one for each object of ``schema.py``, for whoever reads or writes them.

Like the schema they let a field that need not be there be ``None``. They are imported for type checks alone,
so they cost nothing at run time; a test compares them with the schema field by field.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import NotRequired, TypedDict


class FileEntry(TypedDict):
    """One file of an artifact; its path is relative to the workspace when inside it."""

    path: str
    size: NotRequired[int | None]
    sha256: NotRequired[str | None]


class ArtifactEntry(TypedDict):
    """One thing that a build left."""

    id: str
    builder_id: NotRequired[str | None]
    files: NotRequired[list[FileEntry] | None]


class AttemptEntry(TypedDict):
    """How the last try to build an image ended, good or not."""

    status: str
    run: str
    at: str
    error: NotRequired[str | None]
    log_path: NotRequired[str | None]


class AssignmentEntry(TypedDict):
    """That a channel came to name a version, or none."""

    how: str
    at: str
    version: NotRequired[int | None]
    by: NotRequired[str | None]
    reason: NotRequired[str | None]


class RevokedEntry(TypedDict):
    """That a version is not to be used, at once or from a time on."""

    recorded_at: str
    reason: str
    at: NotRequired[str | None]
    by: NotRequired[str | None]
    only_this: NotRequired[bool | None]


class HoldEntry(TypedDict):
    """That a version is never retired."""

    at: str
    reason: str
    by: NotRequired[str | None]


class ImageEntry(TypedDict):
    """One image: its versions, its last attempt, and what its last good build was, if there was one."""

    target: str
    environment: str
    builder: NotRequired[str | None]
    status: NotRequired[str | None]
    fingerprint: NotRequired[str | None]
    given_fingerprint: NotRequired[str | None]
    observed: NotRequired[list[str] | None]
    inputs: NotRequired[dict[str, str] | None]
    artifacts: NotRequired[list[ArtifactEntry] | None]
    built_at: NotRequired[str | None]
    duration_s: NotRequired[float | None]
    log_path: NotRequired[str | None]
    run: NotRequired[str | None]
    others: NotRequired[dict[str, str] | None]
    last_attempt: NotRequired[AttemptEntry | None]
    newest: NotRequired[int | None]
    version: NotRequired[int | None]
    unrecorded: NotRequired[bool | None]
    parents: NotRequired[list[str] | None]
    channels: NotRequired[dict[str, list[AssignmentEntry]] | None]
    revoked: NotRequired[dict[str, RevokedEntry] | None]
    labels: NotRequired[dict[str, dict[str, str]] | None]
    holds: NotRequired[dict[str, HoldEntry] | None]
    retired: NotRequired[list[list[int]] | None]


class RunEntry(TypedDict):
    """What the last run and each past run have in common."""

    id: str
    command: NotRequired[str | None]
    environment: NotRequired[str | None]
    started_at: NotRequired[str | None]
    finished_at: NotRequired[str | None]
    status: NotRequired[str | None]


class LastRunEntry(RunEntry):
    """The last run, with what it was asked for."""

    targets: NotRequired[list[str] | None]


class ResultEntry(TypedDict):
    """How one target of a past run ended."""

    target: str
    status: str
    duration_s: NotRequired[float | None]
    log_path: NotRequired[str | None]
    error: NotRequired[str | None]


class HistoryEntry(RunEntry):
    """A past run, with what came of each of its targets."""

    results: NotRequired[list[ResultEntry] | None]


class ProcessEntry(TypedDict):
    """What tells a process from every other one, on any machine, also after a reboot."""

    pid: int
    host: str
    boot_id: NotRequired[str | None]
    pid_start_time: NotRequired[int | None]


class RunningTargetEntry(TypedDict):
    """One target of a run that goes on, or whose end nobody recorded."""

    leaves: NotRequired[str | None]
    log_path: NotRequired[str | None]


class RunningEntry(ProcessEntry):
    """A run that goes on, or whose end nobody recorded, with the process that it belongs to."""

    started_at: str
    environment: NotRequired[str | None]
    command: NotRequired[str | None]
    targets: NotRequired[dict[str, RunningTargetEntry] | None]


class PackerEntry(TypedDict):
    """The Packer of the last run."""

    path: NotRequired[str | None]
    version: NotRequired[str | None]


class SourceEntry(TypedDict):
    """A repository as the last sync left it."""

    url: str
    ref: NotRequired[str | None]
    sha: NotRequired[str | None]
    synced_at: NotRequired[str | None]


class ManifestEntry(TypedDict):
    """The manifest of an image's last good build."""

    path: str
    sha256: str
    run: NotRequired[str | None]


class State(TypedDict):
    """The whole state. In a transaction ``images`` is no ``dict``: it parses an entry that is looked at."""

    schema_version: int
    updated_at: str | None
    packer: PackerEntry
    plugins: dict[str, str]
    sources: dict[str, SourceEntry]
    manifests: dict[str, ManifestEntry]
    last_run: LastRunEntry | None
    history: list[HistoryEntry]
    running: dict[str, RunningEntry]
    images: MutableMapping[str, ImageEntry]
