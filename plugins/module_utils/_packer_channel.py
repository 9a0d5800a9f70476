# SPDX-FileCopyrightText: The hybridcore.packer authors
# SPDX-License-Identifier: Apache-2.0

"""What ``packer_channel`` is, for the module and for the action plugin: its options, and one call."""

from __future__ import annotations

from typing import Any

from ansible_collections.hybridcore.packer.plugins.module_utils._core_module import open_workspace
from ansible_collections.hybridcore.packer.plugins.module_utils._images import answer_of
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore import images
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.errors import UsageError
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.monitor import Monitor

SPEC: dict[str, Any] = {
    "env": {"type": "str"},
    "image": {"type": "str", "required": True},
    "place": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "rolled_back"], "default": "present"},
    "reason": {"type": "str", "default": ""},
    "workspace": {"type": "path"},
}


def run(params: dict[str, Any], *, check_mode: bool, diff: bool, monitor: Monitor) -> dict[str, Any]:
    """Have a channel, or an environment, have a version; or roll a channel back.

    Args:
        params: the options, as ``SPEC`` describes them.
        check_mode: only say what would be changed.
        diff: show what is changed.
        monitor: not used.

    Returns:
        What the task returns.
    """
    where = open_workspace(params)
    reference = images.parse(params["image"])
    if params["state"] == "rolled_back":
        if not reference.channel or params["place"]:
            raise UsageError(
                "a rollback wants an image with its channel",
                hint="image: dev:linux/qemu/web@stable, no place",
            )
        change = images.rollback(
            reference.image, reference.channel, workspace=where, reason=params["reason"], check=check_mode
        )
    else:
        if not params["place"]:
            raise UsageError("there is no place to promote to", hint="place: stable, prod: or prod:stable")
        place = images.parse_place(params["place"])
        change = images.promote(reference, place, workspace=where, reason=params["reason"], check=check_mode)
    return answer_of([change], diff)
