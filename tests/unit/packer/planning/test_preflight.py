"""What is checked before Packer starts: programs, firmware, the disk and the ports of a qemu source."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from itertools import count

import pytest

from hybridcore import templates
from hybridcore.errors import Fault
from hybridcore.packer.planning import preflight
from hybridcore.packer.planning.preflight import check as check_template
from hybridcore.packer.planning.preflight import is_free
from hybridcore.packer.planning.rendered import Rendered
from tests.support.programs import FakeProgram
from tests.support.workspaces import WorkspaceFolder

TARGET = "linux/qemu/image"
FIRST_LINE = 8  # of the source's own attributes


@pytest.fixture(autouse=True)
def programs(fake_program: Callable[[str], FakeProgram]) -> None:
    for name in ("qemu-system-x86_64", "qemu-img"):
        fake_program(name)


@pytest.fixture
def check(make_workspace: Callable[..., WorkspaceFolder]) -> Callable[..., list[Fault]]:
    numbers = count()

    def run(*attributes: str, text: str = "") -> list[Fault]:
        space = make_workspace(f"workspace-{next(numbers)}")
        space.template(
            TARGET,
            'variable "disk" {\n  default = "/none.qcow2"\n}\nvariable "port" {\n  default = 0\n}\n'
            'source "qemu" "image" {\n  '
            + "\n  ".join(attributes)
            + '\n}\nbuild {\n  sources = ["source.qemu.image"]\n}\n',
        )
        template = templates.load(TARGET, space.open())
        return check_template(template, Rendered(text).values_for(template), space.open())

    return run


@pytest.fixture
def taken() -> Iterator[int]:
    """A port of this host that somebody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def messages(faults: list[Fault]) -> list[str]:
    return [fault.message.removeprefix(f"{TARGET}: ") for fault in faults]


def test_nothing_is_wrong_with_a_plain_source(check: Callable[..., list[Fault]]) -> None:
    assert check('communicator = "ssh"', 'iso_url = "https://example.org/x.iso"') == []


def test_programs(check: Callable[..., list[Fault]], monkeypatch: pytest.MonkeyPatch) -> None:
    assert messages(check('qemu_binary = "qemu-system-none"')) == [
        "QEMU's program qemu-system-none was not found"
    ]
    monkeypatch.setenv("PATH", "/nowhere")
    assert messages(check()) == [
        "QEMU's program qemu-system-x86_64 was not found",
        "QEMU's program qemu-img was not found",
    ]


@pytest.mark.parametrize(
    "attribute",
    [
        'firmware = "/none/OVMF.fd"',
        'efi_firmware_code = "/none/OVMF.fd"',
        'efi_firmware_vars = "/none/OVMF.fd"',
        'qemuargs = [["-m", "1G"], ["-bios", "/none/OVMF.fd"]]',
    ],
)
def test_firmware(check: Callable[..., list[Fault]], attribute: str) -> None:
    (fault,) = check("cpus = 2", attribute)
    assert messages([fault]) == ["the firmware /none/OVMF.fd does not exist"]
    assert (fault.file, fault.line) == (f"templates/{TARGET}/build.pkr.hcl", FIRST_LINE + 1)
    assert "ovmf" in fault.hint


def test_firmware_that_qemu_looks_up_itself(check: Callable[..., list[Fault]]) -> None:
    assert check('firmware = "bios-256k.bin"', 'qemuargs = [["-bios", "pc-bios.bin"], ["-cpu", "max"]]') == []


def test_a_disk_from_a_variable(check: Callable[..., list[Fault]]) -> None:
    assert messages(check("iso_url = var.disk")) == ["the disk image /none.qcow2 does not exist"]
    assert messages(check("iso_url = var.disk", text='disk = "/other"\n')) == [
        "the disk image /other does not exist"
    ]
    assert check("iso_url = var.disk", text='disk = "relative.qcow2"\n') == []
    assert check("iso_url = local.unknown") == []


def test_ports(check: Callable[..., list[Fault]], taken: int) -> None:
    ssh = 'communicator = "ssh"'
    one = check(ssh, f"host_port_min = {taken}", f"host_port_max = {taken}")
    assert messages(one) == [f"port {taken} is taken on this host"]
    assert one[0].line == FIRST_LINE + 1
    assert check('communicator = "none"', f"host_port_min = {taken}", f"host_port_max = {taken}") == []
    assert not is_free(taken)


def test_one_free_port_is_enough(check: Callable[..., list[Fault]], monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    monkeypatch.setattr(preflight, "is_free", lambda port: asked.append(port) or port == 5003)
    ports = ("host_port_min = var.port", "host_port_max = 5009")
    assert check('communicator = "ssh"', *ports, text="port = 5001\n") == []
    assert asked == [5001, 5002, 5003]
    faults = check('communicator = "ssh"', *ports, text="port = 5004\n")
    assert messages(faults) == ["all ports from 5004 to 5009 are taken on this host"]


@pytest.mark.parametrize("value", ['"2222"', "2222.5", "-1", '"many"', "null", "[1]", "true", "99999999"])
def test_odd_ports_are_left_to_packer(check: Callable[..., list[Fault]], value: str) -> None:
    assert check('communicator = "ssh"', f"host_port_min = {value}") == []


def test_a_port_as_text(check: Callable[..., list[Fault]], taken: int) -> None:
    faults = check('communicator = "ssh"', f'host_port_min = "{taken}"', f'host_port_max = "{taken}"')
    assert messages(faults) == [f"port {taken} is taken on this host"]
