"""Files of values, and what they say: ``*.pkrvars.hcl``, ``*.pkrvars.json``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from .. import hcl
from ..errors import Fault, HclError
from ..hcl import types
from ..hcl.values import normal, number_of
from ..workspace import read_plain

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ..hcl import Value
    from ..workspace import Workspace

# How a file begins that ansible-vault encrypted.
_VAULT = "$ANSIBLE_VAULT;"
_FROM_ENVIRONMENT = re.compile(r'env\(\s*"PKR_VAR_([^"\\]+)"\s*\)')


@dataclass(frozen=True)
class Entry:
    """One value that a layer gives to a variable.

    Attributes:
        value: the plain value.
        file: the file that says so as shown to people, or ``caller`` or ``provisioners``.
        line: the line in that file, or 0 where there is none.
        marked: it is no value but ``env("PKR_VAR_...")``: the build gets it from its environment.
        faulty: it cannot be used, and a fault says why.
    """

    value: Value
    file: str
    line: int = 0
    marked: bool = False
    faulty: bool = False

    @property
    def origin(self) -> str:
        """Where the value comes from, ``file:line``."""
        return f"{self.file}:{self.line}" if self.line else self.file


def read_file(path: Path, workspace: Workspace, faults: list[Fault]) -> dict[str, Entry] | None:
    """Read a file of values, ``*.pkrvars.hcl`` or ``*.pkrvars.json``.

    Args:
        path: the file.
        workspace: for its name in faults.
        faults: where to add what is wrong.

    Returns:
        The values by variable; None when it cannot be read at all.
    """
    text = read_text(path, workspace, faults)
    if text is None:
        return None
    file = workspace.relative(path)
    return parse_json(text, file, faults) if path.suffix == ".json" else parse_hcl(text, file, faults)


def read_text(path: Path, workspace: Workspace, faults: list[Fault]) -> str | None:
    """Read a text file; what is wrong becomes a fault, and there is no text then."""
    file = workspace.relative(path)
    try:
        text = read_plain(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        faults.append(Fault(f"is not UTF-8 at byte {error.start}", file=file))
    except OSError as error:
        faults.append(Fault(f"cannot be read: {error.strerror}", file=file))
    else:
        if not text.startswith(_VAULT):
            return text
        hint = (
            "keep its values in an encrypted file of Ansible's variables, and give them to packer_build as "
            "secrets; or run ansible-vault decrypt"
        )
        said = "is encrypted by ansible-vault, which Packer cannot read"
        faults.append(Fault(said, file=file, line=1, hint=hint))
    return None


def _constant(attribute: hcl.Attribute) -> Value:
    return attribute.value


def parse_hcl(
    text: str, file: str, faults: list[Fault], value_of: Callable[[hcl.Attribute], Value] = _constant
) -> dict[str, Entry] | None:
    """Read the values of a ``.pkrvars.hcl`` text; only constants, as in Packer.

    Args:
        text: the text.
        file: its name, for origins and faults.
        faults: where to add what is wrong.
        value_of: gives the value of an attribute, or raises ``NotEvaluable``.

    Returns:
        The values by variable; None when the text is no HCL.
    """
    try:
        body = hcl.loads(text, filename=file)
    except HclError as error:
        faults.append(Fault(f"column {error.column}: {error.message}", file=file, line=error.line))
        return None
    entries: dict[str, Entry] = {}
    for block in body.blocks:
        faults.append(
            Fault(
                f"a block {block.type!r} in a file of values",
                file=file,
                line=block.line,
                hint=f"for a map write {block.type} = {{",
            )
        )
        entries[block.type] = Entry(None, file, block.line, faulty=True)
    for name, attribute in body.attributes.items():
        marked = _FROM_ENVIRONMENT.fullmatch(attribute.expression.strip())
        before = len(faults)
        try:
            value = value_of(attribute)
            entries[name] = Entry(value, file, attribute.line, faulty=len(faults) > before)
            continue
        except hcl.NotEvaluable:
            pass
        if marked is not None and marked.group(1) == name:
            entries[name] = Entry(None, file, attribute.line, marked=True)
        else:
            faults.append(
                Fault(
                    f"{name}: expected a constant, found an expression that Packer would have to evaluate",
                    file=file,
                    line=attribute.line,
                    hint="variables and functions cannot be used in a file of values",
                )
            )
            entries[name] = Entry(None, file, attribute.line, faulty=True)
    return entries


def parse_json(text: str, file: str, faults: list[Fault]) -> dict[str, Entry] | None:
    """Read the values of a ``.pkrvars.json`` text: one object.

    Args:
        text: the text.
        file: its name, for origins and faults.
        faults: where to add what is wrong.

    Returns:
        The values by variable; None when the text is no such object.
    """
    import json

    def once(pairs: list[tuple[str, Value]]) -> dict[str, Value]:
        pairs = [(normal(name), value) for name, value in pairs]
        names = [name for name, __ in pairs]
        for name in sorted({name for name in names if names.count(name) > 1}):
            faults.append(Fault(f"{name}: given twice", file=file))
        return dict(pairs)

    try:
        data = json.loads(
            text or "{}",
            object_pairs_hook=once,
            parse_float=_json_number,
            parse_int=_json_number,
            parse_constant=_json_number,
        )
    except json.JSONDecodeError as error:
        faults.append(Fault(f"is not JSON: {error.msg}", file=file, line=error.lineno))
        return None
    except ValueError as error:
        faults.append(Fault(f"is not JSON that HCL can express: {error}", file=file))
        return None
    except RecursionError:
        faults.append(Fault("is nested too deep", file=file))
        return None
    if _depth(data) > types.MAX_DEPTH:
        faults.append(Fault("is nested too deep", file=file))
        return None
    if not isinstance(data, dict):
        faults.append(Fault("must hold one JSON object", file=file, line=1))
        return None
    return {name: Entry(value, file, _json_line(text, name)) for name, value in data.items()}


def _json_number(text: str) -> int | float | Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise ValueError(f"{text:.20} is too large") from None
    if not value.is_finite():
        raise ValueError(f"{text:.20} is no number of it")
    return number_of(value)


def _depth(value: Value) -> int:
    """How deep lists and maps nest, counted up to one level too many, without recursion."""
    depth, level = 0, [value]
    while level and depth <= types.MAX_DEPTH:
        depth += 1
        level = [
            item
            for each in level
            if isinstance(each, dict | list)
            for item in (each.values() if isinstance(each, dict) else each)
        ]
    return depth


def _json_line(text: str, name: str) -> int:
    """The line of the first key of a name, which Python's JSON parser does not tell."""
    import json

    found = re.search(re.escape(json.dumps(name, ensure_ascii=False)) + r"\s*:", text)
    return text.count("\n", 0, found.start()) + 1 if found else 1
