"""``packer-hybrid``: the command line over the core."""

from __future__ import annotations

import argparse
import json
import os
import sys
from importlib import import_module
from pathlib import Path

from .. import __version__
from ..errors import EXIT_CANCELLED, EXIT_INTERNAL, Cancelled, HybridError, error_to_dict, from_os_error
from ..workspace import Workspace, find, open_workspace

# Modules of this package, in the order of --help; each has add_parser(commands) and run(args, workspace).
COMMANDS = ("sources", "config", "builders", "packer", "build", "status", "state", "logs")


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command line.

    Returns:
        A parser whose result has ``workspace``, ``json`` and ``run``, the function to call.
    """
    main_parser = argparse.ArgumentParser(
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
    """
    args = parser().parse_args(argv)
    workspace = None
    try:
        workspace = open_workspace(args.workspace) if args.workspace else find()
        code: int = args.run(args, workspace)
        print(end="", flush=True)  # sys.stdout is None where standard output is closed
        return code
    except HybridError as error:
        return _report(error, args)
    except KeyboardInterrupt:
        return _report(Cancelled("cancelled"), args)
    except BrokenPipeError:
        # Whoever read our output has gone, as in "packer-hybrid logs | head".
        sys.stderr.close()
        return EXIT_CANCELLED
    except OSError as error:
        refused = from_os_error(error)
        code = _report(refused, args)
        return code if workspace and _is_in(workspace, refused.file) else EXIT_INTERNAL
    except Exception:  # noqa: BLE001 -- the exit code tells whose fault it is
        from ..process.mask import masked_traceback

        print(masked_traceback(), end="", file=sys.stderr)
        return EXIT_INTERNAL


def _report(error: HybridError, args: argparse.Namespace) -> int:
    """Say an error, as data where that is asked for; gives its exit code."""
    if args.json:
        print(json.dumps(error_to_dict(error), ensure_ascii=False))
    print(f"packer-hybrid: {error}", file=sys.stderr)
    return error.exit_code


def _is_in(workspace: Workspace, file: str | None) -> bool:
    """Whether a file is one of the user's, so that an error with it is not a fault of ours."""
    return file is not None and Path(os.path.abspath(file)).is_relative_to(workspace.root)
