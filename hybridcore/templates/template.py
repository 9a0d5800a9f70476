"""What the files of one target say."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from .. import platforms
from . import declarations, reads

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ..hcl import Attribute, Block, Body
    from ..image_settings import ImageSetting, ParentSetting
    from ..platforms import Platform
    from ..workspace import Workspace
    from .declarations import Declarations, Variable
    from .reads import Reads
    from .slices import Slice


class Local(NamedTuple):
    """A local of a template.

    Attributes:
        expression: what it is computed from.
        sensitive: it is marked as such.
        file: the file of its declaration, as shown to people.
        line: the line of its declaration.
    """

    expression: Attribute
    sensitive: bool
    file: str
    line: int


@dataclass(frozen=True)
class Template:
    """What the files of one target say, as far as the conventions go.

    Attributes:
        target: ``<os>/<platform>/<name>``.
        folder: where its files lie.
        bodies: its files with what they say, in the order in which Packer reads them.
        source: the source block of the image.
        source_file: the file of that block.
        workspace: where it lies.
        argument: what Packer is given: the folder, or of a declared image perhaps one file.
        cwd: the folder in which Packer runs.
        only: the builds that run, by Packer's full names, the image last; empty for all.
        attributes: of the source, what its build sets there included.
        slice: the part that the image uses; None where all of the folder counts.
        setting: the table of the settings that declares or adds to the target.
        var_files: its files of values, later ones win.
    """

    target: str
    folder: Path
    bodies: tuple[tuple[Path, Body], ...]
    source: Block
    source_file: Path
    workspace: Workspace = field(repr=False)
    argument: Path = Path()
    cwd: Path = Path()
    only: tuple[str, ...] = ()
    attributes: Mapping[str, Attribute] = field(default_factory=dict, repr=False)
    slice: Slice | None = field(default=None, repr=False)
    setting: ImageSetting | None = field(default=None, repr=False)
    var_files: tuple[Path, ...] = ()

    def __post_init__(self) -> None:
        if not self.argument.parts:
            object.__setattr__(self, "argument", self.folder)
        if not self.cwd.parts:
            object.__setattr__(self, "cwd", self.folder)
        if not self.attributes:
            object.__setattr__(self, "attributes", self.source.body.attributes)

    @property
    def builder(self) -> str:
        """Canonical identifier, ``source.<type>.<name>``, the name being that of the target."""
        return f"source.{self.builder_type}.{self.target.rpartition('/')[2]}"

    @property
    def builder_type(self) -> str:
        """Type of the source block, for example ``qemu``."""
        return self.source.labels[0]

    @property
    def platform(self) -> Platform:
        """What is known about the platform that its source builds on."""
        return platforms.by_source_type(self.builder_type)

    def blocks(self, kind: str) -> Iterable[tuple[Path, Block]]:
        """The top-level blocks of a kind, each with its file."""
        return ((path, block) for path, body in self.bodies for block in body.blocks if block.type == kind)

    def used(self) -> Iterator[tuple[Path, Block, Body, Attribute]]:
        """Every attribute that the image uses, with its file, its block at the top level, and its body."""
        if self.slice is not None:
            yield from self.slice.attributes()
            return
        for path, body in self.bodies:
            for block in body.blocks:
                for owner, attribute in block.body.walk():
                    yield path, block, owner, attribute

    def uses(self, variable: str) -> bool:
        """Whether the image uses a variable; of a whole folder all count."""
        return self.slice is None or f"variable.{variable}" in self.slice.parts

    @cached_property
    def declarations(self) -> Declarations:
        """The variables that its files declare, and what is wrong with the declarations."""
        return declarations.read(self.bodies, self.workspace)

    @cached_property
    def reads(self) -> Reads:
        """What its files read of the environment."""
        return reads.read_by(self.bodies)

    @property
    def parent(self) -> ParentSetting | None:
        """The image that this one starts from, and what it is told of it."""
        return self.setting.parent if self.setting else None

    @cached_property
    def variables(self) -> Mapping[str, Variable]:
        """The declared variables by name."""
        told = self.parent.variables if self.parent else {}
        return {
            name: replace(variable, told=True) if name in told else variable
            for name, variable in self.declarations.variables.items()
        }

    @cached_property
    def locals(self) -> Mapping[str, Local]:
        """The locals by name, out of ``locals`` and ``local`` blocks."""
        found = {}
        for path, block in self.blocks("locals"):
            file = self.workspace.relative(path)
            for name, attribute in block.body.attributes.items():
                found[name] = Local(attribute, False, file, attribute.line)
        for path, block in self.blocks("local"):
            attributes = block.body.attributes
            if block.labels and "expression" in attributes:
                sensitive = declarations.is_marked(attributes.get("sensitive"))
                file = self.workspace.relative(path)
                found[block.labels[0]] = Local(attributes["expression"], sensitive, file, block.line)
        return found

    def variable_names(self) -> set[str]:
        """Names of the declared variables."""
        return set(self.variables)

    def sensitive_names(self) -> set[str]:
        """Names of the variables that are marked ``sensitive``; a mark that is no constant counts too."""
        return {name for name, variable in self.variables.items() if variable.sensitive}
