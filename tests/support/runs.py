"""Runs of two targets: begun in the state, and what they built."""

from __future__ import annotations

import os
import subprocess

from hybridcore.packer import runs
from hybridcore.packer.results import Artifact, BuildResult, Status
from hybridcore.workspace import Workspace

A, B = "linux/null/a", "linux/null/b"
MARK = "f" * 64
# Its processes are killed, so it is of this run of the tests alone.
RUN = f"20261122T000000.000Z-{os.getpid() % 0x1000000:06x}"


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


def finish(workspace: Workspace, status: str) -> None:
    """End the run, which built the first target."""
    runs.finish(
        workspace,
        RUN,
        env="dev",
        command="a test",
        started_at="2026-11-22T00:00:00.000Z",
        status=status,
        results=[built()],
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
