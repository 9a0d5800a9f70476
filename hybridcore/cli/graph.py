"""``packer-hybrid graph``: which images start from which."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ..errors import EXIT_DONE
from .streams import print_json

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..image_settings import ParentSetting
    from ..workspace import Workspace


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    text = "print which images start from which, parents above their children"
    parser = commands.add_parser("graph", help=text, description=text[0].upper() + text[1:] + ".")
    parser.add_argument(
        "targets", nargs="*", metavar="TARGET", help="these and what they start from; all by default"
    )
    parser.add_argument("--mermaid", action="store_true", help="as a diagram of Mermaid")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, workspace: Workspace) -> int:
    """Print the graph; returns the exit code."""
    from .. import pipeline
    from ..templates.parents import edges

    targets = [str(name) for name in pipeline.named_targets(args.targets, workspace)]
    found = edges(targets, workspace)
    if args.json:
        print_json(
            {
                "targets": [
                    {"target": name, "parent": one.to_dict() if one else None} for name, one in found.items()
                ]
            }
        )
    else:
        print("\n".join(_mermaid(found) if args.mermaid else _tree(found)))
    return EXIT_DONE


def _tree(found: Mapping[str, ParentSetting | None]) -> Iterator[str]:
    """A line a target, below the one that it starts from and two columns to the right of it."""
    children: dict[str, list[str]] = {}
    for target, parent in found.items():
        children.setdefault(parent.target if parent else "", []).append(target)
    waiting = [(target, 0) for target in reversed(children.get("", []))]
    while waiting:
        target, depth = waiting.pop()
        parent = found[target]
        channel = f" (channel {parent.channel})" if parent and parent.channel else ""
        yield f"{'  ' * depth}{target}{channel}"
        waiting += ((child, depth + 1) for child in reversed(children.get(target, [])))


def _mermaid(found: Mapping[str, ParentSetting | None]) -> Iterator[str]:
    """A flowchart of Mermaid; an edge with a channel is dotted and has its name."""
    numbers = {target: f"t{number}" for number, target in enumerate(found)}
    yield "flowchart TD"
    for target, number in numbers.items():
        yield f'  {number}["{target}"]'
    for target, parent in found.items():
        if parent:
            arrow = f"-. {parent.channel} .->" if parent.channel else "-->"
            yield f"  {numbers[parent.target]} {arrow} {numbers[target]}"
