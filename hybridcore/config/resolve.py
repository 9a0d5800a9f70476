"""From layers to values: what each variable of a target is, where it comes from, and what is wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..errors import Fault
from ..hcl import types
from ..templates.declarations import Variable, for_packer
from . import values
from .entries import Entry
from .overlays import merge

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ..hcl import Value
    from ..hcl.dialect import Dialect
    from ..hcl.types import Mismatch

CALLER = "caller"
PROVISIONERS = "provisioners"


@dataclass(frozen=True)
class Sources:
    """What may give values to the variables of one target.

    Attributes:
        target: ``<os>/<platform>/<name>``.
        overlays: what each overlay file says, later wins.
        provisioners: what the switches of the provisioners say; None for a stack that is off and left out.
        caller: the caller's values, those for this target alone merged over those for all.
        folders: tells where a missing value of a target could be set.
        hidden: names of variables whose values must not be shown.
        dialect: the language of the Packer that will read the values.
        complete: whether all overlays could be read; if not, what is missing may stand in the others.
        environment: names of variables that Packer gets from its environment, where nothing else gives them.
        missing_told: whether a variable without a value is a fault.
    """

    target: str
    overlays: Sequence[Mapping[str, Entry]]
    provisioners: Mapping[str, Value]
    caller: Mapping[str, Value]
    folders: Callable[[str], Sequence[str]]
    hidden: frozenset[str]
    dialect: Dialect
    complete: bool = True
    environment: frozenset[str] = frozenset()
    missing_told: bool = True


@dataclass
class Resolved:
    """The variables of one target, resolved.

    Attributes:
        values: what is written, by variable, converted to the variable's type.
        used: the entries that each of them is made of: one, or several where maps were merged.
        entries: every layer's entry for each variable, in order, the default first.
        sensitive: sensitive variables that the build must get from its environment.
        unchecked: variables with a validation or a default that is left to ``packer validate``.
        warnings: what is odd but not wrong.
    """

    values: dict[str, Value] = field(default_factory=dict)
    used: dict[str, list[Entry]] = field(default_factory=dict)
    entries: dict[str, list[Entry]] = field(default_factory=dict)
    sensitive: list[str] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def origins(self) -> dict[str, str]:
        """Where each value comes from, ``file:line``, several joined by a comma where maps were merged."""
        return {
            name: ", ".join(dict.fromkeys(entry.origin for entry in entries))
            for name, entries in self.used.items()
        }


def resolve_variables(variables: Mapping[str, Variable], sources: Sources, faults: list[Fault]) -> Resolved:
    """Resolve the variables of a target.

    Args:
        variables: what the target declares.
        sources: what gives values.
        faults: where to add what is wrong; all of it is found.

    Returns:
        The values; not to be used when faults were added.
    """
    result = Resolved()
    for name, variable in sorted(variables.items()):
        given = [layer[name] for layer in sources.overlays if name in layer]
        if variable.runtime or any(entry.faulty for entry in given):
            continue
        variable = for_packer(variable, sources.dialect, faults)
        if variable.sensitive:
            _sensitive(variable, given, sources, result, faults)
        else:
            _plain(variable, given, sources, result, faults)
    return result


def _sensitive(
    variable: Variable, given: list[Entry], sources: Sources, result: Resolved, faults: list[Fault]
) -> None:
    name = variable.name
    if name in sources.caller:
        given = [*given, Entry(sources.caller[name], CALLER)]
    values.refuse_sensitive(variable, given, faults)
    result.entries[name] = given
    if variable.required or any(entry.marked for entry in given):
        result.sensitive.append(name)
    if variable.undecided:
        result.unchecked.append(name)


def _plain(
    variable: Variable, given: list[Entry], sources: Sources, result: Resolved, faults: list[Fault]
) -> None:
    name = variable.name
    given = values.unmarked(variable, given, faults)
    if sources.provisioners.get(name, False) is None:
        _left_out(variable, given, sources, result, faults)
        return
    given += _switch_and_caller(variable, given, sources, result, faults)
    default = None
    if not variable.required and not variable.computed:
        default = Entry(variable.default, variable.file, variable.line)
    result.entries[name] = given if default is None else [default, *given]
    merged, made_of = _merge(default, given)
    before, hidden = len(faults), name in sources.hidden
    complete = True
    if merged is not None:
        kept = values.without_nulls(merged, variable.type, variable.default)
        value = values.convert(variable, kept, made_of, faults, hidden=hidden)
        if len(faults) > before:
            return
        for path in types.extra_attributes(kept, variable.type):
            result.warnings.append(
                f"{made_of[-1].origin}: {name}{path} is not in the declared type; Packer leaves it out"
            )
        # Not judged where an overlay could not be read: that overlay might replace the value.
        complete = sources.complete and values.validate(
            variable, value, made_of[-1], faults, sources.dialect, hidden=hidden
        )
        result.values[name] = value
        result.used[name] = made_of
    elif variable.required:
        complete = not variable.validations
        if sources.complete and sources.missing_told and name not in sources.environment:
            values.missing(variable, sources.target, sources.folders(sources.target), faults)
    elif default is not None:
        complete = sources.complete and values.validate(variable, None, default, faults, sources.dialect)
    else:
        complete = not variable.validations
    if variable.undecided or not complete:
        result.unchecked.append(name)


def _left_out(
    variable: Variable, given: list[Entry], sources: Sources, result: Resolved, faults: list[Fault]
) -> None:
    """Leave out the switch of a stack that is off: Packer takes its default, which must be false."""
    _agree(variable, False, given, sources, result, faults)
    default = Entry(variable.default, variable.file, variable.line)
    result.entries[variable.name] = given if variable.required else [default, *given]
    if variable.required or variable.computed or not _same(variable.default, False, variable):
        message = f"{variable.name}: expected default = false, since its stack is off and gives no value"
        faults.append(Fault(message, file=variable.file, line=variable.line, hint="write default = false"))


def _switch_and_caller(
    variable: Variable, given: list[Entry], sources: Sources, result: Resolved, faults: list[Fault]
) -> list[Entry]:
    """The entries of the provisioners and of the caller; where a switch decides, the caller must agree."""
    name = variable.name
    switch = sources.provisioners.get(name)
    if switch is None:
        return [Entry(sources.caller[name], CALLER)] if name in sources.caller else []
    _agree(variable, switch, given, sources, result, faults)
    return [Entry(switch, PROVISIONERS)]


def _agree(
    variable: Variable,
    switch: Value,
    given: list[Entry],
    sources: Sources,
    result: Resolved,
    faults: list[Fault],
) -> None:
    """Warn of an overlay, and refuse a caller's value, that says something else than the switch."""
    name = variable.name
    overlaid, made_of = _merge(None, given)
    if overlaid is not None and not _same(overlaid, switch, variable):
        result.warnings.append(
            f"{made_of[-1].origin}: {name} has no effect, the provisioners' switch decides it"
        )
    value = sources.caller.get(name)
    if value is not None and not _same(value, switch, variable):
        faults.append(
            Fault(
                f"{name}: the caller's {types.describe(value)} contradicts the provisioners' switch, "
                f"{types.describe(switch)}",
                hint="set the switch itself, or leave the variable out",
            )
        )


def _same(one: Value, other: Value, variable: Variable) -> bool:
    problems: list[Mismatch] = []
    first, second = (types.convert(value, variable.type, problems) for value in (one, other))
    return not problems and bool(first == second)


def _merge(default: Entry | None, given: list[Entry]) -> tuple[Value, list[Entry]]:
    """The merged value, and the entries that it is made of.

    ``null`` takes back what was said so far; then the default stands again.
    """
    start: tuple[Value, list[Entry]] = (None, []) if default is None else (default.value, [default])
    value, made_of = start
    for entry in given:
        if entry.value is None:
            value, made_of = start
        elif isinstance(value, dict) and isinstance(entry.value, dict):
            value, made_of = merge(value, entry.value), [*made_of, entry]
        else:
            value, made_of = entry.value, [entry]
    return value, made_of
