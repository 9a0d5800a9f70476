"""Programs that tests run to their end."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def to_its_end(argv: Sequence[str | Path], **more: Any) -> subprocess.CompletedProcess[str]:
    """Run a program, without input; both of its outputs are one text, in `stdout`.

    Args:
        argv: the program and its arguments.
        more: as `subprocess.run` takes it, such as `cwd` and `env`.
    """
    return subprocess.run(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        **more,
    )
