"""Whether the trees under ``sources/`` are what the state says was synced; a build uses the trees."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from ..errors import Fault, HybridError
from . import submodules
from .addresses import masked
from .git import Git

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..workspace import Workspace

_AT_A_TIME = 8
_SHOWN = 5


def differences(commits: Mapping[str, str], workspace: Workspace) -> list[Fault]:
    """Find the sources that were edited, checked out elsewhere, or removed since the last sync.

    Args:
        commits: the commit of each source as the state has it, by name.
        workspace: where they lie.

    Returns:
        A fault for each that differs, in the order of the names. One git runs for each source.
    """
    git = Git()

    def one(name: str) -> Fault | None:
        folder = workspace.sources / name
        hint = (
            f"packer-hybrid sources sync {name}; what was changed by hand is to be discarded or pinned first"
        )
        where = workspace.relative(folder)
        if not (folder / ".git").is_dir():
            return Fault(f"the source {name!r} was synced and is gone", file=where, hint=hint)
        try:
            git.settings(folder)  # before git reads them, which could run programs
            status = git.status(folder)
            setting = workspace.settings.sources.get(name)
            within = setting and setting.submodules and status.head == commits[name]
            inner = submodules.difference(git, folder, status.head) if within else ""
        except HybridError as error:
            return Fault(f"the source {name!r} cannot be looked at: {error.message}", file=where, hint=hint)
        if status.head != commits[name]:
            return Fault(
                f"the source {name!r} is at {status.head or 'no commit'}, and {commits[name]} was synced",
                file=where,
                hint=hint,
            )
        if status.dirty:
            shown = ", ".join(masked(text) for text in status.dirty[:_SHOWN])
            more = len(status.dirty) - _SHOWN
            shown += f" and {more} more" if more > 0 else ""
            return Fault(f"the source {name!r} differs from its commit: {shown}", file=where, hint=hint)
        if inner:
            return Fault(f"the source {name!r}: {inner}", file=where, hint=hint)
        return None

    names = sorted(commits)
    if not names:
        return []
    with ThreadPoolExecutor(min(_AT_A_TIME, len(names))) as pool:
        return [fault for fault in pool.map(one, names) if fault]
