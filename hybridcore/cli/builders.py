"""``packer-hybrid builders list``: the catalogue of builders."""

from __future__ import annotations

import argparse

from ..errors import EXIT_DONE, EXIT_USER, TemplatesError
from ..workspace import Workspace
from .streams import complain, print_json


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("builders", help="list the builders that the templates define")
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    listing = verbs.add_parser("list", help="print canonical identifiers, one a line")
    listing.add_argument(
        "where", nargs="?", default="", metavar="OS,PLATFORM", help="only these, as in linux,proxmox"
    )
    listing.set_defaults(run=run)


def run(args: argparse.Namespace, workspace: Workspace) -> int:
    """Print the identifiers; what is wrong with a template hides no other one."""
    from .. import templates

    os, __, platform = (part.strip() for part in args.where.partition(","))
    if "," in platform:
        raise TemplatesError(f"{args.where!r} is not OS,PLATFORM", hint="as in linux,proxmox")
    loaded, faults = templates.load_each(os or None, platform or None, workspace)
    if not loaded and not faults:
        from ..templates.survey import none_found

        raise none_found(workspace, args.where)
    found = sorted({template.builder for template in loaded})
    if args.json:
        wrong = {"faults": [fault.to_dict() for fault in faults]} if faults else {}
        print_json({"builders": found, **wrong})
    else:
        print("".join(f"{name}\n" for name in found), end="")
    for fault in faults:
        complain(f"packer-hybrid: {fault}")
    return EXIT_USER if faults else EXIT_DONE
