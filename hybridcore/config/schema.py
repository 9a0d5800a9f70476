"""Checking given files of values against what templates declare."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .. import templates
from ..errors import ConfigError, Fault
from ..templates import declarations
from ..templates.declarations import Variable
from ..templates.files import TEMPLATE_SUFFIXES, body_of
from . import values
from .entries import Entry, read_file
from .names import HCL_SUFFIX, JSON_SUFFIX, Names
from .overlays import applies

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ..hcl import Value
    from ..hcl.dialect import Dialect
    from ..workspace import Workspace


def validate(files: Sequence[Path], workspace: Workspace, spoken: Dialect) -> None:
    """Check files of values; see ``hybridcore.config.validate_schema``."""
    faults: list[Fault] = []
    paths = [path.absolute() for path in files]
    sources = [path for path in paths if path.name.endswith(TEMPLATE_SUFFIXES)]
    others = [path for path in paths if path not in sources]
    if sources:
        bodies = [(path, body) for path in sources if (body := body_of(path, workspace, faults))]
        declared = declarations.read(bodies, workspace)
        faults += declared.faults
        layers = [read_file(path, workspace, faults) for path in others]
        given = [layer for layer in layers if layer is not None]
        complete = bool(others) and None not in layers
        _check("these files", declared.variables, given, spoken, faults, complete=complete)
    else:
        for path in others:
            _alone(path, workspace, spoken, faults)
    if faults:
        raise ConfigError("the files are not right", faults=set(faults))


def _alone(path: Path, workspace: Workspace, spoken: Dialect, faults: list[Fault]) -> None:
    """Check a file whose place says what it is for: a rendered configuration, or an overlay."""
    file = workspace.relative(path)
    parts = file.split("/")
    if path.name.endswith(HCL_SUFFIX) and parts[0] == workspace.configs.name and len(parts) == 5:
        target = "/".join(parts[2:]).removesuffix(HCL_SUFFIX)
        template = templates.load(target, workspace)
        faults += template.declarations.faults
        layer = read_file(path, workspace, faults)
        if layer is None:
            return
        for name, entry in layer.items():
            if name not in template.variables:
                faults.append(
                    Fault(f"{name}: {target} does not declare it", file=entry.file, line=entry.line)
                )
        _check(target, template.variables, [layer], spoken, faults, complete=True)
    elif path.name.endswith((HCL_SUFFIX, JSON_SUFFIX)) and parts[0] == workspace.environments.name:
        layer = read_file(path, workspace, faults)
        loaded = templates.load_catalogue(workspace=workspace)
        names = Names(workspace)
        used_by = [template for template in loaded if applies(parts[2:], template.target, names)]
        if not used_by:
            hint = "mind the names of its folders"
            faults.append(Fault("no target uses these values", file=file, hint=hint))
        if layer is None:
            return
        for template in used_by:
            faults += template.declarations.faults
            _check(template.target, template.variables, [layer], spoken, faults, complete=False)
    else:
        hint = "name the template's files too, or a file below configs/<env>/ or environments/<env>/"
        faults.append(Fault("which template are these values for?", file=file, hint=hint))


def _check(
    target: str,
    variables: Mapping[str, Variable],
    layers: Sequence[Mapping[str, Entry]],
    spoken: Dialect,
    faults: list[Fault],
    *,
    complete: bool,
) -> None:
    """Check the values as Packer gets them: each must fit, nothing is merged, and the last one counts."""
    for name, variable in variables.items():
        given = [layer[name] for layer in layers if name in layer]
        if any(entry.faulty for entry in given):
            continue
        variable = declarations.for_packer(variable, spoken, faults)
        if variable.sensitive:
            values.refuse_sensitive(variable, given, faults)
            continue
        before = len(faults)
        given = values.unmarked(variable, given, faults)
        if not given:
            if variable.required and complete and not variable.runtime:
                values.missing(variable, target, (), faults)
            elif not variable.required and not variable.computed:
                given = [Entry(variable.default, variable.file, variable.line)]
        value: Value = None
        for entry in given:
            if entry.value is not None:
                value = values.convert(variable, entry.value, [entry], faults)
        if given and len(faults) == before:
            values.validate(variable, None if given[-1].value is None else value, given[-1], faults, spoken)
