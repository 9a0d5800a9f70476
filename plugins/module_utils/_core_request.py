# SPDX-FileCopyrightText: The hybridcore.packer authors
# SPDX-License-Identifier: Apache-2.0

"""What the modules that render and build share: their options, and the request to the core made from them."""

from __future__ import annotations

from typing import Any

from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore import pipeline
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.provisioners import stacks


def spec() -> dict[str, Any]:
    """The options that packer_config and packer_build share, with a switch for each provisioner stack."""
    switches = {stack.name: {"type": "bool", "default": stack.on} for stack in stacks.STACKS}
    return {
        "workspace": {"type": "path"},
        "env": {"type": "str", "required": True},
        "targets": {"type": "list", "elements": "raw", "default": []},
        "vars": {"type": "dict", "default": {}},
        "provisioners": {"type": "dict", "default": {}, "options": switches},
    }


SPEC = spec()


def request(params: dict[str, Any], **more: Any) -> pipeline.Request:
    """The request to the core.

    Args:
        params: the options, as ``SPEC`` describes them.
        more: further fields of the request.
    """
    switches = params["provisioners"] or {}
    return pipeline.Request(
        env=params["env"],
        targets=params["targets"],
        vars=params["vars"],
        provisioners={name: on for name, on in switches.items() if on is not None},
        **more,
    )
