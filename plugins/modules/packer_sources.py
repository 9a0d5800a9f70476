#!/usr/bin/python
# SPDX-FileCopyrightText: The hybridcore.packer authors
# SPDX-License-Identifier: Apache-2.0
# Ansible, which runs it, is under the GNU General Public License v3.0 or later: the two may be combined.

"""The module; on the control node the action plugin of the same name runs the same code in process."""

from __future__ import annotations

DOCUMENTATION = r"""
module: packer_sources
short_description: Clone and pin the repositories that Packer templates use
version_added: 1.0.0
description:
  - Brings the Git repositories of a workspace to the commits that its settings name, several at a time.
  - The repositories are the C([sources.NAME]) tables of C(packer-hybrid.toml), each with a C(url), and
    optionally a C(ref) (branch, tag or commit) and a C(sha) (the full commit id that C(ref) must be).
  - Each is cloned to C(sources/NAME). URL and commit are recorded in C(state/packer-hybrid.json).
  - Work of yours is never overwritten. A repository with modified or untracked files, or with commits that
    its remote does not have, fails the task and stays as it is.
  - Submodules are fetched where C(submodules) of a source is set. No hook and no other program that a
    repository configures is run.
extends_documentation_fragment:
  - hybridcore.packer.core
  - hybridcore.packer.core.env_of_the_group
author:
  - The hybridcore.packer contributors (@hybridcore)
requirements:
  - git 2.25 or newer on the control node
  - Python 3.11 or newer
options:
  names:
    description:
      - The repositories to sync, as they are named in the settings.
      - All of them when not given.
    type: list
    elements: str
  frozen:
    description:
      - Let nothing move. Each repository must be at the commit of C(packer-hybrid.lock), with the files that
        it had then. Where there is no such file, at its C(sha), or without one at the commit that the state
        recorded for the same URL and C(ref). Otherwise the task fails.
      - A repository that is missing is cloned at exactly that commit.
      - Repositories that are there are not asked for over the network.
    type: bool
    default: false
  offline:
    description:
      - Do not use the network.
      - Only commits that the clones already have, or a repository in C([offline] mirror) of the settings, can
        be checked out. A repository that is in neither fails the task.
    type: bool
    default: false
  keep_going:
    description:
      - Sync the other repositories when one is not as it should be. The task fails all the same.
      - Otherwise all of them are looked at first, and when one is not as it should be, nothing moves.
    type: bool
    default: false
    version_added: 1.0.0
  lock:
    description:
      - After the sync, write the commits and a digest of the files into C(packer-hybrid.lock), which
        O(frozen) then needs exactly.
    type: bool
    default: false
    version_added: 1.0.0
  plugins:
    description:
      - Install the plugins of Packer that the settings pin as well, into the workspace's own folder.
      - With a Packer before 1.7, which has its plugins built in, nothing is installed, and that is said.
      - With O(lock) their versions and digests are written into C(packer-hybrid.lock) too.
    type: bool
    default: false
    version_added: 1.0.0
attributes:
  check_mode:
    description: Says what would change without changing anything. The remotes are asked.
    support: full
  diff_mode:
    description: Shows the commit of each repository before and after.
    support: full
notes:
  - Credentials come from your own Git and SSH setup, such as an SSH agent, a credential helper or
    E(GIT_ASKPASS). Nothing is ever asked for. What could be a secret in a C(url) is refused.
seealso:
  - module: ansible.builtin.git
"""

EXAMPLES = r"""
- name: Bring all repositories of the workspace up to date
  hybridcore.packer.packer_sources:

- name: Only look whether all of them are at their pinned commits, as a release job should
  hybridcore.packer.packer_sources:
    frozen: true

- name: Bring repositories and plugins to what is pinned
  hybridcore.packer.packer_sources:
    plugins: true

- name: Sync one repository of another workspace
  hybridcore.packer.packer_sources:
    names: [examples]
    workspace: /srv/images
  register: synced

- name: Show where it is
  ansible.builtin.debug:
    msg: "{{ synced.results[0].path }} is at {{ synced.results[0].sha }}"
"""

RETURN = r"""
results:
  description: A result for each repository, sorted by name. In check mode what would be.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Name in the settings.
      type: str
      sample: examples
    url:
      description: Where it comes from.
      type: str
      sample: https://git.example.org/packer-examples.git
    ref:
      description: The branch, tag or commit of the settings; empty for the default branch.
      type: str
      sample: v1.2.0
    sha:
      description: The commit that is checked out.
      type: str
      sample: 3b18e512dba79e4c8300dd08aeb37f8e728b8dad
    before:
      description: The commit that was checked out before; empty when there was no clone.
      type: str
      sample: 8d3c4c1f0ad2ae58c1b5f1e5e2a5c7d0c9a6b111
    path:
      description: The folder, absolute.
      type: str
      sample: /srv/images/sources/examples
    changed:
      description: Whether it was cloned or moved to another commit.
      type: bool
    action:
      description: One of V(cloned), V(updated) and V(unchanged).
      type: str
      sample: updated
    warning:
      description: That a tag has moved, or that history was rewritten; empty when not. A warning too.
      type: str
    kind:
      description: V(example), or V(plugin) where the repository may give programs of plugins.
      type: str
      sample: example
plugins:
  description: A result for each plugin of Packer, sorted by address; empty without O(plugins).
  returned: success
  type: list
  elements: dict
  contains:
    source:
      description: Its address.
      type: str
      sample: github.com/hashicorp/proxmox
    version:
      description: The version that is pinned.
      type: str
      sample: 1.1.1
    sha256:
      description: Digest of its program; empty where check mode cannot know it.
      type: str
    before:
      description: The versions that were installed before; empty when there was none.
      type: str
    path:
      description: The program, absolute; empty where check mode would have fetched it.
      type: str
    changed:
      description: Whether it was installed or replaced.
      type: bool
    action:
      description: One of V(installed), V(updated) and V(unchanged).
      type: str
      sample: installed
    warning:
      description: Why a newer Packer would not load it; empty when it would. A warning too.
      type: str
error:
  description: What is wrong, as data. The same as RV(msg) says in words.
  returned: failure
  type: dict
  contains:
    error:
      description: The kind of error.
      type: str
      sample: SourcesError
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
  description: What is wrong, in words. Names every repository that could not be synced.
  returned: failure
  type: str
"""

from ansible_collections.hybridcore.packer.plugins.module_utils import _gate  # noqa: E402

_gate.check_module()

from ansible_collections.hybridcore.packer.plugins.module_utils._core_module import run_module  # noqa: E402
from ansible_collections.hybridcore.packer.plugins.module_utils._packer_sources import SPEC, run  # noqa: E402


def main() -> None:
    run_module(SPEC, run)


if __name__ == "__main__":
    main()
