"""A batch of stand-ins for Packer: how many at a time, and what concerns one target alone."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Sequence

import pytest

from hybridcore import state
from hybridcore.images.locks import target_lock
from hybridcore.packer.building.job import Batch
from hybridcore.packer.building.scheduler import Scheduler
from hybridcore.packer.planning.plan import Planned
from hybridcore.packer.results import BuildResult
from hybridcore.process.children import Children
from tests.support.programs import SUCCESS, FakePacker
from tests.support.workspaces import WorkspaceFolder

A, B, C = "linux/null/a", "linux/null/b", "linux/null/c"


def run(batch: Batch, planned: Sequence[Planned]) -> dict[str, BuildResult]:
    with Children(batch.run_id) as children:
        return Scheduler(batch, planned, {}, children).run("a test")


def statuses(results: dict[str, BuildResult]) -> dict[str, str]:
    return {target: result.status.value for target, result in results.items()}


@pytest.fixture(autouse=True)
def succeeds(fake_packer: FakePacker) -> None:
    fake_packer.answer("build", stdout=SUCCESS)


@pytest.mark.parametrize("most", [1, 2])
def test_no_more_run_at_a_time_than_were_asked_for(
    make_batch, fake_packer: FakePacker, tmp_path, most: int
) -> None:
    trace = tmp_path / "trace"
    fake_packer.answer(
        "build",
        stdout=SUCCESS,
        code=f"""
import time
fd = os.open({str(trace)!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
os.write(fd, b"+")
time.sleep(0.05)
os.write(fd, b"-")
""",
    )
    batch, planned = make_batch(
        *(f"linux/null/{name}" for name in "abcde"), ready=False, parallel_builds=most
    )
    results = run(batch, planned)
    assert set(statuses(results).values()) == {"built"}
    marks = trace.read_text()
    assert len(marks) == 10
    assert max(marks[:end].count("+") - marks[:end].count("-") for end in range(11)) <= most
    assert not batch.folder.exists()


def test_a_target_that_somebody_builds_fails_alone(make_batch) -> None:
    batch, planned = make_batch(A, B, ready=False)
    with open(target_lock(batch.workspace, "dev", A), "ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        results = run(batch, planned)
    assert statuses(results) == {A: "failed", B: "built"}
    assert results[A].locked
    assert results[A].log_path is None


def test_a_target_that_somebody_builds_does_not_count_as_running_until_the_batch_ends(
    make_batch, fake_packer: FakePacker, tmp_path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = tmp_path / "go"
    waits = f"import time\nend = time.time() + 30\nwhile not os.path.exists({str(go)!r}):\n"
    waits += "    assert time.time() < end\n    time.sleep(0.02)\n"
    fake_packer.answer("build", stdout=SUCCESS, code=waits)
    batch, planned = make_batch(A, B, ready=False)

    def look(running: dict[str, float]) -> None:
        data = state.read(workspace=batch.workspace)
        if batch.run_id in data["running"] and list(state.unfinished(data, batch.run_id)) == [B]:
            go.touch()

    monkeypatch.setattr(batch.monitor, "tick", look)
    with open(target_lock(batch.workspace, "dev", A), "ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert statuses(run(batch, planned)) == {A: "failed", B: "built"}


def test_a_lock_that_cannot_be_opened_costs_its_own_target_alone(make_batch) -> None:
    batch, planned = make_batch(A, B, C, ready=False, parallel_builds=1)
    lock = target_lock(batch.workspace, "dev", B)
    lock.mkdir()
    results = run(batch, planned)
    assert statuses(results) == {A: "built", B: "failed", C: "built"}
    assert not results[B].locked
    assert results[B].errors[0].startswith(f"{lock}: cannot open the lock: Is a directory")


def test_logs_that_cannot_be_written_stop_no_build_and_are_told_once(
    make_batch, space: WorkspaceFolder
) -> None:
    batch, planned = make_batch(A, B, ready=False)
    space.write("logs/builds", "a file in the way")
    results = run(batch, planned)
    assert statuses(results) == {A: "built", B: "built"}
    for result in results.values():
        assert result.warnings == ("the log is not complete: Not a directory",)
    told = [text for text in batch.monitor.notes if "cannot write" in text]
    assert len(told) == 1
    assert told[0].startswith(f"warning: cannot write {batch.workspace.logs}")
    assert state.read(workspace=batch.workspace)["images"][f"dev/{A}"]["last_attempt"]["status"] == "built"


def test_a_packer_that_cannot_be_started_fails_with_what_the_system_says(
    make_batch, fake_packer: FakePacker
) -> None:
    batch, planned = make_batch(A, ready=False)
    os.unlink(fake_packer.path)
    results = run(batch, planned)
    assert results[A].errors == ("Packer cannot be started: No such file or directory",)
    assert results[A].attempts == 1
