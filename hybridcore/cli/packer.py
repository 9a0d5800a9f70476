"""``packer-hybrid fmt``, ``validate``, ``init`` and ``inspect``: Packer's own commands over the workspace."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from .build import add_given, given
from .config import add_request, request
from .streams import complain, print_json

if TYPE_CHECKING:
    from ..workspace import Workspace


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the four commands to the command line.

    Args:
        commands: where subcommands are added.
    """
    fmt = commands.add_parser("fmt", help="bring Packer files into canonical form")
    fmt.add_argument(
        "paths", nargs="*", metavar="PATH", help="files or folders; all of the workspace by default"
    )
    fmt.add_argument("--check", action="store_true", help="only say what would change; exit code 5 if any")
    fmt.add_argument("--diff", action="store_true", help="show what changes")
    fmt.set_defaults(run=run_fmt, changes="fmt")

    validate = commands.add_parser("validate", help="have Packer check what a build would give it")
    add_request(validate)
    add_given(validate)
    validate.set_defaults(run=run_validate)

    init = commands.add_parser("init", help="install the plugins that targets require (Packer 1.7 or newer)")
    init.add_argument("--upgrade", action="store_true", help="replace installed plugins by newer ones")
    _add_targets(init)
    init.set_defaults(run=run_init, changes="init")

    inspect = commands.add_parser("inspect", help="list the parts of targets")
    _add_targets(inspect)
    inspect.set_defaults(run=run_inspect)


def _add_targets(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="<os>/<platform>/<name>; all by default")


def run_fmt(args: argparse.Namespace, workspace: Workspace) -> int:
    """Format files, and name those that changed.

    Args:
        args: ``paths``, ``check``, ``diff`` and ``json``.
        workspace: the workspace.

    Returns:
        The exit code: 1 when a file cannot be parsed, 5 when ``--check`` finds one to change.
    """
    from .. import packer
    from ..errors import EXIT_DONE, EXIT_USER, EXIT_WOULD_CHANGE

    result = packer.fmt(args.paths or [workspace.root], check=args.check, workspace=workspace)
    if args.json:
        print_json(result.to_dict())
    else:
        for name in result.changed_files:
            print(f"{'would change' if args.check else 'changed'}: {name}")
        if args.diff:
            print(result.diff, end="")
    for fault in result.faults:
        complain(f"packer-hybrid: {fault}")
    if result.faults:
        return EXIT_USER
    return EXIT_WOULD_CHANGE if args.check and result.changed else EXIT_DONE


def run_validate(args: argparse.Namespace, workspace: Workspace) -> int:
    """Check targets with the configuration that a build would render, and print what is wrong with each.

    Args:
        args: what ``add_request`` and ``add_given`` add, and ``json``.
        workspace: the workspace.

    Returns:
        The exit code: 1 when a target is not valid.
    """
    from .. import pipeline
    from ..errors import EXIT_DONE, EXIT_USER

    result = pipeline.validate(request(args, options=given(args)), workspace)
    if args.json:
        print_json(result.to_dict())
    else:
        for one in result.results:
            if one.not_checked:
                print(f"not checked: {one.target}: {one.not_checked}")
                continue
            print(f"{'valid' if one.ok else 'INVALID'}: {one.target}")
            for fault in one.faults:
                print(f"  error: {fault}")
            for fault in one.warnings:
                print(f"  warning: {fault}")
    return EXIT_DONE if result.ok else EXIT_USER


def run_init(args: argparse.Namespace, workspace: Workspace) -> int:
    """Install plugins, and name those that were installed.

    Args:
        args: ``targets``, ``upgrade`` and ``json``.
        workspace: the workspace.

    Returns:
        The exit code.
    """
    from .. import packer
    from ..errors import EXIT_DONE

    result = packer.init(_targets(args, workspace), upgrade=args.upgrade, workspace=workspace)
    if args.json:
        print_json(result.to_dict())
    else:
        print("\n".join(result.installed) or "all required plugins are installed")
    return EXIT_DONE


def run_inspect(args: argparse.Namespace, workspace: Workspace) -> int:
    """List the parts of targets.

    Args:
        args: ``targets`` and ``json``.
        workspace: the workspace.

    Returns:
        The exit code.
    """
    from .. import packer
    from ..errors import EXIT_DONE

    results = packer.inspect(_targets(args, workspace), workspace=workspace)
    if args.json:
        print_json({"results": [result.to_dict() for result in results]})
        return EXIT_DONE
    for result in results:
        print(result.target)
        print(f"  sources: {', '.join(result.sources) or 'none'}")
        print(f"  provisioners: {', '.join(result.provisioners) or 'none'}")
        print(f"  post-processors: {', '.join(result.post_processors) or 'none'}")
        print("  variables:")
        for name, value in sorted(result.variables.items()):
            print(f"    {name} = {value}")
    return EXIT_DONE


def _targets(args: argparse.Namespace, workspace: Workspace) -> list[str]:
    from .. import pipeline

    return [str(name) for name in pipeline.named_targets(args.targets, workspace)]
