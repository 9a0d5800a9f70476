"""``packer_build`` on the control node, in Ansible's own process, with Packer's lines shown as they come."""

from __future__ import annotations

from typing import Any

from ansible_collections.hybridcore.packer.plugins.module_utils.packer_build import SPEC
from ansible_collections.hybridcore.packer.plugins.module_utils.packer_build import run as build
from ansible_collections.hybridcore.packer.plugins.plugin_utils.core_action import CoreAction


class ActionModule(CoreAction):
    MODULE = "packer_build"
    SPEC = SPEC
    CALL = staticmethod(build)

    def _complete(self, params: dict[str, Any]) -> None:
        super()._complete(params)
        params["watched"] = self._ansible()
