"""A virtual machine never outlives whoever asked for it: real QEMU builds, killed while it runs."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.builds import (
    Running,
    build_json,
    hybrid_command,
    hybrid_environment,
    programs_of,
    state_of,
    wait_for,
)
from tests.support.playbooks import Ansible
from tests.support.workspaces import WorkspaceFolder

pytestmark = pytest.mark.e2e

TARGET = "linux/qemu/long"
# The disk is empty: the firmware finds nothing to boot, and the machine stays. With ssh, Packer waits for it
# to boot; with communicator none, it provisions at once, on this host.
TEMPLATE = """\
source "qemu" "long" {{
  iso_url          = "{root}/empty.qcow2"
  iso_checksum     = "none"
  disk_image       = true
  format           = "qcow2"
  accelerator      = "none"
  memory           = 64
  headless         = true
  boot_wait        = "1s"
  communicator     = "{communicator}"
  ssh_username     = "root"
  ssh_password     = "not needed"
  ssh_timeout      = "30m"
  output_directory = "output"
}}

build {{
  sources = ["source.qemu.long"]

  provisioner "shell-local" {{
    inline = ["test -e {root}/go || {{ touch {root}/began-long; sleep 300; }}"]
  }}
}}
"""


@pytest.fixture(params=["while it boots", "while it is provisioned"])
def space(
    request: pytest.FixtureRequest, make_workspace: Callable[..., WorkspaceFolder], any_packer: Path
) -> WorkspaceFolder:
    made = make_workspace()
    made.write("packer-hybrid.toml", f'[packer]\npath = "{any_packer}"\n')
    boots = request.param == "while it boots"
    made.template(TARGET, TEMPLATE.format(root=made.root, communicator="ssh" if boots else "none"))
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", made.root / "empty.qcow2", "16M"], check=True)
    return made


def machine_runs(space: WorkspaceFolder) -> Running:
    """Wait until the build runs its machine and, where it is provisioned, until that has begun."""
    running = wait_for(lambda: state_of(space).get("running"), "the run is in the state")
    wait_for(lambda: "qemu-system-x86" in programs_of(*running), "QEMU runs", 120)
    boots = '"ssh"' in (space.root / "templates" / TARGET / "build.pkr.hcl").read_text()
    return Running(space, () if boots else ("began-long",), 120)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_signal_to_the_command_line(space: WorkspaceFolder, number: signal.Signals) -> None:
    command = hybrid_command(space, "build", "--env", "dev")
    with open(space.root / "said", "wb") as said:
        child = subprocess.Popen(command, env=hybrid_environment(), stdout=said, stderr=said)
    try:
        run = machine_runs(space)
        child.send_signal(number)
        child.wait(20)
        run.assert_nothing_left({TARGET: "cancelled"})
    finally:
        child.kill()
        child.wait()
    assert not (space.root / "images" / "dev").exists()


def test_kill_of_the_supervisor(space: WorkspaceFolder) -> None:
    command = hybrid_command(space, "build", "--env", "dev")
    child = subprocess.Popen(command, env=hybrid_environment(), stderr=subprocess.DEVNULL)
    try:
        run = machine_runs(space)
        os.kill(run.supervisor, signal.SIGKILL)
        assert child.wait(20) == 130
        run.assert_nothing_left({TARGET: "cancelled"})
    finally:
        child.kill()
        child.wait()


def test_kill_of_ansible_playbook_and_the_next_build(
    ansible: Ansible, space: WorkspaceFolder, tmp_path: Path
) -> None:
    (tmp_path / "play.yml").write_text(
        "- hosts: localhost\n  connection: local\n  gather_facts: false\n  tasks:\n"
        f"    - hybridcore.packer.packer_build:\n        env: dev\n        workspace: {space.root}\n"
    )
    command = [ansible.program("ansible-playbook"), "play.yml"]
    child = subprocess.Popen(
        command,
        cwd=tmp_path,
        env=ansible.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        run = machine_runs(space)
        child.kill()
        child.wait(20)
        run.assert_nothing_left({TARGET: "cancelled"})
    finally:
        child.kill()
        child.wait()
    # The next build works at once: it gets as far as that again, and is stopped there by its own timeout.
    (space.root / "began-long").unlink(missing_ok=True)
    said = build_json(space, "--timeout", "10", code=3)
    assert said["results"][0]["status"] == "timed_out"
    log = (space.root / said["results"][0]["log_path"]).read_text()
    assert "Starting VM" in log
    assert state_of(space)["running"] == {}
    assert not run.folder.exists()
