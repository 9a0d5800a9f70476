"""The ``[plugins."HOST/NAMESPACE/NAME"]`` tables of the settings file: the plugins of Packer, pinned."""

from __future__ import annotations

import re
import reprlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .errors import Fault

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

# As Packer 1.7 and newer take them in required_plugins: host, namespace, and the name without packer-plugin-.
ADDRESS = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*(/(?!packer-)[A-Za-z0-9][A-Za-z0-9_.-]*){2}")
# A version in its simplest form, since newer Packers load no other.
_VERSION = re.compile(r"(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}(-dev)?")
_SHA256 = re.compile(r"[0-9a-f]{64}")


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


# Key of the settings file to the field, and what its text must look like.
_KEYS: Mapping[str, tuple[str, re.Pattern[str], str]] = {
    "version": ("version", _VERSION, 'a version such as "1.1.1"'),
    "from": ("origin", re.compile(r"[^\x00-\x1f\x7f]+"), "a folder, an archive or a URL"),
    "sha256": ("sha256", _SHA256, "64 lower-case hexadecimal digits"),
    "archive_sha256": ("archive_sha256", _SHA256, "64 lower-case hexadecimal digits"),
}
PLUGIN_OPTIONS = tuple(_KEYS)
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
        values: dict[str, str] = {}
        for key, value in entry.items():
            if key not in _KEYS:
                hint = f"one of {', '.join(PLUGIN_OPTIONS)}"
                faults.append(Fault(f"unknown setting {key!r} in {where}", hint=hint))
                continue
            name, pattern, expected = _KEYS[key]
            if isinstance(value, str) and pattern.fullmatch(value):
                values[name] = value
            else:
                faults.append(Fault(f"{where} {key} must be {expected}, not {reprlib.repr(value)}"))
        if "version" not in entry:
            faults.append(Fault(f"{where} has no version", hint="exactly one version can be pinned"))
        found[source] = PluginSetting(source=source, **values)
    return found
