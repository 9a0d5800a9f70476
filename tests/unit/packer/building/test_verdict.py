"""What came of a build: exit code, artifacts, files and cancellation decide together."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hybridcore.logs import BuildLog
from hybridcore.packer.building.job import Batch, Ended, Job, prepare
from hybridcore.packer.building.verdict import conclude
from hybridcore.packer.results import BuildResult, Status

A = "linux/null/a"
ARTIFACT = """\
1605862346,null.a,artifact-count,1
1605862346,null.a,artifact,0,builder-id,file
1605862346,null.a,artifact,0,id,Thing
1605862346,null.a,artifact,0,files-count,{count}
{files}1605862346,null.a,artifact,0,end
"""


def artifact(*files: str) -> bytes:
    lines = "".join(f"1605862346,null.a,artifact,0,file,{n},{name}\n" for n, name in enumerate(files))
    return ARTIFACT.format(count=len(files), files=lines).encode()


class Build:
    """One attempt of a null target, to be ended as a test says."""

    def __init__(self, make_batch) -> None:
        self.batch: Batch
        self.batch, (planned,) = make_batch(A)
        self.job = Job(planned, BuildLog(self.batch.workspace.logs / "a.log"))
        self.attempt = prepare(self.job, self.batch)
        os.rmdir(self.attempt.env["TMPDIR"])
        self.cwd: Path = self.attempt.mirror.cwd

    def end(self, output: bytes = b"", code: int | None = 0, why: str = "", **more: object) -> BuildResult:
        self.attempt.pump.feed(output)
        self.attempt.pump.close()
        exit_ = {"event": "exit", "id": A, "code": code, "why": why, **more}
        return conclude(Ended(self.job, self.attempt, exit_), self.batch)


@pytest.fixture
def run(make_batch) -> Build:
    return Build(make_batch)


def test_files_go_to_the_folder_of_the_run_and_latest_waits_for_the_record(run: Build) -> None:
    (run.cwd / "output").mkdir()
    (run.cwd / "output/disk").write_text("disk")
    result = run.end(artifact("output/disk"))
    assert (result.status, result.errors) == (Status.BUILT, ())
    ((file,),) = (one.files for one in result.artifacts)
    assert file.path == f"images/dev/{A}/{run.batch.run_id}/disk"
    assert (run.batch.workspace.root / file.path).read_text() == "disk"
    assert not (run.batch.workspace.images / "dev" / A / "latest").is_symlink()
    assert result.manifest_path == f"images/dev/{A}/{run.batch.run_id}/packer-manifest.json"


def test_a_file_that_is_not_there_is_a_failure_and_leaves_no_folder(run: Build) -> None:
    result = run.end(artifact("output/disk"))
    assert result.status is Status.FAILED
    assert result.errors == ("Packer names the file output/disk, which is not there",)
    assert not (run.batch.workspace.images / "dev").exists()


def test_exit_code_0_without_an_artifact_is_a_failure(run: Build) -> None:
    result = run.end(b"1605862346,,ui,say,nothing\n")
    assert result.status is Status.FAILED
    assert "no artifact was made" in result.errors[0]


def test_a_cancel_says_why_and_counts_before_what_packer_says(run: Build) -> None:
    result = run.end(b"1605862346,,ui,error,Build 'null.a' errored: cancelled\n", code=1, why="Ctrl-C")
    assert result.status is Status.CANCELLED
    assert result.errors[0] == "cancelled: Ctrl-C"
    assert not result.retryable


def test_a_timeout_is_one_whatever_packer_says(run: Build) -> None:
    run.job.timed_out = True
    result = run.end(code=1, why="stopped")
    assert result.status is Status.TIMED_OUT
    assert result.errors[0].startswith("no end after ")


def test_what_could_not_be_started_says_so(run: Build) -> None:
    result = run.end(code=None, not_started="No such file or directory")
    assert (result.status, result.exit_code) == (Status.FAILED, None)
    assert result.errors == ("Packer cannot be started: No such file or directory",)


def test_a_crash_log_is_added_to_the_log_of_the_build(run: Build) -> None:
    (run.cwd / "crash.log").write_text("goroutine 1\n")
    run.end(code=2)
    run.job.log.close()
    assert "Packer left a crash log:\ngoroutine 1" in (run.batch.workspace.logs / "a.log").read_text()


def test_what_no_artifact_names_is_kept_and_told(run: Build) -> None:
    (run.cwd / "output").mkdir()
    for name in ("disk", "disk.small"):
        (run.cwd / "output" / name).write_text(name)
    result = run.end(artifact("output/disk"))
    assert result.status is Status.BUILT
    (warning,) = result.warnings
    assert "output/disk.small" in warning
    assert "artifice" in warning
    assert (run.batch.workspace.images / "dev" / A / run.batch.run_id / "disk.small").is_file()
