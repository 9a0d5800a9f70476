"""``packer-hybrid state``: show the state, its history, and repair it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..errors import EXIT_DONE
from ..workspace import Workspace
from .status import columns
from .streams import print_json

if TYPE_CHECKING:
    from ..state.types import HistoryEntry, ResultEntry


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "state", help="show, or repair, what is remembered", description="Show or repair the state."
    )
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    show = actions.add_parser("show", help="all of the state, as JSON")
    show.set_defaults(run=run, action="show")
    history = actions.add_parser("history", help="past runs, the newest first")
    history.add_argument("--limit", type=int, default=0, metavar="N", help="the newest N alone")
    history.set_defaults(run=run, action="history")
    repair = actions.add_parser("repair", help="keep a damaged state aside and restore the last good copy")
    repair.set_defaults(run=run, action="repair", changes="state repair")


def run(args: argparse.Namespace, workspace: Workspace) -> int:
    """Show or repair the state; returns the exit code."""
    from .. import state

    if args.action == "repair":
        report = state.repair(workspace=workspace)
        if args.json:
            print_json(report.to_dict())
        else:
            print(_repaired(report.to_dict()))
        return EXIT_DONE
    data = state.read(workspace=workspace)
    if args.action == "show":
        if args.json:
            print_json(data)
        else:
            print(json.dumps(data, indent=2))
        return EXIT_DONE
    runs = data["history"][::-1]
    runs = runs[: args.limit] if args.limit > 0 else runs
    if args.json:
        print_json({"history": runs})
    else:
        print(_history(runs))
    return EXIT_DONE


def _history(runs: list[HistoryEntry]) -> str:
    from ..logs import escape

    names = ("RUN", "STARTED", "FINISHED", "STATUS", "ENVIRONMENT", "COMMAND", "TARGETS")
    keys = ("id", "started_at", "finished_at", "status", "environment", "command")
    rows = [
        (
            *(escape(str(entry.get(key) or "-")) for key in keys),
            _counts(entry.get("results") or []),
        )
        for entry in runs
    ]
    return "\n".join(columns(names, rows)) if rows else "nothing was run yet"


def _counts(results: list[ResultEntry]) -> str:
    statuses = [result["status"] for result in results]
    return ", ".join(f"{statuses.count(status)} {status}" for status in sorted(set(statuses))) or "-"


def _repaired(report: Mapping[str, Any]) -> str:
    if not report["problem"]:
        return "the state is sound; nothing was done"
    lines = [report["problem"]]
    if report["kept"]:
        lines.append(f"the damaged file is now {report['kept']}")
    if report["restored"]:
        lines.append(f"restored the last good copy, written at {report['restored']}")
    else:
        lines.append("there was no good copy to restore: the state begins anew")
    lines += [f"lost: {item}" for item in report["lost"]]
    return "\n".join(lines)
