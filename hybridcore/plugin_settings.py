"""The ``[plugins."HOST/NAMESPACE/NAME"]`` tables of the settings file: the plugins of Packer, pinned."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .errors import Fault
from .setting_tables import must_be, read_table

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

# As Packer 1.7 and newer take them in required_plugins: host, namespace, and the name without packer-plugin-.
ADDRESS = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*(/(?!packer-)[A-Za-z0-9][A-Za-z0-9_.-]*){2}")
# A version in its simplest form, since newer Packers load no other.
_VERSION = re.compile(r"(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}(-dev)?")


@dataclass(frozen=True)
class PluginSetting:
    """One ``[plugins."..."]`` table.

    Attributes:
        source: its address, ``github.com/hashicorp/proxmox``.
        version: the one version that is used, ``1.1.1``.
        origin: ``from``: a folder, a program, an archive or a URL; ``{version}``, ``{os}`` and ``{arch}`` are
            filled in. Empty where others put the program into place.
        sha256: of the program itself; not pinned here when empty.
        archive_sha256: of what ``origin`` gives, as its makers publish it; not checked when empty.
    """

    source: str
    version: str = ""
    origin: str = ""
    sha256: str = ""
    archive_sha256: str = ""

    @property
    def name(self) -> str:
        """The last part of its address, by which its file is called."""
        return self.source.rpartition("/")[2]


_DIGEST = must_be("64 lower-case hexadecimal digits", re.compile(r"[0-9a-f]{64}").fullmatch)
_READERS = {
    "version": must_be('a version such as "1.1.1"', _VERSION.fullmatch),
    "from": must_be("a folder, an archive or a URL", re.compile(r"[^\x00-\x1f\x7f]+").fullmatch),
    "sha256": _DIGEST,
    "archive_sha256": _DIGEST,
}
PLUGIN_OPTIONS = tuple(_READERS)
"""What can be set for a plugin."""


def parse_plugins(table: Mapping[str, Any], faults: list[Fault]) -> dict[str, PluginSetting]:
    """Read the tables of all plugins.

    Args:
        table: the table ``plugins`` of the settings file.
        faults: what is wrong is added here.

    Returns:
        The settings by address, wrong values left out.
    """
    found: dict[str, PluginSetting] = {}
    for source, entry in sorted(table.items()):
        where = f'[plugins."{source}"]'
        if not ADDRESS.fullmatch(source):
            faults.append(Fault(f"{where} is no address of a plugin", hint="as github.com/hashicorp/proxmox"))
        if not isinstance(entry, dict):
            faults.append(Fault(f"{where} must be a table with version, from and sha256"))
            continue
        values = read_table(entry, _READERS, where, faults)
        if "version" not in entry:
            faults.append(Fault(f"{where} has no version", hint="exactly one version can be pinned"))
        found[source] = PluginSetting(source=source, origin=values.pop("from", ""), **values)
    return found
