# SPDX-FileCopyrightText: The hybridcore.packer authors
# SPDX-License-Identifier: Apache-2.0

"""What the modules of this collection share: call the core, and say an error as Ansible does."""

from __future__ import annotations

import os
import select
import signal
import threading
from collections.abc import Callable, Iterable
from typing import Any, NoReturn

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore import workspace
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.errors import (
    HybridError,
    error_to_dict,
    from_os_error,
)
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.monitor import NullMonitor
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.process.mask import (
    masked_traceback,
)

# What Ansible itself shows in place of an option that is not to be logged.
_HIDDEN = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER"


def open_workspace(params: dict[str, Any]) -> workspace.Workspace:
    """The workspace that the option ``workspace`` names, or else the nearest one."""
    named = params["workspace"]
    return workspace.open_workspace(named) if named else workspace.find()


def make_paths_absolute(entry: dict[str, Any], where: workspace.Workspace) -> None:
    """Make the paths of a result or of an image absolute: the next task wants to open the files.

    Args:
        entry: has ``log_path``, ``manifest_path`` and ``artifacts`` or some of them; it is changed.
        where: the workspace, to which the state keeps paths relative.
    """
    for file in (file for artifact in entry.get("artifacts") or [] for file in artifact.get("files") or []):
        file["path"] = os.path.join(where.root, file["path"])
    for name in ("log_path", "manifest_path"):
        if entry.get(name):
            entry[name] = os.path.join(where.root, entry[name])


def under_runner() -> bool:
    """Whether ansible-runner started this Ansible, as AWX does."""
    return "AWX_ISOLATED_DATA_DIR" in os.environ


def failure(error: HybridError | OSError) -> dict[str, Any]:
    """What a task returns for an error of the core, or of a file that the core needs."""
    details = error_to_dict(from_os_error(error) if isinstance(error, OSError) else error)
    return {"failed": True, "changed": False, "msg": details.pop("msg"), "error": details}


def fault_of_ours(no_log_values: Iterable[str]) -> dict[str, Any]:
    """What a task returns for the exception that is being handled, which nobody foresaw."""
    masked = masked_traceback(no_log_values)
    last = masked.rstrip().rpartition("\n")[2]
    return {
        "failed": True,
        "changed": False,
        # Up to 2.18 Ansible shows the traceback at -vvv, from 2.19 on when the variable says so.
        "msg": f"a fault in hybridcore.packer, not in your input: {last} "
        "(report it with the traceback that ANSIBLE_DISPLAY_TRACEBACK=error and -vvv show)",
        "exception": masked,
    }


class _Module(AnsibleModule):
    """A module that does not show what ``extra_env`` holds, which may be secrets.

    To mark the option ``no_log`` would hide too much: Ansible would then cut each of its values, such as a
    disk's size, out of all that the module returns.
    """

    def exit_json(self, **answer: Any) -> NoReturn:
        super().exit_json(**{"invocation": self._invocation(), **answer})

    def fail_json(self, msg: str, **answer: Any) -> NoReturn:
        super().fail_json(msg, **{"invocation": self._invocation(), **answer})

    def log(self, msg: str, log_args: dict[str, Any] | None = None) -> None:
        # What Ansible writes to the system's log are the options, with their values.
        if not self.params.get("extra_env"):
            super().log(msg, log_args)

    def _invocation(self) -> dict[str, Any]:
        shown = dict(self.params)
        if shown.get("extra_env"):
            shown["extra_env"] = _HIDDEN
        return {"module_args": shown}


def _end_with_the_connection() -> None:
    """End this module when nobody can read its result any more: the connection, or Ansible itself, has gone.

    Without a terminal a module hears nothing of that. sshd closes its end of our standard output, and with
    standard input alone it could not be told from the end of a module that came by pipelining.
    """

    def end(number: int, frame: object) -> None:
        raise SystemExit(128 + number)

    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, end)
    poll = select.poll()
    poll.register(1, 0)  # its end alone, which cannot be left out

    def wait() -> None:
        if any(event & (select.POLLERR | select.POLLHUP) for fd, event in poll.poll()):
            os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, daemon=True).start()


def run_module(spec: dict[str, Any], call: Callable[..., dict[str, Any]]) -> None:
    """The whole life of a module: parse the arguments, call the core, answer."""
    module = _Module(argument_spec=spec, supports_check_mode=True)
    _end_with_the_connection()
    try:
        answer = call(module.params, check_mode=module.check_mode, diff=module._diff, monitor=NullMonitor())
    except (HybridError, OSError) as error:
        answer = failure(error)
    except Exception:  # noqa: BLE001 -- the outermost edge, as in an action: nothing else would mask it
        answer = fault_of_ours(module.no_log_values)
    if answer.get("failed"):
        module.fail_json(**answer)
    module.exit_json(**answer)
