"""``packer_info`` on the control node, in Ansible's own process."""

from __future__ import annotations

from ansible_collections.hybridcore.packer.plugins.module_utils.packer_info import SPEC, run
from ansible_collections.hybridcore.packer.plugins.plugin_utils.core_action import CoreAction


class ActionModule(CoreAction):
    MODULE = "packer_info"
    SPEC = SPEC
    CALL = staticmethod(run)
