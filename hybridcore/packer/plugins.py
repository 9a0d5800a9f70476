"""The plugins that lie beside Packer, by their files: which versions of which are there."""

from __future__ import annotations

import os
import re
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from ..templates import Template

# <host>/<namespace>/<type>/packer-plugin-<type>_v<version>_x<API>_<os>_<arch>, as Packer's documentation of
# installing plugins gives it.
_FILE = re.compile(r"packer-plugin-[a-z0-9_-]+_v(\d+\.\d+\.\d+[^_]*)_x\d+\.\d+_[a-z0-9]+_[a-z0-9]+(?:\.exe)?")


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
    versions: dict[str, list[str]] = {}
    for folder in folders(environ):
        for path in folder.glob("*/*/*/packer-plugin-*"):
            match = _FILE.fullmatch(path.name)
            if match:
                versions.setdefault(path.parent.relative_to(folder).as_posix(), []).append(match[1])
    return {source: max(found, key=_numbers) for source, found in sorted(versions.items())}


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
