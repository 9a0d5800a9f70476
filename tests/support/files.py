"""What a test says of files."""

from __future__ import annotations

import os
from pathlib import Path


def written_as(path: Path) -> tuple[int, int, int]:
    """What changes whenever a file is written or replaced, and stays when it is only read.

    Not the access time, which any reader changes, nor the number of links, which a backup does.
    """
    status = os.lstat(path)
    return status.st_ino, status.st_size, status.st_mtime_ns
