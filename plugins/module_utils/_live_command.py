# SPDX-FileCopyrightText: The hybridcore.packer authors
# SPDX-License-Identifier: Apache-2.0

"""What ``live_command`` is, for the module and for the action plugin: its options, and one call."""

from __future__ import annotations

import os
from typing import Any

# caretaker: Ansible ships what is imported, and the supervisor's process starts there.
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore import caretaker as _caretaker  # noqa: F401
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore import live
from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.monitor import Monitor

SPEC: dict[str, Any] = {
    "argv": {"type": "list", "elements": "str", "required": True},
    "creates": {"type": "path"},
    "chdir": {"type": "path"},
}


def run(params: dict[str, Any], *, check_mode: bool, diff: bool, monitor: Monitor) -> dict[str, Any]:
    """Run the program, unless what it creates is there.

    Args:
        params: the options, as ``SPEC`` describes them; the action plugin adds ``environment``, all of the
            program's environment, ``sudo``, the command that makes it root, and ``watched``, the processes
            whose end ends it.
        check_mode: only say whether it would run.
        diff: not used; nobody knows what a program will change.
        monitor: sees each line.

    Returns:
        What the task returns.
    """
    creates = params["creates"]
    changed = not (creates and os.path.exists(creates))
    # Ansible takes any rc but 0 for a failure, so 0 it is where nothing was run, as with its own command.
    answer: dict[str, Any] = {"changed": changed, "rc": 0, "lines": [], "msg": ""}
    if not changed:
        return {**answer, "msg": f"not run: {creates} exists"}
    if check_mode:
        return {**answer, "msg": "not run: check mode"}
    code, lines = live.run(
        params["argv"],
        cwd=params["chdir"] or os.getcwd(),
        env=params.get("environment", os.environ),
        line=monitor.note,
        watched=params.get("watched", ()),
        sudo=params.get("sudo", ()),
    )
    answer |= {"rc": code, "lines": lines}
    if code:
        how = f"exit code {code}" if code > 0 else f"signal {-code}"
        said = f": {lines[-1]}" if lines else ""
        answer |= {"failed": True, "msg": f"{params['argv'][0]} ended with {how}{said}"}
    return answer
