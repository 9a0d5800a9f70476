"""Ended builds become results in the state, in a thread of their own."""

from __future__ import annotations

import os
import select
import threading

import pytest

from hybridcore import state
from hybridcore.images.locks import target_lock
from hybridcore.logs import BuildLog
from hybridcore.packer import runs
from hybridcore.packer.building import finisher
from hybridcore.packer.building.finisher import Finished, Finisher
from hybridcore.packer.building.job import Batch, Ended, Job, prepare
from hybridcore.packer.planning.plan import Planned
from hybridcore.packer.results import Status
from hybridcore.state.lock import Lock

A, B, C = "linux/null/a", "linux/null/b", "linux/null/c"
SUCCESS = b"""\
1605862346,null.a,artifact-count,1
1605862346,null.a,artifact,0,builder-id,null
1605862346,null.a,artifact,0,id,Null
1605862346,null.a,artifact,0,string,Did not export anything.
1605862346,null.a,artifact,0,files-count,0
1605862346,null.a,artifact,0,end
"""
MAY_PASS = b"1605862346,,ui,error,Build 'null.a' errored: dial tcp 10.0.0.5:22: connect: connection refused\n"


def started(batch: Batch, planned: Planned) -> Job:
    """A job whose lock is held, as the scheduler hands it over."""
    name = planned.template.target
    job = Job(planned, BuildLog(batch.workspace.logs / "builds" / f"{name[-1]}.log"))
    job.lock = Lock(
        target_lock(batch.workspace, "dev", name), command="a test", timeout=0, on_wait=lambda text: None
    )
    job.lock.acquire()
    return job


def ended(job: Job, batch: Batch, output: bytes = SUCCESS, code: int = 0) -> Ended:
    attempt = prepare(job, batch)
    os.rmdir(attempt.env["TMPDIR"])
    attempt.pump.feed(output)
    attempt.pump.close()
    return Ended(job, attempt, {"event": "exit", "id": job.target, "code": code, "why": ""})


def taken(one: Finisher) -> list[Finished]:
    """What was finished, once there is something."""
    assert select.select([one.wake], [], [], 30)[0]
    return one.take()


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The targets of each transaction."""
    found: list[list[str]] = []
    record = runs.record

    def counting(workspace, run_id, env, finished, **more):  # type: ignore[no-untyped-def]
        found.append([one.result.target for one in finished])
        return record(workspace, run_id, env, finished, **more)

    monkeypatch.setattr(runs, "record", counting)
    return found


def test_a_success_is_in_the_state_before_its_lock_is_given_back(make_batch, recorded):
    batch, (planned,) = make_batch(A)
    job = started(batch, planned)
    one = Finisher(batch)
    one.conclude(ended(job, batch))
    ((finished, result, again, _),) = taken(one)
    one.close()
    assert (finished, result.status, again) == (job, Status.BUILT, False)
    assert job.lock is None
    assert recorded == [[A]]
    image = state.read(workspace=batch.workspace)["images"][f"dev/{A}"]
    assert (image["run"], image["fingerprint"]) == (batch.run_id, planned.fingerprint)
    assert one.pending == 0


def test_what_is_tried_again_keeps_its_lock_and_is_not_recorded(make_batch, recorded):
    batch, (planned,) = make_batch(A, retries=1)
    job = started(batch, planned)
    one = Finisher(batch)
    one.conclude(ended(job, batch, MAY_PASS, 1))
    ((_, result, again, _),) = taken(one)
    assert (result.status, again, recorded) == (Status.FAILED, True, [])
    assert job.lock is not None
    one.conclude(ended(job, batch, MAY_PASS, 1))
    ((_, result, again, _),) = taken(one)
    one.close()
    assert (result.attempts, again, recorded) == (2, False, [[A]])
    assert job.lock is None


def test_what_ended_meanwhile_goes_into_one_transaction(make_batch, recorded, monkeypatch):
    batch, planned = make_batch(A, B, C)
    go, reached = threading.Event(), threading.Event()
    conclude = finisher.conclude

    def slowly(one, batch):  # type: ignore[no-untyped-def]
        reached.set()
        assert go.wait(30)
        return conclude(one, batch)

    monkeypatch.setattr(finisher, "conclude", slowly)
    all_ended = [ended(started(batch, each), batch) for each in planned]
    one = Finisher(batch)
    one.conclude(all_ended[0])
    assert reached.wait(30)
    one.conclude(all_ended[1])
    one.record(all_ended[2].job, planned[2].result(Status.CANCELLED))
    go.set()
    found: list[Finished] = []
    while one.pending:
        found += taken(one)
    one.close()
    assert recorded == [[A, B, C]]
    assert [result.status.value for _, result, *_ in found] == ["built", "built", "cancelled"]


def test_a_result_that_cannot_be_kept_is_a_failure_that_says_why(make_batch):
    batch, (planned,) = make_batch(A)
    (batch.workspace.images / "dev").write_text("in the way")
    job = started(batch, planned)
    one = Finisher(batch)
    one.conclude(ended(job, batch))
    ((_, result, again, _),) = taken(one)
    one.close()
    assert (result.status, again) == (Status.FAILED, False)
    where = batch.workspace.images / "dev" / A / batch.run_id
    assert result.errors == (f"the result cannot be kept: {where}: Not a directory",)


def test_what_somebody_else_builds_is_this_runs_no_longer(make_batch):
    batch, planned = make_batch(A, B)
    runs.begin(
        batch.workspace,
        batch.run_id,
        env="dev",
        command="a test",
        logs={each.template.target: batch.workspace.logs / "x.log" for each in planned},
        owner=os.getpid(),
        packer={"path": "p", "version": "1"},
    )
    job = started(batch, planned[0])
    one = Finisher(batch)
    one.leave(job, planned[0].result(Status.FAILED))
    ((_, result, again, left),) = taken(one)
    one.close()
    assert (result.status, again, left, job.lock) == (Status.FAILED, False, True, None)
    data = state.read(workspace=batch.workspace)
    assert list(state.unfinished(data, batch.run_id)) == [B]
    assert f"dev/{A}" not in data["images"]
