# SPDX-FileCopyrightText: The hybridcore.packer authors
# SPDX-License-Identifier: Apache-2.0

"""What ``packer_images_info`` is, for the module and for the action plugin: its options, and one call."""

from __future__ import annotations

from typing import Any

from ansible_collections.hybridcore.packer.plugins.module_utils._core_module import open_workspace
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore import images
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.images.known import Known
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.images.showing import listed, shown
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.monitor import Monitor
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.workspace import check_env

SPEC: dict[str, Any] = {
    "env": {"type": "str"},
    "images": {"type": "list", "elements": "str", "default": []},
    "workspace": {"type": "path"},
}


def run(params: dict[str, Any], *, check_mode: bool, diff: bool, monitor: Monitor) -> dict[str, Any]:
    """Tell of images and their versions; the same in check mode, since it changes nothing.

    Args:
        params: the options, as ``SPEC`` describes them.
        check_mode: makes no difference.
        diff: makes no difference.
        monitor: not used.
    """
    where = open_workspace(params)
    env = params["env"]
    if env:
        check_env(env)
    known = Known.read(where)
    references = [images.parse(text) for text in params["images"] or []]
    whole = [one.image for one in references if not (one.version or one.channel)]
    single = [one for one in references if one.version or one.channel]
    if not references:
        whole = [image for image in known.images() if not env or image.env == env]
    return {
        "changed": False,
        "images": listed(known, whole) if whole else [],
        "versions": [shown(known, one.image, known.resolve(one)) for one in single],
    }
