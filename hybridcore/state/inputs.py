"""The digests of each image's input files at its last build, ``state/inputs/<env>/<target>.json``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from .. import atomic

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ..workspace import Workspace


def files_record(workspace: Workspace, key: str) -> Path:
    """Where the digests of an image's input files are kept."""
    return workspace.state_dir / "inputs" / f"{key}.json"


def read_files(workspace: Workspace, key: str) -> dict[str, dict[str, str]]:
    """The digests of an image's input files at its last build; empty when they are not known."""
    try:
        loaded = json.loads(files_record(workspace, key).read_bytes())
    except (OSError, ValueError):
        return {}
    return loaded if isinstance(loaded, dict) else {}


def write_files(workspace: Workspace, key: str, files: Mapping[str, Mapping[str, str]]) -> None:
    """Keep the digests of an image's input files, for the next run to say which one changed."""
    path = files_record(workspace, key)
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic.replace(path, json.dumps(files, sort_keys=True).encode())
