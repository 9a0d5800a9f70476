"""What the modules that render and build share: their options, and the request to the core made from them."""

from __future__ import annotations

from typing import Any

from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore import pipeline

# The options that packer_config and packer_build share.
SPEC: dict[str, Any] = {
    "workspace": {"type": "path"},
    "env": {"type": "str", "required": True},
    "targets": {"type": "list", "elements": "raw", "default": []},
    "vars": {"type": "dict", "default": {}},
    "provisioners": {
        "type": "dict",
        "default": {},
        "options": {
            "ansible": {"type": "bool", "default": True},
            "puppet": {"type": "bool", "default": False},
        },
    },
}


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
        ansible=switches.get("ansible", True),
        puppet=switches.get("puppet", False),
        **more,
    )
