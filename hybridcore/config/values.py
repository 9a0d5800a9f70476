"""Checking one value of one variable, and saying what is wrong with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import hcl
from ..errors import Fault, HclError
from ..hcl import types
from ..hcl.types import Mismatch, Type
from .entries import Entry
from .placeholders import literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..hcl import Value
    from ..hcl.dialect import Dialect
    from ..templates.declarations import Variable

HIDDEN = "a value that is not shown"


def fault(message: str, entry: Entry, *, hint: str = "") -> Fault:
    """A fault at the place of an entry."""
    if entry.line:
        return Fault(message, file=entry.file, line=entry.line, hint=hint)
    return Fault(f"{message} (from the {entry.file})", hint=hint)


def without_nulls(value: Value, kind: Type, default: Value = None) -> Value:
    """Take the keys of maps away that are ``null``; an object's attributes may be null, and stay.

    Args:
        value: a merged value.
        kind: the type that it will be converted to.
        default: the variable's default: what is null in it stays.

    Returns:
        The value without them.
    """
    if not isinstance(value, dict):
        return value
    kept: dict[str, Value] = {}
    origin = default if isinstance(default, dict) else {}
    for name, item in value.items():
        declared = kind.attributes.get(name) if kind.kind == "object" else kind.element or types.ANY
        stays = name in origin and origin[name] is None
        if item is not None or stays or (kind.kind == "object" and declared is not None):
            kept[name] = without_nulls(item, declared or types.ANY, origin.get(name))
    return kept


def convert(
    variable: Variable, value: Value, made_of: Sequence[Entry], faults: list[Fault], *, hidden: bool = False
) -> Value:
    """Convert a value to the type of its variable.

    Args:
        variable: the variable.
        value: its value, not null.
        made_of: the entries that gave it, for the places of faults.
        faults: where to add what is wrong; all of it is found.
        hidden: whether the value must not be shown.

    Returns:
        The converted value; not to be used when faults were added.
    """
    problems: list[Mismatch] = []
    converted = types.convert(value, variable.type, problems)
    for problem in problems:
        faults.append(
            fault(
                f"{variable.name}{problem.path}: expected {problem.expected}, "
                f"found {HIDDEN if hidden else problem.found}",
                _culprit(problem, made_of, variable.type),
                hint=f"declared in {variable.file}:{variable.line}",
            )
        )
    if not problems:
        try:
            literal(converted)
        except HclError as error:
            faults.append(fault(f"{variable.name}: {error.message}", made_of[-1]))
    return converted


def _culprit(problem: Mismatch, made_of: Sequence[Entry], kind: Type) -> Entry:
    """The entry whose own value has the problem: the last one, unless maps were merged."""
    for entry in reversed(made_of):
        own: list[Mismatch] = []
        types.convert(without_nulls(entry.value, kind), kind, own)
        if problem in own:
            return entry
    return made_of[-1]


def validate(
    variable: Variable,
    value: Value,
    entry: Entry,
    faults: list[Fault],
    dialect: Dialect,
    *,
    hidden: bool = False,
) -> bool:
    """Check a converted value against the ``validation`` blocks of its variable, with Packer's meaning.

    Args:
        variable: the variable.
        value: the value that Packer will see; null is possible.
        entry: where it comes from.
        faults: where to add what is wrong.
        dialect: the language of the Packer that will read it.
        hidden: whether the value must not be shown.

    Returns:
        Whether all of them could be evaluated here; the others are left to ``packer validate``.
    """
    if not variable.validations:
        return True
    try:
        scope = {"var": {variable.name: types.typed(value, variable.type)}}
    except hcl.NotEvaluable:
        return False
    complete = True
    for validation in variable.validations:
        if validation.condition is None:
            complete = False
            continue
        try:
            result = hcl.evaluate(validation.condition, scope, dialect.functions)
        except hcl.NotEvaluable:
            complete = False
            continue
        problems: list[Mismatch] = []
        holds = types.convert(result, types.PLAIN["bool"], problems)
        hint = f"the validation is in {variable.file}:{validation.line}"
        if problems or holds is None:
            message = (
                f"{variable.name}: expected a validation that gives a bool, found {types.describe(result)}"
            )
            faults.append(Fault(message, file=variable.file, line=validation.line))
        elif holds is False:
            asks = validation.message or validation.condition.expression
            found = HIDDEN if hidden else types.describe(value)
            message = f"{variable.name}: expected what its validation asks for ({asks}), found {found}"
            faults.append(fault(message, entry, hint=hint))
    return complete


def refuse_sensitive(variable: Variable, given: Sequence[Entry], faults: list[Fault]) -> None:
    """Add a fault for each value that is given for a sensitive variable; the value is not in it."""
    hint = (
        f"pass it as a secret: `secrets` in Ansible, --secret {variable.name} on the command line, "
        f"its value in the environment variable PKR_VAR_{variable.name}"
    )
    for entry in given:
        if not entry.marked and entry.value is not None:
            message = f"{variable.name}: a sensitive variable must not be given here"
            faults.append(fault(message, entry, hint=hint))


def unmarked(variable: Variable, given: Sequence[Entry], faults: list[Fault]) -> list[Entry]:
    """The entries that are values; a fault for each that says that its value comes from the environment."""
    hint = f"give a value, or declare {variable.name} with sensitive = true in {variable.file}"
    for entry in given:
        if entry.marked:
            message = f"{variable.name}: only a sensitive variable can come from the environment"
            faults.append(fault(message, entry, hint=hint))
    return [entry for entry in given if not entry.marked]


def missing(variable: Variable, target: str, folders: Sequence[str], faults: list[Fault]) -> None:
    """Add the fault that a required variable has no value, with the places where it could be set."""
    hint = f"set it in an overlay under one of {', '.join(folders)}, or in vars" if folders else ""
    message = f"{variable.name}: expected {variable.type}, found no value for {target}"
    faults.append(Fault(message, file=variable.file, line=variable.line, hint=hint))
