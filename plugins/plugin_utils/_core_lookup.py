# SPDX-FileCopyrightText: The hybridcore.packer authors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt):
# it is part of Ansible's own process, and imports its code.

"""What the lookups of this collection share: ask the core of a workspace, and say its errors as Ansible does.

What imports the core is imported by the functions that need it, as in an action.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ansible.errors import AnsibleLookupError
from ansible.plugins.lookup import LookupBase
from ansible_collections.hybridcore.packer.plugins.module_utils import _gate

if TYPE_CHECKING:
    from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.workspace import Workspace


class CoreLookup(LookupBase):
    """A lookup with the option ``workspace``, whose answer comes from the core."""

    def look_up(self, terms: list[Any], where: Workspace) -> list[Any]:
        """What the terms ask for in a workspace; an error of the core becomes one of the lookup."""
        raise NotImplementedError

    def run(self, terms: list[Any], variables: dict[str, Any] | None = None, **kwargs: Any) -> list[Any]:
        if sentence := _gate.refusal():
            raise AnsibleLookupError(sentence)
        from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.errors import HybridError
        from ansible_collections.hybridcore.packer.plugins.module_utils.hybridcore.workspace import (
            open_workspace,
        )
        from ansible_collections.hybridcore.packer.plugins.plugin_utils._here import workspace_for

        self.set_options(var_options=variables, direct=kwargs)
        if self._loader is None:
            raise AnsibleLookupError("the lookup has no loader: it is used outside of a play")
        try:
            where = open_workspace(workspace_for(self.get_option("workspace"), self._loader.get_basedir()))
            return self.look_up(terms, where)
        except HybridError as error:
            raise AnsibleLookupError(str(error)) from error
