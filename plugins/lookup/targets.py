# SPDX-FileCopyrightText: The hybridcore.packer authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt):
# it is part of Ansible's own process, and imports its code.

"""The targets that a list, or a text of a form or of the command line, asks for."""

from __future__ import annotations

DOCUMENTATION = r"""
name: targets
short_description: Name each target that is asked for
version_added: 1.0.0
description:
  - Makes an entry of each target that a list or a text asks for, as M(hybridcore.packer.packer_build) does,
    so that a playbook can look at them before they are built.
  - Whether there is such a target is not looked at.
author:
  - The hybridcore.packer contributors (@hybridcore)
options:
  _terms:
    description:
      - Lists and texts. A text names targets, with commas, blanks or line ends between them; V(all) is every
        target of the workspace. An entry of a list may also be a dictionary with C(target) and C(vars).
      - A text without a name is an error, and so is no text at all.
    type: list
    elements: raw
    required: true
  workspace:
    description: The folder with C(packer-hybrid.toml); found as the modules find it when empty.
    type: str
    default: ''
"""

EXAMPLES = r"""
- name: Show what would be built
  ansible.builtin.debug:
    msg: "{{ query('hybridcore.packer.targets', targets) | map(attribute='target') }}"
"""

RETURN = r"""
_list:
  description: A dictionary with C(target) and C(vars) for each target.
  type: list
  elements: dict
  sample: [{target: linux/qemu/debian-12, vars: {}}]
"""

from typing import TYPE_CHECKING, Any  # noqa: E402

from ansible_collections.hybridcore.packer.plugins.plugin_utils._core_lookup import CoreLookup  # noqa: E402

if TYPE_CHECKING:
    from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.workspace import Workspace


class LookupModule(CoreLookup):
    def look_up(self, terms: list[Any], where: Workspace) -> list[dict[str, Any]]:
        from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore import pipeline

        entries = [entry for term in terms for entry in (term if isinstance(term, list) else [term])]
        # Nothing asked for is not everything: a form that was left blank gets here.
        named = pipeline.named_targets(entries or [""], where)
        return [
            {"target": entry, "vars": {}} if isinstance(entry, str) else {"vars": {}, **entry}
            for entry in named
        ]
