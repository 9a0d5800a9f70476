"""What the action plugins of this collection share: run the core on the control node, in process."""

from __future__ import annotations

import getpass
import logging
import os
import shutil
import signal
from collections.abc import Callable
from typing import Any

from ansible.module_utils.common.parameters import remove_values
from ansible.plugins.action import ActionBase
from ansible.utils.color import ANSIBLE_COLOR
from ansible.utils.display import Display
from ansible_collections.hybridcore.packer.plugins.module_utils.core_module import (
    failure,
    fault_of_ours,
    under_runner,
)
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore import workspace
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.errors import (
    HybridError,
    ProcessError,
    WorkspaceError,
)
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.logs import rolling
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.monitor import Silence
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.process.children import (
    watched_parents,
)
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.process.lines import (
    strip_ansi_text,
)
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.state import store
from ansible_collections.hybridcore.packer.plugins.plugin_utils.far import ended_with, parent_of

# The names of Ansible's plugin for sudo.
SUDO = ("sudo", "ansible.builtin.sudo")

# The loggers by which the core warns of something beside a result.
_WARNED_BY = (store.LOGGER, rolling.LOGGER)

# The signals that ansible-playbook passes on to its workers.
_DEADLY = (signal.SIGINT, signal.SIGTERM)


class DisplayMonitor:
    """Shows the lines of builds on Ansible's display while the task runs.

    Under AWX each displayed line becomes an event in its database, so there only what Packer itself says
    is shown, at any verbosity; the whole stream is in the build's log. Codes for terminals are left out where
    Ansible shows no colours.
    """

    wants_lines = True

    def __init__(self) -> None:
        self._display = Display()
        self._packer_only = under_runner()
        self._silence = Silence()

    def line(self, target: str, text: str, kind: str) -> None:
        is_packers = kind in ("say", "error")
        if is_packers or (not self._packer_only and (kind == "message" or self._display.verbosity >= 2)):
            self._show(f"{target}: {text}")

    def note(self, text: str) -> None:
        self._show(text)

    def tick(self, running: dict[str, float]) -> None:
        """After a while of silence say what is still running."""
        if not self._packer_only and (text := self._silence.told(running)):
            self._display_line(text)

    def _show(self, text: str) -> None:
        self._silence.broken()
        self._display_line(text)

    def _display_line(self, text: str) -> None:
        """Show a line, and let a signal wait for that.

        A worker passes lines to ansible-playbook through a queue with a lock that processes share. One that
        dies while it holds the lock leaves ansible-playbook waiting for it for ever.
        """
        late: list[int] = []
        before = {number: signal.signal(number, lambda n, _: late.append(n)) for number in _DEADLY}
        try:
            self._display.display(text if ANSIBLE_COLOR else strip_ansi_text(text))
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
        for received in late:
            os.kill(os.getpid(), received)


def workspace_for(named: str | None, here: str) -> str:
    """The folder of the workspace that a task works on.

    Args:
        named: the folder that was given; relative to the playbook's.
        here: the folder of the playbook.

    Returns:
        The given one, the one of ``HYBRIDCORE_WORKSPACE``, or the nearest above the playbook, or above us.

    Raises:
        WorkspaceError: there is none.
    """
    if named:
        return os.path.join(here, named)
    if os.environ.get(workspace.ENVIRONMENT_VARIABLE):
        return str(workspace.find().root)
    try:
        return str(workspace.find(os.path.realpath(here)).root)
    except WorkspaceError:
        return str(workspace.find(os.getcwd()).root)


class _Warnings(logging.Handler):
    """Shows what the core warns of beside a result; without a handler it would go past Ansible to stderr."""

    def __init__(self, monitor: DisplayMonitor) -> None:
        super().__init__(logging.WARNING)
        self._monitor = monitor

    def emit(self, record: logging.LogRecord) -> None:
        self._monitor.note(f"warning: {record.getMessage()}")


def user_name() -> str:
    """The name of the user that we are; empty where a container has given us a number without a name."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # OSError: from Python 3.13 on
        return ""


class CoreAction(ActionBase):
    """Run one function of the core here, or ship the module when the task's host is elsewhere.

    A subclass gives ``MODULE`` (its name in the collection), ``SPEC`` (the module's argument spec) and
    ``CALL``, the function of ``plugins/module_utils`` that the module calls too.
    """

    MODULE: str
    SPEC: dict[str, Any]
    CALL: Callable[..., dict[str, Any]]

    _supports_check_mode = True
    _supports_async = False
    _supports_diff = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
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
        validation, params = self.validate_argument_spec(argument_spec=self.SPEC)
        os.environ.update(self._task_environment())
        monitor = DisplayMonitor()
        warnings = _Warnings(monitor)
        for name in _WARNED_BY:
            logging.getLogger(name).addHandler(warnings)
        try:
            self._complete(params)
            answer = type(self).CALL(
                params,
                check_mode=self._task.check_mode,
                diff=self._task.diff,
                monitor=monitor,
            )
        except (HybridError, OSError) as error:
            answer = failure(error)
        except Exception:  # noqa: BLE001 -- a fault of ours may quote a secret, and Ansible would show all of it
            answer = fault_of_ours(validation._no_log_values)
        finally:
            for name in _WARNED_BY:
                logging.getLogger(name).removeHandler(warnings)
        result.update(answer)
        # Nothing masks what an action plugin returns, so we do what a module's exit_json would do.
        masked: dict[str, Any] = remove_values(result, validation._no_log_values)
        return masked

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
        params["workspace"] = workspace_for(params.get("workspace"), self._loader.get_basedir())

    @staticmethod
    def _ansible() -> list[int]:
        """The processes whose end must end what we start: Ansible, and what started it."""
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
