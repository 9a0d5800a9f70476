"""``packer-hybrid``: the command line over the core."""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from .. import __version__
from ..errors import (
    EXIT_CANCELLED,
    EXIT_INTERNAL,
    EXIT_USAGE,
    EXIT_USER,
    Cancelled,
    HybridError,
    UsageError,
    error_to_dict,
    from_os_error,
)
from ..workspace import Workspace, find, open_workspace
from . import streams

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

# Modules of this package, in the order of --help; each has add_parser(commands) and run(args, workspace).
COMMANDS = (
    "adopt",
    "sources",
    "plugins",
    "config",
    "builders",
    "graph",
    "packer",
    "build",
    "explain",
    "status",
    "images",
    "state",
    "logs",
)


class _Parser(argparse.ArgumentParser):
    """A parser whose errors can be told as data."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(f"{self.prog}: {message}", hint=self.format_usage().strip())


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command line.

    Returns:
        A parser whose result has ``workspace``, ``json`` and ``run``, the function to call; and, where the
        command changes something unless ``check`` is given, ``changes``: its name.
    """
    main_parser = _Parser(
        prog="packer-hybrid",
        description="Build machine images with Packer, and remember what was built from what.",
        epilog="Exit codes: 0 done, 1 your input is wrong, 2 usage, 3 Packer failed, 4 lock held, "
        "5 would change (--check), 70 a fault of ours, 130 cancelled.",
    )
    main_parser.add_argument("--version", action="version", version=f"packer-hybrid {__version__}")
    main_parser.add_argument(
        "--workspace", metavar="DIR", help="the workspace; by default the nearest one upwards"
    )
    main_parser.add_argument("--json", action="store_true", help="print one JSON object")
    commands = main_parser.add_subparsers(metavar="COMMAND", required=True)
    for name in COMMANDS:
        import_module(f".{name}", __name__).add_parser(commands)
    return main_parser


def main(argv: list[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: arguments after the program's name; those of the process when not given.

    Returns:
        The exit code.

    Raises:
        SystemExit: the arguments are not right, or asked for help.
    """
    if argv is None:
        streams.use_utf8()
        argv = sys.argv[1:]
    streams.prepare()
    try:
        try:
            return _command(_parsed(argv))
        finally:
            streams.finish()
    except streams.OutputError as error:
        if error.reader_has_gone:  # as in "packer-hybrid logs | head"
            return EXIT_CANCELLED
        streams.complain(f"packer-hybrid: cannot write to standard output: {error}")
        return EXIT_USER


def _parsed(arguments: Sequence[str]) -> argparse.Namespace:
    try:
        return parser().parse_args(arguments)
    except UsageError as error:
        if any(len(text) > 2 and "--json".startswith(text) for text in arguments):
            streams.print_json(error_to_dict(error))
        streams.complain(f"{error.hint}\n{error.message}")
        raise SystemExit(EXIT_USAGE) from None


def _command(args: argparse.Namespace) -> int:
    """Run a command, and say what ends it."""
    workspace = None
    try:
        workspace = getattr(args, "open", _open)(args)
        return _recorded(args, workspace)
    except HybridError as error:
        return _report(error, args)
    except KeyboardInterrupt:
        return _report(Cancelled("cancelled"), args)
    except streams.OutputError:
        raise
    except BrokenPipeError:
        return EXIT_CANCELLED  # whoever watched a build on standard error has gone
    except OSError as error:
        refused = from_os_error(error)
        code = _report(refused, args)
        return code if workspace and _is_in(workspace, refused.file) else EXIT_INTERNAL
    except Exception:  # noqa: BLE001 -- the exit code tells whose fault it is
        from ..process.mask import masked_traceback

        streams.complain(masked_traceback().rstrip("\n"))
        return EXIT_INTERNAL


def _recorded(args: argparse.Namespace, workspace: Workspace) -> int:
    """Run a command; of one that changes something, the shared log says that it begins and how it ends."""
    code: int
    if not getattr(args, "changes", "") or getattr(args, "check", False):
        code = args.run(args, workspace)
        return code
    from .. import logs

    with logs.recorded("cli", args.changes, workspace=workspace) as say:
        code = args.run(args, workspace)
        say(f"exit code {code}")
    return code


def _open(args: argparse.Namespace) -> Workspace:
    """The workspace that a command works in; a command that needs none brings an ``open`` of its own."""
    return open_workspace(args.workspace) if args.workspace else find()


def _report(error: HybridError, args: argparse.Namespace) -> int:
    """Say an error, as data where that is asked for; gives its exit code."""
    if args.json:
        streams.print_json(error_to_dict(error))
    streams.complain(f"packer-hybrid: {error}")
    return error.exit_code


def _is_in(workspace: Workspace, file: str | None) -> bool:
    """Whether a file is one of the user's, so that an error with it is not a fault of ours."""
    return file is not None and Path(os.path.abspath(file)).is_relative_to(workspace.root)
