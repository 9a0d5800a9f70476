"""``packer-hybrid adopt``: the entries that make a workspace of a repository that people have."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import EXIT_DONE, EXIT_WOULD_CHANGE, PackerError, TemplatesError, WorkspaceError
from ..settings import SETTINGS_FILE, parse_settings
from ..workspace import ENVIRONMENT_VARIABLE, Workspace, find, open_workspace, read_plain
from .streams import complain, print_json

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ..errors import Fault
    from ..templates.adopting import Adoption, Entry


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line.

    Args:
        commands: where subcommands are added.
    """
    text = "propose entries of packer-hybrid.toml for the templates and files of values of a repository"
    parser = commands.add_parser("adopt", help=text, description=text[0].upper() + text[1:] + ".")
    parser.add_argument("path", nargs="?", metavar="PATH", help="only what lies below this folder")
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--write", action="store_true", help=f"append the entries to {SETTINGS_FILE}; what is there stays"
    )
    what.add_argument(
        "--check", action="store_true", help="only say what is new or has vanished; exit code 5 if anything"
    )
    parser.set_defaults(run=run, open=open_or_begin)


def open_or_begin(args: argparse.Namespace) -> Workspace:
    """The workspace, or, where there is none yet, one that begins in the repository's folder.

    Args:
        args: ``workspace`` and ``path``.

    Returns:
        The workspace; its settings file may not be there yet.

    Raises:
        WorkspaceError: the folder is not there, or the settings are not right.
    """
    here = Path(os.path.realpath(args.path or "."))
    named = args.workspace or os.environ.get(ENVIRONMENT_VARIABLE)
    if not here.is_dir():
        raise WorkspaceError(f"{args.path} is no folder", hint="name the folder of a repository")
    if named:
        root = Path(os.path.realpath(Path(named).expanduser()))
        return (
            open_workspace(root) if (root / SETTINGS_FILE).exists() or not root.is_dir() else Workspace(root)
        )
    try:
        return find(here)
    except WorkspaceError:
        if any((folder / SETTINGS_FILE).exists() for folder in (here, *here.parents)):
            raise
    current = Path(os.path.realpath("."))
    return Workspace(current if here.is_relative_to(current) else here)


def run(args: argparse.Namespace, workspace: Workspace) -> int:
    """Propose entries, and print, write or compare them; returns the exit code."""
    from ..packer.info import packer_has
    from ..templates.adopting import propose
    from ..templates.survey import known_images, shown, survey

    folder = Path(os.path.realpath(args.path)) if args.path else workspace.root
    if not workspace.holds(folder):
        raise WorkspaceError(f"{args.path} does not lie in the workspace {workspace.root}")
    try:
        packer = packer_has(workspace)
    except PackerError as error:
        complain(f"packer-hybrid: what Packer can build is not said: {error}")
        packer = None
    found = survey(folder, workspace)
    known, vanished = known_images(found, workspace)
    adoption = propose(found, known, packer, taken=workspace.settings.images)
    if not adoption.entries and not known and not vanished:
        raise TemplatesError(
            f"no template in {folder}",
            faults=adoption.faults,
            hint=f"there is: {shown(folder)}; templates are *.pkr.hcl and *.pkr.json files",
        )
    file = workspace.root / SETTINGS_FILE
    begins = not file.exists()
    if args.write and (adoption.entries or begins):
        from .. import logs

        with logs.recorded("cli", "adopt", workspace=workspace) as say:
            _write(file, adoption.entries)
            say(f"{len(adoption.entries)} entries appended to {SETTINGS_FILE}")
    if args.json:
        print_json(_data(adoption, vanished, workspace, written=args.write))
    elif args.check or args.write:
        word = "written" if args.write else "new"
        for entry in adoption.entries:
            print("".join(f"{word}: {image}\n" for image in entry.images), end="")
        print("".join(f"vanished: {fault}\n" for fault in vanished), end="")
        for fault in adoption.faults:
            complain(f"packer-hybrid: not proposed: {fault}")
        if not adoption.entries and not vanished:
            print("nothing is new")
    else:
        print(_proposal(adoption, vanished), end="")
        if begins:
            complain(f"packer-hybrid: {file} is to be created; --write does it")
    changes = bool(adoption.entries or vanished)
    return EXIT_WOULD_CHANGE if args.check and changes else EXIT_DONE


def _proposal(adoption: Adoption, vanished: Sequence[Fault]) -> str:
    """All that is proposed, as TOML with comments."""
    lines = [_comment(f"not proposed: {fault}") for fault in adoption.faults]
    lines += [_comment(f"vanished: {fault}") for fault in vanished]
    if not adoption.entries:
        lines.append("# nothing is new\n")
    return "\n".join(filter(None, ("".join(lines), *map(_table, adoption.entries))))


def _table(entry: Entry) -> str:
    from ..image_settings import to_toml

    return "".join(map(_comment, entry.notes)) + to_toml(entry.setting)


def _comment(text: str) -> str:
    from ..logs import escape

    return f"# {escape(text)}\n"


def _write(file: Path, entries: Sequence[Entry]) -> None:
    """Append entries to the settings.

    Raises:
        WorkspaceError: the settings would not be right with them; nothing is written.
    """
    from .. import atomic

    old = read_plain(file).decode("utf-8") if file.exists() else ""
    gap = "" if not old else "\n" if old.endswith("\n") else "\n\n"
    new = old + gap + "\n".join(map(_table, entries))
    parse_settings(new, filename=str(file))
    atomic.replace(Path(os.path.realpath(file)), new.encode(), durable=True)


def _data(
    adoption: Adoption, vanished: Sequence[Fault], workspace: Workspace, *, written: bool
) -> dict[str, Any]:
    return {
        "workspace": str(workspace.root),
        "written": written,
        "images": [
            {
                "entry": entry.setting.target,
                "targets": list(entry.images),
                "template": entry.setting.template,
                "only": list(entry.setting.only),
                "cwd": entry.setting.cwd,
                "var_files": list(entry.setting.var_files),
                "each": list(entry.setting.each),
                "notes": list(entry.notes),
            }
            for entry in adoption.entries
        ],
        "not_proposed": [fault.to_dict() for fault in adoption.faults],
        "vanished": [fault.to_dict() for fault in vanished],
    }
