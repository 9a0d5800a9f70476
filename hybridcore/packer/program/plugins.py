"""The plugins that lie beside Packer: which versions of which are there, and which builders they have."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from ... import process
from ...errors import ProcessError
from ...templates.requirements import required_plugins

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ...templates import Template
    from .capabilities import Capabilities

# <host>/<namespace>/<type>/packer-plugin-<type>_v<version>_x<API>_<os>_<arch> is a plugin, if its checksum
# lies beside it: ListInstallations in packer/plugin-getter/plugins.go of Packer 1.9.4.
_FILE = re.compile(r"packer-plugin-(.+?)_v(\d+\.\d+\.\d+[^_]*)_x\d+\.\d+_([a-z0-9]+_[a-z0-9]+)")
_CHECKSUM = "_SHA256SUM"
# Go's names of processors (https://go.dev/doc/install/source#environment) where the kernel has others.
_ARCHITECTURES = {
    "x86_64": "amd64",
    "aarch64": "arm64",
    "i686": "386",
    "i386": "386",
    "armv7l": "arm",
    "armv6l": "arm",
    "loongarch64": "loong64",
}
# The component of a plugin that goes by the plugin's own name.
_DEFAULT_NAME = "-packer-default-plugin-name-"
_TIMEOUT_S = 30.0


def folders(environ: Mapping[str, str], packer: str) -> list[Path]:
    """Where Packer looks for plugins, in its order.

    The rules are those of ``packer/plugin_folders.go`` of Packer 1.9.4, and of
    ``pathing/config_file_unix.go`` of packer-plugin-sdk 0.4.0. Packer looks into its current folder too: that
    is the template's, whose files are inputs of a build by themselves. For the same reason a relative folder
    is none: Packer runs elsewhere.

    Args:
        environ: ``PACKER_PLUGIN_PATH``, ``PACKER_CONFIG_DIR``, ``XDG_CONFIG_HOME`` and ``HOME`` count.
        packer: the program, absolute; plugins may lie in its folder.
    """
    if environ.get("PACKER_PLUGIN_PATH"):  # in place of all others
        named = environ["PACKER_PLUGIN_PATH"].split(os.pathsep)
        return [Path(part) for part in named if os.path.isabs(part)]
    # The folder of the program itself, not of a link to it: that is what os.Executable of Go gives on Linux.
    found = [Path(os.path.realpath(packer)).parent]
    home = environ.get("HOME")
    if environ.get("PACKER_CONFIG_DIR"):
        found.append(Path(environ["PACKER_CONFIG_DIR"], ".packer.d", "plugins"))
    elif home and Path(home, ".packer.d").exists():
        found.append(Path(home, ".packer.d", "plugins"))
    elif home:
        found.append(Path(environ.get("XDG_CONFIG_HOME") or Path(home, ".config"), "packer", "plugins"))
    return [folder for folder in found if folder.is_absolute()]


def installed(environ: Mapping[str, str], packer: str) -> dict[str, tuple[str, ...]]:
    """The installed versions of each plugin that this machine can run.

    Args:
        environ: as for ``folders``.
        packer: as for ``folders``.

    Returns:
        Versions by source address, the newest last: ``{"github.com/hashicorp/qemu": ("1.0.9", "1.0.10")}``.
    """
    return {source: tuple(programs) for source, programs in _programs(environ, packer).items()}


def found_by(capabilities: Capabilities, environ: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """The installed versions of each plugin that a Packer finds; one without ``init`` looks for none there.

    Args:
        capabilities: of that Packer.
        environ: as for ``folders``.

    Returns:
        As ``installed``.
    """
    return installed(environ, capabilities.path) if capabilities.has_init else {}


def _programs(environ: Mapping[str, str], packer: str) -> dict[str, dict[str, Path]]:
    """The program of each version, the newest last, by source address."""
    there: dict[str, dict[str, Path]] = {}
    ours = _platform()
    for folder in folders(environ, packer):
        for path in folder.glob("*/*/*/packer-plugin-*"):
            match = _FILE.fullmatch(path.name)
            if not match or (match[1], match[3]) != (path.parent.name, ours):
                continue
            if path.with_name(path.name + _CHECKSUM).is_file():
                # Of the same version in two folders Packer takes the first.
                there.setdefault(path.parent.relative_to(folder).as_posix(), {}).setdefault(match[2], path)
    return {
        source: dict(sorted(found.items(), key=lambda one: _order(one[0])))
        for source, found in sorted(there.items())
    }


def _platform() -> str:
    """This machine as the names of plugins say it: ``linux_amd64``."""
    machine = os.uname().machine
    return f"{os.uname().sysname.lower()}_{_ARCHITECTURES.get(machine, machine)}"


def builders(environ: Mapping[str, str], packer: str) -> list[str]:
    """The builders of the newest installed version of each plugin; runs each of these plugins once.

    Args:
        environ: as for ``folders``.
        packer: as for ``folders``.

    Returns:
        Their names as templates use them, sorted. A plugin that does not answer has none.
    """
    found: set[str] = set()
    for source, programs in _programs(environ, packer).items():
        newest = list(programs.values())[-1]
        try:
            answer = process.run([str(newest), "describe"], timeout=_TIMEOUT_S)
        except ProcessError:
            continue
        found.update(builder_names(source, answer.stdout))
    return sorted(found)


def builder_names(source: str, description: str) -> list[str]:
    """The names of a plugin's builders.

    Args:
        source: address of the plugin; its last part is the local name, unless a template chose another.
        description: what the plugin answers to ``describe``: JSON with ``builders``, as ``plugin.Set`` of
            packer-plugin-sdk writes it.

    Returns:
        The names; none when that is no such description.
    """
    try:
        told = json.loads(description)
    except ValueError:
        return []
    names = told.get("builders") if isinstance(told, dict) else None
    local = source.rpartition("/")[2]
    return [
        local if name == _DEFAULT_NAME else f"{local}-{name}"
        for name in (names if isinstance(names, list) else [])
        if isinstance(name, str)
    ]


def _order(version: str) -> tuple[tuple[int, ...], bool, str]:
    """Versions by their numbers; what comes before a release, as 1.0.0-dev, is older."""
    release, dash, before = version.partition("-")
    return tuple(int(part) for part in re.findall(r"\d+", release)), not dash, before


def required(template: Template) -> Iterable[str]:
    """The source addresses that a template requires: ``github.com/hashicorp/qemu``."""
    return (source for source, _ in required_plugins(template.bodies))
