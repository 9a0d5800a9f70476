"""From layers to values: what each variable of a target is, where it comes from, and what is wrong."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..errors import Fault
from . import conditions, types
from .declarations import Variable
from .overlays import Entry, merge
from .types import Mismatch, Type

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..hcl import Value

CALLER = "caller"
PROVISIONERS = "provisioners"


@dataclass(frozen=True)
class Sources:
    """What may give values to the variables of one target.

    Attributes:
        target: ``<os>/<platform>/<name>``.
        overlays: what each overlay file says, later wins.
        provisioners: what the switches of the provisioners say.
        caller: the caller's values, those for this target alone merged over those for all.
        folders: where a missing value could be set.
        hidden: names of variables whose values must not be shown.
    """

    target: str
    overlays: Sequence[Mapping[str, Entry]]
    provisioners: Mapping[str, Value]
    caller: Mapping[str, Value]
    folders: Sequence[str]
    hidden: frozenset[str]


@dataclass
class Resolved:
    """The variables of one target, resolved.

    Attributes:
        values: what is written, by variable, converted to the variable's type.
        used: the entries that each of them is made of: one, or several where maps were merged.
        entries: every layer's entry for each variable, in order, the default first.
        sensitive: sensitive variables that the build must get from its environment.
        unchecked: variables with a validation that is left to ``packer validate``.
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


def resolve(variables: Mapping[str, Variable], sources: Sources, faults: list[Fault]) -> Resolved:
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
        if variable.runtime:
            continue
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
    for entry in given:
        if not entry.marked and entry.value is not None:
            faults.append(
                _fault(
                    f"{name}: a sensitive variable must not be given here",
                    entry,
                    hint=f"pass it as a secret: `secrets` in Ansible, --secret {name} on the command line, "
                    f"its value in the environment variable PKR_VAR_{name}",
                )
            )
    result.entries[name] = given
    if variable.required or any(entry.marked for entry in given):
        result.sensitive.append(name)


def _plain(
    variable: Variable, given: list[Entry], sources: Sources, result: Resolved, faults: list[Fault]
) -> None:
    name = variable.name
    for entry in given:
        if entry.marked:
            faults.append(
                _fault(
                    f"{name}: only a sensitive variable can come from the environment",
                    entry,
                    hint=f"give a value, or declare {name} with sensitive = true in {variable.file}",
                )
            )
    given = [entry for entry in given if not entry.marked]
    default = None
    if not variable.required and not variable.computed:
        default = Entry(variable.default, variable.file, variable.line)
    given += _provisioners_and_caller(variable, default, given, sources, result, faults)
    result.entries[name] = given if default is None else [default, *given]
    merged, made_of = _merge(default, given)
    if merged is None:
        if variable.required:
            _missing(variable, sources, faults)
        return
    kept = without_nulls(merged, variable.type)
    problems: list[Mismatch] = []
    value = types.convert(kept, variable.type, problems)
    hidden = name in sources.hidden
    for problem in problems:
        found = "a value that is not shown" if hidden else problem.found
        faults.append(
            _fault(
                f"{name}{problem.path}: expected {problem.expected}, found {found}",
                _culprit(problem, made_of, variable.type),
                hint=f"declared in {variable.file}:{variable.line}",
            )
        )
    if problems:
        return
    for path in types.extra_attributes(kept, variable.type):
        result.warnings.append(
            f"{made_of[-1].origin}: {name}{path} is not in the declared type; Packer leaves it out"
        )
    found = "a value that is not shown" if hidden else types.describe(value)
    failures, left = conditions.check(variable, value)
    for failure in failures:
        faults.append(
            _fault(
                f"{name}: expected what its validation asks for ({failure}), found {found}",
                made_of[-1],
                hint=f"the validation is in {variable.file}:{variable.validations[0].line}",
            )
        )
    if left:
        result.unchecked.append(name)
    result.values[name] = value
    result.used[name] = made_of


def _provisioners_and_caller(
    variable: Variable,
    default: Entry | None,
    given: list[Entry],
    sources: Sources,
    result: Resolved,
    faults: list[Fault],
) -> list[Entry]:
    name = variable.name
    switch = sources.provisioners.get(name)
    if switch is None:
        return [Entry(sources.caller[name], CALLER)] if name in sources.caller else []
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
    return [Entry(switch, PROVISIONERS)]


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


def _culprit(problem: Mismatch, made_of: list[Entry], kind: Type) -> Entry:
    """The entry whose own value has the problem: the last one, unless maps were merged."""
    for entry in reversed(made_of):
        own: list[Mismatch] = []
        types.convert(without_nulls(entry.value, kind), kind, own)
        if problem in own:
            return entry
    return made_of[-1]


def without_nulls(value: Value, kind: Type) -> Value:
    """Take the keys of maps away that are ``null``; an object's attributes may be null, and stay.

    Args:
        value: a merged value.
        kind: the type that it will be converted to.

    Returns:
        The value without them.
    """
    if not isinstance(value, dict):
        return value
    kept = {}
    for name, item in value.items():
        declared = kind.attributes.get(name) if kind.kind == "object" else kind.element or types.ANY
        if item is not None or (kind.kind == "object" and declared is not None):
            kept[name] = without_nulls(item, declared or types.ANY)
    return kept


def _missing(variable: Variable, sources: Sources, faults: list[Fault]) -> None:
    faults.append(
        Fault(
            f"{variable.name}: expected {variable.type}, found no value for {sources.target}",
            file=variable.file,
            line=variable.line,
            hint="set it in an overlay under one of " + ", ".join(sources.folders) + ", or in vars",
        )
    )


def _fault(message: str, entry: Entry, *, hint: str = "") -> Fault:
    if entry.line:
        return Fault(message, file=entry.file, line=entry.line, hint=hint)
    return Fault(f"{message} (from the {entry.file})", hint=hint)
