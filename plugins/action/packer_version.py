"""``packer_version`` on the control node, in Ansible's own process."""

from __future__ import annotations

from ansible_collections.hybridcore.packer.plugins.module_utils.packer_images import VERSION_SPEC, run_version
from ansible_collections.hybridcore.packer.plugins.plugin_utils.core_action import CoreAction


class ActionModule(CoreAction):
    MODULE = "packer_version"
    SPEC = VERSION_SPEC
    CALL = staticmethod(run_version)
