# SPDX-FileCopyrightText: The hybridcore.packer authors
# SPDX-License-Identifier: Apache-2.0

"""What ``packer_version`` is, for the module and for the action plugin: its options, and one call."""

from __future__ import annotations

from typing import Any

from ansible_collections.hybridcore.packer.plugins.module_utils._core_module import open_workspace
from ansible_collections.hybridcore.packer.plugins.module_utils._images import answer_of
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore import images
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.errors import UsageError
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.images.known import Known
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.images.moments import moment
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.images.names import Reference
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.monitor import Monitor
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.workspace import Workspace

SPEC: dict[str, Any] = {
    "env": {"type": "str"},
    "image": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "revoked": {"type": "bool"},
    "at": {"type": "str", "default": ""},
    "only_this": {"type": "bool", "default": False},
    "labels": {"type": "dict"},
    "held": {"type": "bool"},
    "removed": {"type": "bool", "default": False},
    "reason": {"type": "str", "default": ""},
    "workspace": {"type": "path"},
}


def run(params: dict[str, Any], *, check_mode: bool, diff: bool, monitor: Monitor) -> dict[str, Any]:
    """Have a version be revoked or not, labelled, held, or gone; the arguments are as of every module."""
    where = open_workspace(params)
    reference = images.parse(params["image"])
    reason = params["reason"]
    if params["state"] == "absent":
        return _retire(reference, params, where, check_mode, diff)
    changes = []
    if params["revoked"]:
        if not reason:
            raise UsageError("a revocation wants a reason", hint="reason: why it is not to be used")
        at = moment(at=params["at"])
        changes.append(
            images.revoke(
                reference,
                workspace=where,
                reason=reason,
                at=at,
                only_this=params["only_this"],
                check=check_mode,
            )
        )
    elif params["revoked"] is not None:
        changes.append(images.restore(reference, workspace=where, reason=reason, check=check_mode))
    if params["labels"] is not None:
        labels = {str(name): str(value) for name, value in params["labels"].items() if value is not None}
        removed = [name for name, value in params["labels"].items() if value is None]
        changes.append(
            images.label(reference, workspace=where, labels=labels, removed=removed, check=check_mode)
        )
    if params["held"] is not None:
        release = not params["held"]
        changes.append(
            images.hold(reference, workspace=where, reason=reason, release=release, check=check_mode)
        )
    if not changes:
        raise UsageError("nothing is asked for", hint="one of revoked, labels, held, or state: absent")
    return answer_of(changes, diff)


def _retire(
    reference: Reference, params: dict[str, Any], where: Workspace, check_mode: bool, diff: bool
) -> dict[str, Any]:
    known = Known.read(where)
    number = known.resolve(reference)
    name = f"{reference.image}@{number}"
    answer = {"changed": False, "image": str(reference.image), "version": number, "moved": []}
    if not known.is_there(reference.image, number):
        return {**answer, "msg": f"{name} is gone already"}
    (found,) = images.retire(
        [reference.image],
        workspace=where,
        version=number,
        dry_run=check_mode,
        removed=params["removed"],
        reason=params["reason"],
    )
    stays = found.platform and not params["removed"]
    if stays:
        answer |= {
            "failed": True,
            "msg": f"{name} lies on {found.platform}: remove it there, then say removed",
        }
    else:
        answer |= {"changed": True, "msg": f"{name} is gone"}
    if diff:
        answer["diff"] = {
            "before": {"state": "present"},
            "after": {"state": "present" if stays else "absent"},
        }
    return answer
