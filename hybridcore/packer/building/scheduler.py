"""Build a batch of targets: one Packer process each, so many at a time, in one thread over one supervisor."""

from __future__ import annotations

import logging
import os
import selectors
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ... import logs, state
from ...errors import HybridError, LockError, PackerError, StateError
from ...images.known import Known
from ...images.locks import target_lock
from ...process.children import GRACE_S, Child
from ...process.mask import masked
from ...state.lock import Lock
from .. import runs
from ..checking.hidden import hidden_values
from ..planning.fingerprint import Digests
from ..planning.inputs import never_observed
from ..planning.parents import no_parent, parent_of
from ..planning.plan import unchanged
from ..planning.reasons import lost_files
from ..program import plugins
from ..results import Status
from ..stream.retry import delays
from .finisher import Finisher, say
from .job import Attempt, Batch, Ended, Job, look_again, prepare
from .observation import Observer
from .remains import grace, left_behind

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ...process.children import Children
    from ...process.wire import Exit
    from ..planning.plan import Planned
    from ..results import BuildResult

_TICK_S = 0.25
_SHORTEST_TICK_S = 0.05  # with hundreds of builds something happens all the time
_READ = 1 << 18
# What is said of a parent without an image.
_ENDED = {
    Status.FAILED: "failed",
    Status.CANCELLED: "was not built",
    Status.TIMED_OUT: "took too long",
}


@dataclass
class _Running:
    """An attempt whose Packer runs; ``fd`` is the read end of its pipe, -1 once that is closed."""

    job: Job
    attempt: Attempt
    fd: int


