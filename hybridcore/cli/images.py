"""``packer-hybrid images``: versions, channels, revocation, lineage and retention of what was built."""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import EXIT_DONE, EXIT_WOULD_CHANGE, ImagesError, UsageError
from ..workspace import Workspace
from . import contents
from .status import age, columns, duration
from .streams import print_json

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..images.changing import Change
    from ..images.retiring import Retirement

FORMS = ("json", "pkrvars", "tfvars", "vagrant")
_IMAGE = "IMAGE"
_VERSION = "IMAGE@VERSION"


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "images",
        help="versions, channels, revocation and retention of what was built",
        description="Versions, channels, revocation, lineage and retention of what was built. An image is "
        "written ENVIRONMENT:OS/PLATFORM/NAME, a version of it with @ and a number or a channel behind it.",
    )
    actions = parser.add_subparsers(metavar="ACTION", required=True)

    def verb(
        name: str, text: str, run: Callable[[argparse.Namespace, Workspace], int], *, changes: bool = False
    ) -> argparse.ArgumentParser:
        found: argparse.ArgumentParser = actions.add_parser(name, help=text, description=text)
        found.add_argument(
            "--json", action="store_true", default=argparse.SUPPRESS, help="print one JSON object"
        )
        found.set_defaults(run=run)
        if changes:
            found.set_defaults(changes=f"images {name}")
            found.add_argument("--check", action="store_true", help="only say what would be changed")
        return found

    one = verb("list", "images and their channels; of one that is named, its versions", run_list)
    one.add_argument("image", nargs="*", metavar=_IMAGE)
    one = verb("show", "all that is known of a version", run_show)
    one.add_argument("image", metavar=_VERSION)
    one = verb(
        "promote", "have a channel name a version, or bring it to an environment", run_promote, changes=True
    )
    one.add_argument("image", metavar=_VERSION)
    one.add_argument("place", metavar="CHANNEL|ENV:|ENV:CHANNEL")
    _reason(one)
    one = verb("rollback", "have a channel name what it named before", run_rollback, changes=True)
    one.add_argument("image", metavar="IMAGE@CHANNEL")
    one.add_argument("channel", nargs="?", metavar="CHANNEL")
    _reason(one)
    one = verb(
        "revoke", "say that a version is not to be used, and what stands on it", run_revoke, changes=True
    )
    one.add_argument("image", metavar=_VERSION)
    one.add_argument("--reason", required=True, metavar="TEXT", help="why")
    when = one.add_mutually_exclusive_group()
    when.add_argument("--at", metavar="TIME", help="from this time on, as in 2026-11-22T05:25:08Z")
    when.add_argument("--in", dest="within", metavar="AGE", help="from then on, as in 7d or 12h")
    one.add_argument("--only-this", action="store_true", help="what stands on it can be used")
    one = verb("restore", "take a revocation back; no channel moves", run_restore, changes=True)
    one.add_argument("image", metavar=_VERSION)
    _reason(one)
    one = verb("lineage", "what a version stands on, and what stands on it", run_lineage)
    one.add_argument("image", metavar=_VERSION)
    one.add_argument("--mermaid", action="store_true", help="as a diagram")
    contents.add_verbs(verb)
    one = verb("find", "which version an id, a path or a sha256 is", run_find)
    one.add_argument("text", metavar="ID|PATH|SHA256")
    one = verb("label", "set labels of a version", run_label, changes=True)
    one.add_argument("image", metavar=_VERSION)
    one.add_argument("labels", nargs="*", metavar="NAME=VALUE")
    one.add_argument("--remove", action="append", default=[], metavar="NAME", help="remove this label")
    one = verb("hold", "never retire a version", run_hold, changes=True)
    one.add_argument("image", metavar=_VERSION)
    one.add_argument("--release", action="store_true", help="do not hold it any more")
    _reason(one)
    one = verb("retire", "remove the versions that no rule keeps", run_retire, changes=True)
    one.add_argument("image", nargs="*", metavar=f"{_IMAGE}|{_VERSION}", help="these alone")
    one.add_argument("--dry-run", action="store_true", help="say for each version why it stays or goes")
    one.add_argument("--removed", action="store_true", help="what lay on platforms was removed there")
    _reason(one)
    one = verb("forget", "forget an image whose target is no more", run_forget, changes=True)
    one.add_argument(
        "image", nargs="*", metavar=_IMAGE, help="without one: list those that could be forgotten"
    )
    one = verb("export", "a version in the form of another program", run_export)
    one.add_argument("image", metavar=_VERSION)
    one.add_argument("--format", choices=FORMS, default="json", help="json when not given")
    one.add_argument("--output", metavar="FILE", help="write it there")


