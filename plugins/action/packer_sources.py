"""``packer_sources`` on the control node, in Ansible's own process."""

from __future__ import annotations

from ansible_collections.hybridcore.packer.plugins.module_utils.packer_sources import SPEC, run
from ansible_collections.hybridcore.packer.plugins.plugin_utils.core_action import CoreAction


class ActionModule(CoreAction):
    MODULE = "packer_sources"
    SPEC = SPEC
    CALL = staticmethod(run)
