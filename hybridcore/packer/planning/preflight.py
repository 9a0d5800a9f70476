"""What is checked before Packer starts, so that a missing thing is said at once and not minutes later."""

from __future__ import annotations

import shutil
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import Fault, ImagesError, PackerError, ProcessError
from ...hcl import NotEvaluable
from ...hcl.evaluator import compute

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from ...hcl import Attribute
    from ...platforms import Platform
    from ...templates import Template
    from ...workspace import Workspace
    from .plan import Planned

# What the qemu builder uses when the template does not say: packer.io, QEMU builder, host_port_min and _max.
_PORTS = (2222, 4444)


def check_all(planned: Sequence[Planned], workspace: Workspace) -> None:
    """Check what the targets that are to be built need on this machine.

    Args:
        planned: the targets.
        workspace: where everything lies.

    Raises:
        PackerError: something is missing; has faults, all of them.
    """
    faults = [fault for one in planned for fault in missing(one, workspace)]
    if planned:
        faults += _signing(workspace)
    if faults:
        raise PackerError("something that the builds need is missing", faults=faults)


def _signing(workspace: Workspace) -> list[Fault]:
    """What is wrong with the key that versions are signed with."""
    if not workspace.settings.attest_key:
        return []
    from ...images import signing

    try:
        signing.check_key(workspace)
    except (ImagesError, ProcessError) as error:
        return [Fault(error.message, file=error.file, hint=error.hint)]
    return []


def missing(planned: Planned, workspace: Workspace) -> list[Fault]:
    """What the build of a target needs and this machine lacks, with the place in the template."""
    template = planned.template
    if not template.platform.programs and template.builder_type != "qemu":
        return []
    return check(template, planned.rendered.values_for(template), workspace)


def check(template: Template, variables: Mapping[str, Any], workspace: Workspace) -> list[Fault]:
    """Check what one target needs on this machine.

    Args:
        template: the target.
        variables: their values by name.
        workspace: for the paths in the faults.

    Returns:
        What is missing, with the place in the template.
    """
    source = _Source(template, variables, workspace)
    faults = list(_programs(source, template.platform))
    if template.builder_type == "qemu":
        faults += _qemu(source)
    return faults


@dataclass(frozen=True)
class _Source:
    """The source of a target, with the values of its attributes as far as they are known."""

    template: Template
    variables: Mapping[str, Any]
    workspace: Workspace

    def value(self, name: str) -> Any:  # noqa: ANN401 -- whatever the template says
        """The value of an attribute; None where it is not there or not known."""
        attributes = self.template.attributes
        return evaluate(attributes[name], self.variables) if name in attributes else None

    def fault(self, name: str, message: str, hint: str) -> Fault:
        """What is wrong with an attribute, at its place or else that of the source."""
        source, attributes = self.template.source, self.template.attributes
        line = attributes[name].line if name in attributes else source.line
        where = self.workspace.relative(self.template.source_file)
        return Fault(f"{self.template.target}: {message}", file=where, line=line, hint=hint)


def _programs(source: _Source, platform: Platform) -> Iterator[Fault]:
    """The programs of the platform that are not on this machine."""
    packages = " and ".join(program.package for program in platform.programs)
    for program in platform.programs:
        name = (source.value(program.attribute) if program.attribute else None) or program.name
        if shutil.which(name) is None:
            message = f"{platform.title}'s program {name} was not found"
            hint = f"install it; on Debian the packages {packages}"
            yield source.fault(program.attribute, message, hint)


def _qemu(source: _Source) -> list[Fault]:
    """What a source of type ``qemu`` lacks besides programs: firmware, a local disk image, a free port."""
    value, fault = source.value, source.fault
    faults = []
    for name in ("firmware", "efi_firmware_code", "efi_firmware_vars", "qemuargs"):
        file = firmware(name, value(name))
        # QEMU looks for a name without a folder among its own files.
        if file.startswith("/") and not Path(file).is_file():
            hint = "install it, on Debian the package ovmf; or correct the path"
            faults.append(fault(name, f"the firmware {file} does not exist", hint))
    disk = value("iso_url")
    if isinstance(disk, str) and disk.startswith("/") and not Path(disk).is_file():
        faults.append(fault("iso_url", f"the disk image {disk} does not exist", "make or fetch it first"))
    first, last = (
        _port(value(name), default)
        for name, default in zip(("host_port_min", "host_port_max"), _PORTS, strict=True)
    )
    ports_matter = value("communicator") == "ssh" and first <= last
    if ports_matter and not any(is_free(port) for port in range(first, last + 1)):
        ports = f"port {first} is" if first == last else f"all ports from {first} to {last} are"
        hint = "end what uses it, or widen host_port_min and host_port_max"
        faults.append(fault("host_port_min", f"{ports} taken on this host", hint))
    return faults


def evaluate(attribute: Attribute, variables: Mapping[str, Any]) -> Any:  # noqa: ANN401 -- any HCL value
    """The value of an attribute with the given variables; None where it depends on more than them."""
    try:
        return compute(attribute.node, {"var": dict(variables)})
    except NotEvaluable:
        return None


def firmware(name: str, value: object) -> str:
    """The firmware file that an attribute of a qemu source names: itself, or what follows ``-bios``."""
    if name != "qemuargs":
        return value if isinstance(value, str) else ""
    pairs: Iterable[object] = value if isinstance(value, list) else ()
    for pair in pairs:
        if isinstance(pair, list) and len(pair) == 2 and pair[0] == "-bios":
            return str(pair[1])
    return ""


def _port(value: object, default: int) -> int:
    """A port as the template gives it; HCL takes a text of digits for a number."""
    text = str(value)
    return int(text) if text.isdecimal() and 0 < int(text) < 65536 else default


def is_free(port: int) -> bool:
    """Whether a port of this host can be listened on."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
