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
notes:
  - Runs on the control node when the connection is V(local), which is how it is meant to be used.
"""
