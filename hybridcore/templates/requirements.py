"""What a template requires of Packer, and what of it a given Packer lacks."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from pathlib import Path

    from ..hcl import Body

_CONSTRAINT = re.compile(r"\s*(>=|<=|!=|~>|>|<|=|)\s*v?(\d+(?:\.\d+)*)\s*").fullmatch


@dataclass(frozen=True)
class PackerHas:
    """What a Packer and its plugins have.

    Attributes:
        version: its version.
        builders: the builders that it knows, those of its plugins among them.
        plugins: the versions of the plugins that lie beside it, by source address.
        reads_requirements: whether it reads ``required_plugins``.
    """

    version: str
    builders: Collection[str] = field(default=())
    plugins: Mapping[str, Collection[str]] = field(default_factory=dict)
    reads_requirements: bool = True


def required_plugins(bodies: Iterable[tuple[Path, Body]]) -> Iterator[tuple[str, str]]:
    """The plugins that a template requires: source address, ``github.com/hashicorp/qemu``, and constraint."""
    for __, body in bodies:
        for block in body.blocks:
            for inner in block.body.blocks if block.type == "packer" else ():
                if inner.type == "required_plugins":
                    for attribute in inner.body.attributes.values():
                        value = attribute.value if attribute.constant else None
                        source = value.get("source") if isinstance(value, dict) else None
                        if isinstance(value, dict) and isinstance(source, str):
                            yield source, str(value.get("version", ""))


def lacks(bodies: Iterable[tuple[Path, Body]], source_type: str, packer: PackerHas) -> list[str]:
    """Why a template cannot work with a Packer.

    Args:
        bodies: its files with what they say.
        source_type: the builder of the image.
        packer: what there is.

    Returns:
        A sentence for each reason.
    """
    found = []
    bodies = list(bodies)
    for __, body in bodies:
        for block in body.blocks:
            wanted = block.body.attributes.get("required_version") if block.type == "packer" else None
            text = wanted.value if wanted is not None and wanted.constant else None
            if isinstance(text, str) and not allows(text, packer.version):
                found.append(f"it wants Packer {text}, and there is {packer.version}")
    plugins = set(required_plugins(bodies)) if packer.reads_requirements else set()
    missing = []
    for source, constraint in sorted(plugins):
        there = packer.plugins.get(source, ())
        if not any(allows(constraint, version) for version in there):
            have = f", only {', '.join(there)}" if there else ""
            missing.append(f"the plugin {source} {constraint} is not installed{have}: packer-hybrid init")
    found += missing
    if source_type not in packer.builders and not missing:
        found.append(f"Packer {packer.version} has no builder {source_type!r}, and no plugin brings it")
    return found


def allows(constraint: str, version: str) -> bool:
    """Whether a constraint such as ``>= 1.7, < 2.0`` allows a version; one that is not understood does.

    The rules are those of hashicorp/go-version, ``constraint.go``.
    """
    have = _numbers(version)
    for text in constraint.split(","):
        match = _CONSTRAINT(text)
        if not match:
            continue
        sign, wanted = match[1] or "=", _numbers(match[2])
        if sign == "~>":
            upper = [int(part) for part in match[2].split(".")][:-1] or [have[0]]
            held = have >= wanted and have[: len(upper)] == tuple(upper)
        else:
            held = {
                ">=": have >= wanted,
                "<=": have <= wanted,
                ">": have > wanted,
                "<": have < wanted,
                "=": have == wanted,
                "!=": have != wanted,
            }[sign]
        if not held:
            return False
    return True


def _numbers(version: str) -> tuple[int, ...]:
    numbers = [int(part) for part in re.findall(r"\d+", version.partition("-")[0])]
    return tuple([*numbers, 0, 0, 0][: max(3, len(numbers))])
