"""What a version stands on and what stands on it, as a graph: for people, as Mermaid, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .names import LATEST, Image, image_in

if TYPE_CHECKING:
    from typing import Any

    from .known import Known
    from .types import VersionRecord


@dataclass(frozen=True)
class Node:
    """One version of a lineage.

    Attributes:
        image: the image.
        version: its number.
        channels: what names it.
        revoked: why it is not to be used, where that is so.
        retired: whether its files are gone.
        behind: what its parent's channel names now, where that is newer than its parent.
    """

    image: Image
    version: int
    channels: tuple[str, ...] = ()
    revoked: str = ""
    retired: bool = False
    behind: str = ""

    @property
    def name(self) -> str:
        """As people write it."""
        return f"{self.image}@{self.version}"

    def to_dict(self) -> dict[str, Any]:
        """The same as data."""
        return {
            "image": str(self.image),
            "version": self.version,
            "channels": list(self.channels),
            "revoked": self.revoked or None,
            "retired": self.retired,
            "behind": self.behind or None,
        }


@dataclass(frozen=True)
class Lineage:
    """The versions that a version stands on and that stand on it.

    Attributes:
        root: the version that was asked for.
        nodes: all of them, the root among them.
        edges: from a version to one that stands on it; ``kind`` is ``parent`` or ``origin``.
    """

    root: Node
    nodes: tuple[Node, ...]
    edges: tuple[tuple[str, str, str], ...]

    def to_dict(self) -> dict[str, Any]:
        """The same as data."""
        return {
            "image": str(self.root.image),
            "version": self.root.version,
            "nodes": [one.to_dict() for one in self.nodes],
            "edges": [{"from": source, "to": target, "kind": kind} for source, target, kind in self.edges],
        }

    def text(self) -> str:
        """For people: a tree, from what stands on nothing down."""
        by_name = {one.name: one for one in self.nodes}
        below: dict[str, list[tuple[str, str]]] = {}
        for source, target, kind in self.edges:
            below.setdefault(source, []).append((target, kind))
        lines: list[str] = []

        def show(name: str, depth: int, kind: str) -> None:
            lines.append(f"{'  ' * depth}{_described(by_name[name], self.root, kind)}")
            for child, how in below.get(name, []):
                show(child, depth + 1, how)

        targets = {target for __, target, __ in self.edges}
        for one in self.nodes:
            if one.name not in targets:
                show(one.name, 0, "")
        return "\n".join(lines)

    def mermaid(self) -> str:
        """A flowchart in Mermaid. Source: its documentation, "Flowcharts - Basic Syntax"."""
        ids = {one.name: f"v{number}" for number, one in enumerate(self.nodes)}
        lines = ["flowchart TD"]
        for one in self.nodes:
            notes = [
                *one.channels,
                *(["revoked"] if one.revoked else []),
                *(["retired"] if one.retired else []),
            ]
            label = one.name + (f"<br>{', '.join(notes)}" if notes else "")
            lines.append(f'  {ids[one.name]}["{label}"]')
        for source, target, kind in self.edges:
            lines.append(f"  {ids[source]} {'-.->' if kind == 'origin' else '-->'} {ids[target]}")
        return "\n".join(lines)


def lineage(known: Known, image: Image, number: int) -> Lineage:
    """Follow a version up to what stands on nothing, and down to what nothing stands on.

    Args:
        known: what there is.
        image: the image.
        number: the version.

    Raises:
        ImagesError: there is no such version, or a record cannot be read.
    """
    edges: list[tuple[str, str, str]] = []
    nodes: dict[str, Node] = {}

    def visit(one: Image, version: int) -> str:
        node = node_of(known, one, version)
        nodes.setdefault(node.name, node)
        return node.name

    above = [(image, number)]
    while above:
        here, version = above.pop()
        name = visit(here, version)
        record = known.record(here, version)
        for kind, parent in (("parent", record["parent"]), ("origin", record["origin"])):
            if parent is None:
                continue
            other = image_in(parent)
            if not _is_known(known, other, parent["version"]):
                continue  # it was forgotten
            edge = (f"{other}@{parent['version']}", name, kind)
            if edge not in edges:
                edges.append(edge)
                above.append((other, parent["version"]))
    for child, version in known.descendants(image, number):
        name = visit(child, version)
        record = known.record(child, version)
        for kind, parent in (("parent", record["parent"]), ("origin", record["origin"])):
            source = f"{image_in(parent)}@{parent['version']}" if parent else ""
            if source in nodes and (source, name, kind) not in edges:
                edges.append((source, name, kind))
    root = node_of(known, image, number)
    return Lineage(root, tuple(nodes.values()), tuple(edges))


def node_of(known: Known, image: Image, number: int) -> Node:
    """What a lineage says of one version."""
    revoked = known.revoked(image, number)
    return Node(
        image,
        number,
        tuple(known.channels_of(image, number)),
        str(revoked) if revoked else "",
        not known.is_there(image, number),
        behind(known, known.record(image, number)),
    )


def behind(known: Known, record: VersionRecord) -> str:
    """The version that a parent's channel names now, where it is newer than the parent; else empty."""
    parent = record["parent"]
    if parent is None or not _is_known(known, image_in(parent), parent["version"]):
        return ""
    other = image_in(parent)
    name = parent["channel"] or LATEST
    if name != LATEST and name not in (known.entry(other).get("channels") or {}):
        return ""
    number = known.channel(other, name)
    return f"{other}@{number}" if number and number > parent["version"] else ""


def _is_known(known: Known, image: Image, number: int) -> bool:
    return known.has(image) and number <= known.newest(image)


def _described(node: Node, root: Node, kind: str) -> str:
    notes = []
    if node.name == root.name:
        notes.append("this one")
    if kind == "origin":
        notes.append("promoted")
    if node.channels:
        notes.append(", ".join(node.channels))
    if node.retired:
        notes.append("retired")
    if node.revoked:
        notes.append(node.revoked)
    if node.behind:
        notes.append(f"behind {node.behind}")
    return f"{node.name}  ({'; '.join(notes)})" if notes else node.name
