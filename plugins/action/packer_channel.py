"""``packer_channel`` on the control node, in Ansible's own process."""

from __future__ import annotations

from ansible_collections.hybridcore.packer.plugins.module_utils.packer_images import CHANNEL_SPEC, run_channel
from ansible_collections.hybridcore.packer.plugins.plugin_utils.core_action import CoreAction


class ActionModule(CoreAction):
    MODULE = "packer_channel"
    SPEC = CHANNEL_SPEC
    CALL = staticmethod(run_channel)
