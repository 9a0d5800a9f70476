"""Programs of Python packages that are in no environment of ours: each set in one of its own, made once."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path


def environment(*requirements: str, python: Path | None = None) -> Path:
    """Make an environment with packages from the index that pip is set to, and keep it in the user's cache.

    Args:
        requirements: what to install, as pip takes it.
        python: the interpreter of the environment; that of the tests by default.

    Returns:
        The folder of its programs.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "hybridcore-tests"
    interpreter = python or Path(sys.executable)
    key = hashlib.sha256("\n".join([str(interpreter), *requirements]).encode()).hexdigest()[:16]
    folder = cache / f"python-{key}"
    done = folder / "complete"
    if not done.exists():
        cache.mkdir(parents=True, exist_ok=True)
        for command in (
            [interpreter, "-m", "venv", "--clear", folder],
            [folder / "bin" / "python", "-m", "pip", "install", "--quiet", *requirements],
        ):
            subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
        done.touch()
    return folder / "bin"
