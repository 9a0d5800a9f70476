# SPDX-FileCopyrightText: The hybridcore.packer authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt):
# it is part of Ansible's own process, and imports its code.

"""What the documentation of every module of this collection says."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  workspace:
    description:
      - The folder that has C(packer-hybrid.toml); relative to the folder of the playbook.
      - When not given, it is taken from the environment variable E(HYBRIDCORE_WORKSPACE), or else it is the
        nearest folder with that file at or above the folder of the playbook, or of the current folder.
    type: path
attributes:
  async:
    description: Runs in the process of the task itself, which Ansible cannot put in the background.
    support: none
  action_group:
    description: Use C(group/hybridcore.packer.packer) in C(module_defaults) to set defaults for this module.
    support: full
    membership: [hybridcore.packer.packer]
  platform:
    description: The core uses what Linux alone has, such as process descriptors.
    support: full
    platforms: linux
notes:
  - Runs on the control node when the connection is V(local), which is how it is meant to be used.
"""

    ENV_OF_THE_GROUP = r"""
options:
  env:
    description:
      - Makes no difference here. It is taken so that C(module_defaults) of the action group C(packer) can
        give O(env) to all modules of the group.
    type: str
"""
