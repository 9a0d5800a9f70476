#!/usr/bin/python
# SPDX-FileCopyrightText: The hybridcore.packer authors
# SPDX-License-Identifier: Apache-2.0
# Ansible, which runs it, is under the GNU General Public License v3.0 or later: the two may be combined.

"""The module; on the control node the action plugin of the same name runs the same code in process."""

from __future__ import annotations

DOCUMENTATION = r"""
module: packer_build
short_description: Build machine images with Packer, those whose inputs changed
version_added: 1.0.0
description:
  - Builds the images of one or many targets. A target is a folder C(templates/OS/PLATFORM/NAME) of the
    workspace.
  - Renders each target's configuration, takes a fingerprint of everything that decides the image, and
    builds the target unless an image of that fingerprint is there.
  - Runs one Packer process for each target, several at a time, and shows their lines while they come.
  - Records what was built from what in C(state/packer-hybrid.json), and keeps a log of each build under
    C(logs/builds/).
  - Image files go to C(images/ENV/OS/PLATFORM/NAME/RUN/), with a link C(latest) beside it. The image before
    stays until the new one is complete.
  - When the task, C(ansible-playbook) or the job ends in any way, also by a kill, the running Packers are
    told to clean up, and nothing of them is left behind.
extends_documentation_fragment:
  - hybridcore.packer.core
author:
  - The hybridcore.packer contributors (@hybridcore)
requirements:
  - Packer 1.6 or newer on the control node
  - Python 3.11 or newer
options:
  env:
    description: The environment whose overlays apply, a folder below C(environments/).
    type: str
    required: true
  targets:
    description:
      - The images to build, each as V(OS/PLATFORM/NAME), or as a dictionary with C(target) and C(vars), which
        are values for this target alone.
      - A text may name several, with commas, blanks or line ends between them; V(all) is every target.
      - All targets of the workspace when empty.
    type: list
    elements: raw
    default: []
  vars:
    description:
      - Values of Packer variables, for all targets; they win over every overlay.
      - A target gets those that its template declares.
    type: dict
    default: {}
  provisioners:
    description: Which provisioner stacks are on. A stack needs its assets below C(templates/).
    type: dict
    default: {}
    suboptions:
      ansible:
        description: Whether the template's Ansible provisioner runs C(templates/ansible/site.yml).
        type: bool
        default: true
      puppet:
        description: Whether the template's Puppet provisioner applies C(templates/puppet/manifests/site.pp).
        type: bool
        default: false
  secrets:
    description:
      - Values of sensitive Packer variables, by name, at least 4 characters each.
      - A list, a map, a number or a boolean is written as HCL.
      - They reach Packer in its environment only, and are masked in everything that is shown or written.
      - They are not part of the fingerprint, so another value alone does not build anew.
    type: dict
    default: {}
  extra_env:
    description:
      - More environment variables for Packer, texts or numbers.
      - What plugins read for their platform, such as C(VSPHERE_*), C(PROXMOX_*), C(AWS_*) or C(ARM_*), passes
        from the environment of Ansible as it is.
    type: dict
    default: {}
  force:
    description: Build also what is unchanged, and pass C(-force) to Packer.
    type: bool
    default: false
  only:
    description: Builds of the templates to run, as C(packer build -only) takes them.
    type: list
    elements: str
    default: []
  except:
    description: Builds and post-processors to leave out, as C(packer build -except) takes them.
    type: list
    elements: str
    default: []
  on_error:
    description:
      - What Packer does with the machine when a step fails.
      - V(cleanup) removes it, after the template's C(error-cleanup-provisioner), if there is one.
      - V(abort) leaves it, and so does V(run-cleanup-provisioner), after the C(error-cleanup-provisioner).
      - A template in HCL cannot have an C(error-cleanup-provisioner) with Packer 1.6.
      - Only what is on a remote platform is left. On this host, as with QEMU, what Packer leaves running is
        ended when the build ends, and the files in the folder of the run are removed.
    type: str
    choices: [cleanup, abort, run-cleanup-provisioner]
    default: cleanup
  parallel_builds:
    description:
      - How many Packer processes run at a time.
      - V(0) means C([build] parallel_builds) of C(packer-hybrid.toml), or else one a core.
    type: int
    default: 0
  init:
    description:
      - Install the plugins that the targets require before anything is built. Those that the settings pin
        come from where these say, the others as C(packer init) installs them, unless C([packer] strict) is
        set.
      - With a Packer before 1.7, which has its plugins built in, nothing is done, and that is said.
    type: bool
    default: false
  allow_revoked:
    description:
      - Builds also on a parent that is revoked or incomplete, which is refused otherwise.
      - The record of the version says that it was allowed, and why the parent is not to be used.
    type: bool
    default: false
  max_age:
    description:
      - Builds also what is older, though nothing changed, as in V(7d).
      - Units are V(s), V(m), V(h), V(d) and V(w).
      - Wins over what C(packer-hybrid.toml) says for a target or an environment.
    type: str
    default: ""
  offline:
    description:
      - Bring sources, plugins, base images and, where there is none, Packer from C([offline] mirror) of the
        settings before the build, and ask no server for them. See docs/offline.md.
      - What Packer and provisioners fetch themselves is not affected.
    type: bool
    default: false
  timeout:
    description:
      - Seconds for the build of each target, retries included. V(0) means no limit.
      - Packer is then told to clean up; the task's own C(timeout) does that as well, for the whole batch.
    type: float
    default: 0
  retries:
    description:
      - How often a build is tried again after an error that may pass, such as a refused connection.
      - Which errors those are is in C(docs/usage.md); any other is final.
    type: int
    default: 0
  retry_delay:
    description: Seconds before the first retry; twice as long before each one that follows, at most 300.
    type: float
    default: 5
  lock_timeout:
    description: Seconds to wait while somebody else builds the same target. V(0) fails at once.
    type: float
    default: 0
attributes:
  check_mode:
    description: Says truly which images would be built, and builds nothing.
    support: full
  diff_mode:
    description: Shows why each image is built, for example which file changed.
    support: full
notes:
  - On another host the module runs there, with that host's workspace, and shows no lines while it runs. Its
    builds end when Ansible or the connection does, however that ends; where the connection breaks without a
    word, as when a cable is pulled, when that host's sshd finds out.
  - The task fails when any image was not built, after all of them have been tried. Use
    C(failed_when) with RV(results) to report them one by one, as the playbook C(build_images) does.
seealso:
  - module: hybridcore.packer.packer_config
  - module: hybridcore.packer.packer_sources
"""

