"""The typed results: plain data for JSON, and one status for a batch."""

from __future__ import annotations

import json

import pytest

from hybridcore.errors import Fault
from hybridcore.packer.checking.results import TargetFaults, ValidateResult
from hybridcore.packer.results import Artifact, ArtifactFile, BuildReport, BuildResult, Status, combine

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


def test_a_long_error_keeps_packers_message_and_the_end_of_its_last_lines():
    error = "null.a: Script failed\n  last lines:\n" + "x" * 70_000 + "\n    the last line"
    result = BuildResult("linux/null/a", "source.null.a", F, errors=(error,))
    (kept,) = result.to_dict()["errors"]
    assert kept.startswith("null.a: Script failed\n  last lines:\nxxx")
    assert kept.endswith("x\n    the last line")
    assert f"\n[... {len(error) - 4000} characters, see the log ...]\n" in kept
    assert len(kept) < 4100
    summary = "\n".join(result.summary())
    assert summary.startswith("linux/null/a: failed\n  null.a: Script failed\n")
    assert summary.endswith("x\n      the last line")
    assert len(summary) < 2200


def test_of_many_errors_the_first_are_kept():
    errors = tuple(f"error {number}" for number in range(25))
    kept = BuildResult("t", "b", F, errors=errors).to_dict()["errors"]
    assert kept == [*errors[:10], "and 15 more, see the log"]
    # All of them together are limited as well: for the third 100 of 6,000 characters are left, too few.
    long = tuple(str(number) * 2950 for number in range(4))
    kept = BuildResult("t", "b", F, errors=long).to_dict()["errors"]
    assert kept == [*long[:2], "and 2 more, see the log"]


def test_short_errors_are_whole():
    errors = ("one\n  step: Starting", "two")
    result = BuildResult("t", "b", F, errors=errors)
    assert result.to_dict()["errors"] == list(errors)
    assert result.summary() == ["t: failed", "  one", "    step: Starting", "  two"]


@pytest.mark.parametrize("number", [1, 20])
def test_a_hundred_failed_targets_are_less_than_a_megabyte(number):
    """As Ansible takes them: with the summary of each."""
    errors = ("Error: " + "x" * 64_000 + "\n" + "\n".join(["line " + "y" * 2000] * 20),) * number
    results = tuple(BuildResult(f"linux/null/{n}", f"source.null.{n}", F, errors=errors) for n in range(100))
    data = BuildReport(results, "run").to_dict()
    for entry, result in zip(data["results"], results, strict=True):
        entry["summary"] = result.summary()
    assert 300_000 < len(json.dumps(data)) < 1_000_000
