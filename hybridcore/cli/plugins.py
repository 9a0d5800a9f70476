"""``packer-hybrid plugins``: the plugins of Packer that the workspace pins."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING

from .streams import complain, exit_code, print_json, print_results

if TYPE_CHECKING:
    from ..packer.pinned.results import LockedResult, PluginResult
    from ..workspace import Workspace

_NONE = 'packer-hybrid.toml has no [plugins."..."]: nothing to '


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``plugins sync``, ``list``, ``lock`` and ``verify`` to the command line.

    Args:
        commands: where subcommands are added.
    """
    plugins = commands.add_parser("plugins", help="install and pin the plugins of Packer")
    actions = plugins.add_subparsers(metavar="ACTION", required=True)
    sync = actions.add_parser(
        "sync",
        help="install the plugins of the settings, each in its one version",
        description='Fetch the plugins of [plugins."..."] in packer-hybrid.toml, compare them with what is '
        "pinned, and install them into the workspace's own folder, .packer-plugins.",
    )
    sync.add_argument("--offline", action="store_true", help="fetch from folders and files alone")
    sync.set_defaults(run=run, changes="plugins sync")
    listing = actions.add_parser("list", help="list what is installed and what is pinned")
    listing.set_defaults(run=run_list)
    lock = actions.add_parser(
        "lock",
        help="write version and digest of what is installed into packer-hybrid.lock",
        description="Write version and SHA-256 of each installed plugin into packer-hybrid.lock. Digests for "
        "other machines stay as long as the version is the same.",
    )
    lock.set_defaults(run=run_lock, changes="plugins lock")
    verify = actions.add_parser(
        "verify", help="compare each installed program with what is pinned; exit code 1 where it is not that"
    )
    verify.set_defaults(run=run_verify)
    for parser in (sync, lock, verify):
        parser.add_argument("names", nargs="*", metavar="PLUGIN", help="only these; all by default")
    for parser in (sync, lock):
        parser.add_argument(
            "--check", action="store_true", help="only say what would change; exit code 5 if any"
        )


def run(args: argparse.Namespace, workspace: Workspace) -> int:
    """Install plugins, and print a line for each.

    Args:
        args: ``names``, ``offline``, ``check`` and ``json``.
        workspace: the workspace.

    Returns:
        The exit code.
    """
    from ..monitor import ConsoleMonitor
    from ..packer import pinned

    results = pinned.sync(
        args.names or None,
        offline=args.offline,
        check=args.check,
        monitor=ConsoleMonitor(),
        workspace=workspace,
    )
    nothing = "" if workspace.settings.plugins else f"{_NONE}sync"
    print_results(results, _print_synced, args, nothing=nothing)
    return exit_code(results, args)


def _print_synced(result: PluginResult) -> None:
    if result.warning:
        print(f"packer-hybrid: {result.source}: {result.warning}", file=sys.stderr)
    was = f" (was {result.before})" if result.action == "updated" else ""
    print(f"{result.action:9} {result.source} {result.version} {result.sha256[:12]}{was}")


def run_list(args: argparse.Namespace, workspace: Workspace) -> int:
    """Print a line for each plugin that is installed or pinned.

    Args:
        args: ``json``.
        workspace: the workspace.

    Returns:
        The exit code.
    """
    from ..errors import EXIT_DONE
    from ..packer import pinned

    found = pinned.listed(workspace=workspace)
    if args.json:
        print_json({"plugins": [one.to_dict() for one in found]})
        return EXIT_DONE
    for one in found:
        pin = f"pinned by the {one.pinned}" if one.pinned else "not pinned"
        print(f"{one.source} {one.version} {one.sha256[:12] or 'missing'} {pin}")
    if not found:
        print(f"{_NONE}list")
    return EXIT_DONE


def run_lock(args: argparse.Namespace, workspace: Workspace) -> int:
    """Write the lock file, and print a line for each plugin.

    Args:
        args: ``names``, ``check`` and ``json``.
        workspace: the workspace.

    Returns:
        The exit code.
    """
    from ..packer import pinned

    results = pinned.lock(args.names or None, check=args.check, workspace=workspace)
    print_results(results, _print_locked, args, nothing=f"{_NONE}lock")
    return exit_code(results, args)


def _print_locked(result: LockedResult) -> None:
    word = "locked" if result.changed else "unchanged"
    print(f"{word:9} {result.source} {result.version} {result.sha256[:12]}")


def run_verify(args: argparse.Namespace, workspace: Workspace) -> int:
    """Compare what is installed with what is pinned, and print a line for each.

    Args:
        args: ``names`` and ``json``.
        workspace: the workspace.

    Returns:
        The exit code: 1 when something is not what was pinned.
    """
    from ..errors import EXIT_DONE, EXIT_USER
    from ..packer import pinned

    found = pinned.verify(args.names or None, workspace=workspace)
    wrong = [one for one in found if one.problem]
    if args.json:
        print_json({"plugins": [one.to_dict() for one in found]})
    else:
        for one in found:
            print(f"{'WRONG' if one.problem else 'ok':5} {one.source} {one.version} {one.sha256[:12]}")
        if not found:
            print(f"{_NONE}verify")
    for one in wrong:
        complain(f"packer-hybrid: {one.source} {one.version}: {one.problem} ({one.hint})")
    return EXIT_USER if wrong else EXIT_DONE
