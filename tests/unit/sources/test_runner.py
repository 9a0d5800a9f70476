"""How git is run: its environment, its limits, and what it says when it fails."""

from __future__ import annotations

import pytest

from hybridcore.sources import runner


def test_the_environment_of_git(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_EXTERNAL_DIFF", "PKR_VAR_password", "LD_PRELOAD"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("GIT_CONFIG_COUNT", "0")
    env = runner.environment()
    assert env["GIT_TERMINAL_PROMPT"] == "0"
    assert env["GIT_CONFIG_COUNT"] == "0"
    assert not {"GIT_DIR", "GIT_WORK_TREE", "GIT_EXTERNAL_DIFF", "PKR_VAR_password", "LD_PRELOAD"} & set(env)
