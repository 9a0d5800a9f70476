"""What happened to images, ``state/events.jsonl``: one JSON object a line, for whoever wants to follow it.

The state decides what is so; this tells what happened. A line is written after what it tells was committed,
so a process that is killed between the two leaves one out. Two files at most: ``events.jsonl.1`` holds what
came before.
"""

from __future__ import annotations

import json
import logging
import os
from typing import TYPE_CHECKING

from .. import state
from ..logs.rolling import RollingHandler

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import Any

    from ..workspace import Workspace

NAME = "events.jsonl"
MAX_BYTES = 4_000_000


def path(workspace: Workspace) -> Path:
    """Where the events are."""
    return workspace.state_dir / NAME


def who() -> str:
    """Who does something, for the record: the user of this process, and who became it by sudo."""
    import pwd

    try:
        name = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # a container may give a number without a name
        name = str(os.geteuid())
    before = os.environ.get("SUDO_USER")
    return f"{before} as {name}" if before and before != name else name


def event(kind: str, image: object, version: int | None, **more: object) -> dict[str, Any]:
    """An event, to be told by ``tell``.

    Args:
        kind: ``built``, ``failed``, ``promoted``, ``rolled_back`` (also a channel that moved since a version
            was revoked), ``revoked``, ``restored``, ``retired`` or ``forgotten``.
        image: the image.
        version: the version that it is about; None where there is none.
        more: ``channel``, ``by``, ``reason``; what is None is left out.
    """
    return {
        "event": kind,
        "image": str(image),
        "version": version,
        **{name: value for name, value in more.items() if value is not None},
    }


def tell(workspace: Workspace, events: Sequence[Mapping[str, Any]]) -> None:
    """Append events; where that fails it is said as for a log, since what they tell is done already.

    Args:
        workspace: whose.
        events: as ``event`` makes them; each gets its time here.
    """
    if not events:
        return
    handler = RollingHandler(path(workspace), max_bytes=MAX_BYTES, backup_count=1)
    now = state.timestamp()
    try:
        for one in events:
            text = json.dumps({"at": now, **one})
            handler.emit(logging.LogRecord("events", logging.INFO, "", 0, text, None, None))
    finally:
        handler.close()
