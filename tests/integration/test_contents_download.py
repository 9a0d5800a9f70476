"""The provisioners of docs/images.md, which bring the list of packages from a machine over SSH."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from pathlib import Path

import pytest

from hybridcore import state
from hybridcore.images import packages, parse
from hybridcore.images.known import Known
from tests.support.builds import build
from tests.support.git_servers import SSHD, ssh_server
from tests.support.workspaces import WorkspaceFolder

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(SSHD is None, reason="the Debian package openssh-server is not installed"),
]

TARGET = "linux/null/listed"
STATUS = """\
Package: bash
Status: install ok installed
Architecture: amd64
Version: 5.2.15-2

"""
TEMPLATE = """\
source "null" "listed" {{
  communicator         = "ssh"
  ssh_host             = "127.0.0.1"
  ssh_port             = {port}
  ssh_username         = "{user}"
  ssh_private_key_file = "{key}"
}}

build {{
  sources = ["source.null.listed"]

{provisioners}
}}
"""
PROVISIONER = """\
  provisioner "file" {{
    direction   = "download"
    source      = "{source}"
    destination = "contents/{name}"
  }}
"""


def test_what_the_machine_gives_is_known_of_the_version(
    make_workspace: Callable[..., WorkspaceFolder], any_packer: Path, tmp_path: Path
) -> None:
    space = make_workspace()
    space.use(any_packer)
    machine = tmp_path / "machine"
    machine.mkdir()
    files = {
        "status": STATUS * 400,  # more than one packet holds
        "os-release": "ID=debian\nVERSION_ID=12\n",
        "sources.list": "deb http://mirror/debian bookworm main\n",
    }
    for name, text in files.items():
        (machine / name).write_text(text)
    with ssh_server(tmp_path / "sshd") as server:
        provisioners = "\n".join(PROVISIONER.format(source=machine / name, name=name) for name in files)
        text = TEMPLATE.format(
            port=server.port, user=getpass.getuser(), key=server.key, provisioners=provisioners.rstrip()
        )
        space.template(TARGET, text)
        result = build(space).results[0]
    assert (result.status.value, result.errors, result.warnings) == ("built", (), ())
    known = Known(space.open(), state.read(workspace=space.open()))
    found = packages.read(known, parse(f"dev:{TARGET}").image, 1)
    assert [one.name for one in found.packages] == ["bash"]
    assert (found.system, found.release) == ("debian", "12")
    assert found.mirrors == ("deb http://mirror/debian bookworm main",)
