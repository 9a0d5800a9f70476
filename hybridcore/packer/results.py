"""What the public functions of the packer module take and give back: frozen values, ready for JSON."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from ..images.types import ContentsOf
    from ..state.types import ArtifactEntry, FileEntry


class Status(StrEnum):
    """How a build, or a batch of builds, ended; the same words everywhere."""

    BUILT = "built"
    UNCHANGED = "unchanged"
    FAILED = "failed"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"
    INTERRUPTED = "interrupted"
    PARTIAL = "partial"

    @property
    def ok(self) -> bool:
        """Whether the image is there: it was built, or nothing about it changed."""
        return self in (Status.BUILT, Status.UNCHANGED)


@dataclass(frozen=True)
class ArtifactFile:
    """One file of an artifact.

    Attributes:
        path: where it lies; relative to the workspace when inside it.
        size: in bytes.
        sha256: hex digest of its content; empty where it was not read.
    """

    path: str
    size: int
    sha256: str = ""

    def to_dict(self) -> FileEntry:
        """The file as data."""
        return {"path": self.path, "size": self.size, "sha256": self.sha256}


@dataclass(frozen=True)
class Artifact:
    """One thing that a build left: an image file, the id of a template, an AMI.

    Attributes:
        id: the builder's own name for it; ``VM`` for many that only leave files.
        builder_id: Packer's name for the kind of artifact, for example ``transcend.qemu``.
        files: the files it is made of; empty for an artifact in a cloud.
    """

    id: str
    builder_id: str
    files: tuple[ArtifactFile, ...] = ()

    def to_dict(self) -> ArtifactEntry:
        """The artifact as data."""
        return {
            "id": self.id,
            "builder_id": self.builder_id,
            "files": [file.to_dict() for file in self.files],
        }


@dataclass(frozen=True)
class Parent:
    """What an image starts from.

    Attributes:
        target: ``<os>/<platform>/<name>``.
        version: which one; 0 where that is not known, since it is built first, or was not.
    """

    target: str
    version: int = 0

    def to_dict(self) -> dict[str, Any]:
        """The parent as data."""
        return {"target": self.target, "version": self.version or None}


@dataclass(frozen=True)
class BuildResult:
    """How the build of one target ended. What it quotes of Packer is masked; artifacts have their real names.

    Attributes:
        target: ``<os>/<platform>/<name>``.
        builder: canonical identifier, ``source.<type>.<name>``.
        status: how it ended.
        command: the command that ran, one string per argument; empty when nothing ran.
        exit_code: Packer's; None when nothing ran or a signal ended it.
        manifest_path: the manifest of this run alone; None when there is none.
        artifacts: what was left, sorted by id.
        errors: Packer's own messages, in order, with the step and the last lines where they help.
        started_at: RFC 3339 in UTC; empty when nothing ran.
        finished_at: RFC 3339 in UTC; empty when nothing ran.
        duration_s: seconds of wall time, all attempts together.
        log_path: the whole stream of this build; None when nothing ran.
        fingerprint: sha256 over everything that decides the content of the image.
        attempts: how often Packer was started.
        retryable: whether the failure is of a kind that may pass when tried again.
        warnings: what was odd though it did not fail the build.
        reasons: why the target was built, for example which input changed; empty when unchanged.
        locked: it failed because somebody else was building the target, or the one that it starts from.
        parent: the image that it starts from; None where it has none.
        contents: the packages of the image, as its record names them; None where they are not known.
    """

    target: str
    builder: str
    status: Status
    command: tuple[str, ...] = ()
    exit_code: int | None = None
    manifest_path: str | None = None
    artifacts: tuple[Artifact, ...] = ()
    errors: tuple[str, ...] = ()
    started_at: str = ""
    finished_at: str = ""
    duration_s: float = 0.0
    log_path: str | None = None
    fingerprint: str = ""
    attempts: int = 0
    retryable: bool = False
    warnings: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()
    locked: bool = False
    parent: Parent | None = None
    contents: ContentsOf | None = None

    @property
    def changed(self) -> bool:
        """Whether this run made an image."""
        return self.status is Status.BUILT

    def summary(self, *, check: bool = False) -> list[str]:
        """What a person reads of the result.

        Args:
            check: nothing was built; it is the result that there would be.

        Returns:
            Lines: the target and its status, then what there is to say, indented. Of long errors it has
            less than ``to_dict``.
        """
        lines = [f"{self.target}: {'would be built' if check and self.changed else self.status.value}"]
        if check:
            lines += [f"  because {reason}" for reason in self.reasons]
        shown = brief(self.errors, each=2000, together=3000)
        lines += [f"  {line}" for error in shown for line in error.splitlines()]
        for artifact in self.artifacts:
            if not artifact.files:
                lines.append(f"  artifact {artifact.id}")
            for file in artifact.files:
                lines.append(f"  image    {file.path}")
                lines.append(f"  size     {file.size / 1e6:.1f} MB")
                lines.append(f"  sha256   {file.sha256}")
        if self.parent and self.parent.version:
            lines.append(f"  parent   {self.parent.target}@{self.parent.version}")
        lines += [f"  warning  {text}" for text in self.warnings]
        if self.log_path and not check:
            lines.append(f"  log      {self.log_path}")
        return lines

    def to_dict(self) -> dict[str, Any]:
        """The result as data, for ``--json`` and for Ansible; plain types only, and long errors cut."""
        return {
            "target": self.target,
            "builder": self.builder,
            "status": self.status.value,
            "changed": self.changed,
            "command": list(self.command),
            "exit_code": self.exit_code,
            "manifest_path": self.manifest_path,
            "artifacts": [artifact.to_dict() for artifact in self.artifacts],
            "errors": brief(self.errors, each=4000, together=6000),
            "started_at": self.started_at,
            "finished_at": self.finished_at,
            "duration_s": round(self.duration_s, 3),
            "log_path": self.log_path,
            "fingerprint": self.fingerprint,
            "attempts": self.attempts,
            "retryable": self.retryable,
            "warnings": list(self.warnings),
            "reasons": list(self.reasons),
            "locked": self.locked,
            "parent": self.parent.to_dict() if self.parent else None,
            "contents": self.contents,
        }


@dataclass(frozen=True)
class BuildReport:
    """How a batch ended: one result a target, in the order of the targets.

    Attributes:
        results: one a target.
        run_id: names the batch in the state and in the logs.
        interrupted: what was found of runs that died without a word, and what they may have left; a sentence
            each.
    """

    results: tuple[BuildResult, ...] = ()
    run_id: str = ""
    interrupted: tuple[str, ...] = ()

    @property
    def status(self) -> Status:
        """One word for the batch: see ``combine``."""
        return combine(result.status for result in self.results)

    @property
    def changed(self) -> bool:
        """Whether any image was made."""
        return any(result.changed for result in self.results)

    def counted(self) -> str:
        """How many targets ended how, in words."""
        found = Counter(result.status.value for result in self.results)
        return ", ".join(f"{number} {status}" for status, number in sorted(found.items())) or "no targets"

    def to_dict(self) -> dict[str, Any]:
        """The report as data: what ``packer-hybrid --json build`` prints."""
        return {
            "status": self.status.value,
            "changed": self.changed,
            "run_id": self.run_id,
            "interrupted": list(self.interrupted),
            "results": [result.to_dict() for result in self.results],
        }


def combine(statuses: Iterable[Status]) -> Status:
    """The status of a batch from the statuses of its targets.

    Args:
        statuses: one a target.

    Returns:
        ``unchanged`` for no target at all; the status that all share; ``built`` where some were
        built and the others unchanged; else ``partial``.
    """
    found = set(statuses)
    if not found:
        return Status.UNCHANGED
    if len(found) == 1:
        return found.pop()
    if all(status.ok for status in found):
        return Status.BUILT
    return Status.PARTIAL


_MOST = 10
# Characters: where less than this is left of the limit, an error is left out rather than cut to nothing.
_LEAST = 200


def brief(errors: Sequence[str], *, each: int, together: int) -> list[str]:
    """Cut the errors of one target; the log of its build has all of them.

    Args:
        errors: Packer's messages in order, each with its step and its last lines.
        each: characters of one of them. A longer one loses its middle, since it begins with Packer's own
            message, and its last lines are nearest to the fault.
        together: characters of all of them.

    Returns:
        At most ten errors, and a line where some are missing.
    """
    kept: list[str] = []
    for error in errors:
        room = min(each, together)
        if len(kept) == _MOST or room < min(len(error), _LEAST):
            kept.append(f"and {len(errors) - len(kept)} more, see the log")
            break
        kept.append(_cut(error, room))
        together -= len(kept[-1])
    return kept


def _cut(text: str, size: int) -> str:
    if len(text) <= size:
        return text
    half = size // 2
    return f"{text[:half]}\n[... {len(text) - 2 * half} characters, see the log ...]\n{text[-half:]}"
