"""The program of the role verify, where no system has to boot: what it refuses, and how it ends."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.playbooks import Ansible
from tests.support.signals import ignored_of
from tests.support.workspaces import WorkspaceFolder

pytestmark = pytest.mark.integration

ROLE_TARGET = "linux/qemu/debian"
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def program(repository: Path) -> Path:
    return repository / "roles/verify/files/verify_image.py"


@pytest.fixture
def empty_disk(tmp_path: Path) -> Path:
    """A disk with nothing on it: QEMU runs, and no guest ever answers."""
    path = tmp_path / "empty.qcow2"
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", str(path), "64M"], check=True)
    return path


@pytest.fixture
def run(program: Path, tmp_path: Path) -> Run:
    temporary = tmp_path / "tmp"
    temporary.mkdir()

    def run_program(*arguments: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [sys.executable, str(program), *map(str, arguments)],
            env=os.environ | {"TMPDIR": str(temporary)} | env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert list(temporary.iterdir()) == [], "temporary files are left"
        return done

    return run_program


def qemu_of(image: Path) -> list[int]:
    """The virtual machines that run an overlay in the folder beside an image."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if b"qemu-system" in command and os.fsencode(image.parent) in command:
                found.append(int(entry.name))
    return found


def test_a_taken_port_is_named(run: Run, empty_disk: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = run("--image", empty_disk, "--port", str(port))
    assert done.returncode == 1
    assert done.stderr == (
        f"{empty_disk}: port {port} on 127.0.0.1 is taken: "
        "end what uses it, or set verify_port to 0 for a free one\n"
    )


def test_a_missing_firmware_is_named(run: Run, empty_disk: Path) -> None:
    done = run("--image", empty_disk, "--firmware", "/no/such/OVMF.fd")
    assert done.returncode == 1
    assert "the firmware /no/such/OVMF.fd is missing: install the Debian package ovmf" in done.stderr


def test_a_missing_qemu_is_named(run: Run, empty_disk: Path, tmp_path: Path) -> None:
    programs = tmp_path / "programs"
    programs.mkdir()
    for name in ("ssh-keygen", "ssh", "setpriv", "qemu-img"):
        (programs / name).symlink_to(f"/usr/bin/{name}")
    done = run("--image", empty_disk, PATH=str(programs))
    assert done.returncode == 1
    assert "the program qemu-system-x86_64 is missing" in done.stderr


@pytest.mark.parametrize("kind", ["missing", "not a disk"])
def test_what_is_no_image_is_refused(run: Run, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "image.qcow2"
    if kind == "not a disk":
        path.write_text("hello")
    done = run("--image", path)
    assert done.returncode == 1
    assert done.stderr.startswith(f"{path}: ")
    assert ("there is no such file" if kind == "missing" else "Image is not in qcow2 format") in done.stderr


def test_an_image_that_does_not_come_up_is_given_up_and_leaves_no_machine(
    run: Run, empty_disk: Path, tmp_path: Path
) -> None:
    done = run("--image", empty_disk, "--timeout", "5", "--report", tmp_path / "report")
    assert done.returncode == 1
    assert "it did not come up in time" in done.stderr
    assert not (tmp_path / "report").exists()
    assert qemu_of(empty_disk) == []


@pytest.mark.parametrize("kind", ["qcow2", "raw"])
def test_the_format_does_not_hang_on_the_name(run: Run, tmp_path: Path, kind: str) -> None:
    path = tmp_path / "packer-debian"
    subprocess.run(["qemu-img", "create", "-q", "-f", kind, str(path), "64M"], check=True)
    done = run("--image", path, "--timeout", "5")
    assert done.returncode == 1
    assert "it did not come up in time" in done.stderr


def play_the_role(
    ansible: Ansible, space: WorkspaceFolder, artifact: dict[str, object]
) -> subprocess.CompletedProcess[str]:
    """Verify a target whose image the state describes so."""
    image = {"target": ROLE_TARGET, "environment": "dev", "fingerprint": "0" * 64, "artifacts": [artifact]}
    space.write("state/packer-hybrid.json", json.dumps({"images": {f"dev/{ROLE_TARGET}": image}}))
    variables = {"verify_targets": [ROLE_TARGET], "verify_workspace": str(space.root), "verify_timeout": 5}
    space.write(
        "play.yml",
        "- hosts: localhost\n  connection: local\n  gather_facts: false\n"
        "  roles: [hybridcore.packer.verify]\n",
    )
    return ansible.playbook("play.yml", "-e", json.dumps(variables), cwd=space.root)


@pytest.mark.parametrize("name", ["packer-debian", "disk.img", "disk.raw", "disk.qcow2"])
def test_the_role_boots_what_qemu_made_whatever_its_name(
    ansible: Ansible, make_workspace: Callable[..., WorkspaceFolder], name: str
) -> None:
    """An empty disk: were it left out, all would be well."""
    space = make_workspace()
    kind = "qcow2" if name.endswith("qcow2") else "raw"
    subprocess.run(["qemu-img", "create", "-q", "-f", kind, str(space.root / name), "64M"], check=True)
    # Variables of the firmware and a second disk are files of the artifact too, and no system.
    files = [{"path": path} for path in (f"{name}-1", "efivars.fd", name)]
    done = play_the_role(ansible, space, {"builder_id": "transcend.qemu", "files": files})
    assert done.returncode == 2
    assert f"{space.root}/{name}: it did not come up in time" in " ".join(done.stdout.split())


def test_the_role_refuses_an_image_without_a_disk(
    ansible: Ansible, make_workspace: Callable[..., WorkspaceFolder]
) -> None:
    done = play_the_role(ansible, make_workspace(), {"builder_id": "jetbrains.vsphere", "files": []})
    assert done.returncode == 2
    assert f"knows no disk of {ROLE_TARGET} that can be booted here" in " ".join(done.stdout.split())


PLAY = """
- hosts: localhost
  gather_facts: false
  tasks:
    - name: Verify
      hybridcore.packer.live_command:
        argv: [{python}, {program}, --image, {image}]
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name)
def test_a_killed_ansible_leaves_no_machine(
    ansible: Ansible, program: Path, empty_disk: Path, tmp_path: Path, number: signal.Signals
) -> None:
    (tmp_path / "play.yml").write_text(PLAY.format(python=sys.executable, program=program, image=empty_disk))
    process = subprocess.Popen(
        [ansible.program("ansible-playbook"), "play.yml"],
        cwd=tmp_path,
        env=ansible.environment({"TMPDIR": str(tmp_path)}),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        descriptor = _wait_for_qemu(empty_disk, process)
    finally:
        process.send_signal(number)
        process.wait()
    assert _ends(descriptor), "QEMU is still running 15 s after Ansible was killed"
    assert qemu_of(empty_disk) == []


def test_what_was_ignored_at_the_start_stays_ignored_and_sigterm_ends_it(
    program: Path, empty_disk: Path, tmp_path: Path
) -> None:
    process = subprocess.Popen(
        ["env", "--ignore-signal=INT,HUP", sys.executable, str(program), "--image", str(empty_disk)],
        env=os.environ | {"TMPDIR": str(tmp_path)},
        stdin=subprocess.DEVNULL,
    )
    try:
        descriptor = _wait_for_qemu(empty_disk, process)
        assert ignored_of(process.pid) == {signal.SIGINT, signal.SIGHUP}
        process.terminate()
        assert process.wait(15) == 128 + signal.SIGTERM
    finally:
        process.kill()
        process.wait()
    assert _ends(descriptor), "QEMU outlives the program that runs it"


def test_a_killed_program_leaves_no_machine(program: Path, empty_disk: Path, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, str(program), "--image", str(empty_disk)],
        env=os.environ | {"TMPDIR": str(tmp_path)},
        stdin=subprocess.DEVNULL,
    )
    try:
        descriptor = _wait_for_qemu(empty_disk, process)
    finally:
        process.kill()
        process.wait()
    assert _ends(descriptor), "QEMU outlives the program that runs it"


def _wait_for_qemu(image: Path, process: subprocess.Popen[bytes]) -> int:
    """Wait until the machine runs; gives a descriptor that becomes readable when it ends."""
    for _ in range(600):
        found = qemu_of(image)
        if found:
            return os.pidfd_open(found[0])
        # Not a sleep: this ends as soon as the process does.
        try:
            process.wait(0.1)
        except subprocess.TimeoutExpired:
            continue
        break
    pytest.fail("QEMU was never started")


def _ends(descriptor: int, timeout_s: float = 15) -> bool:
    try:
        ended = bool(select.select([descriptor], [], [], timeout_s)[0])
        if not ended:
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
        return ended
    finally:
        os.close(descriptor)
