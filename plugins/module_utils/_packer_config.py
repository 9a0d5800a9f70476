# SPDX-FileCopyrightText: The hybridcore.packer authors
# SPDX-License-Identifier: Apache-2.0

"""What ``packer_config`` is, for the module and for the action plugin: its options, and one call."""

from __future__ import annotations

from typing import Any

from ansible_collections.hybridcore.packer.plugins.module_utils._core_module import open_workspace
from ansible_collections.hybridcore.packer.plugins.module_utils._core_request import SPEC, request
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore import pipeline
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.monitor import Monitor

__all__ = ["SPEC", "run"]


def run(params: dict[str, Any], *, check_mode: bool, diff: bool, monitor: Monitor) -> dict[str, Any]:
    """Render the configuration of targets.

    Args:
        params: the options, as ``SPEC`` describes them.
        check_mode: only say what would change.
        diff: add the text of each file that changes, before and after, without secrets.
        monitor: not used; rendering has no lines of its own to show.

    Returns:
        What the task returns.
    """
    result = pipeline.render(request(params), open_workspace(params), write=not check_mode)
    texts = ("before", "after")
    answer: dict[str, Any] = {
        "changed": any(file["changed"] for file in result["files"]),
        "files": [
            {name: value for name, value in file.items() if name not in texts} for file in result["files"]
        ],
        "warnings": result["warnings"],
    }
    if diff:
        answer["diff"] = [
            {
                "before_header": file["path"],
                "after_header": file["path"],
                "before": file["before"],
                "after": file["after"],
            }
            for file in result["files"]
            if file["changed"]
        ]
    return answer
