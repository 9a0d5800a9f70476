"""``packer-hybrid build``: build the images whose inputs changed."""

from __future__ import annotations

import argparse
import os
import signal

from ..errors import (
    EXIT_CANCELLED,
    EXIT_DONE,
    EXIT_LOCKED,
    EXIT_PACKER,
    EXIT_WOULD_CHANGE,
    ConfigError,
    Fault,
)
from ..workspace import Workspace
from .config import add_request, parse_vars
from .streams import print_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

    from ..packer.results import BuildReport


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser("build", help="build the images whose inputs changed")
    add_request(parser)
    parser.add_argument(
        "--secret",
        action="append",
        default=[],
        metavar="NAME",
        help="a sensitive variable; its value is in PKR_VAR_NAME",
    )
    parser.add_argument(
        "--env-var",
        action="append",
        default=[],
        metavar="NAME",
        help="an environment variable that Packer gets too, with its value here",
    )
    parser.add_argument(
        "--check", action="store_true", help="only say what would be built; exit code 5 if anything"
    )
    parser.add_argument("--force", action="store_true", help="build also what is unchanged")
    parser.add_argument(
        "--only", action="append", default=[], metavar="PATTERN", help="as packer build -only"
    )
    parser.add_argument(
        "--except", action="append", default=[], dest="except_", metavar="PATTERN", help="as -except"
    )
    parser.add_argument(
        "--on-error", default="cleanup", choices=("cleanup", "abort", "run-cleanup-provisioner")
    )
    parser.add_argument(
        "--parallel-builds", type=int, default=0, metavar="N", help="Packer processes at a time"
    )
    parser.add_argument(
        "--timeout", type=float, default=0, metavar="SECONDS", help="for each target, retries included"
    )
    parser.add_argument("--retries", type=int, default=0, metavar="N", help="after errors that may pass")
    parser.add_argument(
        "--retry-delay",
        type=float,
        default=5,
        metavar="SECONDS",
        help="before the first retry, 5 if not given; doubles with each, up to 300",
    )
    parser.add_argument(
        "--lock-timeout",
        type=float,
        default=0,
        metavar="SECONDS",
        help="to wait for another build of the same target",
    )
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("--quiet", action="store_true", help="do not show what Packer prints")
    shown.add_argument("--verbose", action="store_true", help="show every line that Packer prints")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, workspace: Workspace) -> int:
    """Build, and print a summary."""
    from .. import pipeline
    from ..monitor import ConsoleMonitor
    from ..packer.options import BuildOptions, OnError
    from ..process.children import watched_parents

    # A polite kill and a closed terminal cancel like Ctrl-C does: what runs is ended before we go. What was
    # ignored when we started, as nohup and "&" in a script have it, stays so; SIGTERM always ends a build.
    signal.signal(signal.SIGTERM, _cancel)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, _cancel)
    request = pipeline.Request(
        env=args.env,
        targets=args.targets,
        vars=parse_vars(args.var),
        ansible=args.ansible,
        puppet=args.puppet,
        options=BuildOptions(
            only=tuple(args.only),
            except_=tuple(args.except_),
            on_error=OnError(args.on_error),
            parallel_builds=args.parallel_builds,
            force=args.force,
            timeout=args.timeout,
            retries=args.retries,
            retry_delay=args.retry_delay,
            lock_timeout=args.lock_timeout,
            secrets=read_secrets(args.secret),
            extra_env=read_environment(args.env_var),
        ),
        command=f"packer-hybrid build --env {args.env}",
    )
    monitor = ConsoleMonitor(quiet=args.quiet, verbose=args.verbose)
    try:
        report = pipeline.build(
            request,
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
