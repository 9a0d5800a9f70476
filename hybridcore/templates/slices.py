"""The part of a template that one image uses: its source, its builds, and what these name, transitively."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from ..hcl import HclError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path
    from typing import TypeAlias

    from ..hcl import Attribute, Block, Body
    from .selection import Build

    Parts: TypeAlias = "dict[str, tuple[Path, Block, Attribute | None]]"


class Slice:
    """What one image uses of a template.

    Args:
        bodies: all files with what they say.
        chosen: the builds that run.

    Attributes:
        parts: file, block and, of ``locals``, the one attribute, by a name that people know:
            ``source.qemu.web``, ``build 1``, ``variable.cpus``, ``local.tags``, ``data.x.y``.
    """

    def __init__(self, bodies: Sequence[tuple[Path, Body]], chosen: Sequence[Build]) -> None:
        known = dict(named(bodies))
        numbers = {
            id(block): number
            for number, block in enumerate(
                (block for __, body in bodies for block in body.blocks if block.type == "build"), 1
            )
        }
        self.parts: Parts = {}
        todo = [f"source.{'.'.join(one.source.labels)}" for one in chosen]
        for one in chosen:
            self.parts[f"build {numbers[id(one.block)]}"] = one.file, one.block, None
            todo += _names(one.block, None)
        while todo:
            name = todo.pop()
            if name.count(".") == 1 and name.startswith("data."):
                todo += [one for one in known if one.startswith(f"{name}.")]
            if name in known and name not in self.parts:
                self.parts[name] = known[name]
                __, block, attribute = known[name]
                todo += _names(block, attribute)

    @classmethod
    def whole(cls, bodies: Sequence[tuple[Path, Body]]) -> Slice:
        """All of a template, which is what Packer evaluates, whatever is selected."""
        made = cls(bodies, ())
        blocks = [(path, block) for path, body in bodies for block in body.blocks]
        made.parts = {
            **dict(named(bodies)),
            **{f"{block.type} {number}": (path, block, None) for number, (path, block) in enumerate(blocks)},
        }
        return made

    def attributes(self) -> Iterator[tuple[Path, Block, Body, Attribute]]:
        """Every attribute, with its file, the block at the top level, and the body that holds it."""
        for path, block, attribute in self.parts.values():
            if attribute is not None:
                yield path, block, block.body, attribute
            else:
                for owner, inner in block.body.walk():
                    yield path, block, owner, inner

    def digests(self) -> Mapping[str, str]:
        """Hex sha256 of the text of each part, by its name, sorted."""
        return {
            name: hashlib.sha256((block.text if one is None else one.expression).encode()).hexdigest()
            for name, (__, block, one) in sorted(self.parts.items())
        }


def named(bodies: Sequence[tuple[Path, Body]]) -> Iterator[tuple[str, tuple[Path, Block, Attribute | None]]]:
    """What expressions and builds can name, each with its place; what is declared twice comes twice.

    Args:
        bodies: files with what they say.

    Returns:
        Names and parts as ``Slice.parts`` has them.
    """
    for path, body in bodies:
        for block in body.blocks:
            labels = ".".join(block.labels)
            if block.type in ("locals", "variables"):
                for attribute in block.body.attributes.values():
                    kind = "local" if block.type == "locals" else "variable"
                    yield f"{kind}.{attribute.name}", (path, block, attribute)
            elif block.type in ("variable", "local", "source", "data"):
                yield f"{block.type}.{labels}", (path, block, None)


def _names(block: Block, attribute: Attribute | None) -> list[str]:
    """The names of ``named`` that a part uses."""
    found = []
    attributes = [attribute] if attribute is not None else [one for __, one in block.body.walk()]
    for one in attributes:
        try:
            names = one.references
        except HclError:
            continue
        for name in names:
            root, __, rest = name.partition(".")
            if root in ("var", "local"):
                found.append(f"{'variable' if root == 'var' else root}.{rest}")
            elif root == "data":
                # The type alone is known here: all data sources of that type are taken.
                found.append(name)
    return found