EXAMPLES = r"""
- name: Build one image
  hybridcore.packer.packer_build:
    env: dev
    targets: [linux/qemu/debian-12]

- name: Build all images for production, with a secret from the vault
  hybridcore.packer.packer_build:
    env: prod
    secrets:
      vsphere_password: "{{ vault_vsphere_password }}"
    parallel_builds: 4
    retries: 2
    timeout: 7200
  register: images

- name: Show what became of each
  ansible.builtin.debug:
    msg: "{{ item.target }}: {{ item.status }}"
  loop: "{{ images.results }}"
  loop_control:
    label: "{{ item.target }}"
"""

RETURN = r"""
status:
  description:
    - One word for the batch. The status that all images share; V(built) when some were built and the others
      are unchanged; else V(partial).
  returned: when the builds were started, or would be
  type: str
  sample: built
interrupted:
  description:
    - What was found of runs that died without a word, as when their container was killed, and what they may
      have left, a sentence each. What can be removed here has been removed.
  returned: when the builds were started, or would be
  type: list
  elements: str
  sample: ["linux/vsphere/web: Packer could not clean up: look for the machine web-7, and remove it"]
run_id:
  description: Names the batch in the state and in the logs; empty in check mode.
  returned: when the builds were started, or would be
  type: str
  sample: 20261123T112113.139Z-816c4c
index:
  description: Where in RV(results) each target is, by target.
  returned: when the builds were started, or would be
  type: dict
  sample: {linux/qemu/debian-12: 0}
results:
  description:
    - A result for each target, in the order of the targets.
    - In check mode the result that it would have if its build succeeds.
  returned: when the builds were started, or would be
  type: list
  elements: dict
  contains:
    target:
      description: The target.
      type: str
      sample: linux/qemu/debian-12
    builder:
      description: Its canonical builder identifier.
      type: str
      sample: source.qemu.debian-12
    status:
      description: One of V(built), V(unchanged), V(failed), V(cancelled) and V(timed_out).
      type: str
      sample: built
    changed:
      description: Whether this run made an image.
      type: bool
    summary:
      description: The result in lines for people, paths relative to the workspace, errors still shorter.
      type: list
      elements: str
    reasons:
      description: Why it was built; empty when it is unchanged.
      type: list
      elements: str
      sample: [templates/ansible/site.yml changed]
    command:
      description: The command that ran, one string for each argument, secrets masked.
      type: list
      elements: str
    exit_code:
      description: Exit code of Packer; null when nothing ran or a signal ended it.
      type: int
    errors:
      description:
        - Messages of Packer, with the step and the last lines.
        - At most ten, and at most some 6,000 characters; a longer one loses its middle. The log has them all.
      type: list
      elements: str
    warnings:
      description: What was odd though the build succeeded.
      type: list
      elements: str
    artifacts:
      description: What the build left.
      type: list
      elements: dict
      contains:
        id:
          description: The builder's name for it, such as the id of a template or an AMI.
          type: str
        builder_id:
          description: Packer's name for the kind of artifact.
          type: str
          sample: transcend.qemu
        files:
          description: The files it is made of.
          type: list
          elements: dict
          contains:
            path:
              description: Where it lies, absolute.
              type: str
            size:
              description: Size in bytes.
              type: int
            sha256:
              description: Digest of the content.
              type: str
    manifest_path:
      description: The manifest of this run alone; null when nothing was built.
      type: str
    log_path:
      description: The log with every line of the build; null when there is none.
      type: str
    fingerprint:
      description:
        - The sha256 over everything that decides the image.
        - Empty when inputs changed while it was built.
      type: str
    started_at:
      description: RFC 3339 in UTC; empty when nothing ran.
      type: str
      sample: "2025-11-14T05:25:08.123Z"
    finished_at:
      description: RFC 3339 in UTC; empty when nothing ran.
      type: str
    duration_s:
      description: Seconds, all attempts together.
      type: float
    attempts:
      description: How often Packer was started.
      type: int
    retryable:
      description: Whether the error is of a kind that may pass.
      type: bool
    locked:
      description:
        - Whether it failed because somebody else was building the target, or the one that it starts from.
      type: bool
    parent:
      description:
        - The image that it starts from, C(target) and C(version), the number of that.
        - Null where it starts from none; the version is null where the parent is built first, or was not.
      type: dict
      sample: {target: linux/qemu/base, version: 7}
    contents:
      description:
        - The document that says what is installed, C(path) and C(sha256), and how many C(packages) that are.
        - Null where the image gave no list of packages.
      type: dict
error:
  description: What is wrong with the input, as data, when nothing was started.
  returned: when the input is wrong
  type: dict
  contains:
    error:
      description: The kind of error.
      type: str
      sample: ConfigError
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
  description: What is wrong, in words.
  returned: failure
  type: str
"""

from ansible_collections.hybridcore.packer.plugins.module_utils import _gate  # noqa: E402

_gate.check_module()

from ansible_collections.hybridcore.packer.plugins.module_utils._core_module import run_module  # noqa: E402
from ansible_collections.hybridcore.packer.plugins.module_utils._packer_build import SPEC, run  # noqa: E402


def main() -> None:
    run_module(SPEC, run)


if __name__ == "__main__":
    main()
