"""The life of a run in the state: begun, results as they come, its end."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from hybridcore import state
from hybridcore.packer import runs
from hybridcore.packer.results import BuildResult, Status
from hybridcore.workspace import Workspace
from tests.support.runs import MARK, RUN, A, B, begin, built, finish


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
    finish(workspace, "built")
    data = state.read(workspace=workspace)
    assert data["running"] == {}
    assert data["last_run"]["targets"] == [A]
    (run,) = data["history"]
    assert run["results"] == [{"target": A, "status": "built", "duration_s": 0.0, "log_path": "logs/a.log"}]


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
