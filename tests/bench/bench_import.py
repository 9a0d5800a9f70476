"""`import hybridcore.packer` against the start of a bare interpreter."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from measure import compiled, emit, in_turn, run_quietly

ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    """Fresh interpreters, compiled files in place as they are for a user."""
    env = compiled(os.environ) | {"PYTHONPATH": str(ROOT)}

    def start(code: str) -> None:
        run_quietly([sys.executable, "-c", code], env=env)

    start("import hybridcore.packer")
    ours, theirs = in_turn(lambda: start("import hybridcore.packer"), lambda: start("pass"), rounds=40)
    emit("import hybridcore.packer / bare interpreter", ours, theirs, "<= 1.5")


if __name__ == "__main__":
    main()
