"""The plugins that lie beside Packer: which versions of which are there, and which builders they have."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

from .. import process
from ..errors import ProcessError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..templates import Template

# <host>/<namespace>/<type>/packer-plugin-<type>_v<version>_x<API>_<os>_<arch>, as Packer's documentation of
# installing plugins gives it.
_FILE = re.compile(r"packer-plugin-[a-z0-9_-]+_v(\d+\.\d+\.\d+[^_]*)_x\d+\.\d+_[a-z0-9]+_[a-z0-9]+(?:\.exe)?")
# The component of a plugin that goes by the plugin's own name.
_DEFAULT_NAME = "-packer-default-plugin-name-"
_TIMEOUT_S = 30.0


def folders(environ: Mapping[str, str]) -> list[Path]:
    """Where Packer looks for plugins, in its order.

    Args:
        environ: ``PACKER_PLUGIN_PATH``, ``PACKER_CONFIG_DIR``, ``XDG_CONFIG_HOME`` and ``HOME`` count.
    """
    found = [Path(part) for part in environ.get("PACKER_PLUGIN_PATH", "").split(os.pathsep) if part]
    if environ.get("PACKER_CONFIG_DIR"):
        found.append(Path(environ["PACKER_CONFIG_DIR"], "plugins"))
    home = Path(environ.get("HOME", "/"))
    found.append(Path(environ.get("XDG_CONFIG_HOME") or home / ".config", "packer", "plugins"))
    found.append(home / ".packer.d" / "plugins")
    return found


def installed(environ: Mapping[str, str]) -> dict[str, str]:
    """The newest installed version of each plugin.

    Args:
        environ: as for ``folders``.

    Returns:
        Version by source address, ``{"github.com/hashicorp/qemu": "1.0.9"}``.
    """
    return {source: version for source, (version, _) in _newest(environ).items()}


def _newest(environ: Mapping[str, str]) -> dict[str, tuple[str, Path]]:
    """Version and program of the newest of each plugin, by source address."""
    there: dict[str, list[tuple[str, Path]]] = {}
    for folder in folders(environ):
        for path in folder.glob("*/*/*/packer-plugin-*"):
            match = _FILE.fullmatch(path.name)
            if match:
                there.setdefault(path.parent.relative_to(folder).as_posix(), []).append((match[1], path))
    return {source: max(found, key=lambda one: _numbers(one[0])) for source, found in sorted(there.items())}


def builders(environ: Mapping[str, str]) -> list[str]:
    """The builders of the newest installed version of each plugin; runs each of these plugins once.

    Args:
        environ: as for ``folders``.

    Returns:
        Their names as templates use them, sorted. A plugin that does not answer has none.
    """
    found: set[str] = set()
    for source, (_, path) in _newest(environ).items():
        try:
            answer = process.run([str(path), "describe"], timeout=_TIMEOUT_S)
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


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


def required(template: Template) -> Iterable[str]:
    """The source addresses that a template requires: ``github.com/hashicorp/qemu``."""
    for _, block in template.blocks("packer"):
        for inner in block.body.blocks:
            if inner.type == "required_plugins":
                for attribute in inner.body.attributes.values():
                    value = attribute.value if attribute.constant else None
                    source = value.get("source") if isinstance(value, dict) else None
                    if isinstance(source, str):
                        yield source
