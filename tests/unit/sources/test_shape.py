"""Which files of a commit a clone has: sparse checkouts and Git LFS."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from hybridcore.sources import shape


@pytest.mark.parametrize(
    ("folders", "lines"),
    [
        ([], "/*"),
        (["a"], "/* !/*/ /a/"),
        (["a/b/c"], "/* !/*/ /a/ !/a/*/ /a/b/ !/a/b/*/ /a/b/c/"),
        (["a/b", "a"], "/* !/*/ /a/"),
        (["c", "a/b"], "/* !/*/ /a/ !/a/*/ /a/b/ /c/"),
    ],
)
def test_patterns_are_those_of_git(tmp_path: Path, folders: list[str], lines: str) -> None:
    text = shape.patterns(folders)
    assert text.split() == lines.split()
    if folders:
        for command in (["init", "--quiet"], ["sparse-checkout", "set", "--cone", *folders]):
            subprocess.run(["git", *command], cwd=tmp_path, check=True)
        assert (tmp_path / ".git" / "info" / "sparse-checkout").read_text().split() == lines.split()
