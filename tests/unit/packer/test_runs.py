"""The life of a run in the state: begun, results as they come, its end, or found dead."""

from __future__ import annotations

import fcntl
import os
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from hybridcore import state
from hybridcore.images import records
from hybridcore.images.locks import target_lock
from hybridcore.images.names import Image
from hybridcore.packer import runs
from hybridcore.packer.results import Artifact, BuildResult, Status
from hybridcore.process.kill import RUN_MARK
from hybridcore.workspace import Workspace
from tests.support.workspaces import WorkspaceFolder

A, B = "linux/null/a", "linux/null/b"
MARK = "f" * 64
# Its processes are killed, so it is of this run of the tests alone.
RUN = f"20261122T000000.000Z-{os.getpid() % 0x1000000:06x}"


@pytest.fixture
def workspace(make_workspace: Callable[..., WorkspaceFolder]) -> Workspace:
    return make_workspace().open()


def gone() -> int:
    """The id of a process that has ended."""
    child = subprocess.Popen(["true"])
    child.wait()
    return child.pid


def begin(workspace: Workspace, run_id: str = RUN, owner: int | None = None, **more: object) -> None:
    runs.begin(
        workspace,
        run_id,
        env="dev",
        command="a test",
        logs={target: workspace.logs / f"{target[-1]}.log" for target in (A, B)},
        owner=os.getpid() if owner is None else owner,
        packer={"path": "/usr/bin/packer", "version": "1.6.6"},
        **more,
    )


def built(target: str = A, fingerprint: str = MARK) -> BuildResult:
    return BuildResult(
        target=target,
        builder="source.null.a",
        status=Status.BUILT,
        artifacts=(Artifact("Null", "null"),),
        started_at="2026-11-22T00:00:00.000Z",
        finished_at="2026-11-22T00:00:01.000Z",
        fingerprint=fingerprint,
        log_path="logs/a.log",
    )


def test_names_of_runs_sort_by_time() -> None:
    names = [runs.new_run_id() for _ in range(3)]
    assert all(re.fullmatch(r"\d{8}T\d{6}\.\d{3}Z-[0-9a-f]{6}", name) for name in names)
    assert len(set(names)) == 3
    assert [name[:20] for name in names] == sorted(name[:20] for name in names)


def test_a_run_that_began_names_its_owner_and_its_logs(workspace: Workspace) -> None:
    begin(workspace)
    data = state.read(workspace=workspace)
    entry = data["running"][RUN]
    assert entry["pid"] == os.getpid()
    assert entry["targets"] == {A: {"log_path": "logs/a.log"}, B: {"log_path": "logs/b.log"}}
    assert data["packer"]["version"] == "1.6.6"
    assert state.liveness(entry) == "alive"


def test_a_run_records_its_packer_and_the_plugins_beside_it(workspace: Workspace) -> None:
    begin(workspace, plugins={"github.com/hashicorp/qemu": ("1.0.9", "1.0.10")})
    data = state.read(workspace=workspace)
    assert data["packer"] == {"path": "/usr/bin/packer", "version": "1.6.6"}
    assert data["plugins"] == {"github.com/hashicorp/qemu": "1.0.9, 1.0.10"}


def test_an_image_of_inputs_that_changed_has_no_fingerprint(workspace: Workspace) -> None:
    key = f"dev/{A}"
    runs.record(workspace, RUN, "dev", [runs.Record(built(), {"packer": "1"}, MARK, observed=["x"])])
    image = state.read(workspace=workspace)["images"][key]
    assert (image["fingerprint"], image["observed"]) == (MARK, ["x"])
    assert "given_fingerprint" not in image
    runs.record(workspace, "later", "dev", [runs.Record(built(fingerprint=""), {"packer": "1"}, MARK)])
    image = state.read(workspace=workspace)["images"][key]
    assert (image["given_fingerprint"], image["run"]) == (MARK, "later")
    assert image.keys().isdisjoint({"fingerprint", "observed"})


def test_a_failure_is_an_attempt_and_touches_no_image(workspace: Workspace) -> None:
    begin(workspace)
    runs.record(workspace, RUN, "dev", [runs.Record(built(), {"packer": "1.6.6"}, MARK)])
    before = state.read(workspace=workspace)["images"][f"dev/{A}"]
    failed = BuildResult(
        target=A,
        builder="source.null.a",
        status=Status.FAILED,
        errors=("why", "x" * 5000),
        finished_at="2026-11-23T00:00:00.000Z",
    )
    runs.record(workspace, "another", "dev", [runs.Record(failed, {"packer": "other"}, MARK)])
    after = state.read(workspace=workspace)["images"][f"dev/{A}"]
    attempt = after.pop("last_attempt")
    before.pop("last_attempt")
    assert after == before
    assert after["inputs"] == {"packer": "1.6.6"}
    assert (attempt["status"], attempt["run"], attempt["at"]) == (
        "failed",
        "another",
        "2026-11-23T00:00:00.000Z",
    )
    assert attempt["error"].startswith("why\nxxx")
    assert len(attempt["error"]) == 2000


