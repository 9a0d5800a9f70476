"""What a target's files declare: its variables, with type, default, sensitivity and validations."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ..errors import Fault
from ..hcl import types
from ..hcl.type_expressions import TypeExpressionError, parse_type
from ..hcl.types import ANY, Mismatch, Type
from . import variable_blocks

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from ..hcl import Attribute, Block, Body, Value
    from ..hcl.dialect import Dialect
    from ..workspace import Workspace

# Given by the build itself through PKR_VAR_*: never in a configuration, never missing.
RUNTIME_PREFIX = "hybridcore_"


@dataclass(frozen=True)
class Validation:
    """One ``validation`` block.

    Attributes:
        condition: the expression that must be true, or None where the block has none.
        message: its ``error_message`` where that is a constant, or empty.
        line: line of the block.
    """

    condition: Attribute | None
    message: str
    line: int


@dataclass(frozen=True)
class Variable:
    """One variable that a target declares.

    Attributes:
        name: its name.
        file: the file that declares it, as shown to people.
        line: the line of the declaration.
        type: what values are converted to: the declared type, that of the default, or ``any``.
        required: it has no default.
        default: the default's value, where it has one that is constant.
        computed: it has a default that Packer computes, such as ``env("HOME")``.
        undecided: whether that default is right is left to Packer.
        sensitive: its value must not be written anywhere.
        validations: its validation blocks.
        declared_type: the type as it is written, empty where there is none.
        told: it says something of the image that the target starts from.
    """

    name: str
    file: str
    line: int
    type: Type
    required: bool
    default: Value = None
    computed: bool = False
    undecided: bool = False
    sensitive: bool = False
    validations: tuple[Validation, ...] = ()
    declared_type: str = ""
    told: bool = False

    @property
    def runtime(self) -> bool:
        """Whether the build itself gives the value."""
        return self.told or self.name.startswith(RUNTIME_PREFIX)


@dataclass(frozen=True)
class Declarations:
    """What some files declare together.

    Attributes:
        variables: by name, those of ``variables {}`` among them; of two declarations the first.
        faults: what is wrong with the declarations.
    """

    variables: Mapping[str, Variable]
    faults: tuple[Fault, ...]


def read(bodies: Iterable[tuple[Path, Body]], workspace: Workspace) -> Declarations:
    """Read the variables that some files declare together.

    Args:
        bodies: each file with what it says.
        workspace: for the names of files.

    Returns:
        The variables, and what is wrong.
    """
    faults: list[Fault] = []
    found: dict[str, Variable] = {}
    for path, body in bodies:
        file = workspace.relative(path)
        for block in body.blocks:
            if block.type == "variable":
                if len(block.labels) != 1:
                    faults.append(
                        Fault("a variable block has one label, its name", file=file, line=block.line)
                    )
                    continue
                faults += variable_blocks.faults_of(block, file)
                _add(found, _variable(block, file, faults), faults)
            elif block.type == "variables":
                faults += (
                    Fault(f"a block {inner.type!r} in variables", file=file, line=inner.line)
                    for inner in block.body.blocks
                )
                for attribute in block.body.attributes.values():
                    faults += variable_blocks.default_faults(attribute.name, attribute, file)
                    _add(found, _short_form(attribute, file), faults)
    return Declarations(found, tuple(faults))


def _add(found: dict[str, Variable], variable: Variable, faults: list[Fault]) -> None:
    first = found.setdefault(variable.name, variable)
    if first is not variable:
        faults.append(
            Fault(
                f"{variable.name}: declared twice; first in {first.file}:{first.line}",
                file=variable.file,
                line=variable.line,
            )
        )


def _short_form(attribute: Attribute, file: str) -> Variable:
    """A line of a ``variables`` block: the variable's default, which gives its type."""
    value = attribute.value if attribute.constant else None
    return Variable(
        name=attribute.name,
        file=file,
        line=attribute.line,
        type=types.type_of(value) if attribute.constant else _computed_type(attribute),
        required=False,
        default=value,
        computed=not attribute.constant,
        undecided=not attribute.constant and not variable_blocks.comes_from_env(attribute),
    )


def _computed_type(default: Attribute) -> Type:
    """The type of a default that Packer computes, ``any`` where we do not know it."""
    return types.PLAIN["string"] if variable_blocks.comes_from_env(default) else ANY


def _type_of_default(default: Attribute | None, value: Value) -> Type:
    """The type of a variable that declares none."""
    if default is None or value in ({}, []):
        return ANY
    return types.type_of(value) if default.constant else _computed_type(default)


def for_packer(variable: Variable, dialect: Dialect, faults: list[Fault]) -> Variable:
    """A variable as one Packer reads it, where versions of Packer differ.

    Args:
        variable: the variable.
        dialect: the language of that Packer.
        faults: where to add what it does not take.
    """
    if variable.declared_type:
        try:
            parse_type(
                variable.declared_type, parentheses=dialect.parentheses, constraints=dialect.constraints
            )
        except TypeExpressionError as error:
            message = f"{variable.name}: the type is not valid: {error}"
            faults.append(Fault(message, file=variable.file, line=variable.line))
    elif not dialect.open_default and variable.default in ({}, []):
        return replace(variable, type=types.type_of(variable.default))
    return variable


def _variable(block: Block, file: str, faults: list[Fault]) -> Variable:
    name = block.labels[0]
    attributes = block.body.attributes
    default = attributes.get("default")
    constant = default is not None and default.constant
    value = default.value if default is not None and constant else None
    kind = _type(attributes.get("type"), name, file, faults)
    if default is not None and kind is not None and constant:
        problems: list[Mismatch] = []
        value = types.convert(value, kind, problems)
        faults += [
            Fault(
                f"{name}{problem.path}: the default must be {problem.expected}, not {problem.found}"
                if not is_marked(attributes.get("sensitive"))
                else f"{name}{problem.path}: the default must be {problem.expected}",
                file=file,
                line=default.line,
            )
            for problem in problems
        ]
    return Variable(
        name=name,
        file=file,
        line=block.line,
        type=kind or (ANY if "type" in attributes else _type_of_default(default, value)),
        declared_type=attributes["type"].words if kind else "",
        required=default is None,
        default=value,
        computed=default is not None and not constant,
        undecided=default is not None and not constant and not _is_decided(default, kind),
        sensitive=is_marked(attributes.get("sensitive")),
        validations=tuple(_validation(b) for b in block.body.blocks if b.type == "validation"),
    )


def _is_decided(default: Attribute, kind: Type | None) -> bool:
    """Whether a default that Packer computes is right whatever it gives."""
    return variable_blocks.comes_from_env(default) and (kind is None or kind.kind in ("string", "any"))


def _type(attribute: Attribute | None, name: str, file: str, faults: list[Fault]) -> Type | None:
    if attribute is None:
        return None
    try:
        return parse_type(attribute.words)
    except TypeExpressionError as error:
        faults.append(Fault(f"{name}: the type is not valid: {error}", file=file, line=attribute.line))
        return None


def is_marked(attribute: Attribute | None) -> bool:
    """Whether a ``sensitive`` argument marks what it belongs to; one that cannot be read is taken for yes."""
    return attribute is not None and not (
        attribute.constant and (attribute.value is False or attribute.value in ("false", "0", None))
    )


def _validation(block: Block) -> Validation:
    message = block.body.attributes.get("error_message")
    text = message.value if message is not None and message.constant else ""
    return Validation(
        condition=block.body.attributes.get("condition"),
        message=text if isinstance(text, str) else "",
        line=block.line,
    )
