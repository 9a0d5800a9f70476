"""What ``packer_sources`` is, for the module and for the action plugin: its options, and one call."""

from __future__ import annotations

from typing import Any

from ansible_collections.hybridcore.packer.plugins.module_utils.core_module import open_workspace
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore import sources
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.monitor import Monitor

SPEC: dict[str, Any] = {
    "env": {"type": "str"},
    "names": {"type": "list", "elements": "str"},
    "frozen": {"type": "bool", "default": False},
    "offline": {"type": "bool", "default": False},
    "keep_going": {"type": "bool", "default": False},
    "lock": {"type": "bool", "default": False},
    "workspace": {"type": "path"},
}


def run(params: dict[str, Any], *, check_mode: bool, diff: bool, monitor: Monitor) -> dict[str, Any]:
    """Sync the sources.

    Args:
        params: the options, as ``SPEC`` describes them.
        check_mode: only say what would change.
        diff: add what was and what is, a line for each repository.
        monitor: who sees what is fetched.

    Returns:
        What the task returns.
    """
    results = sources.sync(
        params["names"],
        frozen=params["frozen"],
        offline=params["offline"],
        check=check_mode,
        keep_going=params["keep_going"],
        monitor=monitor,
        workspace=open_workspace(params),
    )
    moved = any(result.changed for result in results)
    # What a check would have moved is not there to be locked.
    locked = (
        sources.lock(params["names"], check=check_mode, workspace=open_workspace(params))
        if params["lock"] and not (check_mode and moved)
        else []
    )
    answer: dict[str, Any] = {
        "changed": moved or any(result.changed for result in locked),
        "results": [result.to_dict() for result in results],
    }
    if warnings := [f"{result.name}: {result.warning}" for result in results if result.warning]:
        answer["warnings"] = warnings
    if diff:
        answer["diff"] = {
            "before_header": "sources",
            "after_header": "sources",
            "before": "".join(f"{result.name} {result.before}\n" for result in results if result.before),
            "after": "".join(f"{result.name} {result.sha}\n" for result in results),
        }
    return answer
