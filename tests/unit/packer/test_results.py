"""The typed results: plain data for JSON, and one status for a batch."""

from __future__ import annotations

import json

import pytest

from hybridcore.errors import Fault
from hybridcore.packer.results import (
    Artifact,
    ArtifactFile,
    BuildReport,
    BuildResult,
    Status,
    TargetFaults,
    ValidateResult,
    combine,
)

B, U, F, C = Status.BUILT, Status.UNCHANGED, Status.FAILED, Status.CANCELLED


@pytest.mark.parametrize(
    ("statuses", "whole"),
    [
        ([], U),
        ([U, U], U),
        ([B, B], B),
        ([B, U], B),
        ([F, F], F),
        ([F, B], Status.PARTIAL),
        ([F, C], Status.PARTIAL),
        ([U, Status.TIMED_OUT], Status.PARTIAL),
        ([Status.INTERRUPTED], Status.INTERRUPTED),
    ],
)
def test_the_status_of_a_batch(statuses, whole):
    assert combine(statuses) is whole
    results = tuple(BuildResult(f"t{number}", "b", status) for number, status in enumerate(statuses))
    assert BuildReport(results).status is whole


def test_a_result_is_plain_data_with_every_key_of_the_contract():
    result = BuildResult(
        "linux/qemu/debian-12",
        "source.qemu.debian-12",
        Status.BUILT,
        command=("packer", "build"),
        exit_code=0,
        artifacts=(Artifact("VM", "transcend.qemu", (ArtifactFile("images/x", 3, "abc"),)),),
        duration_s=1.23456,
    )
    data = json.loads(json.dumps(BuildReport((result,), "run-1").to_dict()))
    assert data["status"] == "built"
    assert data["changed"] is True
    (one,) = data["results"]
    assert {
        "target", "builder", "status", "command", "exit_code", "manifest_path", "artifacts", "errors",
        "started_at", "finished_at", "duration_s", "log_path", "fingerprint", "attempts", "retryable",
    } <= set(one)  # fmt: skip
    assert one["artifacts"] == [
        {
            "id": "VM",
            "builder_id": "transcend.qemu",
            "files": [{"path": "images/x", "size": 3, "sha256": "abc"}],
        }
    ]
    assert one["duration_s"] == 1.235


def test_only_a_build_changes_anything():
    for status in Status:
        assert BuildResult("t", "b", status).changed is (status is Status.BUILT)


def test_targets_are_valid_when_none_has_a_fault():
    fault = Fault("broken", file="a.pkr.hcl", line=3)
    good, bad = TargetFaults("a", warnings=(fault,)), TargetFaults("b", faults=(fault,))
    assert ValidateResult((good,)).ok
    result = ValidateResult((good, bad))
    assert not result.ok
    assert result.faults == (fault,)
    assert result.warnings == (fault,)
    assert [one["ok"] for one in result.to_dict()["results"]] == [True, False]
