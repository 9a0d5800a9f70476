"""Interpreters of other versions of Python, where this machine has them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path


def find(version: str) -> Path | None:
    """An interpreter of a version such as `3.10`: one of pyenv's, or else one on PATH; None without one."""
    root = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    found = [
        *sorted(root.glob(f"versions/{version}.*/bin/python{version}")),
        shutil.which(f"python{version}"),
    ]
    for candidate in filter(None, found):
        # What pyenv puts on PATH is there for versions too that are not chosen, and then fails.
        told = subprocess.run(
            [candidate, "-c", "import sys; print(*sys.version_info[:2], sep='.')"],
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        if told.stdout.strip() == version:
            return Path(candidate)
    return None
