"""Configuration of targets: merge overlays, check them against the templates, render ``configs/<env>/``."""

from __future__ import annotations

from contextlib import nullcontext

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path
    from typing import Any

    from ..workspace import Workspace


def generate_env_config(
    inputs: Mapping[str, Any], *, workspace: Workspace | None = None, write: bool = True
) -> dict[str, Any]:
    """Render the configuration of targets in an environment; public interface.

    It is written to ``configs/<env>/<target>.pkrvars.hcl``. Values are merged, later wins: defaults of the
    ``variable`` blocks, overlays of ``environments/common``, overlays of ``environments/<env>`` (in each: for
    all, for the operating system, the platform, the target), the provisioners' variables, the caller's
    variables. Maps merge deeply, lists replace, ``null`` takes back. docs/configuration.md has the table.

    Args:
        inputs: a mapping with

            - ``env``: name of the environment;
            - ``targets``: list of ``<os>/<platform>/<name>``, or of mappings with ``target`` and ``vars``,
              the caller's values for this target alone; all targets of the workspace when absent;
            - ``vars``: the caller's values by variable, for all targets;
            - ``provisioners``: the values that ``provisioners.emit_vars`` gives; None for the variable of a
              stack that is off, which is then left out and must have ``default = false``;
            - ``packer_version``: of the Packer that will read it, such as ``1.9.4``, where that is known;
              what differs between versions follows it.
        workspace: where everything lies; found when not given.
        write: whether to write; without it the result is the same and no file is touched.

    Returns:
        ``files``, one entry a target: ``target``, ``path`` (absolute), ``sha256`` of the file, ``changed``,
        ``origins`` (variable to ``file:line``), ``sensitive`` (names of the sensitive variables that the
        build must get as secrets), ``unchecked`` (variables with a validation or a
        default that is left to ``packer validate``), ``before`` and ``after`` (texts, without secrets); and
        ``warnings``, texts.

    Raises:
        ConfigError: something is wrong; has faults, those of all targets. Nothing was written.
        TemplatesError: a target does not exist, or its template cannot be used.
    """
    from .. import templates
    from .. import workspace as workspaces
    from . import generate

    where = workspaces.resolve(workspace)
    with generate.recorded(where) if write else nullcontext():
        asked = generate.read_inputs(inputs, where)
        loaded = templates.load_all(list(asked.targets), where)
        renderings, warnings = generate.render_all(asked, loaded, where)
        if write:
            generate.write(renderings, where)
    return generate.to_dict(renderings, warnings)


def validate_schema(
    files: Iterable[str | Path], *, workspace: Workspace | None = None, packer_version: str | None = None
) -> None:
    """Check files of values against the variables that templates declare; public interface.

    Args:
        files: files of values (``*.pkrvars.hcl``, ``*.pkrvars.json``), and perhaps templates
            (``*.pkr.hcl``). With templates, the values are checked together against what these declare, as
            Packer would get them. Without, each file is checked by its place: a rendered configuration,
            ``configs/<env>/<target>.pkrvars.hcl``, against its target, an overlay under ``environments/``
            against all targets that it applies to.
        workspace: where everything lies; found when not given.
        packer_version: of the Packer that will read them, where it is known.

    Raises:
        ConfigError: something is wrong; has faults, all of them, with file and line.
        TemplatesError: a target does not exist, or its template cannot be used.
    """
    from pathlib import Path

    from .. import workspace as workspaces
    from ..hcl.dialect import dialect
    from . import schema

    schema.validate([Path(file) for file in files], workspaces.resolve(workspace), dialect(packer_version))
