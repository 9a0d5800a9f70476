# SPDX-FileCopyrightText: The hybridcore.packer authors
# SPDX-License-Identifier: Apache-2.0

"""What ``packer_info`` is, for the module and for the action plugin: its options, and one call."""

from __future__ import annotations

from typing import Any

from ansible_collections.hybridcore.packer.plugins.module_utils._core_module import (
    make_paths_absolute,
    open_workspace,
)
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.monitor import Monitor
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.packer.info import info

SPEC: dict[str, Any] = {
    "env": {"type": "str"},
    "targets": {"type": "list", "elements": "str", "default": []},
    "workspace": {"type": "path"},
}


def run(params: dict[str, Any], *, check_mode: bool, diff: bool, monitor: Monitor) -> dict[str, Any]:
    """Gather what there is; the same in check mode, since it changes nothing.

    Args:
        params: the options, as ``SPEC`` describes them.
        check_mode: makes no difference.
        diff: makes no difference.
        monitor: not used.

    Returns:
        What the task returns.
    """
    where = open_workspace(params)
    found = info(env=params["env"] or None, targets=params["targets"] or [], workspace=where)
    for image in found["images"]:
        make_paths_absolute(image, where)
        make_paths_absolute(image["last_attempt"] or {}, where)
    return {"changed": False, **found}
