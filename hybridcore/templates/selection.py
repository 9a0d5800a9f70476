"""Which builds a template has, and which of them ``only`` means.

Packer names a build ``[build's name.]type.name`` and takes globs over that name (``-only``), after everything
was parsed; source: hcl2template/types.packer_config.go. A ``source`` block within a build can have a ``name``
of its own, so that one source is used several times (types.source.go). Where nothing matches, Packer 1.6 ends
with exit code 0.
"""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import Fault
from ..hcl import HclError, NotEvaluable, evaluate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from ..hcl import Attribute, Block, Body
    from ..image_settings import ImageSetting
    from ..workspace import Workspace


@dataclass(frozen=True)
class Build:
    """One build of a template: a source within a ``build`` block.

    Attributes:
        name: as Packer names it, ``[build's name.]type.name``.
        block: the ``build`` block.
        file: its file.
        source: the ``source`` block at the top level.
        source_file: the file of that.
        override: the ``source`` block within the build, whose attributes win; None where there is none.
    """

    name: str
    block: Block
    file: Path
    source: Block
    source_file: Path
    override: Block | None = None

    @property
    def attributes(self) -> Mapping[str, Attribute]:
        """The attributes of the source, those that the build sets among them."""
        mine = dict(self.override.body.attributes) if self.override else {}
        mine.pop("name", None)  # says what the build calls the source; the builder does not get it
        return {**self.source.body.attributes, **mine}

    @property
    def label(self) -> str:
        """The name of the source in this build."""
        return self.name.rpartition(".")[2]


def builds(
    bodies: Sequence[tuple[Path, Body]],
    workspace: Workspace,
    faults: list[Fault],
    given: Mapping[str, object] | None = None,
) -> list[Build]:
    """List the builds of a template.

    Args:
        bodies: its files with what they say.
        workspace: for the paths in faults.
        faults: where to add what is wrong: a source that is named and not there.
        given: values by variable, for ``sources`` that are computed; others have their defaults.

    Returns:
        The builds, in the order of the files.
    """
    sources = {
        ".".join(block.labels): (path, block)
        for path, body in bodies
        for block in body.blocks
        if block.type == "source" and len(block.labels) == 2
    }
    values = {**_defaults(bodies), **(given or {})}
    found = []
    for path, body in bodies:
        for block in body.blocks:
            if block.type != "build":
                continue
            prefix = _constant(block.body.attributes.get("name"))
            for name, line, override in _used(block, path, workspace, faults, values):
                if name not in sources:
                    there = ", ".join(sorted(sources)) or "none"
                    message = f"the build names the source {name!r}, which is not there"
                    faults.append(
                        Fault(message, file=workspace.relative(path), line=line, hint=f"there are: {there}")
                    )
                    continue
                source_file, source = sources[name]
                own = _constant(override.body.attributes.get("name")) if override else ""
                used = f"{source.labels[0]}.{own}" if own else name
                full = f"{prefix}.{used}" if prefix else used
                found.append(Build(full, block, path, source, source_file, override))
    return found


def select(found: Sequence[Build], setting: ImageSetting, target: str) -> tuple[list[Build], list[Fault]]:
    """The builds that ``only`` means.

    Args:
        found: what there is.
        setting: whose ``only`` holds patterns; the name of the build block may be left out. Without any,
            there must be one build.
        target: the target, for faults.

    Returns:
        A build for each pattern, the image's last, and what is wrong.
    """
    there = ", ".join(one.name for one in found) or "none"
    if not setting.only:
        if len(found) == 1:
            return list(found), []
        word = "no build" if not found else f"{len(found)} builds"
        message = f"{target}: the template has {word}, and exactly one is the image"
        hint = f"say which with `only`; there are: {there}"
        return [], [Fault(message, file=setting.file, line=setting.line, hint=hint)]
    chosen: list[Build] = []
    faults = []
    for pattern in setting.only:
        matching = [one for one in found if _matches(one.name, pattern)]
        if len(matching) == 1:
            chosen += matching
            continue
        how = "matches no build" if not matching else "matches " + ", ".join(one.name for one in matching)
        hint = f"exactly one must match; there are: {there}"
        message = f"{target}: only = {pattern!r} {how}"
        faults.append(Fault(message, file=setting.file, line=setting.line, hint=hint))
    return chosen, faults


def _matches(name: str, pattern: str) -> bool:
    short = ".".join(name.split(".")[-2:])
    return any(fnmatch.fnmatchcase(one, pattern) for one in (name, short))


def _defaults(bodies: Sequence[tuple[Path, Body]]) -> dict[str, object]:
    """The constant defaults of the variables."""
    found: dict[str, object] = {}
    for __, body in bodies:
        for block in body.blocks:
            if block.type == "variable" and len(block.labels) == 1:
                default = block.body.attributes.get("default")
                if default is not None and default.constant:
                    found[block.labels[0]] = default.value
            elif block.type == "variables":
                found |= {one.name: one.value for one in block.body.attributes.values() if one.constant}
    return found


def _used(
    block: Block, path: Path, workspace: Workspace, faults: list[Fault], values: Mapping[str, object]
) -> Iterator[tuple[str, int, Block | None]]:
    """The sources that a build block uses: ``type.name``, the line, and a block that overrides."""
    sources = block.body.attributes.get("sources")
    if sources is not None:
        try:
            names = sources.value if sources.constant else evaluate(sources, {"var": values})
        except (NotEvaluable, HclError):
            names = None
        if isinstance(names, list):
            for name in names:
                yield _reference(str(name)), sources.line, None
        else:
            message = "which sources the build uses is not known before the build"
            hint = 'write their names, as in ["source.qemu.web"], or give the variable a default'
            faults.append(Fault(message, file=workspace.relative(path), line=sources.line, hint=hint))
    for inner in block.body.blocks:
        if inner.type == "source" and inner.labels:
            yield _reference(".".join(inner.labels)), inner.line, inner


def _reference(text: str) -> str:
    """The source that a text names: of three parts or more the second and the third, whatever the first is.

    Source: ``sourceRefFromString`` in hcl2template/types.source.go.
    """
    parts = text.split(".")
    return ".".join(parts[1:3] if len(parts) > 2 else parts)


def _constant(attribute: Attribute | None) -> str:
    value = attribute.value if attribute is not None and attribute.constant else ""
    return value if isinstance(value, str) else ""
