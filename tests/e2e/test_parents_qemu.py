"""Three levels of real QEMU images in one batch: a base disk, web on it, app on that."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.builds import build_json, hybrid_command, hybrid_environment, state_of, wait_for
from tests.support.workspaces import WorkspaceFolder

pytestmark = pytest.mark.e2e

BASE, WEB, APP = "linux/null/base", "linux/qemu/web", "linux/qemu/app"
# The sector that is booted: it adds one to the first byte of the next sector, writes that back to the disk,
# and turns the machine off. So the byte tells how many machines have run on a disk.
BOOT = bytes.fromhex(
    "31c0 8ed8 8ec0 8ed0 bc007c"  # all segments 0, the stack below this code
    "bb007e b80102 b90200 b600 cd13"  # read the second sector to 0x7e00
    "fe06007e"  # add one to its first byte
    "bb007e b80103 b90200 b600 cd13"  # write it
    "ba0406 b80020 ef"  # turn off: SLP_EN to the power management of the machine "pc"
    "f4 ebfd"  # halt
)
DISK = BOOT.ljust(510, b"\0") + b"\x55\xaa"
# Where a file `hold-NAME` lies, a build says that it has begun, and stays.
GATE = "test ! -e {root}/hold-{name} || {{{{ touch {root}/began-{name}; sleep 300; }}}}"
BASE_TEMPLATE = """\
source "null" "base" {{
  communicator = "none"
}}

build {{
  sources = ["source.null.base"]

  provisioner "shell-local" {{
    inline = [
      "{gate}",
      "mkdir output",
      "cp {root}/boot.raw output/base.raw && truncate --size 1M output/base.raw",
      "qemu-img convert -O qcow2 output/base.raw output/base.qcow2 && rm output/base.raw",
    ]
  }}

  post-processor "artifice" {{
    files = ["output/base.qcow2"]
  }}
}}
"""
TEMPLATE = """\
variable "disk" {{
  type = string
}}

variable "checksum" {{
  type = string
}}

source "qemu" "{name}" {{
  iso_url          = var.disk
  iso_checksum     = var.checksum
  disk_image       = true
  disk_size        = "8M"
  format           = "qcow2"
  accelerator      = "none"
  memory           = 64
  headless         = true
  disable_vnc      = true
  boot_wait        = "1s"
  communicator     = "none"
  shutdown_timeout = "2m"
  output_directory = "output"
  vm_name          = "{name}.qcow2"
}}

build {{
  sources = ["source.qemu.{name}"]

  provisioner "shell-local" {{
    inline = ["{gate}"]
  }}
}}
"""
SETTINGS = """\
[images."linux/qemu/app"]
parent = {target = "linux/qemu/web", variables = {disk = "path", checksum = "checksum"}}

[images."linux/qemu/web"]
parent = {target = "linux/null/base", variables = {disk = "path", checksum = "checksum"}}
"""


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder]) -> WorkspaceFolder:
    made = make_workspace()
    (made.root / "boot.raw").write_bytes(DISK)
    for target, text in ((BASE, BASE_TEMPLATE), (WEB, TEMPLATE), (APP, TEMPLATE)):
        name = target.rpartition("/")[2]
        gate = GATE.format(root=made.root, name=name).replace("{{", "{").replace("}}", "}")
        made.template(target, text.format(root=made.root, name=name, gate=gate))
    made.settings(SETTINGS)
    return made


def machines(space: WorkspaceFolder, target: str) -> int:
    """How many machines have run on the disk of an image."""
    image = state_of(space)["images"][f"dev/{target}"]
    (file,) = (file for artifact in image["artifacts"] for file in artifact["files"])
    raw = space.root / "look.raw"
    subprocess.run(["qemu-img", "convert", "-O", "raw", str(space.root / file["path"]), str(raw)], check=True)
    return raw.read_bytes()[512]


def built(space: WorkspaceFolder, *, code: int = 0) -> dict[str, str]:
    said = build_json(space, APP, code=code)
    return {one["target"]: one["status"] for one in said["results"]}


def test_one_command_builds_three_levels_and_an_edit_of_the_middle_rebuilds_two(
    space: WorkspaceFolder, any_packer: Path
) -> None:
    space.settings(SETTINGS, packer=any_packer)
    assert built(space) == {APP: "built", BASE: "built", WEB: "built"}
    assert [machines(space, target) for target in (BASE, WEB, APP)] == [0, 1, 2]
    assert built(space) == {APP: "unchanged", BASE: "unchanged", WEB: "unchanged"}
    template = space.root / f"templates/{WEB}/build.pkr.hcl"
    template.write_text(template.read_text().replace('"1s"', '"2s"'))
    assert built(space) == {APP: "built", BASE: "unchanged", WEB: "built"}
    assert [machines(space, target) for target in (BASE, WEB, APP)] == [0, 1, 2]


def test_interrupted_at_each_level_it_goes_on_where_it_was(space: WorkspaceFolder) -> None:
    for done, target in enumerate((BASE, WEB, APP)):
        name = target.rpartition("/")[2]
        hold, began = space.root / f"hold-{name}", space.root / f"began-{name}"
        hold.touch()
        child = subprocess.Popen(
            hybrid_command(space, "build", "--env", "dev", APP),
            env=hybrid_environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_for(began.exists, f"{target} is built", 180)
            child.send_signal(signal.SIGINT)
            assert child.wait(60) == 130
        finally:
            child.kill()
            child.wait()
        images = state_of(space)["images"]
        found = {one: images[f"dev/{one}"]["last_attempt"]["status"] for one in (BASE, WEB, APP)}
        levels = (BASE, WEB, APP)
        assert found == {one: "built" if levels.index(one) < done else "cancelled" for one in levels}
        hold.unlink()
    assert built(space) == {APP: "built", BASE: "unchanged", WEB: "unchanged"}
    assert [machines(space, target) for target in (BASE, WEB, APP)] == [0, 1, 2]
