"""``packer-hybrid logs``: the log of the last build."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from ..errors import EXIT_DONE, LogsError
from ..workspace import Workspace, check_env
from .streams import complain, print_json

_PAUSE_S = 0.2  # between two looks at a log that is followed


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "logs",
        help="the log of the last build",
        description="Print the log of the last build of a target, or of any target.",
    )
    parser.add_argument("target", nargs="?", default="", metavar="TARGET", help="<os>/<platform>/<name>")
    parser.add_argument("--env", default="", help="builds in this environment alone")
    parser.add_argument("--follow", action="store_true", help="go on printing until the build has ended")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, workspace: Workspace) -> int:
    """Print a log; returns the exit code."""
    from ..logs import follow, last_build_log

    if args.env:
        check_env(args.env)
    file = last_build_log(workspace, target=args.target, env=args.env)
    if file is None:
        raise LogsError(
            f"there is no build log of {args.target or 'any target'}"
            + (f" in {args.env}" if args.env else ""),
            file=workspace.logs / "builds",
            hint="packer-hybrid status lists what was built",
        )
    if args.json:
        lines = list(follow(file, running=lambda: False))
        print_json({"path": workspace.relative(file), "lines": lines})
        return EXIT_DONE
    complain(f"==> {workspace.relative(file)} <==")
    names = {str(file), workspace.relative(file)}
    running = _still_running(workspace, names) if args.follow else lambda: False
    for line in follow(file, running=running, pause_s=_PAUSE_S):
        print(line, flush=args.follow)
    return EXIT_DONE


def _still_running(workspace: Workspace, names: set[str]) -> Callable[[], bool]:
    from .. import state

    def running() -> bool:
        data = state.read(workspace=workspace)
        return any(
            facts.get("log_path") in names and state.liveness(entry) != "gone"
            for run_id, entry in data["running"].items()
            for facts in state.unfinished(data, run_id).values()
        )

    return running
