"""The files of plugins/, imported as Ansible does it: below ``ansible_collections``."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TypeAlias

import pytest

Plugin: TypeAlias = Callable[[str], ModuleType]


@pytest.fixture
def plugin(collections_path: Path, repository: Path, monkeypatch: pytest.MonkeyPatch) -> Plugin:
    """`plugin("plugin_utils.far")`; the underscore of an internal module is left out."""
    monkeypatch.syspath_prepend(str(collections_path))

    def load(name: str) -> ModuleType:
        folder, _, module = name.rpartition(".")
        internal = (repository / "plugins" / folder / f"_{module}.py").is_file()
        file = f"_{module}" if internal else module
        return importlib.import_module(f"ansible_collections.hybridcore.packer.plugins.{folder}.{file}")

    return load
