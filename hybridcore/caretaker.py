"""The supervisor of a batch: starts ``process.supervisor``, and knows Packer's log and the state for it."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import TYPE_CHECKING

from .process.supervisor import Supervisor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .process.supervisor import Log
    from .process.wire import Run


def main(arguments: list[str]) -> None:
    """Run the supervisor.

    Args:
        arguments: the ids of the processes to watch. The control socket is standard input.
    """
    watched = [int(pid) for pid in arguments]
    Supervisor(socket.socket(fileno=0), watched, take_over=take_over, settle=settle).serve()


def take_over(log: str, secrets: Sequence[str]) -> Log:
    """Go on with a build's log, as the caller would have.

    Args:
        log: its path.
        secrets: values to mask.
    """
    from .packer.stream.takeover import Takeover

    return Takeover(log, secrets)


def settle(run: Run, why: str, killed: set[str]) -> None:
    """Write into the state that a run was cancelled, and remove its folder.

    Args:
        run: as its caller announced it.
        why: what happened, for people.
        killed: the targets whose Packer could not clean up.
    """
    from .errors import HybridError
    from .logs import get_logger
    from .packer import runs, settling
    from .workspace import open_workspace

    runs.remove_folder(Path(run["folder"]))
    try:
        workspace = open_workspace(run["workspace"])
    except HybridError:
        return  # it has gone, or its settings are not right any more
    try:
        settling.settle(workspace, run["run_id"], "cancelled", why, killed=killed)
    except (HybridError, OSError) as error:
        # The next reader of the state finds the run dead and settles it as interrupted.
        get_logger("supervise", workspace=workspace).error(
            "the end of run %s cannot be written into the state: %s", run["run_id"], error
        )
