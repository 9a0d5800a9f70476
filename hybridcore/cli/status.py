"""``packer-hybrid status``: what was built, how old it is, and what runs or was interrupted."""

from __future__ import annotations

import argparse
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..errors import EXIT_DONE, ConfigError, Fault, TemplatesError
from ..workspace import Workspace, check_env
from .streams import print_json

if TYPE_CHECKING:
    from ..state.types import State

_COLUMNS = ("TARGET", "ENVIRONMENT", "STATUS", "AGE", "ARTIFACT", "DURATION")
_SHOWN_ARTIFACT = 40  # characters; --json has all of it


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "status",
        help="what was built, what runs and what was interrupted",
        description="What was built, what runs and what was interrupted.",
    )
    parser.add_argument("target", nargs="*", metavar="TARGET", help="show these alone")
    parser.add_argument("--env", help="show this environment alone")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, workspace: Workspace) -> int:
    """Print the status of the images; returns the exit code."""
    from .. import state

    report = collect(state.read(workspace=workspace), now=time.time())
    for entry in report["running"]:
        log = entry["log_path"]
        if entry["status"] == "running" or not (log and (workspace.root / log).exists()):
            entry["leaves"] = None  # it goes on, or was not begun
    _check_names(args, workspace, [*report["images"], *report["running"]])
    for part in ("images", "running"):
        report[part] = [
            entry
            for entry in report[part]
            if args.env in (None, entry["environment"])
            and (not args.target or entry["target"] in args.target)
        ]
    if args.json:
        print_json(report)
    else:
        print(table(report))
    return EXIT_DONE


def _check_names(args: argparse.Namespace, workspace: Workspace, entries: list[dict[str, Any]]) -> None:
    """Refuse what is neither in the workspace nor in the state, so that a typing error does not read as
    "nothing was built".
    """
    from .. import templates

    faults = []
    targets = {entry["target"] for entry in entries}
    for target in args.target:
        if target not in targets:
            try:
                templates.target_folder(target, workspace)
            except TemplatesError as error:
                faults.append(Fault(error.message, hint=error.hint))
    known = args.env is None or args.env in {entry["environment"] for entry in entries}
    if not known and not (workspace.environments / check_env(args.env)).is_dir():
        faults.append(Fault(f"there is no environment {args.env!r}", hint="a folder in environments/"))
    if faults:
        raise ConfigError("nothing is known of what was asked for", faults=faults)


def collect(data: State, *, now: float) -> dict[str, Any]:
    """What ``status`` shows, as data.

    Args:
        data: the state.
        now: seconds since the epoch.

    Returns:
        ``images``, ``running`` (a target of a run each whose end is not recorded yet; ``status`` is
        ``running``, ``interrupted``, or ``unknown`` for a run on another host) and ``last_run``, as
        docs/state.md describes.
    """
    from .. import state

    images = []
    for key, image in sorted(data["images"].items()):
        attempt = image.get("last_attempt")
        artifacts = image.get("artifacts") or []
        manifest = data["manifests"].get(key)
        images.append(
            {
                "target": image["target"],
                "environment": image["environment"],
                "builder": image.get("builder"),
                "status": image.get("status") or (attempt["status"] if attempt else None),
                "built_at": image.get("built_at"),
                "age_s": age(image.get("built_at"), now),
                "artifacts": [artifact["id"] for artifact in artifacts],
                "manifest_path": manifest["path"] if manifest else None,
                "duration_s": image.get("duration_s"),
                "log_path": image.get("log_path"),
                "run": image.get("run"),
                "last_attempt": attempt,
            }
        )
    words = {"alive": "running", "gone": "interrupted", "unknown": "unknown"}
    running = [
        {
            "target": target,
            "environment": entry.get("environment"),
            "status": words[state.liveness(entry)],
            "started_at": entry["started_at"],
            "age_s": age(entry["started_at"], now),
            "host": entry["host"],
            "pid": entry["pid"],
            "log_path": facts.get("log_path"),
            "leaves": facts.get("leaves"),
            "run": run_id,
        }
        for run_id, entry in sorted(data["running"].items())
        for target, facts in sorted(state.unfinished(data, run_id).items())
    ]
    return {"images": images, "running": running, "last_run": data["last_run"]}


def table(report: Mapping[str, Any]) -> str:
    """The same for people: a table of the images, then the runs that need a look."""
    rows = [
        (
            image["target"],
            image["environment"],
            _status(image),
            duration(image["age_s"]),
            _artifact(image),
            duration(image["duration_s"]),
        )
        for image in report["images"]
    ]
    lines = columns(_COLUMNS, rows) if rows else ["nothing was built yet"]
    for image in report["images"]:
        attempt = image["last_attempt"]
        if attempt and attempt["status"] not in ("built", "unchanged"):
            where = f"; log: {attempt['log_path']}" if attempt.get("log_path") else ""
            first, __, __ = (attempt.get("error") or "").partition("\n")
            why = f": {_one_line(first)}" if first else ""
            lines.append(
                f"{image['target']} in {image['environment']}: last attempt {attempt['status']}"
                f" at {attempt['at']}{why}{where}"
            )
    for entry in report["running"]:
        where = f"; log: {entry['log_path']}" if entry["log_path"] else ""
        lines.append(
            f"{entry['target']} in {entry['environment'] or '-'}: {entry['status']}, started"
            f" {entry['started_at']} by pid {entry['pid']} on {entry['host']}{where}"
        )
        if entry["leaves"]:
            dead = "" if entry["status"] == "interrupted" else "if it is dead, "
            lines.append(f"  {dead}{entry['leaves']}")
    return "\n".join(_one_line(line) for line in lines)


def columns(names: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Lines of a table whose columns are as wide as they need to be."""
    widths = [max(map(len, cells)) for cells in zip(names, *rows, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (names, *rows)
    ]


def duration(seconds: float | None) -> str:
    """A time span in the two largest units that say something, for example ``3 d 4 h``."""
    if seconds is None:
        return "-"
    if seconds < 60:
        return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours} h {minutes} min"
    return f"{hours // 24} d {hours % 24} h"


def age(time_text: str | None, now: float) -> float | None:
    """Seconds since a time of the state; None where there is none, 0 for one of the future."""
    if not time_text:
        return None
    return round(max(now - datetime.fromisoformat(time_text).timestamp(), 0.0), 3)


def _status(image: Mapping[str, Any]) -> str:
    attempt = image["last_attempt"]
    if attempt and attempt["status"] != image["status"] and attempt["status"] != "unchanged":
        return f"{image['status']} ({attempt['status']})"
    return str(image["status"] or "-")


def _artifact(image: Mapping[str, Any]) -> str:
    text = ", ".join(image["artifacts"]) or "-"
    return text if len(text) <= _SHOWN_ARTIFACT else text[: _SHOWN_ARTIFACT - 3] + "..."


def _one_line(text: str) -> str:
    from ..logs import escape

    return escape(text)
