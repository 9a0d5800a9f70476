"""Concludes ended builds in a thread of its own, so that hashing a large image holds up nobody else."""

from __future__ import annotations

import os
from queue import Empty, SimpleQueue
from threading import Thread
from typing import NamedTuple

from .. import logs, runs
from ..errors import HybridError
from .finish import conclude, prune_images
from .job import Batch, Job
from .plan import write_files
from .results import BuildResult, Status

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Finished(NamedTuple):
    """A build that was concluded.

    Attributes:
        job: the target.
        result: how it ended.
        again: it is to be tried again; nothing was recorded, and its lock is kept.
    """

    job: Job
    result: BuildResult
    again: bool


class Finisher:
    """Takes ended jobs and gives back finished ones.

    Args:
        batch: what the jobs share.
        failed: the result of a job that could not be concluded: gets the job, a status and a sentence.
    """

    def __init__(self, batch: Batch, failed: Callable[[Job, Status, str], BuildResult]) -> None:
        self._batch = batch
        self._failed = failed
        self._ended: SimpleQueue[tuple[Job, BuildResult | None] | None] = SimpleQueue()
        self._done: SimpleQueue[Finished | HybridError | OSError] = SimpleQueue()
        self.pending = 0
        self.wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._thread = Thread(target=self._work, daemon=True)
        self._thread.start()

    def add(self, job: Job, result: BuildResult | None = None) -> None:
        """Hand over a job.

        Args:
            job: its Packer has ended, and its output was taken in.
            result: given when nothing ran, and so nothing is to be concluded.
        """
        self.pending += 1
        self._ended.put((job, result))

    def take(self) -> list[Finished]:
        """The jobs that were finished since the last call; call it when ``wake`` is readable.

        Raises:
            StateError, LogsError, OSError: a result could not be recorded.
        """
        try:
            os.eventfd_read(self.wake)
        except BlockingIOError:
            pass
        found = []
        while not self._done.empty():
            one = self._done.get()
            if not isinstance(one, Finished):
                raise one
            self.pending -= 1
            found.append(one)
        return found

    def close(self) -> None:
        """Wait for what is being concluded, and end the thread."""
        self._ended.put(None)
        self._thread.join()
        os.close(self.wake)

    def _work(self) -> None:
        while (entry := self._ended.get()) is not None:
            try:
                # What ended meanwhile goes into the same transaction.
                entries = [entry, *self._waiting()]
                self._finish([one for one in entries if one is not None])
                if None in entries:
                    return
            except (HybridError, OSError) as error:
                self._done.put(error)
            finally:
                os.eventfd_write(self.wake, 1)

    def _waiting(self) -> list[tuple[Job, BuildResult | None] | None]:
        found: list[tuple[Job, BuildResult | None] | None] = []
        try:
            while True:
                found.append(self._ended.get_nowait())
        except Empty:
            return found

    def _finish(self, entries: list[tuple[Job, BuildResult | None]]) -> None:
        batch = self._batch
        finished = [self._conclude(job, result) for job, result in entries]
        final = [one for one in finished if not one.again]
        for job, result, _ in final:
            if result.changed:
                write_files(batch.workspace, f"{batch.env}/{job.target}", job.planned.files)
        if final:
            pairs = [(one.result, one.job.planned.inputs) for one in final]
            runs.record(batch.workspace, batch.run_id, batch.env, pairs)
        for job, result, _ in final:
            job.close()
            logs.prune_builds(batch.workspace, batch.env, job.target)
            if result.changed:
                prune_images(batch.workspace, batch.env, job.target)
        for one in finished:
            self._done.put(one)

    def _conclude(self, job: Job, result: BuildResult | None) -> Finished:
        if result is not None:
            return Finished(job, result, again=False)
        try:
            result = conclude(job, self._batch)
        except (HybridError, OSError) as error:
            result = self._failed(job, Status.FAILED, f"the result cannot be kept: {say(error)}")
        runs.remove_folder(job.folder)
        return Finished(job, result, again=result.retryable and job.attempts <= self._batch.options.retries)


def say(error: HybridError | OSError) -> str:
    """An error in one sentence, with its place."""
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror or error}"
    return str(error)
