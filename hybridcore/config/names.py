"""Names of overlays, and those that may not mean what they seem to: misspelt, misplaced, outdated.

Any file in a folder of overlays counts for all targets below it, unless a target, or a folder that has some,
has its name at its place. So nothing is wrong with ``environments/dev/sizes.pkrvars.hcl``; but a file that is
named like a target counts for every target as soon as that target is renamed. Such names are warned about.
"""

from __future__ import annotations

import os
from difflib import get_close_matches
from typing import TYPE_CHECKING

from ..platforms import PLATFORMS
from ..templates import target_names

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ..workspace import Workspace

HCL_SUFFIX = ".pkrvars.hcl"
JSON_SUFFIX = ".pkrvars.json"
TEMPLATE_SUFFIX = ".pkrvars.hcl.tmpl"
SUFFIXES = (HCL_SUFFIX, JSON_SUFFIX, TEMPLATE_SUFFIX)
_LEVELS = 3
# Names of files that mean an operating system or a platform, also where no template has it (any more).
_SYSTEMS = {"linux", "windows", "macos", "darwin", "freebsd", "netbsd", "openbsd", "solaris"}
_KNOWN = _SYSTEMS | {platform.name for platform in PLATFORMS}
_CLOSE = 0.75  # "qmeu" and "qemu"; "sizes" is nothing like the name of any system or platform
# Suffixes that people write for one of those above.
_NEARLY = (".hcl", ".hcl.tmpl", ".json.tmpl", ".pkrvars", ".tfvars", ".tfvars.json")


class Names:
    """The names of operating systems, platforms and targets that there are, declared ones too.

    Args:
        workspace: where they lie.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._at: dict[str, set[str]] | None = None

    def of_file(self, path: Path, folder: str) -> Iterator[str]:
        """Warn of a file for all targets of a folder that is named like something else.

        Args:
            path: the file.
            folder: where it lies below ``environments/<env>/``, as in ``linux/qemu``; empty at the top.
        """
        name = path.name.split(".pkrvars.")[0]
        if folder.count("/") + bool(folder) >= _LEVELS:
            return
        here = self._names().get(folder, set())
        close = get_close_matches(name, sorted(here), 1, _CLOSE)
        if close or name in _KNOWN or any(name in names for names in self._names().values()):
            missing = f"{folder}/{name}".lstrip("/")
            meant = f" ({close[0]} was meant?)" if close else ""
            all_of = f"every target of {folder}" if folder else "every target"
            yield (
                f"{self._workspace.relative(path)}: counts for {all_of}, "
                f"since {missing}/ has no target{meant}; give it another name if that is meant"
            )

    def of_other(self, entry: os.DirEntry[str], folder: str) -> Iterator[str]:
        """Warn of what lies among overlays and is never used: a folder of no target, a wrong suffix.

        Args:
            entry: what is no overlay.
            folder: as in ``of_file``.
        """
        shown = self._workspace.relative(self._workspace.root / entry.path)
        if not os.path.isdir(entry.path):  # entry.is_dir() fails for a circle of links
            if entry.name.endswith(_NEARLY):
                yield f"{shown}: is not used, overlays end in {', '.join(SUFFIXES)}"
            return
        inner = f"{folder}/{entry.name}".lstrip("/")
        if entry.name in self._names().get(folder, set()):
            return
        if any(name.endswith(SUFFIXES) for _folder, _folders, names in os.walk(entry.path) for name in names):
            yield f"{shown}/: is not used, since {inner}/ has no target"

    def has(self, place: str) -> bool:
        """Whether a target, or some below it, has a name, as ``linux/qemu``."""
        folder, __, name = place.rpartition("/")
        return name in self._names().get(folder, ())

    def _names(self) -> dict[str, set[str]]:
        """The names at each place: of systems at the top, of platforms below each, of targets below these."""
        if self._at is None:
            self._at = {}
            for target in target_names(workspace=self._workspace):
                parts = target.split("/")
                for level, name in enumerate(parts):
                    self._at.setdefault("/".join(parts[:level]), set()).add(name)
        return self._at
