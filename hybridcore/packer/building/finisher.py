"""Concludes ended builds in a thread of its own, so that hashing a large image holds up nobody else."""

from __future__ import annotations

import contextlib
import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import NamedTuple

from ... import logs
from ...errors import HybridError
from ...images import retiring
from ...images.known import Known
from ...images.names import Image
from ...state.inputs import write_files
from .. import runs
from ..planning.fingerprint import Digests, fingerprint
from ..planning.plan import source_faults
from ..results import BuildResult, Status
from .job import Batch, Ended, Job, look_again
from .observation import add_reading, listed
from .verdict import conclude


class Finished(NamedTuple):
    """A build that was concluded.

    Attributes:
        job: the target.
        result: how it ended.
        again: it is to be tried again; nothing was recorded, and its lock is kept.
        left: somebody else builds it, or built it: what the state says of it is that run's to say.
    """

    job: Job
    result: BuildResult
    again: bool = False
    left: bool = False


class Finisher:
    """Takes ended jobs and gives back finished ones.

    Args:
        batch: what the jobs share.
    """

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._ended: deque[Ended | Finished] = deque()
        self._futures: deque[Future[list[Finished]]] = deque()
        self.pending = 0
        self.wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._digests = Digests(batch.workspace)

    def conclude(self, ended: Ended) -> None:
        """Hand over an attempt whose Packer has ended: its result is to be found out."""
        self._add(ended)

    def record(self, job: Job, result: BuildResult) -> None:
        """Hand over a job whose result is known."""
        self._add(Finished(job, result))

    def leave(self, job: Job, result: BuildResult) -> None:
        """Hand over a job that is no longer this run's, since somebody else builds it, or did."""
        self._add(Finished(job, result, left=True))

    def _add(self, one: Ended | Finished) -> None:
        self.pending += 1
        self._ended.append(one)
        future = self._thread.submit(self._finish)
        self._futures.append(future)
        future.add_done_callback(lambda __: os.eventfd_write(self.wake, 1))

    def take(self) -> list[Finished]:
        """The jobs that were finished since the last call; call it when ``wake`` is readable.

        Raises:
            StateError, LogsError, OSError: a result could not be recorded.
        """
        try:
            os.eventfd_read(self.wake)
        except BlockingIOError:
            pass
        found: list[Finished] = []
        while self._futures and self._futures[0].done():
            found += self._futures.popleft().result()
        self.pending -= len(found)
        return found

    def close(self) -> None:
        """Wait for what is being concluded, and end the thread."""
        self._thread.shutdown()
        os.close(self.wake)

    def _finish(self) -> list[Finished]:
        """Conclude the attempts that have ended by now, all of them in one transaction of the state."""
        batch = self._batch
        finished = []
        while self._ended:
            one = self._ended.popleft()
            finished.append(one if isinstance(one, Finished) else self._conclude(one))
        final = [one for one in finished if not one.again]
        for job, result, *__ in final:
            if result.changed and result.fingerprint:
                # The digests only name the reason of the next build: without them this one is no worse.
                with contextlib.suppress(OSError):
                    write_files(batch.workspace, f"{batch.env}/{job.target}", job.planned.files)
        unsigned: dict[str, str] = {}
        if final:
            records = [
                runs.Record(
                    result,
                    job.inputs,
                    job.planned.fingerprint,
                    job.observed,
                    job.planned.parent_record,
                    self._allowed(job),
                )
                for job, result, __, left in final
                if not left
            ]
            left = [one.job.target for one in final if one.left]
            unsigned = runs.record(batch.workspace, batch.run_id, batch.env, records, left=left)
        for one in final:
            one.job.close()
        told = [_with_warning(one, unsigned.get(one.job.target, "")) for one in finished]
        return [one if one.again or one.left else self._tidied(one) for one in told]

    def _allowed(self, job: Job) -> str | None:
        """Why the parent of a job is not to be used, where a build on it was allowed all the same."""
        parent = job.planned.parent
        if parent is None or not job.planned.options.allow_revoked:
            return None
        known = Known.read(self._batch.workspace)
        word = known.revoked(parent.image, parent.version)
        complete = known.record(parent.image, parent.version)["complete"]
        return str(word) if word else None if complete else "incomplete: its checks did not pass"

    def _tidied(self, one: Finished) -> Finished:
        """Remove old logs and images; what cannot be removed becomes a warning of the result."""
        batch, (job, result, *__) = self._batch, one
        try:
            logs.prune_builds(batch.workspace, batch.env, job.target)
            if result.changed:
                retiring.after_build(batch.workspace, Image(batch.env, job.target))
        except (HybridError, OSError) as error:
            warnings = (*result.warnings, f"old logs and images stay: {say(error)}")
            return one._replace(result=replace(result, warnings=warnings))
        return one

    def _conclude(self, ended: Ended) -> Finished:
        job, attempt, __ = ended
        try:
            result = conclude(ended, self._batch)
        except (HybridError, OSError) as error:
            failed = job.result(Status.FAILED, self._batch)
            result = replace(failed, errors=(f"the result cannot be kept: {say(error)}",))
        if result.changed:
            result = self._with_its_inputs(job, result)
        runs.remove_folder(attempt.folder)
        return Finished(job, result, again=result.retryable and attempt.number <= self._batch.options.retries)

    def _with_its_inputs(self, job: Job, result: BuildResult) -> BuildResult:
        """The result of a build with what it was made of; without a fingerprint where that is not known."""
        workspace = self._batch.workspace
        changed = [*job.changed, *look_again(job, self._batch, self._digests)]
        changed += map(str, source_faults(job.planned, workspace))
        seen = None if changed else add_reading(job.planned, job.reading, workspace, self._digests)
        warnings = (*result.warnings, *(seen.warnings if seen else ()))
        changed += seen.changed if seen else []
        if changed or not seen:
            warning = (
                f"inputs changed after the build was planned: {listed(list(dict.fromkeys(changed)))}; "
                "no fingerprint is recorded, so that the next run builds it again"
            )
            return replace(result, fingerprint="", warnings=(*warnings, warning))
        job.inputs, job.observed = seen.inputs, seen.observed
        return replace(result, fingerprint=fingerprint(seen.inputs), warnings=warnings)


def _with_warning(one: Finished, warning: str) -> Finished:
    """The same with one more warning, if there is one."""
    if not warning:
        return one
    return one._replace(result=replace(one.result, warnings=(*one.result.warnings, warning)))


def say(error: HybridError | OSError) -> str:
    """An error in one sentence, with its place."""
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror or error}"
    return str(error)
