"""The plugins that lie beside Packer: which versions of which are there, and which builders they have."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from ... import process
from ...errors import ProcessError
from ...templates.requirements import allows, required_plugins

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ...templates import Template
    from ...workspace import Workspace
    from .capabilities import Capabilities

# <host>/<namespace>/<type>/packer-plugin-<type>_v<version>_x<API>_<os>_<arch> is a plugin, if its checksum
# lies beside it: ListInstallations in packer/plugin-getter/plugins.go of Packer 1.9.4.
FILE = re.compile(r"packer-plugin-(.+?)_v(\d+\.\d+\.\d+[^_]*)_x(\d+\.\d+)_([a-z0-9]+_[a-z0-9]+)")
"""The name of a plugin's program: its own name, version, version of the protocol, machine."""
CHECKSUM = "_SHA256SUM"
"""What the file with its SHA-256 has behind that name."""
PATH_VARIABLE = "PACKER_PLUGIN_PATH"
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
    if environ.get(PATH_VARIABLE):  # in place of all others
        named = environ[PATH_VARIABLE].split(os.pathsep)
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


def path_of(workspace: Workspace) -> dict[str, str]:
    """Where Packer is told to look for plugins: where a workspace pins some, in its own folder alone.

    A single folder, since Packer from 1.11 on takes no more: see the table in docs/packers.md.

    Args:
        workspace: whose settings count.

    Returns:
        ``PACKER_PLUGIN_PATH``; nothing where no plugin is pinned.
    """
    settings = workspace.settings
    return {PATH_VARIABLE: str(workspace.plugins)} if settings.plugins or settings.strict else {}


def environ_of(workspace: Workspace, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Our environment with what a caller adds, and with where Packer is told to look for plugins.

    Args:
        workspace: whose settings count.
        extra: what the caller adds.
    """
    return {**os.environ, **(extra or {}), **path_of(workspace)}


def found_by(capabilities: Capabilities, environ: Mapping[str, str]) -> dict[str, dict[str, Path]]:
    """The installed versions of each plugin that a Packer finds; one without ``init`` looks for none there.

    Args:
        capabilities: of that Packer.
        environ: as for ``folders``.

    Returns:
        As ``installed``.
    """
    return installed(environ, capabilities.path) if capabilities.has_init else {}


def installed(environ: Mapping[str, str], packer: str) -> dict[str, dict[str, Path]]:
    """The installed versions of each plugin that this machine can run.

    Args:
        environ: as for ``folders``.
        packer: as for ``folders``.

    Returns:
        By source address the program of each version, the newest last.
    """
    return within(folders(environ, packer))


def within(roots: Iterable[Path]) -> dict[str, dict[str, Path]]:
    """The plugins in some folders that this machine can run.

    Args:
        roots: folders in the layout of ``PACKER_PLUGIN_PATH``; of the same version in two of them the first
            counts, as for Packer.

    Returns:
        By source address the program of each version, the newest last.
    """
    there: dict[str, dict[str, Path]] = {}
    ours = machine()
    for folder in roots:
        for path in folder.glob("*/*/*/packer-plugin-*"):
            match = FILE.fullmatch(path.name)
            if not match or (match[1], match[4]) != (path.parent.name, ours):
                continue
            if path.with_name(path.name + CHECKSUM).is_file():
                there.setdefault(path.parent.relative_to(folder).as_posix(), {}).setdefault(match[2], path)
    return {
        source: dict(sorted(found.items(), key=lambda one: _order(one[0])))
        for source, found in sorted(there.items())
    }


def used(constraints: Iterable[str], there: Mapping[str, Path], order: str = "") -> str:
    """The version of a plugin that Packer takes: the last that every constraint allows.

    Args:
        constraints: what the template requires, ``>= 1.0, < 2.0``.
        there: the installed versions, the newest last.
        order: ``Capabilities.plugin_order`` of this Packer.

    Returns:
        The version; empty where none is allowed, or none is there.
    """
    wanted = list(constraints)
    allowed = [version for version in there if all(allows(one, version) for one in wanted)]
    if order == "text":
        allowed.sort()
    return allowed[-1] if allowed else ""


def machine() -> str:
    """This machine as the names of plugins say it: ``linux_amd64``."""
    kind = os.uname().machine
    return f"{os.uname().sysname.lower()}_{_ARCHITECTURES.get(kind, kind)}"


def builders(environ: Mapping[str, str], packer: str) -> list[str]:
    """The builders of the newest installed version of each plugin; runs each of these plugins once.

    Args:
        environ: as for ``folders``.
        packer: as for ``folders``.

    Returns:
        Their names as templates use them, sorted. A plugin that does not answer has none.
    """
    found: set[str] = set()
    for source, programs in installed(environ, packer).items():
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


def required(template: Template) -> dict[str, tuple[str, ...]]:
    """What a template requires: constraints by source address, ``github.com/hashicorp/qemu``."""
    found: dict[str, tuple[str, ...]] = {}
    for source, constraint in required_plugins(template.bodies):
        found[source] = (*found.get(source, ()), constraint)
    return found
