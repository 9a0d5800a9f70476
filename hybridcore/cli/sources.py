"""``packer-hybrid sources``: the repositories of the workspace."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from .streams import exit_code, print_json, print_results

if TYPE_CHECKING:
    from ..sources import LockResult, SourceDiff, SourceResult
    from ..workspace import Workspace

_NONE = "packer-hybrid.toml has no [sources.NAME]: nothing to "


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``sources sync``, ``lock`` and ``diff`` to the command line.

    Args:
        commands: where subcommands are added.
    """
    sources = commands.add_parser("sources", help="clone and pin the repositories of the workspace")
    actions = sources.add_subparsers(metavar="ACTION", required=True)
    parser = actions.add_parser(
        "sync",
        help="bring sources/ to where the settings want it",
        description="Clone or update the repositories of [sources.NAME] in packer-hybrid.toml, check each "
        "pin, and record URL and commit in the state.",
    )
    _add_names(parser)
    parser.add_argument(
        "--frozen", action="store_true", help="nothing may move: fail unless all are at their pinned commit"
    )
    parser.add_argument(
        "--offline", action="store_true", help="use only what the clones already have, and [offline] mirror"
    )
    parser.add_argument(
        "--keep-going", action="store_true", help="sync the others when one is not as it should be"
    )
    parser.add_argument("--check", action="store_true", help="only say what would change; exit code 5 if any")
    parser.set_defaults(run=run, changes="sources sync")
    parser = actions.add_parser(
        "lock",
        help="write where the last sync left them into packer-hybrid.lock",
        description="Write the commit, and a digest of the files, of each repository as the last sync left "
        "it into packer-hybrid.lock. 'sources sync --frozen' then needs exactly that.",
    )
    _add_names(parser)
    parser.add_argument("--check", action="store_true", help="only say what would change; exit code 5 if any")
    parser.set_defaults(run=run_lock, changes="sources lock")
    parser = actions.add_parser(
        "diff",
        help="list the commits that a sync would bring",
        description="List the commits between packer-hybrid.lock, or else the last sync, and what a sync "
        "would bring. Fetches what is missing, and moves nothing.",
    )
    _add_names(parser)
    parser.add_argument(
        "--offline", action="store_true", help="use only what the clones already have, and [offline] mirror"
    )
    parser.set_defaults(run=run_diff)

    parser = actions.add_parser(
        "bundle",
        help="make a folder with all that a place without network needs",
        description="Put repositories, plugins, Packer itself, base images and collections of the workspace "
        "into a folder. Where [offline] mirror names it, --offline of a sync and of a build uses it.",
    )
    parser.add_argument("folder", metavar="DIR", help="a new folder, or an older bundle")
    parser.set_defaults(run=run_bundle, changes="sources bundle")


def _add_names(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these repositories; all by default")


def run(args: argparse.Namespace, workspace: Workspace) -> int:
    """Sync, and print a line for each repository.

    Args:
        args: ``names``, ``frozen``, ``offline``, ``keep_going``, ``check`` and ``json``.
        workspace: the workspace.

    Returns:
        The exit code.
    """
    from .. import sources
    from ..monitor import ConsoleMonitor

    results = sources.sync(
        args.names or None,
        frozen=args.frozen,
        offline=args.offline,
        check=args.check,
        keep_going=args.keep_going,
        monitor=ConsoleMonitor(),
        workspace=workspace,
    )
    print_results(results, _print_synced, args, nothing=f"{_NONE}sync")
    return exit_code(results, args)


def _print_synced(result: SourceResult) -> None:
    if result.warning:
        print(f"packer-hybrid: {result.name}: {result.warning}", file=sys.stderr)
    moved = f" (was {result.before[:12]})" if result.action == "updated" else ""
    print(f"{result.action:9} {result.name} {result.sha[:12]} {result.ref or result.url}{moved}")


def run_bundle(args: argparse.Namespace, workspace: Workspace) -> int:
    """Make a bundle, and print what is in it.

    Args:
        args: ``folder`` and ``json``.
        workspace: the workspace.

    Returns:
        The exit code.
    """
    from pathlib import Path

    from .. import bundles
    from ..errors import EXIT_DONE
    from ..monitor import ConsoleMonitor

    found = bundles.bundle(Path(args.folder).absolute(), workspace=workspace, monitor=ConsoleMonitor())
    if args.json:
        print_json({"results": [one.to_dict() for one in found]})
    else:
        for one in found:
            print(f"{one.kind:10} {one.name} {one.path}")
    return EXIT_DONE


def run_lock(args: argparse.Namespace, workspace: Workspace) -> int:
    """Write the lock file, and print a line for each repository.

    Args:
        args: ``names``, ``check`` and ``json``.
        workspace: the workspace.

    Returns:
        The exit code.
    """
    from .. import sources

    results = sources.lock(args.names or None, check=args.check, workspace=workspace)
    print_results(results, _print_locked, args, nothing=f"{_NONE}lock")
    return exit_code(results, args)


def _print_locked(result: LockResult) -> None:
    was = f" (was {result.before[:12]})" if result.before not in ("", result.sha) else ""
    print(f"{'locked' if result.changed else 'unchanged':9} {result.name} {result.sha[:12]}{was}")


def run_diff(args: argparse.Namespace, workspace: Workspace) -> int:
    """Print the commits that a sync would bring.

    Args:
        args: ``names``, ``offline`` and ``json``.
        workspace: the workspace.

    Returns:
        The exit code.
    """
    from .. import sources
    from ..errors import EXIT_DONE
    from ..monitor import ConsoleMonitor

    found = sources.diff(
        args.names or None, offline=args.offline, monitor=ConsoleMonitor(), workspace=workspace
    )
    print_results(found, _print_commits, args, nothing=f"{_NONE}compare")
    return EXIT_DONE


def _print_commits(found: SourceDiff) -> None:
    same = found.before == found.after
    print(f"{found.name} {found.before[:12] or 'new'}" + ("" if same else f"..{found.after[:12]}"))
    for sign, commits in (("+", found.commits), ("-", found.withdrawn)):
        for commit in commits:
            print(f"  {sign} {commit.sha[:12]} {commit.time[:10]} {commit.subject}")
