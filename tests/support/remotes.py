"""Git repositories that tests clone from."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path


def git(folder: Path, *arguments: str) -> str:
    """Run git as a user would, with a name and without the settings of the person who runs the tests."""
    return subprocess.run(
        ["git", "-c", "user.name=Test", "-c", "user.email=test@example.org", *arguments],
        cwd=folder,
        env={**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    ).stdout.strip()


class Remote:
    """A repository with a work tree of its own, cloned by `file://`.

    Args:
        folder: where it is made.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self.url = f"file://{folder}"
        git(folder, "init", "--quiet", "--initial-branch=main")

    def commit(self, path: str = "file.txt", text: str = "text\n") -> str:
        """Commit one file, and give the commit's id."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
        git(self.folder, "add", "--all")
        git(self.folder, "commit", "--quiet", "--allow-empty", "-m", f"{path}: {text[:20]}")
        return git(self.folder, "rev-parse", "HEAD")
