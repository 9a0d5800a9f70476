# SPDX-FileCopyrightText: The hybridcore.packer authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt):
# it is part of Ansible's own process, and imports its code.

"""``live_command`` on the control node: the program's lines are shown as they come."""

from __future__ import annotations

import os
import pwd
from typing import Any

from ansible_collections.hybridcore.packer.plugins.plugin_utils._core_action import SUDO, CoreAction

# What sudo itself would set for root: the user's own folders have no place in root's PATH.
ROOT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class ActionModule(CoreAction):
    MODULE = "live_command"

    def _is_here(self) -> bool:
        return super()._is_here() or bool(self._sudo())

    def _complete(self, params: dict[str, Any]) -> None:
        from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.process import environment

        here = self._loader.get_basedir()
        for name in ("creates", "chdir"):
            if params[name]:
                params[name] = os.path.join(here, params[name])
        params["chdir"] = params["chdir"] or here
        params["sudo"] = self._sudo()
        params["watched"] = self._ansible()
        root = pwd.getpwuid(0)
        as_root = {"PATH": ROOT_PATH, "HOME": root.pw_dir, "USER": root.pw_name, "LOGNAME": root.pw_name}
        params["environment"] = environment.child_environment(
            {**(as_root if params["sudo"] else {}), **self._task_environment()}
        )

    def _sudo(self) -> list[str]:
        """The command that makes us root, where ``become`` asks for that and sudo needs no password."""
        become = self._connection.become
        if (
            super()._is_here()
            or self._connection.transport != "local"
            or become is None
            or become.name not in SUDO
            or become.get_option("become_user") != "root"
            or become.get_option("become_pass")
        ):
            return []
        return [become.get_option("become_exe") or "sudo", "-n"]
