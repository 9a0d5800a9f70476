#!/usr/bin/python
# SPDX-FileCopyrightText: The hybridcore.packer authors
# SPDX-License-Identifier: Apache-2.0
# Ansible, which runs it, is under the GNU General Public License v3.0 or later: the two may be combined.

"""The module; on the control node the action plugin of the same name runs the same code in process."""

from __future__ import annotations

DOCUMENTATION = r"""
module: packer_version
short_description: Revoke, label, hold and retire versions of images
version_added: 1.0.0
description:
  - Says of a version of an image that it is not to be used, or that it can be used again; sets its labels;
    has it never be retired; or retires it.
  - What descends from a revoked version is revoked with it, and channels that name one of them go back within
    their own history.
extends_documentation_fragment:
  - hybridcore.packer.core
  - hybridcore.packer.core.env_of_the_group
author:
  - The hybridcore.packer contributors (@hybridcore)
requirements:
  - Python 3.11 or newer
options:
  image:
    description: The version, as C(dev:linux/qemu/web@7) or C(dev:linux/qemu/web@stable).
    type: str
    required: true
  state:
    description:
      - V(absent) retires the version; its files go, its number stays given. What a channel names, what is
        held and what another version stands on is refused.
    type: str
    choices: [present, absent]
    default: present
  revoked:
    description:
      - Whether it is not to be used; not changed when not given.
      - Taking a revocation back moves no channel.
    type: bool
  at:
    description: From when on it is revoked, as in V(2026-12-31); at once when empty.
    type: str
    default: ""
  only_this:
    description: Whether what descends from it can be used.
    type: bool
    default: false
  labels:
    description: Labels to set; one whose value is null is removed, others stay.
    type: dict
  held:
    description: Whether it is never retired; not changed when not given.
    type: bool
  removed:
    description: With O(state=absent), whether what it left on a platform was removed there.
    type: bool
    default: false
  reason:
    description: Why; required for O(revoked=true).
    type: str
    default: ""
attributes:
  check_mode:
    description: Says what would be changed, and changes nothing.
    support: full
  diff_mode:
    description: Shows what was changed.
    support: full
seealso:
  - module: hybridcore.packer.packer_channel
  - module: hybridcore.packer.packer_images_info
"""

EXAMPLES = r"""
- name: Nobody uses this base any more, nor what stands on it
  hybridcore.packer.packer_version:
    image: dev:linux/qemu/base@3
    revoked: true
    reason: CVE-2026-1

- name: Keep this one for the audit
  hybridcore.packer.packer_version:
    image: prod:linux/qemu/web@stable
    held: true
    labels: {audit: "2026"}
    reason: audit

- name: Remove this one
  hybridcore.packer.packer_version:
    image: dev:linux/qemu/web@2
    state: absent
"""

RETURN = r"""
image:
  description: The image.
  returned: success
  type: str
  sample: dev:linux/qemu/base
version:
  description: The version.
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
  sample: [{image: "dev:linux/qemu/web", channel: stable, before: 7, after: 6, reason: revoked}]
"""

from ansible_collections.hybridcore.packer.plugins.module_utils import _gate  # noqa: E402

_gate.check_module()

from ansible_collections.hybridcore.packer.plugins.module_utils._core_module import run_module  # noqa: E402
from ansible_collections.hybridcore.packer.plugins.module_utils._packer_version import SPEC, run  # noqa: E402


def main() -> None:
    run_module(SPEC, run)


if __name__ == "__main__":
    main()
