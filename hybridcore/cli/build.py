"""``packer-hybrid build``: build the images whose inputs changed."""

from __future__ import annotations

import argparse
import os
import signal
from typing import TYPE_CHECKING

from ..errors import (
    EXIT_CANCELLED,
    EXIT_DONE,
    EXIT_LOCKED,
    EXIT_PACKER,
    EXIT_WOULD_CHANGE,
    ConfigError,
    Fault,
)
from ..packer import options
from ..workspace import Workspace
from .config import add_request, request
from .streams import print_json

if TYPE_CHECKING:
    from types import FrameType
    from typing import Any

    from ..packer.results import BuildReport


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("build", help="build the images whose inputs changed")
    add_request(parser)
    parser.add_argument(
        "--check", action="store_true", help="only say what would be built; exit code 5 if anything"
    )
    for option in options.table():
        parser.add_argument(option.flag, dest=option.field, help=option.help, **_kind(option))
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("--quiet", action="store_true", help="do not show what Packer prints")
    shown.add_argument("--verbose", action="store_true", help="show every line that Packer prints")
    parser.set_defaults(run=run, changes="build")


def add_given(parser: argparse.ArgumentParser) -> None:
    """Add the two options that name what Packer gets beside the configuration: secrets and environment."""
    for option in options.table():
        if option.name in ("secrets", "extra_env"):
            parser.add_argument(option.flag, dest=option.field, help=option.help, **_kind(option))


def given(args: argparse.Namespace) -> options.BuildOptions:
    """What the options of ``add_given`` name, with the values that the environment has.

    Raises:
        ConfigError: one has no value there; has faults.
    """
    return options.BuildOptions(
        secrets=read_secrets(args.secrets), extra_env=read_environment(args.extra_env)
    )


def _kind(option: options.Option) -> dict[str, Any]:
    """How argparse reads an option; of a mapping it reads the names, whose values the environment has."""
    if option.kind is bool:
        return {"action": "store_true", "default": option.default}
    if option.kind in (tuple, dict):
        return {"action": "append", "default": [], "metavar": option.metavar}
    if option.choices:
        return {"choices": option.choices, "default": str(option.default)}
    return {"type": option.kind, "default": option.default, "metavar": option.metavar}


def run(args: argparse.Namespace, workspace: Workspace) -> int:
    """Build, and print a summary."""
    from .. import pipeline
    from ..monitor import ConsoleMonitor
    from ..process.children import watched_parents

    # A polite kill and a closed terminal cancel like Ctrl-C does: what runs is ended before we go. What was
    # ignored when we started, as nohup and "&" in a script have it, stays so; SIGTERM always ends a build.
    signal.signal(signal.SIGTERM, _cancel)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, _cancel)
    wanted = request(
        args,
        options=options.made_from(
            {option.name: getattr(args, option.field) for option in options.table()}
            | {"secrets": read_secrets(args.secrets), "extra_env": read_environment(args.extra_env)}
        ),
        command=f"packer-hybrid build --env {args.env}",
    )
    monitor = ConsoleMonitor(quiet=args.quiet, verbose=args.verbose)
    try:
        report = pipeline.build(
            wanted,
            workspace=workspace,
            monitor=monitor,
            check=args.check,
            watched=watched_parents(os.environ),
        )
    finally:
        monitor.tick({})  # however it ended, nothing runs any more: the progress line goes
    if args.json:
        print_json(report.to_dict())
    else:
        print(summary(report, check=args.check))
    if args.check:
        return EXIT_WOULD_CHANGE if report.changed else EXIT_DONE
    return exit_code(report)


def _cancel(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def read_secrets(names: list[str]) -> dict[str, str]:
    """The values of the secrets that were named, from the environment.

    Args:
        names: of Packer variables.

    Raises:
        ConfigError: one has no value there, or one that cannot be masked; has faults.
    """
    from ..process.mask import check_secret

    found: dict[str, str] = {}
    faults = []
    for name in names:
        value = os.environ.get(f"PKR_VAR_{name}")
        if value is None:
            faults.append(Fault(f"the secret {name!r} has no value", hint=f"export PKR_VAR_{name}"))
            continue
        fault = check_secret(name, value)
        if fault is not None:
            faults.append(fault)
        found[name] = value
    if faults:
        raise ConfigError("secrets are not right", faults=faults)
    return found


def read_environment(names: list[str]) -> dict[str, str]:
    """The values of the environment variables that were named.

    Args:
        names: of variables that do not pass to Packer by themselves.

    Raises:
        ConfigError: one is not set; has faults, all of them.
    """
    faults = [
        Fault(f"the environment variable {name!r} is not set", hint=f"export {name}, or leave --env-var out")
        for name in names
        if name not in os.environ
    ]
    if faults:
        raise ConfigError("the environment of Packer is not right", faults=faults)
    return {name: os.environ[name] for name in names}


def exit_code(report: BuildReport) -> int:
    """The exit code for a batch: 0 when every image is there, else why not."""
    failed = [result for result in report.results if not result.status.ok]
    if not failed:
        return EXIT_DONE
    if all(result.status.value == "cancelled" for result in failed):
        return EXIT_CANCELLED
    return EXIT_LOCKED if all(result.locked for result in failed) else EXIT_PACKER


def summary(report: BuildReport, *, check: bool = False) -> str:
    """What a person reads at the end: one block a target."""
    return "\n".join(line for result in report.results for line in result.summary(check=check))
