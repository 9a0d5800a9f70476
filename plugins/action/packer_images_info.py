# SPDX-FileCopyrightText: The hybridcore.packer authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt):
# it is part of Ansible's own process, and imports its code.

"""``packer_images_info`` on the control node, in Ansible's own process."""

from __future__ import annotations

from ansible_collections.hybridcore.packer.plugins.plugin_utils._core_action import CoreAction


class ActionModule(CoreAction):
    MODULE = "packer_images_info"
