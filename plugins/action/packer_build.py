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

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        self._watch_ansible()
        return super().run(tmp, task_vars)