def test_the_end_of_a_run(workspace: Workspace) -> None:
    begin(workspace)
    runs.finish(
        workspace,
        RUN,
        env="dev",
        command="a test",
        started_at="2026-11-22T00:00:00.000Z",
        status="built",
        results=[built()],
    )
    data = state.read(workspace=workspace)
    assert data["running"] == {}
    assert data["last_run"]["targets"] == [A]
    (run,) = data["history"]
    assert run["results"] == [{"target": A, "status": "built", "duration_s": 0.0, "log_path": "logs/a.log"}]


def test_a_settled_run_keeps_the_results_that_it_has(workspace: Workspace) -> None:
    begin(workspace)
    runs.record(workspace, RUN, "dev", [runs.Record(built(), {}, MARK)])
    runs.settle(workspace, RUN, "cancelled", "a signal")
    data = state.read(workspace=workspace)
    (run,) = data["history"]
    assert run["status"] == "partial"
    assert {entry["target"]: entry["status"] for entry in run["results"]} == {A: "built", B: "cancelled"}
    assert data["images"][f"dev/{A}"]["status"] == "built"
    attempt = data["images"][f"dev/{B}"]["last_attempt"]
    assert (attempt["error"], attempt["log_path"]) == ("a signal", "logs/b.log")
    runs.settle(workspace, RUN, "interrupted", "once more")
    assert state.read(workspace=workspace) == data


@pytest.mark.parametrize("kept", ["", "20261121T000000.000Z-aaaaaa"])
def test_the_image_of_a_run_that_died_before_it_was_recorded_is_removed(
    workspace: Workspace, kept: str
) -> None:
    folder = workspace.images / "dev" / A
    begin(workspace)
    if kept:
        (folder / kept).mkdir(parents=True)
        with state.transaction(workspace=workspace) as data:
            data["images"][f"dev/{A}"] = {"target": A, "environment": "dev", "run": kept}
    (folder / RUN).mkdir(parents=True)
    (folder / RUN / "disk.qcow2").write_text("half of it")
    (folder / "latest").symlink_to(RUN)
    with target_lock(workspace, "dev", A).open("ab") as lock:  # whoever holds it is recording the image
        fcntl.flock(lock, fcntl.LOCK_EX)
        runs.settle(workspace, RUN, "interrupted", "a test")
    assert (folder / RUN).is_dir()
    begin(workspace)
    runs.settle(workspace, RUN, "interrupted", "a test")
    assert not (folder / RUN).exists()
    assert (folder / "latest").is_symlink() == bool(kept)
    if kept:
        assert (folder / "latest").resolve() == folder / kept


def test_a_run_that_died_after_its_record_was_written_has_built_it(workspace: Workspace) -> None:
    begin(workspace)
    with state.transaction(workspace=workspace):
        record = runs._version(workspace, RUN, Image("dev", A), runs.Record(built(), {}, MARK))
        records.write(workspace, Image("dev", A), {**record, "version": 1})
    runs.settle(workspace, RUN, "interrupted", "a test")
    image = state.read(workspace=workspace)["images"][f"dev/{A}"]
    assert (image["newest"], image["run"]) == (1, RUN)
    assert image["last_attempt"]["status"] == "built"


def test_a_version_of_a_run_that_is_found_dead_much_later_stays(workspace: Workspace) -> None:
    begin(workspace)
    (workspace.images / "dev" / A / RUN).mkdir(parents=True)
    runs.record(workspace, RUN, "dev", [runs.Record(built(), {}, MARK)])
    later = "20261123T000000.000Z-bbbbbb"
    begin(workspace, later)
    runs.record(workspace, later, "dev", [runs.Record(built(), {}, MARK)])
    runs.settle(workspace, RUN, "interrupted", "a test")
    assert (workspace.images / "dev" / A / RUN).is_dir()


