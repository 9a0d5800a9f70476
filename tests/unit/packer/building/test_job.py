"""A target of a batch, and its attempts."""

from __future__ import annotations

import os
import shutil
import stat

import pytest

from hybridcore.errors import LockError
from hybridcore.logs import BuildLog
from hybridcore.packer.building.job import Batch, Job, prepare
from hybridcore.packer.planning.plan import Planned
from hybridcore.packer.results import Status
from hybridcore.state.lock import Lock

A = "linux/null/a"
SECRET = "correct horse battery"


def job_of(batch: Batch, planned: Planned) -> Job:
    return Job(planned, BuildLog(batch.workspace.logs / "builds" / "a.log"))


def lock_in(path) -> Lock:
    return Lock(path, command="a test", timeout=0, on_wait=lambda text: None)


def test_each_attempt_has_a_folder_of_its_own_and_a_part_of_the_one_log(make_batch):
    batch, (planned,) = make_batch(A)
    job = job_of(batch, planned)
    first, second = prepare(job, batch), prepare(job, batch)
    assert (first.number, second.number, job.attempts) == (1, 2, 2)
    assert first.folder != second.folder
    for attempt in (first, second):
        assert stat.S_IMODE(attempt.folder.stat().st_mode) == 0o700
        assert os.readlink(attempt.folder / "tmp") == attempt.env["TMPDIR"]
        assert (attempt.folder / "values.pkrvars.hcl").read_text() == planned.rendered.text
        assert attempt.mirror.cwd.is_relative_to(attempt.folder)
        os.rmdir(attempt.env["TMPDIR"])
    assert first.outcome is not second.outcome
    job.close()
    heads = job.log.path.read_text().splitlines()
    assert [line.partition(" build ")[0].rpartition(": ")[0] for line in heads] == [
        f"hybridcore: attempt {number}, run {batch.run_id}" for number in (1, 2)
    ]


def test_a_folder_that_the_environment_names_and_the_builder_makes_is_not_in_the_mirror(space, make_batch):
    space.write(
        f"templates/{A}/more.pkr.hcl",
        'variable "out" {\n default = env("OUT")\n}\n'
        'build {\n provisioner "x" {\n output_directory = var.out\n}\n}\n',
    )
    for name in ("made", "kept"):
        space.write(f"templates/{A}/{name}/disk", "of somebody who ran Packer by hand")
    batch, (planned,) = make_batch(A, extra_env={"OUT": "made"})
    job = job_of(batch, planned)
    attempt = prepare(job, batch)
    os.rmdir(attempt.env["TMPDIR"])
    job.close()
    assert attempt.env["OUT"] == "made"
    assert not os.path.lexists(attempt.mirror.cwd / "made")
    assert (attempt.mirror.cwd / "kept/disk").is_file()


def test_a_secret_is_in_the_environment_and_nowhere_else(make_batch):
    batch, (planned,) = make_batch(A, secrets={"message": SECRET})
    job = job_of(batch, planned)
    attempt = prepare(job, batch)
    os.rmdir(attempt.env["TMPDIR"])
    attempt.pump.feed(f"1605862346,,ui,say,it is {SECRET}\n".encode())
    job.close()
    assert attempt.env["PKR_VAR_message"] == SECRET
    assert SECRET in attempt.secrets
    assert SECRET not in repr(attempt)
    assert SECRET not in " ".join((*attempt.argv, *attempt.shown_command))
    log = job.log.path.read_text()
    assert SECRET not in log
    assert "it is ***" in log
    for file in attempt.folder.rglob("*"):
        assert not file.is_file() or SECRET not in file.read_text()


def test_what_was_not_begun_has_no_log_and_took_no_time(make_batch):
    batch, (planned,) = make_batch(A)
    result = job_of(batch, planned).result(Status.CANCELLED, batch)
    assert (result.target, result.status, result.reasons) == (A, Status.CANCELLED, planned.reasons)
    assert (result.log_path, result.attempts, result.duration_s, result.started_at) == (None, 0, 0.0, "")
    assert result.finished_at


def test_a_log_that_is_not_complete_is_a_warning_of_the_result(make_batch):
    batch, (planned,) = make_batch(A)
    shutil.rmtree(batch.workspace.logs)
    batch.workspace.logs.write_text("in the way")
    job = job_of(batch, planned)
    os.rmdir(prepare(job, batch).env["TMPDIR"])
    result = job.result(Status.BUILT, batch)
    assert result.warnings == ("the log is not complete: Not a directory",)
    assert result.log_path is None
    assert result.attempts == 1


def test_its_end_gives_the_lock_back(make_batch, tmp_path):
    batch, (planned,) = make_batch(A)
    job = job_of(batch, planned)
    job.lock = lock_in(tmp_path / "lock")
    job.lock.acquire()
    other = lock_in(tmp_path / "lock")
    with pytest.raises(LockError):
        other.acquire()
    job.close()
    other.acquire()
    other.release()
