"""Has Python load the core as it loads any package: from its compiled form, kept in ``__pycache__``.

Ansible's own loader compiles each module of a collection anew in each process: for the core that is half of
the time of its import. Import this before the core.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import cache
from importlib.machinery import SOURCE_SUFFIXES, FileFinder, ModuleSpec, SourceFileLoader
from types import ModuleType

_CORE = f"{__name__.rpartition('.')[0]}.hybridcore."


class CoreFinder:
    """Finds the modules within the core; leaves everything else, and a core in a zip file, to the others."""

    @staticmethod
    def find_spec(
        fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find a module, as ``importlib.abc.MetaPathFinder`` describes it.

        Args:
            fullname: name of the module.
            path: the folders of its package; one in our case.
            target: not used.

        Returns:
            Where it is; None when it is none of the core, or not in a folder.
        """
        if not fullname.startswith(_CORE) or not path:
            return None
        return _in_folder(next(iter(path))).find_spec(fullname)


@cache
def _in_folder(folder: str) -> FileFinder:
    return FileFinder(folder, (SourceFileLoader, SOURCE_SUFFIXES))


sys.meta_path.insert(0, CoreFinder)
