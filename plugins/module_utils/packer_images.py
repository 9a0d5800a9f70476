"""What the modules about versions of images are: their options, and one call each to the core."""

from __future__ import annotations

from typing import Any

from ansible_collections.hybridcore.packer.plugins.module_utils.core_module import open_workspace
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore import images, state
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.errors import UsageError
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.images.changing import Change
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.images.known import Known
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.images.moments import moment
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.images.showing import listed, shown
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.monitor import Monitor
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.workspace import Workspace

CHANNEL_SPEC: dict[str, Any] = {
    "image": {"type": "str", "required": True},
    "place": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "rolled_back"], "default": "present"},
    "reason": {"type": "str", "default": ""},
    "workspace": {"type": "path"},
}

VERSION_SPEC: dict[str, Any] = {
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

INFO_SPEC: dict[str, Any] = {
    "images": {"type": "list", "elements": "str", "default": []},
    "workspace": {"type": "path"},
}


def run_channel(params: dict[str, Any], *, check_mode: bool, diff: bool, monitor: Monitor) -> dict[str, Any]:
    """Have a channel, or an environment, have a version; or roll a channel back.

    Args:
        params: the options, as ``CHANNEL_SPEC`` describes them.
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
    return _answer([change], diff)


def run_version(params: dict[str, Any], *, check_mode: bool, diff: bool, monitor: Monitor) -> dict[str, Any]:
    """Have a version be revoked or not, labelled, held or not, or gone; the arguments are as above."""
    where = open_workspace(params)
    reference = images.parse(params["image"])
    reason = params["reason"]
    if params["state"] == "absent":
        return _retire(params, where, check_mode, diff)
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
    return _answer(changes, diff)


def _retire(params: dict[str, Any], where: Workspace, check_mode: bool, diff: bool) -> dict[str, Any]:
    reference = images.parse(params["image"])
    known = Known(where, state.read(workspace=where))
    number = known.resolve(reference)
    name = f"{reference.image}@{number}"
    if not known.is_there(reference.image, number):
        return {
            "changed": False,
            "image": str(reference.image),
            "version": number,
            "msg": f"{name} is gone already",
        }
    (found,) = images.retire(
        [reference.image],
        workspace=where,
        version=number,
        dry_run=check_mode,
        removed=params["removed"],
        reason=params["reason"],
    )
    stays = found.platform and not params["removed"]
    answer: dict[str, Any] = {
        "changed": not stays,
        "image": str(reference.image),
        "version": number,
        "msg": f"{name} lies on {found.platform}: remove it there, then say removed"
        if stays
        else f"{name} is gone",
        "moved": [],
    }
    if stays:
        answer["failed"] = True
    if diff:
        answer["diff"] = {
            "before": {"state": "present"},
            "after": {"state": "present" if stays else "absent"},
        }
    return answer


def _answer(changes: list[Change], diff: bool) -> dict[str, Any]:
    """What a task returns of one or several changes of one version."""
    last = changes[-1]
    answer: dict[str, Any] = {
        "changed": any(one.changed for one in changes),
        "image": str(last.image),
        "version": last.version,
        "msg": "; ".join(one.said for one in changes),
        "moved": [moved.to_dict() for one in changes for moved in one.moved],
    }
    if diff:
        answer["diff"] = {
            "before": {name: value for one in changes for name, value in one.before.items()},
            "after": {name: value for one in changes for name, value in one.after.items()},
        }
    return answer


def run_info(params: dict[str, Any], *, check_mode: bool, diff: bool, monitor: Monitor) -> dict[str, Any]:
    """Tell of images and their versions; the same in check mode, since it changes nothing.

    Args:
        params: the options, as ``INFO_SPEC`` describes them.
        check_mode: makes no difference.
        diff: makes no difference.
        monitor: not used.
    """
    where = open_workspace(params)
    known = Known(where, state.read(workspace=where))
    references = [images.parse(text) for text in params["images"] or []]
    whole = [one.image for one in references if not (one.version or one.channel)]
    single = [one for one in references if one.version or one.channel]
    return {
        "changed": False,
        "images": listed(known, whole) if whole or not references else [],
        "versions": [shown(known, one.image, known.resolve(one)) for one in single],
    }
