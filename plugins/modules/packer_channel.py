#!/usr/bin/python
# SPDX-FileCopyrightText: The hybridcore.packer authors
# SPDX-License-Identifier: Apache-2.0
# Ansible, which runs it, is under the GNU General Public License v3.0 or later: the two may be combined.

"""The module; on the control node the action plugin of the same name runs the same code in process."""

from __future__ import annotations

DOCUMENTATION = r"""
module: packer_channel
short_description: Promote versions of images, and roll channels back
version_added: 1.0.0
description:
  - Has a channel name a version of an image, brings a version to another environment without building it
    again, or rolls a channel back to the version that it named before.
  - A version that is revoked or incomplete, or that lacks what the channel demands, is refused.
extends_documentation_fragment:
  - hybridcore.packer.core
  - hybridcore.packer.core.env_of_the_group
author:
  - The hybridcore.packer contributors (@hybridcore)
requirements:
  - Python 3.11 or newer
options:
  image:
    description:
      - What to promote, as C(dev:linux/qemu/web@7); with a channel the version that this names.
      - For a rollback the channel, as C(dev:linux/qemu/web@stable).
    type: str
    required: true
  place:
    description:
      - Where to promote it, a channel as in V(stable), an environment as in V(prod:), or both as in
        V(prod:stable).
      - Required unless O(state=rolled_back).
    type: str
  state:
    description:
      - V(present) has the place have the version.
      - V(rolled_back) has the channel name the good version that it named before; each run goes one further.
    type: str
    choices: [present, rolled_back]
    default: present
  reason:
    description: Why, for the history of the channel.
    type: str
    default: ""
attributes:
  check_mode:
    description: Says what would be changed, and changes nothing.
    support: full
  diff_mode:
    description: Shows what the channel named, and names.
    support: full
seealso:
  - module: hybridcore.packer.packer_version
  - module: hybridcore.packer.packer_images_info
"""

EXAMPLES = r"""
- name: Promote what was tested
  hybridcore.packer.packer_channel:
    image: dev:linux/qemu/web@candidate
    place: stable
    reason: tests passed

- name: Bring it to production
  hybridcore.packer.packer_channel:
    image: dev:linux/qemu/web@stable
    place: "prod:stable"

- name: Go back
  hybridcore.packer.packer_channel:
    image: prod:linux/qemu/web@stable
    state: rolled_back
"""

RETURN = r"""
image:
  description: The image of the place.
  returned: success
  type: str
  sample: prod:linux/qemu/web
version:
  description: Its version; null in check mode where it would be a new one.
  returned: success
  type: int
  sample: 3
msg:
  description: What was done.
  returned: success
  type: str
moved:
  description: The channels that name another version now.
  returned: success
  type: list
  elements: dict
  sample: [{image: "dev:linux/qemu/web", channel: stable, before: 6, after: 7, reason: tests passed}]
"""

from ansible_collections.hybridcore.packer.plugins.module_utils import _gate  # noqa: E402

_gate.check_module()

from ansible_collections.hybridcore.packer.plugins.module_utils._core_module import run_module  # noqa: E402
from ansible_collections.hybridcore.packer.plugins.module_utils._packer_channel import SPEC, run  # noqa: E402


def main() -> None:
    run_module(SPEC, run)


if __name__ == "__main__":
    main()
