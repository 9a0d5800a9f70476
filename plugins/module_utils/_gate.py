# SPDX-FileCopyrightText: The hybridcore.packer authors
# SPDX-License-Identifier: Apache-2.0

"""The gate before the core: a Python that is too old is told in a sentence, not by what then fails.

This file, and the files that import it first, must be read by every Python on which Ansible runs modules.
"""

from __future__ import annotations

import json
import sys

REQUIRED = (3, 11)


def refusal() -> str:
    """Say that this Python is too old for the core; empty when it is not."""
    if sys.version_info >= REQUIRED:
        return ""
    return (
        f"hybridcore.packer needs Python {'.'.join(map(str, REQUIRED))} or newer, and this is "
        f"{sys.version.split()[0]} ({sys.executable}): set ansible_python_interpreter to a newer one, or, "
        "where Ansible itself runs on it, install Ansible with a newer one"
    )


def check_module() -> None:
    """End this module with the refusal as its result, when there is one.

    AnsibleModule could do that only after it has checked the options, whose description is in the core.
    """
    sentence = refusal()
    if sentence:
        sys.stdout.write(json.dumps({"failed": True, "changed": False, "msg": sentence}) + "\n")
        raise SystemExit(1)
