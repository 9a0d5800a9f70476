# SPDX-FileCopyrightText: The hybridcore.packer authors
# SPDX-License-Identifier: Apache-2.0

"""What a task returns of changes of a version."""

from __future__ import annotations

from typing import Any

from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.images.changing import Change


def answer_of(changes: list[Change], diff: bool) -> dict[str, Any]:
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