def test_what_only_a_person_can_remove_is_said_for_what_was_killed(workspace: Workspace) -> None:
    leaves = {A: "look at A", B: "look at B"}
    for run, killed in ((RUN, {A}), ("20261122T000001.000Z-abcdef", None)):
        begin(workspace, run, leaves=leaves)
        if killed is None:  # nobody knows; the log of B shows that it was started
            (workspace.root / "logs").mkdir()
            (workspace.root / "logs" / "b.log").touch()
        said = runs.settle(workspace, run, "cancelled", "why", killed=killed)
        assert said == ([f"{B}: look at B"] if killed is None else [f"{A}: look at A"])
    images = state.read(workspace=workspace)["images"]
    errors = {key: image["last_attempt"]["error"] for key, image in images.items()}
    assert errors == {f"dev/{A}": "why", f"dev/{B}": "why; look at B"}


def test_a_run_that_was_taken_for_dead_and_was_not_is_in_the_history_once(workspace: Workspace) -> None:
    begin(workspace)
    runs.settle(workspace, RUN, "interrupted", "its supervisor was killed")
    runs.finish(
        workspace,
        RUN,
        env="dev",
        command="a test",
        started_at="2026-11-22T00:00:00.000Z",
        status="cancelled",
        results=[built()],
    )
    (run,) = state.read(workspace=workspace)["history"]
    assert run["status"] == "cancelled"


def test_a_dead_run_is_found_and_what_it_left_is_removed(workspace: Workspace, tmp_path: Path) -> None:
    dead, alive = RUN, "20261122T000001.000Z-abcdef"
    begin(workspace, dead, owner=gone())
    begin(workspace, alive)
    temporary, kept = tmp_path / "hybridcore-xyz", tmp_path / "somebody's"
    for folder in (temporary, kept):
        folder.mkdir()
    for run, link in ((dead, temporary), (alive, kept), ("nobody-knows", kept)):
        folder = workspace.runs / run / "linux_null_a.1"
        folder.mkdir(parents=True)
        (folder / "tmp").symlink_to(link)
    (said,) = runs.settle_dead(workspace)
    assert dead in said
    assert [folder.name for folder in workspace.runs.iterdir()] == [alive]
    assert not temporary.exists()
    assert kept.is_dir()
    data = state.read(workspace=workspace)
    assert list(data["running"]) == [alive]
    assert data["last_run"]["status"] == "interrupted"
    assert data["last_run"]["finished_at"]
    assert runs.settle_dead(workspace) == []


def test_a_run_that_seems_dead_while_its_target_is_locked_is_left_alone(workspace: Workspace) -> None:
    begin(
        workspace, owner=2**22 + 1
    )  # a number that no process has here, as that of one in another container
    folder = runs.run_folder(workspace, RUN)
    folder.mkdir(parents=True)
    with open(target_lock(workspace, "dev", B), "ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert runs.settle_dead(workspace) == []
    assert RUN in state.read(workspace=workspace)["running"]
    assert folder.exists()
    assert len(runs.settle_dead(workspace)) == 1
    assert state.read(workspace=workspace)["running"] == {}
    assert not folder.exists()


def test_the_folder_of_a_run_that_lives_though_the_state_lost_it_stays(workspace: Workspace) -> None:
    (workspace.runs / RUN).mkdir(parents=True)
    env = {**os.environ, RUN_MARK: f"{RUN}/{A}"}
    with subprocess.Popen(["sleep", "300"], env=env) as child:
        try:
            (said,) = runs.settle_dead(workspace)
            assert said.startswith(f"the folder images/.runs/{RUN} stays: ")
            assert said.endswith(f" {child.pid}")
            assert (workspace.runs / RUN).is_dir()
            assert child.poll() is None
        finally:
            child.kill()
    assert runs.settle_dead(workspace) == []
    assert not (workspace.runs / RUN).exists()


def test_a_run_on_another_machine_is_left_alone(workspace: Workspace) -> None:
    begin(workspace, owner=gone())
    with state.transaction(workspace=workspace) as data:
        data["running"][RUN]["host"] = "another-machine"
    assert runs.settle_dead(workspace) == []
    assert RUN in state.read(workspace=workspace)["running"]


@pytest.mark.parametrize("where", ["run", "attempt"])
def test_a_folder_goes_with_its_temporary_folder(tmp_path: Path, where: str) -> None:
    attempt = tmp_path / "run" / "linux_null_a.1"
    attempt.mkdir(parents=True)
    temporary = tmp_path / "hybridcore-abc"
    (temporary / "deep").mkdir(parents=True)
    outside = tmp_path / "outside"
    outside.mkdir()
    (attempt / "tmp").symlink_to(temporary)
    (attempt / "ws").symlink_to(outside)
    runs.remove_folder(tmp_path / "run" if where == "run" else attempt)
    assert not attempt.exists()
    assert not temporary.exists()
    assert outside.is_dir()
