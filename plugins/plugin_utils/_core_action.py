# SPDX-FileCopyrightText: The hybridcore.packer authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt):
# it is part of Ansible's own process, and imports its code.

"""What the action plugins of this collection share: run the core on the control node, in process.

What imports the core is imported by the functions that need it: an action must load on any Python on which
Ansible runs, to say that it is too old.
"""

from __future__ import annotations

import getpass
import os
import shutil
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ansible.module_utils.common.parameters import remove_values
from ansible.plugins.action import ActionBase
from ansible_collections.hybridcore.packer.plugins.module_utils import _gate
from ansible_collections.hybridcore.packer.plugins.plugin_utils._far import ended_with, parent_of

if TYPE_CHECKING:
    from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.errors import HybridError

# The names of Ansible's plugin for sudo.
SUDO = ("sudo", "ansible.builtin.sudo")

_UTILS = "ansible_collections.hybridcore.packer.plugins.module_utils"


def user_name() -> str:
    """The name of the user that we are; empty where a container has given us a number without a name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # OSError: from Python 3.13 on
        return ""


class CoreAction(ActionBase):
    """Run one function of the core here, or ship the module when the task's host is elsewhere.

    A subclass gives ``MODULE``, the module's name. ``plugins/module_utils/_<name>.py`` has what the module
    uses too: ``SPEC``, its argument spec, and ``run``, the function.
    """

    MODULE: str

    _supports_check_mode = True
    _supports_async = False
    _supports_diff = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        if sentence := _gate.refusal():
            return {**result, "failed": True, "changed": False, "msg": sentence}
        from ansible_collections.hybridcore.packer.plugins.module_utils._core_module import failure

        self._task.args = {**self._module_defaults(), **self._task.args}
        if not self._is_here():
            if fault := self._no_sudo():
                result.update(failure(fault))
                return result
            with ended_with(self._ansible()):
                result.update(
                    self._execute_module(
                        module_name=f"hybridcore.packer.{self.MODULE}",
                        module_args=dict(self._task.args),
                        task_vars=task_vars,
                    )
                )
            return result
        answer, no_log_values = self._run_here()
        result.update(answer)
        # Nothing masks what an action plugin returns, so we do what a module's exit_json would do.
        masked: dict[str, Any] = remove_values(result, no_log_values)
        return masked

    def _run_here(self) -> tuple[dict[str, Any], set[str]]:
        """Run the function; return what it answers, and the values that must not be shown."""
        from ansible_collections.hybridcore.packer.plugins.module_utils import _core_module
        from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.errors import HybridError
        from ansible_collections.hybridcore.packer.plugins.plugin_utils import _here

        work = import_module(f"{_UTILS}._{self.MODULE}")
        validation, params = self.validate_argument_spec(argument_spec=work.SPEC)
        os.environ.update(self._task_environment())
        monitor = _here.DisplayMonitor()
        with _here.warnings_shown(monitor):
            try:
                self._complete(params)
                answer = work.run(
                    params,
                    check_mode=self._task.check_mode,
                    diff=self._task.diff,
                    monitor=monitor,
                )
            except (HybridError, OSError) as error:
                answer = _core_module.failure(error)
            except Exception:  # noqa: BLE001 -- a fault of ours may quote a secret, and Ansible would show all
                answer = _core_module.fault_of_ours(validation._no_log_values)
        return answer, validation._no_log_values

    def _module_defaults(self) -> dict[str, Any]:
        """What ``module_defaults`` say of this module.

        Ansible has merged them into the task's arguments before it dropped those that were ``omit``. So an
        option that a role omits, as nobody gave it, has lost the default that the play gives it.
        """
        given: dict[str, Any] = {}
        for entry in self._task.module_defaults or []:
            given.update(entry)
        found: dict[str, Any] = {}
        for name in ("group/hybridcore.packer.packer", f"hybridcore.packer.{self.MODULE}"):
            found.update(self._templar.template(given.get(name)) or {})
        return found

    def _complete(self, params: dict[str, Any]) -> None:
        """Give the options what only Ansible knows."""
        from ansible_collections.hybridcore.packer.plugins.plugin_utils._here import workspace_for

        params["workspace"] = workspace_for(params.get("workspace"), self._loader.get_basedir())

    @staticmethod
    def _ansible() -> list[int]:
        """The processes whose end must end what we start: Ansible, and what started it."""
        from ansible_collections.hybridcore.packer.plugins.module_utils._core_module import under_runner
        from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.process.children import (
            watched_parents,
        )

        # This is a worker, which a signal to ansible-playbook ends at once, but its SIGKILL does not; and
        # ansible-runner's end ends nothing below it. So the supervisor watches them as well.
        watched = [*watched_parents(os.environ), os.getppid()]
        if under_runner():
            watched.append(parent_of(os.getppid()))
        return watched

    def _is_here(self) -> bool:
        become = self._connection.become
        as_other = become is not None and become.get_option("become_user") != user_name()
        return self._connection.transport == "local" and not as_other

    def _no_sudo(self) -> HybridError | None:
        """Say in words that sudo is missing, where Ansible would show what a shell says."""
        become = self._connection.become
        if self._connection.transport != "local" or become is None or become.name not in SUDO:
            return None
        from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.errors import ProcessError

        program = become.get_option("become_exe") or "sudo"
        if shutil.which(program):
            return None
        return ProcessError(
            f"cannot become {become.get_option('become_user')}: the program {program!r} was not found",
            hint="install it, run as that user, or leave become out where it is not needed",
        )

    def _task_environment(self) -> dict[str, str]:
        """The task's ``environment``; this process runs this one task, so it can be set here."""
        environment: dict[str, str] = {}
        for entry in self._task.environment or []:
            values = self._templar.template(entry)
            if isinstance(values, dict):
                environment.update({str(name): str(value) for name, value in values.items()})
        return environment
