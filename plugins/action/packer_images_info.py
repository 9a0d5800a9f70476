"""``packer_images_info`` on the control node, in Ansible's own process."""

from __future__ import annotations

from ansible_collections.hybridcore.packer.plugins.module_utils.packer_images import INFO_SPEC, run_info
from ansible_collections.hybridcore.packer.plugins.plugin_utils.core_action import CoreAction


class ActionModule(CoreAction):
    MODULE = "packer_images_info"
    SPEC = INFO_SPEC
    CALL = staticmethod(run_info)
