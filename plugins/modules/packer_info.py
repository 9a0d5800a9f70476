#!/usr/bin/python
# SPDX-FileCopyrightText: The hybridcore.packer authors
# SPDX-License-Identifier: Apache-2.0
# Ansible, which runs it, is under the GNU General Public License v3.0 or later: the two may be combined.

"""The module; on the control node the action plugin of the same name runs the same code in process."""

from __future__ import annotations

DOCUMENTATION = r"""
module: packer_info
short_description: Tell which Packer, plugins, targets and images there are
version_added: 1.0.0
description:
  - Returns the version of Packer and what it can do, the plugins that are installed beside it, the targets of
    the workspace with their builders, and the images that were built, as the state remembers them.
  - Nothing is changed, but for a cache of what this Packer can do below C(state/cache/).
extends_documentation_fragment:
  - hybridcore.packer.core
author:
  - The hybridcore.packer contributors (@hybridcore)
requirements:
  - Packer 1.6 or newer on the control node
  - Python 3.11 or newer
options:
  env:
    description:
      - Only images of this environment.
      - Those of all environments when not given.
    type: str
  targets:
    description:
      - Only these targets and their images, each C(OS/PLATFORM/NAME).
      - All targets of the workspace when empty.
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
  - module: hybridcore.packer.packer_build
"""

EXAMPLES = r"""
- name: Look at everything
  hybridcore.packer.packer_info:
  register: found

- name: Refuse an old Packer
  ansible.builtin.assert:
    that: found.packer.version is version('1.9.0', '>=')

- name: Look at the production image of one target
  hybridcore.packer.packer_info:
    env: prod
    targets: [linux/qemu/debian-12]
  register: found

- name: Show where its file is
  ansible.builtin.debug:
    msg: "{{ found.images[0].artifacts[0].files[0].path }}"
"""

RETURN = r"""
packer:
  description: The Packer that the workspace uses.
  returned: success
  type: dict
  contains:
    path:
      description: The program, absolute.
      type: str
      sample: /usr/bin/packer
    version:
      description: Its version.
      type: str
      sample: 1.9.4
    commands:
      description: Its subcommands, sorted.
      type: list
      elements: str
      sample: [build, fmt, init, inspect, plugins, validate, version]
    has_init:
      description: Whether it reads C(required_plugins) and installs plugins, as Packer 1.7 and newer do.
      type: bool
      sample: true
    has_plugins:
      description: Whether it can list plugins, as Packer 1.8 and newer can.
      type: bool
      sample: true
    on_error:
      description: The values that C(packer build -on-error) takes, sorted.
      type: list
      elements: str
      sample: [abort, ask, cleanup, run-cleanup-provisioner]
    builders:
      description: The builders that are built into it, sorted.
      type: list
      elements: str
      sample: [file, "null", qemu]
    language:
      description: What it takes of what not every Packer takes, such as optional attributes in the type of a
        variable (V(constraints)). Asked of it.
      type: list
      elements: str
      sample: [regex, open_default]
    plugin_order:
      description: How it orders the versions of a plugin, V(numbers) or V(text); empty where it takes none.
      type: str
      sample: text
plugins:
  description: The newest installed version of each plugin, by its source address.
  returned: success
  type: dict
  sample: {github.com/hashicorp/qemu: 1.0.9}
builders:
  description:
    - The builders that templates can use, those of Packer and of the newest version of each plugin, sorted.
    - A plugin that does not answer has none.
  returned: success
  type: list
  elements: str
  sample: [file, "null", proxmox-clone, proxmox-iso, qemu]
observation:
  description:
    - Whether the kernel tells which files builds read, so that those that nothing names become inputs.
    - Where it does not, only what the templates name counts.
  returned: success
  type: dict
  contains:
    available:
      description: Whether it does.
      type: bool
      sample: true
    reason:
      description: Why it does not; empty where it does.
      type: str
      sample: ""
targets:
  description: The targets of the workspace, or those that were asked for.
  returned: success
  type: list
  elements: dict
  contains:
    target:
      description: The folder below C(templates/).
      type: str
      sample: linux/qemu/debian-12
    builder:
      description: Canonical identifier of its builder.
      type: str
      sample: source.qemu.debian-12
    parent:
      description:
        - The target whose image it starts from, and C(channel), which version of it.
        - Null where it starts from none.
      type: dict
      sample: {target: linux/qemu/base, channel: null}
images:
  description:
    - What the state remembers of each image, sorted by environment and target.
    - A value can be null where nothing was built yet, but for C(artifacts), which is empty then.
  returned: success
  type: list
  elements: dict
  contains:
    environment:
      description: The environment that it was built for.
      type: str
      sample: prod
    target:
      description: What it was built from.
      type: str
      sample: linux/qemu/debian-12
    builder:
      description: Canonical identifier of its builder.
      type: str
      sample: source.qemu.debian-12
    status:
      description: How it stands; V(built) when there is an image.
      type: str
      sample: built
    fingerprint:
      description:
        - SHA-256 over everything that decides its content.
        - Null when inputs changed while it was built, so that it is built again.
      type: str
      sample: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
    given_fingerprint:
      description: The one that the build itself was given, where that is another one.
      type: str
    artifacts:
      description: What the build left.
      type: list
      elements: dict
      contains:
        id:
          description: The builder's name for it.
          type: str
          sample: VM
        builder_id:
          description: Packer's name for the kind of artifact.
          type: str
          sample: transcend.qemu
        files:
          description: Its files; empty for an artifact in a cloud.
          type: list
          elements: dict
          contains:
            path:
              description: Where it lies, absolute.
              type: str
              sample: /srv/images/images/prod/linux/qemu/debian-12/20261122T052508Z/debian-12
            size:
              description: In bytes.
              type: int
              sample: 461373440
            sha256:
              description: SHA-256 of its content.
              type: str
              sample: 2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae
    built_at:
      description: When, in UTC.
      type: str
      sample: "2026-11-22T05:25:08.123Z"
    duration_s:
      description: Seconds that it took.
      type: float
      sample: 65.2
    log_path:
      description: The log of the build, absolute.
      type: str
      sample: /srv/images/logs/builds/prod/linux/qemu/debian-12/20261122T052508Z.log
    run:
      description: The run that built it.
      type: str
      sample: 20261122T052508Z-1f2e
    parent:
      description: The image that it was built from, C(target) and C(version); null where it starts from none.
      type: dict
      sample: {target: linux/qemu/base, version: 7}
    last_attempt:
      description: How the latest try to build it ended, and why where it failed; its C(log_path) is absolute.
      type: dict
      sample: {status: failed, run: 20261123T060000Z-77aa, at: "2026-11-23T06:01:12.000Z"}
last_run:
  description: The latest run, or null when there was none.
  returned: success
  type: dict
  sample: {id: 20261122T052508Z-1f2e, status: built, environment: prod}
"""

from ansible_collections.hybridcore.packer.plugins.module_utils import _gate  # noqa: E402

_gate.check_module()

from ansible_collections.hybridcore.packer.plugins.module_utils._core_module import run_module  # noqa: E402
from ansible_collections.hybridcore.packer.plugins.module_utils._packer_info import SPEC, run  # noqa: E402


def main() -> None:
    run_module(SPEC, run)


if __name__ == "__main__":
    main()