def _reason(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--reason", default="", metavar="TEXT", help="why, for the history")


def run_list(args: argparse.Namespace, workspace: Workspace) -> int:
    """List images, or the versions of those that are named; returns the exit code."""
    from ..images import Known, parse
    from ..images.showing import listed

    found = listed(Known.read(workspace), [parse(text).image for text in args.image])
    if args.json:
        print_json({"images": found})
    elif args.image:
        print("\n\n".join(map(_versions, found)))
    else:
        print(_images(found))
    return EXIT_DONE


def _images(found: Sequence[dict[str, Any]]) -> str:
    rows = [
        (
            one["image"],
            str(one["channels"]["latest"] or "-"),
            ", ".join(
                f"{name}={number or '-'}" for name, number in one["channels"].items() if name != "latest"
            ),
            str(len(one["versions"])),
        )
        for one in found
    ]
    if not rows:
        return "nothing was built yet"
    return "\n".join(columns(("IMAGE", "LATEST", "CHANNELS", "VERSIONS"), rows))


def _versions(one: dict[str, Any]) -> str:
    from ..logs import escape

    rows = [
        (
            str(line["version"]),
            duration(age(line["built_at"], time.time())),
            ", ".join(line["channels"]) or "-",
            escape(_notes(line)) or "-",
        )
        for line in one["versions"]
    ]
    lines = [one["image"], *columns(("VERSION", "AGE", "CHANNELS", "NOTES"), rows)]
    for name, history in one["history"].items():
        for assignment in reversed(history):
            number = assignment.get("version") or "none"
            why = f": {assignment['reason']}" if assignment.get("reason") else ""
            how = assignment["how"].replace("_", " ")
            lines.append(
                escape(f"{name}: {how} to {number} at {assignment['at']} by {assignment.get('by')}{why}")
            )
    return "\n".join(lines)


def _notes(line: dict[str, Any]) -> str:
    notes = [line["problem"]] if line["problem"] else []
    if line["complete"] is False:
        notes.append("incomplete")
    if line["revoked"]:
        source = line["revoked"]["inherited_from"]
        notes.append(f"revoked{f' with {source}' if source else ''}: {line['revoked']['reason']}")
    if line["held"]:
        notes.append(f"held: {line['held']}")
    if line["behind"]:
        notes.append(f"behind {line['behind']}")
    return "; ".join([*notes, *(f"{name}={value}" for name, value in (line["labels"] or {}).items())])


def run_show(args: argparse.Namespace, workspace: Workspace) -> int:
    """Show a version; returns the exit code."""
    from ..images import Known, parse
    from ..images.showing import shown, version_to_show

    known = Known.read(workspace)
    reference = parse(args.image)
    found = shown(known, reference.image, version_to_show(known, reference))
    if args.json:
        print_json(found)
    else:
        print(_shown(found))
    return EXIT_DONE


_SHOWN = (
    "channels",
    "complete",
    "revoked",
    "revocation_announced",
    "retired",
    "held",
    "labels",
    "path",
    "checksum",
    "id",
    "parent",
    "behind",
    "origin",
    "run",
    "built_at",
    "packer",
    "plugins",
    "sources",
    "fingerprint",
    "log_path",
    "checks",
)


def _shown(found: dict[str, Any]) -> str:
    from ..logs import escape

    lines = [f"{found['image']}@{found['version']}"]
    for name in _SHOWN:
        value = found[name]
        if value in (None, "", [], {}, False):
            continue
        if name in ("parent", "origin"):
            value = f"{value['image']}@{value['version']}"
        elif name.startswith("revo"):
            source = f" with {value['inherited_from']}" if value["inherited_from"] else ""
            value = f"{value['reason']} (from {value['at']} on, by {value['by']}{source})"
        elif isinstance(value, list):
            value = ", ".join(value)
        elif isinstance(value, dict):
            value = ", ".join(f"{key}={text}" for key, text in value.items())
        lines.append(escape(f"  {name.replace('_', ' '):<21} {value}"))
    return "\n".join(lines)


def run_promote(args: argparse.Namespace, workspace: Workspace) -> int:
    """Promote a version; returns the exit code."""
    from ..images import parse, parse_place, promote

    place = parse_place(args.place)
    change = promote(parse(args.image), place, workspace=workspace, reason=args.reason, check=args.check)
    return _tell(change, args)


def run_rollback(args: argparse.Namespace, workspace: Workspace) -> int:
    """Roll a channel back; returns the exit code."""
    from ..images import parse, rollback

    reference = parse(args.image)
    if reference.version or bool(reference.channel) == bool(args.channel):
        raise UsageError("rollback wants an image and one channel", hint="as in dev:linux/qemu/web@stable")
    channel = reference.channel or args.channel
    change = rollback(reference.image, channel, workspace=workspace, reason=args.reason, check=args.check)
    return _tell(change, args)


def run_revoke(args: argparse.Namespace, workspace: Workspace) -> int:
    """Revoke a version; returns the exit code."""
    from ..images import parse, revoke
    from ..images.moments import moment

    at = moment(at=args.at or "", within=args.within or "")
    change = revoke(
        parse(args.image),
        workspace=workspace,
        reason=args.reason,
        at=at,
        only_this=args.only_this,
        check=args.check,
    )
    return _tell(change, args)


def run_restore(args: argparse.Namespace, workspace: Workspace) -> int:
    """Restore a version; returns the exit code."""
    from ..images import parse, restore

    return _tell(restore(parse(args.image), workspace=workspace, reason=args.reason, check=args.check), args)


def run_label(args: argparse.Namespace, workspace: Workspace) -> int:
    """Set and remove labels; returns the exit code."""
    from ..images import label, parse

    labels = {}
    for text in args.labels:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UsageError(f"{text!r} is no label", hint="NAME=VALUE; --remove NAME removes one")
        labels[name] = value
    if not labels and not args.remove:
        raise UsageError(
            "there is no label to set or to remove", hint="NAME=VALUE; --remove NAME removes one"
        )
    change = label(
        parse(args.image), workspace=workspace, labels=labels, removed=args.remove, check=args.check
    )
    return _tell(change, args)


def run_hold(args: argparse.Namespace, workspace: Workspace) -> int:
    """Hold a version, or let it go; returns the exit code."""
    from ..images import hold, parse

    change = hold(
        parse(args.image), workspace=workspace, reason=args.reason, release=args.release, check=args.check
    )
    return _tell(change, args)


def _tell(change: Change, args: argparse.Namespace) -> int:
    """Say what was changed; returns the exit code."""
    from ..logs import escape

    if args.json:
        print_json(change.to_dict())
    else:
        lines = [change.said, *(str(one) for one in change.moved if str(one) not in change.said)]
        print("\n".join(escape(f"would be changed: {line}" if args.check else line) for line in lines))
    return EXIT_WOULD_CHANGE if args.check and change.changed else EXIT_DONE


def run_lineage(args: argparse.Namespace, workspace: Workspace) -> int:
    """Show what a version stands on and what stands on it; returns the exit code."""
    from ..images import Known, parse
    from ..images.lineage import lineage
    from ..images.showing import version_to_show

    known = Known.read(workspace)
    reference = parse(args.image)
    found = lineage(known, reference.image, version_to_show(known, reference))
    if args.json:
        print_json(found.to_dict())
    else:
        print(found.mermaid() if args.mermaid else found.text())
    return EXIT_DONE


def run_find(args: argparse.Namespace, workspace: Workspace) -> int:
    """Find the versions that something is a part of; returns the exit code."""
    from ..images import Known
    from ..images.finding import find

    found = find(Known.read(workspace), args.text, here=Path.cwd())
    if not found:
        hint = "an id, the path of a file, or a sha256"
        raise ImagesError(f"no version is known with {args.text!r}", hint=hint)
    if args.json:
        print_json({"found": [one.to_dict() for one in found]})
    else:
        from ..logs import escape

        for one in found:
            notes = [f"by {one.what}", "retired" if one.retired else "", one.revoked]
            print(escape(f"{one.image}@{one.version}  ({'; '.join(filter(None, notes))})"))
    return EXIT_DONE


def run_retire(args: argparse.Namespace, workspace: Workspace) -> int:
    """Retire versions, or say which would be; returns the exit code."""
    from ..images import Known, parse, retire

    references = [parse(text) for text in args.image]
    single = [one for one in references if one.version or one.channel]
    if single and len(references) > 1:
        raise UsageError("one version is retired at a time", hint="or name images without versions")
    number = Known.read(workspace).resolve(single[0]) if single else 0
    dry_run = args.dry_run or args.check
    found = retire(
        [one.image for one in references],
        workspace=workspace,
        version=number,
        dry_run=dry_run,
        removed=args.removed,
        reason=args.reason,
    )
    if args.json:
        retired = any(not one.stays if dry_run else one.retired for one in found)
        print_json({"changed": retired, "versions": [one.to_dict() for one in found]})
    else:
        print("\n".join(_retired(one, dry_run=dry_run) for one in found) or "there are no versions")
    return EXIT_WOULD_CHANGE if args.check and any(not one.stays for one in found) else EXIT_DONE


def _retired(one: Retirement, *, dry_run: bool) -> str:
    from ..logs import escape

    if one.stays:
        word = "stays"
    elif one.platform and not one.retired:
        word = f"goes, but lies on {one.platform}: remove it there, then say --removed"
    else:
        word = "goes" if dry_run else "retired"
    return escape(f"{one.image}@{one.version} {word}: {one.reason}")


def run_forget(args: argparse.Namespace, workspace: Workspace) -> int:
    """Forget images whose targets are no more, or list them; returns the exit code."""
    from ..images import forget, parse
    from ..images.forgetting import orphans

    if not args.image:
        found = [str(one) for one in orphans(workspace)]
        if args.json:
            print_json({"changed": False, "could_be_forgotten": found})
        else:
            print("\n".join(found) or "every image has its target")
        return EXIT_DONE
    removed = {}
    for text in args.image:
        image = parse(text).image
        removed[str(image)] = forget(image, workspace=workspace, check=args.check)
    if args.json:
        print_json({"changed": True, "removed": removed})
    else:
        for name, paths in removed.items():
            print(f"{name}: {'would be forgotten' if args.check else 'forgotten'}: {', '.join(paths)}")
    return EXIT_WOULD_CHANGE if args.check else EXIT_DONE


def run_export(args: argparse.Namespace, workspace: Workspace) -> int:
    """Write a version in the form of another program; returns the exit code."""
    from ..images import Known, parse
    from ..images.exports import export
    from ..images.lookup import look_up

    known = Known.read(workspace)
    reference = parse(args.image)
    found = look_up(reference, workspace=workspace, known=known)
    text = export(known, found.image, found.version, args.format)
    if args.output:
        from .. import atomic

        atomic.replace(Path(os.path.abspath(args.output)), text.encode())
    if args.json:
        print_json({"image": str(found.image), "version": found.version, "format": args.format, "text": text})
    elif not args.output:
        print(text, end="")
    return EXIT_DONE
