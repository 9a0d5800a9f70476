"""Simulators that real Packer builders talk to, each on a free port of 127.0.0.1 for one `with` block."""

from __future__ import annotations

import json
import re
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

START_SECONDS = 60


@dataclass(frozen=True)
class Vcsim:
    """A running vSphere simulator: datacenter DC0, host DC0_H0, datastore LocalDS_0, machine DC0_H0_VM0."""

    port: int
    username: str = "user"
    password: str = "pass"

    @property
    def server(self) -> str:
        """The value of `vcenter_server`."""
        return f"127.0.0.1:{self.port}"

    @contextmanager
    def machines(self) -> Iterator[list[Any]]:
        """Every virtual machine of the inventory, as pyVmomi objects; valid inside the block."""
        from pyVim.connect import Disconnect, SmartConnect
        from pyVmomi import vim

        trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        trusting.check_hostname = False
        trusting.verify_mode = ssl.CERT_NONE
        service = SmartConnect(
            host="127.0.0.1", port=self.port, user=self.username, pwd=self.password, sslContext=trusting
        )
        try:
            content = service.RetrieveContent()
            view = content.viewManager.CreateContainerView(content.rootFolder, [vim.VirtualMachine], True)
            yield [machine for machine in view.view if _is_there(machine)]
        finally:
            Disconnect(service)

    def templates(self) -> set[str]:
        """Names of the machines that are templates."""
        with self.machines() as machines:
            return {machine.name for machine in machines if machine.config.template}


@dataclass(frozen=True)
class Fakepve:
    """A running Proxmox VE simulator; node pve1 with template 9000, base-debian-12."""

    port: int
    username: str = "root@pam"
    password: str = "simulated-password"
    node: str = "pve1"

    @property
    def url(self) -> str:
        """The value of `proxmox_url`."""
        return f"https://127.0.0.1:{self.port}/api2/json"


@contextmanager
def start_vcsim(program: Path) -> Iterator[Vcsim]:
    """Run the vSphere simulator until the block ends."""
    with _announced([str(program), "-l", "127.0.0.1:0"], r"GOVC_URL=https://\S+@127\.0\.0\.1:(\d+)/") as port:
        yield Vcsim(port)


@contextmanager
def start_fakepve(folder: Path) -> Iterator[Fakepve]:
    """Run the Proxmox simulator until the block ends; `folder` is for the file of its guests."""
    template = {
        "vmid": 9000,
        "name": "base-debian-12",
        "status": "stopped",
        "config": {"template": 1, "memory": 512},
    }
    guests = folder / "fakepve-guests.json"
    guests.write_text(json.dumps({"guests": [template]}), encoding="utf-8")
    argv = [str(Path(sys.executable).parent / "fakepve"), "--host", "127.0.0.1", "--port", "0"]
    argv += ["--user", Fakepve.username, "--password", Fakepve.password, "--time-scale", "0", str(guests)]
    with _announced(argv, r"listening on https://127\.0\.0\.1:(\d+)") as port:
        yield Fakepve(port)


def _is_there(machine: Any) -> bool:
    """Whether a machine exists: the simulator goes on listing those that were deleted."""
    from pyVmomi import vmodl

    try:
        return bool(machine.name)
    except vmodl.fault.ManagedObjectNotFound:
        return False


@contextmanager
def _announced(argv: Sequence[str], pattern: str) -> Iterator[int]:
    """Run a server that prints its port, wait for that line, and end the server with the block."""
    process = subprocess.Popen(
        argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    said: list[str] = []
    found: list[int] = []
    ready = threading.Event()

    def read() -> None:
        # Reads to the end, also after the port is known, so that the server never waits for a full pipe.
        assert process.stdout is not None
        for line in process.stdout:
            match = re.search(pattern, line)
            if match and not found:
                found.append(int(match[1]))
                ready.set()
            elif not found:
                said.append(line)
        ready.set()

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        ready.wait(START_SECONDS)
        assert found, f"{argv[0]} did not say its port within {START_SECONDS} s: {''.join(said)}"
        yield found[0]
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        reader.join()
        process.stdout.close()
