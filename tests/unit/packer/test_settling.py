"""Runs that are found dead: their end in the state, and what they left."""

from __future__ import annotations

import fcntl
import os
import subprocess
from pathlib import Path

import pytest

from hybridcore import state
from hybridcore.images import records
from hybridcore.images.locks import target_lock
from hybridcore.images.names import Image
from hybridcore.packer import runs, settling
from hybridcore.process.kill import RUN_MARK
from hybridcore.workspace import Workspace
from tests.support.runs import MARK, RUN, A, B, begin, built, finish, gone


def test_a_settled_run_keeps_the_results_that_it_has(workspace: Workspace) -> None:
    begin(workspace)
    runs.record(workspace, RUN, "dev", [runs.Record(built(), {}, MARK)])
    settling.settle(workspace, RUN, "cancelled", "a signal")
    data = state.read(workspace=workspace)
    (run,) = data["history"]
    assert run["status"] == "partial"
    assert {entry["target"]: entry["status"] for entry in run["results"]} == {A: "built", B: "cancelled"}
    assert data["images"][f"dev/{A}"]["status"] == "built"
    attempt = data["images"][f"dev/{B}"]["last_attempt"]
    assert (attempt["error"], attempt["log_path"]) == ("a signal", "logs/b.log")
    settling.settle(workspace, RUN, "interrupted", "once more")
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
        settling.settle(workspace, RUN, "interrupted", "a test")
    assert (folder / RUN).is_dir()
    begin(workspace)
    settling.settle(workspace, RUN, "interrupted", "a test")
    assert not (folder / RUN).exists()
    assert (folder / "latest").is_symlink() == bool(kept)
    if kept:
        assert (folder / "latest").resolve() == folder / kept


def test_a_run_that_died_after_its_record_was_written_has_built_it(workspace: Workspace) -> None:
    begin(workspace)
    with state.transaction(workspace=workspace):
        record = runs._version(workspace, RUN, Image("dev", A), runs.Record(built(), {}, MARK))
        records.write(workspace, Image("dev", A), {**record, "version": 1})
    settling.settle(workspace, RUN, "interrupted", "a test")
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
    settling.settle(workspace, RUN, "interrupted", "a test")
    assert (workspace.images / "dev" / A / RUN).is_dir()


def test_what_only_a_person_can_remove_is_said_for_what_was_killed(workspace: Workspace) -> None:
    leaves = {A: "look at A", B: "look at B"}
    for run, killed in ((RUN, {A}), ("20261122T000001.000Z-abcdef", None)):
        begin(workspace, run, leaves=leaves)
        if killed is None:  # nobody knows; the log of B shows that it was started
            (workspace.root / "logs").mkdir()
            (workspace.root / "logs" / "b.log").touch()
        said = settling.settle(workspace, run, "cancelled", "why", killed=killed)
        assert said == ([f"{B}: look at B"] if killed is None else [f"{A}: look at A"])
    images = state.read(workspace=workspace)["images"]
    errors = {key: image["last_attempt"]["error"] for key, image in images.items()}
    assert errors == {f"dev/{A}": "why", f"dev/{B}": "why; look at B"}


def test_a_run_that_was_taken_for_dead_and_was_not_is_in_the_history_once(workspace: Workspace) -> None:
    begin(workspace)
    settling.settle(workspace, RUN, "interrupted", "its supervisor was killed")
    finish(workspace, "cancelled")
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
    (said,) = settling.settle_dead(workspace)
    assert dead in said
    assert [folder.name for folder in workspace.runs.iterdir()] == [alive]
    assert not temporary.exists()
    assert kept.is_dir()
    data = state.read(workspace=workspace)
    assert list(data["running"]) == [alive]
    assert data["last_run"]["status"] == "interrupted"
    assert data["last_run"]["finished_at"]
    assert settling.settle_dead(workspace) == []


def test_a_run_that_seems_dead_while_its_target_is_locked_is_left_alone(workspace: Workspace) -> None:
    begin(
        workspace, owner=2**22 + 1
    )  # a number that no process has here, as that of one in another container
    folder = runs.run_folder(workspace, RUN)
    folder.mkdir(parents=True)
    with open(target_lock(workspace, "dev", B), "ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert settling.settle_dead(workspace) == []
    assert RUN in state.read(workspace=workspace)["running"]
    assert folder.exists()
    assert len(settling.settle_dead(workspace)) == 1
    assert state.read(workspace=workspace)["running"] == {}
    assert not folder.exists()


def test_the_folder_of_a_run_that_lives_though_the_state_lost_it_stays(workspace: Workspace) -> None:
    (workspace.runs / RUN).mkdir(parents=True)
    env = {**os.environ, RUN_MARK: f"{RUN}/{A}"}
    with subprocess.Popen(["sleep", "300"], env=env) as child:
        try:
            (said,) = settling.settle_dead(workspace)
            assert said.startswith(f"the folder images/.runs/{RUN} stays: ")
            assert said.endswith(f" {child.pid}")
            assert (workspace.runs / RUN).is_dir()
            assert child.poll() is None
        finally:
            child.kill()
    assert settling.settle_dead(workspace) == []
    assert not (workspace.runs / RUN).exists()


def test_a_run_on_another_machine_is_left_alone(workspace: Workspace) -> None:
    begin(workspace, owner=gone())
    with state.transaction(workspace=workspace) as data:
        data["running"][RUN]["host"] = "another-machine"
    assert settling.settle_dead(workspace) == []
    assert RUN in state.read(workspace=workspace)["running"]
