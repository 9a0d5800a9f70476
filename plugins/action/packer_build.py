"""``packer_build`` on the control node, in Ansible's own process, with Packer's lines shown as they come."""

from __future__ import annotations

import os
from typing import Any

from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.packer.children import (
    WATCH_VARIABLE,
)
from ansible_collections.hybridcore.packer.plugins.module_utils.packer_build import SPEC
from ansible_collections.hybridcore.packer.plugins.module_utils.packer_build import run as build
from ansible_collections.hybridcore.packer.plugins.plugin_utils.core_action import CoreAction


class ActionModule(CoreAction):
    MODULE = "packer_build"
    SPEC = SPEC
    CALL = staticmethod(build)

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        # This is a worker, which a signal to ansible-playbook ends at once, but its SIGKILL does not; and
        # ansible-runner's end ends nothing below it. So the supervisor watches them as well.
        watched = [os.environ.get(WATCH_VARIABLE, ""), str(os.getppid())]
        if "AWX_ISOLATED_DATA_DIR" in os.environ:
            watched.append(str(_parent_of(os.getppid())))
        os.environ[WATCH_VARIABLE] = ",".join(watched)
        return super().run(tmp, task_vars)


def _parent_of(pid: int) -> int:
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
        return int(file.read().rpartition(")")[2].split()[1])
