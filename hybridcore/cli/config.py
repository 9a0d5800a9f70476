"""``packer-hybrid config``: render, check and explain the configuration of targets."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING

from ..provisioners import stacks
from .streams import complain, print_json

if TYPE_CHECKING:
    from typing import Any

    from ..packer.options import BuildOptions
    from ..pipeline import Request
    from ..workspace import Workspace

_BOOLS = ("true", "false")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add ``config render``, ``config check`` and ``config explain`` to the command line.

    Args:
        commands: where subcommands are added.
    """
    config = commands.add_parser("config", help="render, check and explain the configuration of targets")
    actions = config.add_subparsers(metavar="ACTION", required=True, dest="action")
    helps = {
        "render": "write configs/<env>/<target>.pkrvars.hcl",
        "check": "write nothing; exit code 5 when a file would change",
        "explain": "say where the value of each variable comes from",
    }
    for name, text in helps.items():
        parser = actions.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".")
        add_request(parser)
        if name != "explain":
            parser.add_argument("--diff", action="store_true", help="show what changes in each file")
        parser.set_defaults(run=run, changes="config render" if name == "render" else "")


def add_request(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say what is wanted of which targets: for ``config`` and ``build`` alike."""
    parser.add_argument("--env", required=True, metavar="ENV", help="the environment, as in dev")
    parser.add_argument(
        "targets", nargs="*", metavar="TARGET", help="<os>/<platform>/<name>; all targets by default"
    )
    parser.add_argument(
        "--var",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help='a value as HCL, as in cpus=2, name="web" or tags={a=1}; a plain word is a string',
    )
    for stack in stacks.STACKS:
        parser.add_argument(
            f"--{stack.name}",
            dest=stack.variable,
            action=argparse.BooleanOptionalAction,
            default=stack.on,
            help=f"whether the provisioner {stack.title} runs (default: {'on' if stack.on else 'off'})",
        )


def request(
    args: argparse.Namespace, *, options: BuildOptions | None = None, command: str = "build"
) -> Request:
    """The request to the core.

    Args:
        args: what ``add_request`` adds.
        options: how to build; the defaults when not given.
        command: what is being done, for the state and for those who wait.

    Raises:
        ConfigError: a ``--var`` is not NAME=VALUE, or its value is not HCL.
    """
    from .. import pipeline
    from ..packer.options import BuildOptions

    return pipeline.Request(
        env=args.env,
        targets=args.targets,
        vars=parse_vars(args.var),
        provisioners={stack.name: getattr(args, stack.variable) for stack in stacks.STACKS},
        options=options or BuildOptions(),
        command=command,
    )


def run(args: argparse.Namespace, workspace: Workspace) -> int:
    """Render, check or explain, and print the outcome.

    Args:
        args: ``action``, ``env``, ``targets``, ``var``, ``enable_*``, ``diff`` and ``json``.
        workspace: the workspace.

    Returns:
        The exit code.
    """
    from .. import pipeline
    from ..errors import EXIT_DONE, EXIT_WOULD_CHANGE

    wanted = request(args)
    if args.action == "explain":
        return _explain(args, pipeline.explain(wanted, workspace))
    result = pipeline.render(wanted, workspace, write=args.action == "render")
    if args.json:
        print_json(_public(result, diff=args.diff))
    else:
        _print_files(result, check=args.action == "check", diff=args.diff)
    changed = any(file["changed"] for file in result["files"])
    return EXIT_WOULD_CHANGE if changed and args.action == "check" else EXIT_DONE


def parse_vars(given: list[str]) -> dict[str, Any]:
    """The values of ``--var``: HCL constants, or else plain text as ``packer build -var`` takes it."""
    from .. import hcl
    from ..errors import ConfigError, HclError

    values: dict[str, Any] = {}
    for text in given:
        name, equals, source = text.partition("=")
        if not equals or not re.fullmatch(r"[^\W\d][\w-]*", name):
            raise ConfigError(f"--var {name}: NAME=VALUE was expected", hint="as in --var cpus=2")
        value: Any = source.strip()
        try:
            attribute = hcl.loads(f"value = {source}\n").attributes["value"]
        except HclError as error:
            if source.lstrip()[:1] in tuple('"[{'):
                raise ConfigError(
                    f"--var {name}: the value is not HCL: {error.message}", hint="mind the shell's quotes"
                ) from None
        else:
            # A number stays text, so that 12.10 for a string variable is not 12.1; it is converted later.
            if attribute.constant and (not isinstance(attribute.value, int | float) or value in _BOOLS):
                value = attribute.value
        values[name] = value
    return values


def _public(result: dict[str, Any], *, diff: bool) -> dict[str, Any]:
    texts = () if diff else ("before", "after")
    files = [{key: value for key, value in file.items() if key not in texts} for file in result["files"]]
    return {"files": files, "warnings": result["warnings"]}


def _print_files(result: dict[str, Any], *, check: bool, diff: bool) -> None:
    import difflib
    import sys

    for warning in result["warnings"]:
        complain(f"packer-hybrid: warning: {warning}")
    for file in result["files"]:
        word = ("would change" if check else "changed") if file["changed"] else "unchanged"
        print(f"{word:12} {file['path']}")
        for name in file["sensitive"]:
            print(f"{'':12} {name}: sensitive, give it as a secret")
        for name in file["unchecked"]:
            print(f"{'':12} {name}: its validation is left to packer validate")
        if diff and file["changed"]:
            lines = difflib.unified_diff(
                file["before"].splitlines(keepends=True),
                file["after"].splitlines(keepends=True),
                "before",
                "after",
            )
            sys.stdout.writelines(lines)


def _explain(args: argparse.Namespace, explained: dict[str, Any]) -> int:
    from ..errors import EXIT_DONE

    if args.json:
        print_json(explained)
        return EXIT_DONE
    for target in explained["targets"]:
        print(f"{target['target']} in {args.env}")
        for variable in target["variables"]:
            print(f"  {variable['name']} ({variable['type']}): {variable['value']}")
            for layer in variable["layers"]:
                mark = "*" if layer["used"] else " "
                print(f"    {mark} {layer['origin']}: {layer['value']}")
    return EXIT_DONE
