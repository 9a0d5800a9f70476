"""One target of a running batch, and each attempt to build it."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ... import state
from ...images.folders import packer_cache
from ...process.mask import Masker
from ...temporary import PREFIX, write
from ..mirror import Mirror, make_mirror
from ..passing import masked
from ..planning.plan import changed_since, with_parent
from ..program.commands import build_command
from ..runtime import packer_environment, runtime_variables
from ..secrets import file_variables, secret_values
from ..stream.outcome import Outcome
from ..stream.pump import Pump

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ...images.lookup import Found
    from ...logs import BuildLog
    from ...monitor import Monitor
    from ...process.wire import Exit
    from ...state.lock import Lock
    from ...workspace import Workspace
    from ..options import BuildOptions
    from ..planning.fingerprint import Digests
    from ..planning.plan import Planned
    from ..program.capabilities import Capabilities
    from ..results import BuildResult, Status
    from .observation import Reading


@dataclass(frozen=True)
class Batch:
    """What all targets of a call share.

    Attributes:
        workspace: where everything lies.
        env: name of the environment.
        options: how to build.
        capabilities: of the Packer that builds.
        run_id: names the run.
        folder: of this run alone.
        monitor: who watches.
        parallel: Packer processes at a time.
        most_open: jobs that may have files open at a time: those that run, those that are being concluded,
            and those that wait to be tried again.
    """

    workspace: Workspace
    env: str
    options: BuildOptions
    capabilities: Capabilities
    run_id: str
    folder: Path
    monitor: Monitor
    parallel: int
    most_open: int


@dataclass
class Job:
    """A target that is to be built: run time, in contrast to ``Planned``, which is intent.

    Attributes:
        planned: what is to be built, and why.
        log: the build's log, all attempts in one file.
        attempts: how often an attempt was prepared.
        started_at: RFC 3339, UTC; empty before the first attempt.
        begun: moment of the first attempt, of the monotonic clock.
        not_before: moment before which it must not be started again.
        failed: the result of the attempt before, when it is to be tried again.
        asked_at: moment of the first try for a lock that somebody else holds.
        lock: held from the first attempt to the end.
        timed_out: the whole build took too long and was told to stop.
        changed: which inputs were not those of the plan any more when the last attempt was started.
        reading: what the last attempt was seen to read.
        inputs: what the image was made of, as far as it is known.
        observed: those of the inputs that nothing names.
        hidden: values to mask that only Packer knows; None until it was asked.
    """

    planned: Planned
    log: BuildLog
    attempts: int = 0
    started_at: str = ""
    begun: float = 0.0
    not_before: float = 0.0
    failed: BuildResult | None = None
    asked_at: float = 0.0
    lock: Lock | None = None
    timed_out: bool = False
    changed: Sequence[str] = ()
    reading: Reading | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)
    observed: Sequence[str] = ()
    hidden: Sequence[str] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self.inputs, self.observed = self.planned.inputs, self.planned.observed

    def has_parent(self, found: Found) -> None:
        """Its parent was built, or taken from another run: it can begin.

        Args:
            found: the parent.
        """
        self.planned = with_parent(self.planned, found)
        self.inputs = self.planned.inputs

    @property
    def target(self) -> str:
        """``<os>/<platform>/<name>``."""
        return self.planned.template.target

    def result(self, status: Status, batch: Batch) -> BuildResult:
        """What there is to say of the job as a whole, whatever came out of its attempts.

        Args:
            status: how it ended.
            batch: what it shares with the others.
        """
        return replace(
            self.planned.result(status),
            started_at=self.started_at,
            finished_at=state.timestamp(),
            duration_s=time.monotonic() - self.begun if self.attempts else 0.0,
            log_path=batch.workspace.relative(self.log.path) if self.log.begun else None,
            attempts=self.attempts,
            warnings=(f"the log is not complete: {self.log.trouble}",) if self.log.trouble else (),
        )

    def close(self) -> None:
        """Let go of the log and the lock."""
        self.log.close()
        if self.lock is not None:
            self.lock.release()
            self.lock = None


@dataclass(frozen=True)
class Attempt:
    """One start of Packer for a target.

    Attributes:
        number: of the attempt, from 1.
        folder: of this attempt alone.
        mirror: the workspace as this attempt sees it.
        argv: the command.
        shown_command: the same as it may be shown.
        env: the whole environment.
        secrets: values to mask.
        masker: hides them in what is shown.
        outcome: what its output tells, not masked.
        pump: takes its output.
    """

    number: int
    folder: Path
    mirror: Mirror
    argv: tuple[str, ...]
    shown_command: tuple[str, ...]
    env: Mapping[str, str] = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)
    masker: Masker = field(repr=False)
    outcome: Outcome = field(repr=False)
    pump: Pump


class Ended(NamedTuple):
    """An attempt whose Packer has ended, its output taken in.

    Attributes:
        job: its target.
        attempt: what was started.
        exit: what the supervisor said about its end.
    """

    job: Job
    attempt: Attempt
    exit: Exit


def prepare(job: Job, batch: Batch) -> Attempt:
    """Make the folder, the environment and the command of the next attempt, and begin its part of the log.

    Args:
        job: the target; it counts the attempt.
        batch: what it shares with the others.

    Raises:
        PackerError: the build's key cannot be made.
        OSError: the folder cannot be made.
    """
    job.attempts += 1
    if not job.started_at:
        job.started_at = state.timestamp()
        job.begun = time.monotonic()
    template = job.planned.template
    folder = batch.folder / f"{job.target.replace('/', '@')}.{job.attempts}"
    make_folder(folder)
    temporary = make_temporary(folder)
    variables = runtime_variables(
        template,
        env=batch.env,
        fingerprint=job.planned.fingerprint,
        build_time=job.started_at,
        folder=folder,
        parent=job.planned.parent,
    ) | file_variables(template, batch.options)
    env = packer_environment(template, batch.options, variables, temporary)
    env["PACKER_CACHE_DIR"] = env.get("PACKER_CACHE_DIR") or str(packer_cache(batch.workspace))
    mirror = make_mirror(
        template,
        job.planned.rendered,
        folder / "ws",
        batch.workspace,
        environ=env,
        with_plugins=batch.capabilities.has_init,
    )
    secrets = (
        *secret_values(template, batch.options.secrets, env),
        *(job.hidden or ()),
        *masked(template, env),
    )
    # A copy of what the fingerprint was taken of: the file in configs/ may be rendered anew meanwhile.
    values = folder / "values.pkrvars.hcl"
    write(values, job.planned.rendered.text.encode())
    options = replace(job.planned.options, only=template.only) if template.only else job.planned.options
    argv = build_command(batch.capabilities, options, mirror.argument, var_files=[values])
    masker = Masker(secrets)
    shown_command = tuple(map(masker.text, argv))
    job.log.attempt(job.attempts, batch.run_id, shown_command)
    outcome = Outcome()
    pump = Pump(
        masker,
        log=job.log.output,
        outcome=outcome,
        line=_show(job.target, batch, mirror) if batch.monitor.wants_lines else None,
    )
    return Attempt(job.attempts, folder, mirror, argv, shown_command, env, secrets, masker, outcome, pump)


def _show(target: str, batch: Batch, mirror: Mirror) -> Callable[[str, str], None]:
    return lambda text, kind: batch.monitor.line(target, mirror.shown(text), kind)


def look_again(job: Job, batch: Batch, digests: Digests) -> list[str]:
    """Which inputs of a job are no longer what was planned, a few words each."""
    return changed_since(
        job.planned,
        workspace=batch.workspace,
        capabilities=batch.capabilities,
        digests=digests,
    )


def make_folder(folder: Path) -> None:
    """Make a folder of a run, for its owner only, with its parents."""
    os.makedirs(folder.parent, mode=0o700, exist_ok=True)
    os.mkdir(folder, 0o700)


def make_temporary(folder: Path) -> Path:
    """Make the folder for temporary files of one attempt, and remember it in the run's own folder.

    It lies in the system's folder for such files, since Packer's plugins make sockets in it, whose whole path
    must be shorter than 108 bytes.
    """
    import tempfile

    # The link comes first: whatever kills us, a folder that is there is remembered.
    made = Path(tempfile.gettempdir()) / f"{PREFIX}{os.urandom(8).hex()}"
    (folder / "tmp").symlink_to(made)
    made.mkdir(mode=0o700)
    return made
