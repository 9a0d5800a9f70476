"""Packer under control: format, validate, inspect and build templates, with typed results.

The functions here import their parts when they are called, so that importing this module is cheap.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from ..workspace import Workspace
    from .results import FmtResult, ValidateResult


def fmt(paths: Iterable[str | Path], *, check: bool = False, workspace: Workspace | None = None) -> FmtResult:
    """Bring Packer files into canonical form, as ``packer fmt`` does.

    Args:
        paths: files, or folders that are searched for ``*.pkr.hcl`` and ``*.pkrvars.hcl``.
        check: only say what would change.
        workspace: where ``packer`` is configured; found from the current folder when not given.

    Returns:
        Which files change, with a diff.

    Raises:
        PackerError: Packer is missing, or a path is; a file that it cannot parse is in ``.faults``.
    """
    from .tools import fmt as run

    return run(paths, check=check, workspace=workspace)


def validate(targets: Sequence[str], *, env: str, workspace: Workspace | None = None) -> ValidateResult:
    """Have Packer check targets with the configuration of an environment.

    Args:
        targets: ``<os>/<platform>/<name>``.
        env: name of the environment.
        workspace: the workspace; found from the current folder when not given.

    Returns:
        The faults and warnings of each target, with file and line in the user's own templates.

    Raises:
        PackerError: Packer is missing or could not be run.
    """
    from .tools import validate as run

    return run(targets, env=env, workspace=workspace)
