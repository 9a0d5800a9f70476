"""Which Packer the contract is tried with: the one that `HYBRIDCORE_TEST_PACKER` names, else both."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.support.tools import Tools

NAMED = os.environ.get("HYBRIDCORE_TEST_PACKER", "")


@pytest.fixture(scope="session", params=[NAMED] if NAMED else ["1.6.6", "1.9.4"])
def packer(request: pytest.FixtureRequest) -> Path:
    """The Packer that is tried."""
    if NAMED:
        path = Path(NAMED).expanduser().absolute()
        assert os.access(path, os.X_OK), f"PACKER={NAMED} is no program"
        return path
    if request.param == "1.6.6":
        found: Path = request.getfixturevalue("packer_debian")
        return found
    tools: Tools = request.getfixturevalue("tools")
    return tools.packer


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say in what the Packer deviates: what was assumed of it, and what it did."""
    failed = terminalreporter.stats.get("failed", []) + terminalreporter.stats.get("error", [])
    passed = terminalreporter.stats.get("passed", [])
    if not NAMED or not (failed or passed):
        return
    terminalreporter.section("contract")
    for report in failed:
        assumed = dict(report.user_properties).get("assumed", report.nodeid)
        lines = [line for line in report.longreprtext.splitlines() if line.startswith("E ")]
        terminalreporter.line(f"DEVIATES: {assumed}")
        for line in lines[:6]:
            terminalreporter.line(f"    {line[1:].strip()}")
    kept = f"{len(passed)} of {len(passed) + len(failed)}"
    terminalreporter.line(f"{NAMED}: {kept} of what is assumed of a Packer hold")


@pytest.fixture(autouse=True)
def assumed(request: pytest.FixtureRequest, record_property: Any) -> None:
    """Keep what a test assumes, for the summary."""
    record_property("assumed", (request.function.__doc__ or request.node.name).strip())
