"""The settings of a clone: read as git reads them, and refused where they could act."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from hybridcore.sources import clone_config


@pytest.mark.parametrize(
    "line",
    [
        "\tfsmonitor = a b",
        '\tfsmonitor = "a"',
        "\tfsmonitor=a",
        "\tfsmonitor",
        "[core] fsmonitor = a",
        '[include "x"] path = a',
        "[core.x]",
        "\turl = a\\",
        "\turl = a # b",
        "\turl = a\r",
        "# comment",
    ],
)
def test_only_plain_settings_are_read_without_git(line: str) -> None:
    """Everything else is left to git, so that nothing is understood in another way than git does."""
    assert clone_config.plain(f"[core]\n\tbare = false\n{line}\n") is None


def test_plain_settings_are_what_git_reads(tmp_path: Path) -> None:
    file = tmp_path / "config"
    for key, value in [
        ("core.fileMode", "true"),
        ("remote.origin.url", "https://example.org/x.git"),
        ("remote.origin.fetch", "+refs/heads/*:refs/remotes/origin/*"),
        ("branch.Main/1.merge", "refs/heads/Main/1"),
        ("core.fsmonitor", "evil"),
    ]:
        subprocess.run(["git", "config", "--file", str(file), key, value], check=True)
    listed = subprocess.run(
        ["git", "config", "--file", str(file), "--list"], check=True, capture_output=True, text=True
    ).stdout
    assert clone_config.plain(file.read_text()) == [tuple(line.split("=", 1)) for line in listed.splitlines()]
