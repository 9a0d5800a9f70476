# SPDX-FileCopyrightText: The hybridcore.packer authors
# SPDX-License-Identifier: Apache-2.0

"""What ``packer_sources`` is, for the module and for the action plugin: its options, and one call."""

from __future__ import annotations

from typing import Any

from ansible_collections.hybridcore.packer.plugins.module_utils._core_module import open_workspace
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore import sources
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.monitor import Monitor

SPEC: dict[str, Any] = {
    "env": {"type": "str"},
    "names": {"type": "list", "elements": "str"},
    "frozen": {"type": "bool", "default": False},
    "offline": {"type": "bool", "default": False},
    "keep_going": {"type": "bool", "default": False},
    "lock": {"type": "bool", "default": False},
    "plugins": {"type": "bool", "default": False},
    "workspace": {"type": "path"},
}


def run(params: dict[str, Any], *, check_mode: bool, diff: bool, monitor: Monitor) -> dict[str, Any]:
    """Sync the sources, and the plugins of Packer.

    Args:
        params: the options, as ``SPEC`` describes them.
        check_mode: only say what would change.
        diff: add what was and what is, a line for each repository.
        monitor: who sees what is fetched.

    Returns:
        What the task returns.
    """
    where = open_workspace(params)
    results = sources.sync(
        params["names"],
        frozen=params["frozen"],
        offline=params["offline"],
        check=check_mode,
        keep_going=params["keep_going"],
        monitor=monitor,
        workspace=where,
    )
    moved = any(result.changed for result in results)
    # What a check would have moved is not there to be locked.
    locked = (
        sources.lock(params["names"], check=check_mode, workspace=where)
        if params["lock"] and not (check_mode and moved)
        else []
    )
    installed: list[Any] = []
    locked_plugins: list[Any] = []
    if params["plugins"]:
        # Only here, since importing it takes as long as a sync in which nothing changed.
        from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.packer import pinned

        installed = pinned.sync(offline=params["offline"], check=check_mode, monitor=monitor, workspace=where)
        if params["lock"] and not (check_mode and any(result.changed for result in installed)):
            locked_plugins = pinned.lock(check=check_mode, workspace=where)
    new = any(result.changed for result in installed)
    answer: dict[str, Any] = {
        "changed": moved
        or new
        or any(result.changed for result in locked)
        or any(result.changed for result in locked_plugins),
        "results": [result.to_dict() for result in results],
        "plugins": [result.to_dict() for result in installed],
    }
    warnings = [f"{result.name}: {result.warning}" for result in results if result.warning]
    warnings += [f"{result.source}: {result.warning}" for result in installed if result.warning]
    if warnings:
        answer["warnings"] = warnings
    if diff:
        answer["diff"] = {
            "before_header": "sources",
            "after_header": "sources",
            "before": "".join(f"{result.name} {result.before}\n" for result in results if result.before)
            + "".join(f"{result.source} {result.before}\n" for result in installed if result.before),
            "after": "".join(f"{result.name} {result.sha}\n" for result in results)
            + "".join(f"{result.source} {result.version}\n" for result in installed),
        }
    return answer