class Scheduler:
    """Runs the jobs of a batch; everything but concluding happens in the caller's thread.

    Args:
        batch: what the jobs share.
        todo: what is to be built, each with its reasons.
        hidden: values to mask that only Packer knew, by target. Of those that wait for their parents it is
            asked when they begin, with an image that nobody had before.
        children: the supervisor.
    """

    def __init__(
        self,
        batch: Batch,
        todo: Sequence[Planned],
        hidden: Mapping[str, Sequence[str]],
        children: Children,
    ) -> None:
        self._batch = batch
        self._children = children
        self._jobs = tuple(
            Job(
                plan,
                logs.BuildLog(
                    logs.build_log_path(batch.workspace, batch.env, plan.template.target, batch.run_id)
                ),
                hidden=None if plan.waits else hidden.get(plan.template.target, ()),
            )
            for plan in todo
        )
        self._waiting = [job for job in self._jobs if not job.planned.waits]
        # By target, the jobs that wait for its image.
        self._children_of: dict[str, list[Job]] = {}
        for job in self._jobs:
            if job.planned.waits and (parent := job.planned.template.parent):
                self._children_of.setdefault(parent.target, []).append(job)
        self._running: dict[str, _Running] = {}
        self._results: dict[str, BuildResult] = {}
        self._cancelled = ""
        self._selector = selectors.DefaultSelector()
        self._finisher = Finisher(batch)
        self._log = logs.get_logger("packer", workspace=batch.workspace)
        self._digests = Digests(batch.workspace)
        self._observer = Observer(batch.workspace)
        self._told_of_logs = False
        self._ticked = 0.0

    def run(self, command: str) -> dict[str, BuildResult]:
        """Build everything.

        Args:
            command: what is being done, for the state and for those who wait.

        Returns:
            The results by target.

        Raises:
            StateError: the state cannot be read or written.
        """
        batch = self._batch
        self._children.announce(
            {
                "op": "run",
                "workspace": str(batch.workspace.root),
                "run_id": batch.run_id,
                "folder": str(batch.folder),
            }
        )
        try:
            runs.begin(
                batch.workspace,
                batch.run_id,
                env=batch.env,
                command=command,
                logs={job.target: job.log.path for job in self._jobs},
                leaves={
                    job.target: left_behind(job.planned.template, job.planned.rendered) for job in self._jobs
                },
                owner=self._children.pid,
                packer={"path": batch.capabilities.path, "version": batch.capabilities.version},
                plugins=plugins.found_by(
                    batch.capabilities, plugins.environ_of(batch.workspace, batch.options.extra_env)
                ),
            )
            batch.folder.mkdir(parents=True, mode=0o700)
            self._selector.register(self._children, selectors.EVENT_READ, self._on_events)
            self._selector.register(self._finisher.wake, selectors.EVENT_READ, self._on_finished)
            if self._observer.fileno() >= 0:
                self._selector.register(self._observer, selectors.EVENT_READ, self._observer.take)
            while self._waiting or self._running or self._finisher.pending:
                self._start_some()
                self._wait()
                self._check_time()
        finally:
            self._close_all()
        runs.remove_folder(batch.folder)
        return self._results

    def _start_some(self) -> None:
        now = time.monotonic()
        for job in list(self._waiting):
            if self._cancelled:
                self._waiting.remove(job)
                why = f"cancelled: {self._cancelled}"
                self._finisher.record(job, self._not_run(job, Status.CANCELLED, why))
            elif job.failed and not self._in_time(job, now):
                self._waiting.remove(job)
                self._finisher.record(job, job.failed)
            elif not self._may_start(job):
                if not job.failed:
                    return  # what is to be tried again stands in front: the others wait for the same
            elif job.not_before <= now and self._lock(job, now):
                self._waiting.remove(job)
                if not self._built_meanwhile(job):
                    self._start(job)

    def _may_start(self, job: Job) -> bool:
        """Whether there is a place for one more Packer, and the supervisor keeps up."""
        if len(self._running) >= self._batch.parallel or not self._children.has_room:
            return False
        return job.lock is not None or sum(one.lock is not None for one in self._jobs) < self._batch.most_open

    def _lock(self, job: Job, now: float) -> bool:
        """Take the lock of the target, so that nobody else builds it; whether it was had."""
        if job.lock is not None:
            return True
        workspace, env = self._batch.workspace, self._batch.env
        try:
            lock = Lock(
                target_lock(workspace, env, job.target),
                command=f"build {job.target} in {env}",
                timeout=0,
                on_wait=lambda text: None,
                what=f"the target {job.target}",
                setting="--lock-timeout, or lock_timeout of packer_build",
            )
            lock.acquire()
        except LockError as error:
            job.asked_at = job.asked_at or now
            left = job.asked_at + self._batch.options.lock_timeout - now
            if left <= 0:
                self._waiting.remove(job)
                self._finisher.leave(job, self._not_run(job, Status.FAILED, str(error), locked=True))
            elif not job.not_before:
                self._batch.monitor.note(f"{job.target}: waiting up to {left:.0f} s: {error.message}")
            job.not_before = now + _TICK_S
            return False
        except (StateError, OSError) as error:  # as when its file is another user's: only this target fails
            self._waiting.remove(job)
            self._finisher.leave(job, self._not_run(job, Status.FAILED, say(error)))
            return False
        job.lock = lock
        return True

    def _built_meanwhile(self, job: Job) -> bool:
        """Whether somebody built the very same image since the plan was made; it is taken then."""
        batch = self._batch
        if job.attempts or job.planned.options.force:
            return False
        key = f"{batch.env}/{job.target}"
        remembered = state.peek(workspace=batch.workspace)
        image = remembered["images"].get(key)
        if image is None or image.get("run") == job.planned.run_before:
            return False
        mark = image.get("fingerprint")  # over what that build was seen to read, too, which no plan knows
        if not mark or (image.get("given_fingerprint") or mark) != job.planned.fingerprint:
            return False
        if lost_files(image, batch.workspace, Digests(batch.workspace)):
            return False
        batch.monitor.note(f"{job.target}: was built meanwhile, in run {image.get('run')}")
        manifest = remembered["manifests"].get(key)
        path = manifest["path"] if manifest else None
        taken = replace(job.planned, fingerprint=mark, reasons=(), image=image, manifest=path)
        found = unchanged(taken)
        self._finisher.leave(job, found)
        return True

    def _start(self, job: Job) -> None:
        batch = self._batch
        if not job.attempts:
            for reason in job.planned.reasons:
                word = "rebuild" if job.planned.run_before else "build"
                batch.monitor.note(f"{job.target}: {word}: {reason}")
        self._observer.take()
        try:
            if job.hidden is None:
                job.hidden = self._hidden_of(job)
            attempt = prepare(job, batch)
            job.changed = look_again(job, batch, self._digests)
            never = never_observed(job.planned.template, job.planned.rendered, batch.workspace, attempt.env)
            self._observer.begin(job.planned, attempt.mirror, never)
            fd = self._children.start(
                Child(
                    key=job.target,
                    argv=attempt.argv,
                    env=attempt.env,
                    cwd=attempt.mirror.cwd,
                    log=job.log.path,
                    secrets=attempt.secrets,
                    lock=job.lock.fileno() if job.lock else None,
                    grace=grace(job.planned.template),
                )
            )
        except (HybridError, OSError) as error:
            self._observer.end(job.target)
            self._finisher.record(job, self._not_run(job, Status.FAILED, say(error)))
            return
        log = self._batch.workspace.relative(job.log.path)
        self._log.info("attempt %s has begun, its log is %s", job.attempts, log, extra=self._command(job))
        running = _Running(job, attempt, fd)
        self._running[job.target] = running
        self._selector.register(fd, selectors.EVENT_READ, lambda: self._read(running))

    def _wait(self) -> None:
        """Pass on what Packers print, and take note of those that ended, until something can be started."""
        busy = self._running or self._waiting or self._finisher.pending
        for key, __ in self._selector.select(_TICK_S if busy else 0):
            key.data()
        now = time.monotonic()
        if now - self._ticked >= _SHORTEST_TICK_S:
            self._ticked = now
            self._batch.monitor.tick({target: now - one.job.begun for target, one in self._running.items()})

    def _on_events(self) -> None:
        try:
            events = self._children.events()
        except PackerError as error:
            self._selector.unregister(self._children)
            self._cancelled = self._cancelled or error.message
            for target in list(self._running):
                end: Exit = {
                    "event": "exit",
                    "id": target,
                    "code": None,
                    "why": error.message,
                    "killed": True,
                }
                self._on_exit(end)
            return
        for event in events:
            if event["event"] == "cancelled":
                self._cancelled = event["why"]
            elif event["event"] == "exit":
                self._on_exit(event)

    def _on_exit(self, end: Exit) -> None:
        """Packer has ended, and the supervisor killed what it left: take the rest of the output."""
        running = self._running.pop(end["id"])
        while running.fd >= 0:
            self._read(running, last=True)
        running.job.reading = self._observer.end(running.job.target)
        self._finisher.conclude(Ended(running.job, running.attempt, end))

    def _read(self, running: _Running, *, last: bool = False) -> None:
        """Take what is there. The pipe is open for as long as the supervisor holds it, so its end is not
        what tells that Packer has ended.

        Args:
            running: the attempt.
            last: Packer has ended: the pipe is closed where it is empty.
        """
        if running.fd < 0:
            return  # its end was seen in the same round
        try:
            data = os.read(running.fd, _READ)
        except BlockingIOError:
            if not last:
                return
            data = b""
        if data:
            running.attempt.pump.feed(data)
        else:
            running.attempt.pump.close()
            self._selector.unregister(running.fd)
            os.close(running.fd)
            running.fd = -1
        self._tell_of_logs(running.job)

    def _tell_of_logs(self, job: Job) -> None:
        """Say once that logs cannot be written; the result of each such build says it too."""
        if job.log.trouble and not self._told_of_logs:
            self._told_of_logs = True
            self._batch.monitor.note(f"warning: cannot write {job.log.path}: {job.log.trouble}")

    def _check_time(self) -> None:
        limit = self._batch.options.timeout
        if not limit:
            return
        now = time.monotonic()
        for job in (one.job for one in self._running.values()):
            if not job.timed_out and now - job.begun > limit:
                job.timed_out = True
                self._batch.monitor.note(f"{job.target}: stopped after {limit:g} s, its timeout")
                self._children.stop(job.target)

    def _on_finished(self) -> None:
        """Builds were concluded: keep the results, and try again what may pass."""
        for job, result, again, __ in self._finisher.take():
            self._observer.concluded(job.target)
            delay = list(delays(job.attempts, self._batch.options.retry_delay))[-1] if again else 0.0
            then = time.monotonic() + delay
            if again and self._in_time(job, then) and not self._cancelled:
                self._batch.monitor.note(f"{job.target}: attempt {job.attempts} failed, next in {delay:g} s")
                job.not_before, job.failed = then, result
                # In front of those that were not begun: its time is running.
                self._waiting.insert(0, job)
            elif again:
                self._finisher.record(job, result)
            else:
                self._end(job, result)

    def _end(self, job: Job, result: BuildResult) -> None:
        """Keep the result of a target, and write it into the shared log."""
        self._results[job.target] = result
        if children := self._children_of.pop(job.target, []):
            self._parent_ended(children, result)
        level = logging.INFO if result.status.ok else logging.ERROR
        shown = f"{result.status.value} after {result.duration_s:.1f} s, run {self._batch.run_id}"
        if result.errors:
            shown = f"{shown}: {masked(result.errors[0], self._batch.options.secrets.values())}"
        self._log.log(level, "%s", shown, extra=self._command(job))

    def _parent_ended(self, children: Sequence[Job], result: BuildResult) -> None:
        """Let the jobs begin that waited for the image of a target; without one they are not built."""
        if self._cancelled:
            self._waiting += children
            return
        if not result.status.ok:
            why = f"not built: its parent {result.target} {_ENDED[result.status]}"
            for job in children:
                skipped = self._not_run(job, Status.CANCELLED, why, locked=result.locked)
                self._finisher.record(job, skipped)
            return
        known = Known.read(self._batch.workspace)
        for job in reversed(children):
            allowed = job.planned.options.allow_revoked
            found, why = parent_of(job.planned.template, self._batch.env, known, allow_revoked=allowed)
            if found is None:
                failed = self._not_run(job, Status.FAILED, no_parent(result.target, why))
                self._finisher.record(job, failed)
            else:
                job.has_parent(found)
                # In front, as each may have others that wait for it.
                self._waiting.insert(0, job)

    def _hidden_of(self, job: Job) -> Sequence[str]:
        """The sensitive values of a job that only Packer can compute.

        Raises:
            PackerError: one cannot be known; has faults.
        """
        batch = self._batch
        return hidden_values(
            [job.planned],
            env=batch.env,
            options=batch.options,
            workspace=batch.workspace,
            capabilities=batch.capabilities,
        ).get(job.target, ())

    def _command(self, job: Job) -> dict[str, str]:
        return {"command": f"build {self._batch.env}/{job.target}"}

    def _in_time(self, job: Job, moment: float) -> bool:
        limit = self._batch.options.timeout
        return not limit or moment - job.begun < limit

    def _not_run(self, job: Job, status: Status, error: str, *, locked: bool = False) -> BuildResult:
        return replace(job.result(status, self._batch), errors=(error,), locked=locked)

    def _close_all(self) -> None:
        """Whatever ended the batch, no descriptor and no lock stays behind."""
        # Where an error ends it: Packers clean up while what has ended is still being concluded.
        for target in self._running:
            self._children.stop(target)
        self._finisher.close()
        self._observer.close()
        for running in self._running.values():
            if running.fd >= 0:
                os.close(running.fd)
        for job in self._jobs:
            job.close()
        self._selector.close()
        if self._running and self._children.grace > GRACE_S:
            self._batch.monitor.note(
                f"waiting until Packer has cleaned up, up to {self._children.grace:.0f} s; "
                "interrupt again to leave it to the background"
            )
