"""What is to be done with a repository, and what a caller gets of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hybridcore.source_settings import SourceSetting
from hybridcore.sources.git import Commit
from hybridcore.sources.records import SHA, LockResult, Prepared, SourceDiff

SETTING = SourceSetting("x", url="https://example.org/x.git", ref="main")
A, B = "a" * 40, "b" * 40


@pytest.mark.parametrize(
    ("before", "sha", "more", "action"),
    [
        ("", A, {}, "cloned"),
        (A, A, {}, "unchanged"),
        (A, B, {}, "updated"),
        (A, A, {"finish": B}, "updated"),  # half of a move is there
        (A, A, {"reshape": True}, "updated"),  # other files of the same commit
    ],
)
def test_what_a_sync_does(before: str, sha: str, more: dict[str, Any], action: str) -> None:
    prepared = Prepared(SETTING, Path("/w/sources/x"), before, sha, warning="moved", **more)
    assert prepared.action == action
    assert prepared.result().to_dict() == {
        "name": "x",
        "url": "https://example.org/x.git",
        "ref": "main",
        "sha": sha,
        "before": before,
        "path": "/w/sources/x",
        "changed": action != "unchanged",
        "action": action,
        "warning": "moved",
        "kind": "example",
    }


def test_results_are_data() -> None:
    diff = SourceDiff("x", A, B, (Commit(B, "2025-01-01T00:00:00Z", "text"),), ())
    assert json.loads(json.dumps(diff.to_dict())) == {
        "name": "x",
        "before": A,
        "after": B,
        "commits": [{"sha": B, "time": "2025-01-01T00:00:00Z", "subject": "text"}],
        "withdrawn": [],
    }
    assert LockResult("x", A, "sha256:1", "", True).to_dict()["changed"] is True


@pytest.mark.parametrize(
    ("text", "full"),
    [(A, True), ("0" * 64, True), (A[1:], False), (A + "a", False), (A.upper(), False), (f"{A}\n", False)],
)
def test_full_ids_of_commits(text: str, full: bool) -> None:
    assert bool(SHA.fullmatch(text)) is full
