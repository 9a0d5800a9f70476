"""``packer-hybrid images contents``, ``diff``, ``verify`` and ``outdated``: what is in versions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import EXIT_DONE, EXIT_USER, UsageError
from .status import columns
from .streams import print_json

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from ..images.differences import Change, Difference
    from ..images.known import Known
    from ..images.names import Image, Reference
    from ..images.outdated import Freshness
    from ..workspace import Workspace


def add_verbs(verb: Callable[..., argparse.ArgumentParser]) -> None:
    """Add them to those of ``packer-hybrid images``.

    Args:
        verb: adds one, given its name, what it is for and what runs it.
    """
    one = verb("contents", "the packages of a version, or the versions that hold a package", run_contents)
    one.add_argument("image", metavar="IMAGE[@VERSION]")
    one.add_argument("--package", metavar="NAME", help="the versions that hold this package, or its source")
    one.add_argument("--cyclonedx", action="store_true", help="print the CycloneDX document")
    one = verb("diff", "what is different between two versions", run_diff)
    one.add_argument("image", metavar="IMAGE@VERSION")
    one.add_argument("other", metavar="IMAGE@VERSION|@VERSION")
    one = verb("verify", "check files, contents and signature of a version and its parents", run_verify)
    one.add_argument("image", metavar="IMAGE@VERSION")
    one = verb("outdated", "packages that have updates, by the mirrors of the images", run_outdated)
    one.add_argument("image", nargs="*", metavar="IMAGE[@VERSION]", help="without one: the latest of all")


def run_contents(args: argparse.Namespace, workspace: Workspace) -> int:
    """List the packages of a version, or the versions that hold one; returns the exit code."""
    from ..images import Known, packages, parse
    from ..images.showing import version_to_show

    known = Known.read(workspace)
    reference = parse(args.image)
    if args.package and args.cyclonedx:
        raise UsageError("--package and --cyclonedx exclude each other")
    if args.package:
        return _search(args, known, reference)
    image, number = reference.image, version_to_show(known, reference)
    if args.cyclonedx:
        print(packages.document_of(known, image, number).decode(), end="")
        return EXIT_DONE
    found = packages.read(known, image, number)
    if args.json:
        print_json(
            {
                "image": str(image),
                "version": number,
                "system": found.system,
                "release": found.release or None,
                "mirrors": list(found.mirrors),
                "packages": [one._asdict() for one in found.packages],
            }
        )
    else:
        from ..logs import escape

        print(
            escape(
                f"{image}@{number}: {len(found.packages)} packages, {found.system} {found.release}".rstrip()
            )
        )
        rows = [(one.name, one.version, one.architecture) for one in found.packages]
        print("\n".join(map(escape, columns(("PACKAGE", "VERSION", "ARCHITECTURE"), rows))))
    return EXIT_DONE


def _search(args: argparse.Namespace, known: Known, reference: Reference) -> int:
    """Say which versions hold a package."""
    from ..images import packages

    image = reference.image
    whole = not (reference.version or reference.channel)
    numbers = known.numbers(image) if whole else [known.resolve(reference)]
    found = packages.search(known, image, args.package, numbers)
    if args.json:
        unknown = [
            {"image": str(image), "version": number, "why": why} for image, number, why in found.unknown
        ]
        print_json({"found": [one.to_dict() for one in found.holdings], "unknown": unknown})
        return EXIT_DONE
    from ..logs import escape

    rows = [
        (f"{one.image}@{one.version}", one.package.name, one.package.version, one.package.architecture)
        for one in found.holdings
    ]
    lines = columns(("IMAGE", "PACKAGE", "VERSION", "ARCHITECTURE"), rows) if rows else []
    if not rows and len(found.unknown) < len(numbers):
        lines.append(f"{args.package} is in no version of {image} whose contents are known")
    lines += [f"{image}@{number}: {why}" for image, number, why in found.unknown]
    print("\n".join(map(escape, lines)))
    return EXIT_DONE


def run_diff(args: argparse.Namespace, workspace: Workspace) -> int:
    """Say what is different between two versions; returns the exit code."""
    from ..images import Known, parse
    from ..images.differences import compare

    known = Known.read(workspace)
    first = parse(args.image)
    second = parse(f"{first.image}{args.other}" if args.other.startswith("@") else args.other)
    found = compare(known, first.image, known.resolve(first), second.image, known.resolve(second))
    if args.json:
        print_json(found.to_dict())
    else:
        from ..logs import escape

        print("\n".join(map(escape, _lines(found))))
    return EXIT_DONE


def _lines(found: Difference) -> list[str]:
    lines = [f"{_name(found.image, found.before)} -> {_name(found.other, found.after)}"]
    if found.packages is None:
        lines.append(f"packages: not known: {found.unknown}")
    else:
        changes = found.packages
        for word, ones in (
            ("upgraded", changes.upgraded),
            ("downgraded", changes.downgraded),
            ("added", changes.added),
            ("removed", changes.removed),
        ):
            lines += _table(f"packages {word}", ones)
        if not any(vars(changes).values()):
            lines.append("packages: the same")
    short = [one._replace(before=_short(one.before), after=_short(one.after)) for one in found.inputs]
    lines += _table("inputs", short) if short else ["inputs: the same"]
    if found.sizes:
        lines.append("sizes:")
        lines += [f"  {one.name}  {_size(one.before)} -> {_size(one.after)}" for one in found.sizes]
    return lines


def _name(image: Image, number: int) -> str:
    return f"{image}@{number}"


def _table(title: str, changes: Sequence[Change]) -> list[str]:
    if not changes:
        return []
    width = max(len(one.name) for one in changes)
    rows = [f"  {one.name:<{width}}  {one.before or '-'} -> {one.after or '-'}" for one in changes]
    return [f"{title} ({len(changes)}):", *rows]


def _short(text: str) -> str:
    """A digest as people compare it; anything else as it is."""
    is_digest = len(text) in (40, 64) and not set(text) - set("0123456789abcdef")
    return text[:12] if is_digest else text


def _size(size: int | None) -> str:
    return "-" if size is None else f"{size / 1e6:.1f} MB"


def run_verify(args: argparse.Namespace, workspace: Workspace) -> int:
    """Verify a version; returns the exit code: 1 where something is wrong."""
    from ..images import Known, parse, proving
    from ..images.showing import version_to_show

    known = Known.read(workspace)
    reference = parse(args.image)
    found = proving.verify(known, reference.image, version_to_show(known, reference))
    if args.json:
        print_json(found.to_dict())
    else:
        from ..logs import escape

        for one in found.checks:
            word = "WRONG" if one.wrong else "-" if one.note else "ok"
            print(escape(f"{word:<6} {one.what}" + (f": {one.wrong or one.note}" if word != "ok" else "")))
        signed = "signed" if found.signed else "not signed"
        verdict = "nothing is wrong" if found.ok else "this is not what was built"
        print(f"{_name(found.image, found.version)}: {verdict}; {signed}")
    return EXIT_DONE if found.ok else EXIT_USER


def run_outdated(args: argparse.Namespace, workspace: Workspace) -> int:
    """Say which packages have updates; returns the exit code: 1 where that is not known of a version."""
    from ..images import Known, parse
    from ..images.mirrors import Mirrors
    from ..images.outdated import outdated
    from ..images.showing import version_to_show

    known = Known.read(workspace)
    references = [parse(text) for text in args.image]
    meant = [(one.image, version_to_show(known, one)) for one in references]
    if not references:
        latest = [(image, known.latest(image)) for image in known.images()]
        meant = [(image, number) for image, number in latest if number]
    mirrors = Mirrors(workspace)
    found = [outdated(known, image, number, mirrors) for image, number in meant]
    if args.json:
        print_json({"images": [one.to_dict() for one in found]})
    else:
        from ..logs import escape

        lines = [line for one in found for line in _updates(one)] or ["nothing was built yet"]
        print("\n".join(map(escape, lines)))
    return EXIT_USER if any(one.updates is None for one in found) else EXIT_DONE


def _updates(found: Freshness) -> list[str]:
    name = _name(found.image, found.version)
    if found.updates is None:
        return [f"{name}: not known: {found.unknown}"]
    if not found.updates:
        return [f"{name}: up to date"]
    security = sum(one.security for one in found.updates)
    rows = [
        (
            f"  {one.package}",
            one.installed,
            one.available,
            one.suite,
            "security" if one.security else "",
        )
        for one in found.updates
    ]
    title = f"{name}: {len(found.updates)} packages have updates, {security} of them for security"
    return [title, *columns(("  PACKAGE", "INSTALLED", "AVAILABLE", "SUITE", ""), rows)]
