"""``packer-hybrid explain``: what decides an image, and where each input comes from."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ..errors import EXIT_DONE, ConfigError
from .build import add_given, given
from .config import add_request, request
from .status import columns
from .streams import print_json

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..workspace import Workspace


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    text = "list the inputs of targets, each with its digest and where it comes from"
    parser = commands.add_parser("explain", help=text, description=text[0].upper() + text[1:] + ".")
    add_request(parser)
    add_given(parser)
    parser.add_argument(
        "--forget",
        action="append",
        default=[],
        metavar="FILE",
        help="an input that a build was seen to read and that nothing names: it counts no more, until it is "
        "seen again",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, workspace: Workspace) -> int:
    """Forget what is to be forgotten, and list the inputs; returns the exit code."""
    from .. import pipeline
    from ..packer import runs

    wanted = request(args, options=given(args))
    pipeline.prepare(wanted, workspace)  # the names are right, before anything is forgotten
    if args.forget and not args.targets:
        raise ConfigError("--forget needs a target", hint="name the targets whose builds read the file")
    for path in args.forget:
        for target in args.targets:
            runs.forget(workspace, args.env, target, path)
    found = pipeline.inputs(wanted, workspace)
    if args.json:
        print_json({"environment": args.env, "targets": found})
    else:
        print("\n\n".join(map(_shown, found)))
    return EXIT_DONE


def _shown(entry: Mapping[str, Any]) -> str:
    """The inputs of a target, for people."""
    from ..logs import escape

    rows = [
        (escape(one["name"]), one["digest"][:12], ("observed: " if one["observed"] else "") + one["origin"])
        for one in entry["inputs"]
    ]
    lines = [f"{entry['target']}: fingerprint {entry['fingerprint'][:12]}"]
    if parent := entry["parent"]:
        channel = f", channel {parent['channel']}" if parent["channel"] else ""
        version = f"version {parent['version']}" if parent["version"] else "none that can be used"
        lines.append(f"parent: {parent['target']}{channel}, {version}")
    lines += columns(("INPUT", "DIGEST", "WHERE FROM"), rows)
    lines += [f"not followed: {text}" for text in entry["unfollowed"]]
    return "\n".join(lines)
