# SPDX-FileCopyrightText: The hybridcore.packer authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt):
# it is part of Ansible's own process, and imports its code.

"""Where a version of an image is."""

from __future__ import annotations

DOCUMENTATION = r"""
name: image
short_description: Find a version of an image, for use
version_added: 1.0.0
description:
  - Gives the path, the digest, the id or the number of the version that is meant.
  - A version that is revoked, incomplete or retired is an error.
author:
  - The hybridcore.packer contributors (@hybridcore)
options:
  _terms:
    description:
      - Images, each C(ENV:OS/PLATFORM/NAME), with C(@) and a number or a channel behind it.
      - Without these C(latest) is meant.
    type: list
    elements: str
    required: true
  want:
    description:
      - What to give of each. V(all) is a dictionary with all of it.
    type: str
    choices: [all, path, checksum, id, name, version]
    default: all
  allow_revoked:
    description: Whether to give also a version that is revoked or incomplete.
    type: bool
    default: false
  workspace:
    description: The folder with C(packer-hybrid.toml); found as the modules find it when empty.
    type: str
    default: ''
"""

EXAMPLES = r"""
- name: Start a machine from the stable image
  ansible.builtin.command:
    argv:
      - virt-install
      - --disk
      - "path={{ lookup('hybridcore.packer.image', 'dev:linux/qemu/web@stable', want='path') }}"

- name: Say which version that is
  ansible.builtin.debug:
    msg: "{{ lookup('hybridcore.packer.image', 'dev:linux/qemu/web@stable').version }}"
"""

RETURN = r"""
_list:
  description: What was asked for of each image.
  type: list
  elements: raw
  sample: [{image: "dev:linux/qemu/web", version: 7, path: /srv/disk, id: VM, name: disk}]
"""

from typing import TYPE_CHECKING, Any  # noqa: E402

from ansible.errors import AnsibleLookupError  # noqa: E402
from ansible_collections.hybridcore.packer.plugins.plugin_utils._core_lookup import CoreLookup  # noqa: E402

if TYPE_CHECKING:
    from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.workspace import Workspace


class LookupModule(CoreLookup):
    def look_up(self, terms: list[Any], where: Workspace) -> list[Any]:
        from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore import images

        want = self.get_option("want")
        allowed = self.get_option("allow_revoked")
        found = [
            images.look_up(str(term), workspace=where, allow_revoked=allowed).to_dict() for term in terms
        ]
        if want == "all":
            return found
        for one in found:
            if one[want] is None:
                raise AnsibleLookupError(f"{one['image']}@{one['version']} has no {want}")
        return [one[want] for one in found]
