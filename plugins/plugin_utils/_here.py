# SPDX-FileCopyrightText: The hybridcore.packer authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt):
# it is part of Ansible's own process, and imports its code.

"""What a task on the control node shows while the core works in Ansible's own process."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
from collections.abc import Iterator

from ansible.utils.color import ANSIBLE_COLOR
from ansible.utils.display import Display
from ansible_collections.hybridcore.packer.plugins.module_utils._core_module import under_runner
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore import workspace
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.logs import rolling
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.monitor import Silence
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.process.lines import (
    strip_ansi_text,
)
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.state import store

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
        before = {number: signal.signal(number, lambda n, __: late.append(n)) for number in _DEADLY}
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
    # Settings that are not right are no reason to look further: the task would work on another workspace.
    return str(workspace.nearest(here) or workspace.find(os.getcwd()).root)


class _Warnings(logging.Handler):
    """Shows what the core warns of beside a result; without a handler it would go past Ansible to stderr."""

    def __init__(self, monitor: DisplayMonitor) -> None:
        super().__init__(logging.WARNING)
        self._monitor = monitor

    def emit(self, record: logging.LogRecord) -> None:
        self._monitor.note(f"warning: {record.getMessage()}")


@contextlib.contextmanager
def warnings_shown(monitor: DisplayMonitor) -> Iterator[None]:
    """Show what the core warns of while the block runs."""
    warnings = _Warnings(monitor)
    for name in _WARNED_BY:
        logging.getLogger(name).addHandler(warnings)
    try:
        yield
    finally:
        for name in _WARNED_BY:
            logging.getLogger(name).removeHandler(warnings)
