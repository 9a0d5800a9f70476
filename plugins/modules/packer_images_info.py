#!/usr/bin/python
# SPDX-FileCopyrightText: The hybridcore.packer authors
# SPDX-License-Identifier: Apache-2.0
# Ansible, which runs it, is under the GNU General Public License v3.0 or later: the two may be combined.

"""The module; on the control node the action plugin of the same name runs the same code in process."""

from __future__ import annotations

DOCUMENTATION = r"""
module: packer_images_info
short_description: Tell which versions of images there are, and which of them may be used
version_added: 1.0.0
description:
  - Returns images with their channels and versions, and all that is known of single versions.
extends_documentation_fragment:
  - hybridcore.packer.core
author:
  - The hybridcore.packer contributors (@hybridcore)
requirements:
  - Python 3.11 or newer
options:
  env:
    description:
      - With no O(images), only those of this environment; those of all environments when not given.
      - What O(images) names it names with its environment, so this makes no difference then.
    type: str
  images:
    description:
      - Images as C(dev:linux/qemu/web), of which all versions are listed.
      - Single versions as C(dev:linux/qemu/web@7) or C(dev:linux/qemu/web@stable), of which all is told.
      - All images, or those of O(env), when empty.
    type: list
    elements: str
    default: []
attributes:
  check_mode:
    description: Changes nothing in any mode.
    support: full
  diff_mode:
    description: There is nothing to show, since nothing changes.
    support: none
seealso:
  - module: hybridcore.packer.packer_channel
  - module: hybridcore.packer.packer_version
"""

EXAMPLES = r"""
- name: Look at what production runs
  hybridcore.packer.packer_images_info:
    images: ["prod:linux/qemu/web@stable"]
  register: found

- name: Refuse to deploy what is behind its parent
  ansible.builtin.assert:
    that: not found.versions[0].behind
"""

RETURN = r"""
images:
  description: The images that were asked for, each with C(channels), C(versions), C(history), C(problems).
  returned: success
  type: list
  elements: dict
  sample: [{image: "dev:linux/qemu/web", newest: 7, channels: {latest: 7, stable: 6}}]
versions:
  description: The single versions that were asked for; docs/images.md describes each field.
  returned: success
  type: list
  elements: dict
  sample: [{image: "dev:linux/qemu/web", version: 6, channels: [stable], revoked: null}]
"""

from ansible_collections.hybridcore.packer.plugins.module_utils import _gate  # noqa: E402

_gate.check_module()

from ansible_collections.hybridcore.packer.plugins.module_utils._core_module import run_module  # noqa: E402
from ansible_collections.hybridcore.packer.plugins.module_utils._packer_images_info import SPEC, run  # noqa: E402


def main() -> None:
    run_module(SPEC, run)


if __name__ == "__main__":
    main()
