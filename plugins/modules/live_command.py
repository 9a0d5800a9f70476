#!/usr/bin/python
# SPDX-FileCopyrightText: The hybridcore.packer authors
# SPDX-License-Identifier: Apache-2.0
# Ansible, which runs it, is under the GNU General Public License v3.0 or later: the two may be combined.

"""The module; on the control node the action plugin of the same name shows the lines as they come."""

from __future__ import annotations

DOCUMENTATION = r"""
module: live_command
short_description: Run a program on the control node and show its lines while they come
version_added: 1.0.0
description:
  - Runs a program as M(ansible.builtin.command) does, but each line that it prints is shown at once, and the
    program does not outlive the playbook.
  - Whatever ends Ansible, also C(SIGKILL), a closed terminal or the task's C(timeout), ends the program and
    every process that it started. The program gets C(SIGTERM), and what is left after 10 seconds C(SIGKILL).
    Processes that it leaves in the background end with the program.
author:
  - The hybridcore.packer contributors (@hybridcore)
requirements:
  - Linux with Python 3.11 or newer
options:
  argv:
    description: The program and its arguments. No shell is used.
    type: list
    elements: str
    required: true
  creates:
    description:
      - A file or folder. If it exists, nothing is run.
      - Relative to the folder of the playbook.
    type: path
  chdir:
    description: The folder to run in; relative to the folder of the playbook, and that folder by default.
    type: path
attributes:
  check_mode:
    description: Runs nothing. Says RV(ignore:changed=true) unless O(creates) exists.
    support: full
  diff_mode:
    description: Nobody knows what a program will change.
    support: none
  async:
    description: Runs in the process of the task itself, which Ansible cannot put in the background.
    support: none
  platform:
    description: The supervisor uses what Linux alone has, such as process descriptors.
    support: full
    platforms: linux
notes:
  - Lines are shown where the connection is V(local). With C(become) they are shown where that is C(sudo) to
    C(root) without a password; it runs as C(sudo -n), and C(become_flags) are not used.
  - In all other cases the module is sent to the host as any other module. Its lines are then only in its
    result. The program ends there too when Ansible or the connection does, but not when the task's worker
    alone is killed by C(SIGKILL).
  - When nothing was printed for 10 seconds, a line says that the program still runs; then ever less
    often, at least every five minutes.
  - Standard output and standard error are shown together. Colours and blank lines are left out, and secret
    cloud credentials of the environment are masked.
  - On the control node the program gets the variables that other programs get from this collection (locale,
    proxies, certificates, cloud credentials), and the task's C(environment).
seealso:
  - module: ansible.builtin.command
"""

EXAMPLES = r"""
- name: Make a root file system, and see how far it is
  hybridcore.packer.live_command:
    argv: [mmdebstrap, --verbose, bookworm, /srv/images/root.tar]
    creates: /srv/images/root.tar
  become: true

- name: Convert a disk image
  hybridcore.packer.live_command:
    argv: [qemu-img, convert, -p, -O, qcow2, disk.raw, disk.qcow2]
    chdir: /srv/images
  register: converted

- name: Show the end of what it said
  ansible.builtin.debug:
    msg: "{{ converted.lines[-3:] }}"
"""

RETURN = r"""
rc:
  description:
    - Exit code of the program; negative for the signal that ended it.
    - V(0) too when it was not run, because of check mode or O(creates).
  returned: when the program could be started, or need not be
  type: int
  sample: 0
lines:
  description: The last lines that it printed, 50 at most.
  returned: when the program could be started, or need not be
  type: list
  elements: str
  sample: ["I: success in 41.3 seconds"]
msg:
  description: Why it failed or was not run, in words; the last line that it printed is part of it.
  returned: always
  type: str
error:
  description: What is wrong, as data. The same as RV(msg) says in words.
  returned: when the program could not be started, or was ended
  type: dict
  contains:
    error:
      description: The kind of error.
      type: str
      sample: ProcessError
    message:
      description: One sentence.
      type: str
    hint:
      description: What to do about it.
      type: str
    file:
      description: The file it is in, or null.
      type: str
    line:
      description: The line in that file, or null.
      type: int
    faults:
      description: Each thing that is wrong, with its own message, file, line and hint.
      type: list
      elements: dict
"""

from ansible_collections.hybridcore.packer.plugins.module_utils import _gate  # noqa: E402

_gate.check_module()

from ansible_collections.hybridcore.packer.plugins.module_utils._core_module import run_module  # noqa: E402
from ansible_collections.hybridcore.packer.plugins.module_utils._live_command import SPEC, run  # noqa: E402


def main() -> None:
    run_module(SPEC, run)


if __name__ == "__main__":
    main()
