#!/usr/bin/python
# SPDX-FileCopyrightText: The hybridcore.packer authors
# SPDX-License-Identifier: Apache-2.0
# Ansible, which runs it, is under the GNU General Public License v3.0 or later: the two may be combined.

"""The module; on the control node the action plugin of the same name runs the same code in process."""

from __future__ import annotations

DOCUMENTATION = r"""
module: packer_config
short_description: Render and check the configuration of Packer templates for an environment
version_added: 1.0.0
description:
  - Renders C(configs/ENV/OS/PLATFORM/NAME.pkrvars.hcl) for each target from the C(variable) blocks of its
    template and the overlays of the workspace.
  - Values are merged, later wins. First the defaults of the C(variable) blocks, then
    C(environments/common/), then C(environments/ENV/), in each for all targets, for the operating system,
    the platform and the target; then the switches of the provisioners; then O(vars). Maps are merged key by
    key, lists are replaced, V(null) takes back what was said before.
  - Each target gets only the variables that it declares. Every value is checked against the declared type
    and, where they can be evaluated, against the C(validation) blocks.
  - Everything that is wrong, in all targets, is reported together, with file and line. Then no file is
    written.
  - A file that would not change is not touched.
extends_documentation_fragment:
  - hybridcore.packer.core
author:
  - The hybridcore.packer contributors (@hybridcore)
requirements:
  - Python 3.11 or newer
options:
  env:
    description:
      - The environment, a folder below C(environments/).
    type: str
    required: true
  targets:
    description:
      - The targets to render, each C(OS/PLATFORM/NAME), a folder below C(templates/).
      - An entry can be a dictionary with the keys C(target) and C(vars), for values for this target alone.
        They win over O(vars).
      - A text may name several, with commas, blanks or line ends between them; V(all) is every target.
      - All targets of the workspace when empty.
    type: list
    elements: raw
    default: []
  vars:
    description:
      - Values by name of variable, for all targets. They win over all overlays.
      - A sensitive variable is refused here. Pass it to M(hybridcore.packer.packer_build) as a secret, or
        in the environment as C(PKR_VAR_NAME).
      - A variable that switches a provisioner must agree with O(provisioners).
      - They are also the values for placeholders in C(*.pkrvars.hcl.tmpl) overlays.
    type: dict
    default: {}
  provisioners:
    description:
      - Which provisioners run inside the image.
      - Their assets must exist for the targets that use them.
    type: dict
    default: {}
    suboptions:
      ansible:
        description: Gives C(enable_ansible) to the targets that declare this variable.
        type: bool
        default: true
      puppet:
        description: Gives C(enable_puppet=true) to the targets that declare it; nothing while it is off.
        type: bool
        default: false
attributes:
  check_mode:
    description: Says what would change without writing anything.
    support: full
  diff_mode:
    description:
      - Shows each file that changes before and after. Values of sensitive variables are never shown.
    support: full
notes:
  - Variables whose name begins with C(hybridcore_) are given by the build itself and cannot be set.
seealso:
  - module: hybridcore.packer.packer_build
"""

EXAMPLES = r"""
- name: Render the configuration of all targets for dev
  hybridcore.packer.packer_config:
    env: dev

- name: Render one target with a value of your own
  hybridcore.packer.packer_config:
    env: prod
    targets: [linux/qemu/debian-12]
    vars:
      cpus: 4
  register: rendered

- name: Show where each value comes from
  ansible.builtin.debug:
    var: rendered.files[0].origins

- name: Give each target values of its own
  hybridcore.packer.packer_config:
    env: prod
    targets:
      - target: linux/qemu/debian-12
        vars:
          disk_size: 20G
      - linux/vsphere/debian-12
    provisioners:
      puppet: true
"""

RETURN = r"""
files:
  description: A result for each target, in the order of the targets. In check mode what would be.
  returned: success
  type: list
  elements: dict
  contains:
    target:
      description: The target.
      type: str
      sample: linux/qemu/debian-12
    path:
      description: The rendered file, absolute.
      type: str
      sample: /srv/images/configs/dev/linux/qemu/debian-12.pkrvars.hcl
    sha256:
      description: Digest of the rendered file.
      type: str
      sample: 0b6a9ee4b8d7b0c4ab2cbe5e9a32e1e4f46b2f0b4d9a26ad5b9e03e3a9ad9c51
    changed:
      description: Whether the file was not like that before.
      type: bool
    origins:
      description:
        - Where the value of each variable comes from, as C(file:line).
        - Several, joined by commas, where maps were merged. V(caller) stands for O(vars), V(provisioners)
          for O(provisioners).
      type: dict
      sample:
        cpus: environments/dev/linux/sizes.pkrvars.hcl:3
    sensitive:
      description:
        - Names of sensitive variables that are not in the file and that the build must get as secrets.
      type: list
      elements: str
      sample: [proxmox_token]
    unchecked:
      description:
        - Names of variables with a C(validation) that cannot be evaluated here; C(packer validate) does
          it.
      type: list
      elements: str
warnings:
  description: What is odd but not wrong, for example a variable in an overlay that no target declares.
  returned: success
  type: list
  elements: str
error:
  description: What is wrong, as data. The same as RV(msg) says in words.
  returned: failure
  type: dict
  contains:
    error:
      description: The kind of error.
      type: str
      sample: ConfigError
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
msg:
  description: What is wrong, in words.
  returned: failure
  type: str
"""

from ansible_collections.hybridcore.packer.plugins.module_utils import _gate  # noqa: E402

_gate.check_module()

from ansible_collections.hybridcore.packer.plugins.module_utils._core_module import run_module  # noqa: E402
from ansible_collections.hybridcore.packer.plugins.module_utils._packer_config import SPEC, run  # noqa: E402


def main() -> None:
    run_module(SPEC, run)


if __name__ == "__main__":
    main()
