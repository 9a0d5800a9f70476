"""What comes before the gate for Python can be read by the oldest Python on which Ansible runs modules."""

from __future__ import annotations

import ast
import sys
from importlib import import_module
from pathlib import Path

import pytest

PLUGINS = Path(__file__).resolve().parents[2] / "plugins"
# ansible-core 2.17 runs modules on 3.7.
OLDEST = (3, 7)
GATE = PLUGINS / "module_utils" / "_gate.py"
MODULES = sorted((PLUGINS / "modules").glob("*.py"))
# Loaded by Ansible itself, or by one that is.
LOADED = [
    *sorted(PLUGINS.glob("action/*.py")),
    *sorted(PLUGINS.glob("lookup/*.py")),
    *sorted(PLUGINS.glob("inventory/*.py")),
    PLUGINS / "plugin_utils" / "_core_action.py",
    PLUGINS / "plugin_utils" / "_core_lookup.py",
    PLUGINS / "plugin_utils" / "_far.py",
]


def name(file: Path) -> str:
    return str(file.relative_to(PLUGINS))


def imported_when_loaded(body: list[ast.stmt]) -> list[str]:
    """Every module that statements import, those in functions and for types alone left out."""
    found = []
    for node in body:
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return found


def of_ours(modules: list[str]) -> list[str]:
    return [module for module in modules if module.startswith("ansible_collections.")]


@pytest.mark.parametrize("file", [GATE, *MODULES], ids=name)
def test_a_module_is_read_by_an_old_python(file):
    ast.parse(file.read_text(encoding="utf-8"), feature_version=OLDEST)


@pytest.mark.parametrize("file", MODULES, ids=name)
def test_a_module_passes_the_gate_before_anything_of_ours_is_imported(file):
    body = ast.parse(file.read_text(encoding="utf-8")).body
    calls = [number for number, node in enumerate(body) if ast.unparse(node) == "_gate.check_module()"]
    assert len(calls) == 1, "the module calls _gate.check_module() once"
    assert of_ours(imported_when_loaded(body[: calls[0]])) == [
        "ansible_collections.hybridcore.packer.plugins.module_utils._gate"
    ]


@pytest.mark.parametrize("file", LOADED, ids=name)
def test_what_ansible_loads_imports_no_core_when_it_is_loaded(file):
    allowed = (
        "module_utils._gate",
        "plugin_utils._core_action.CoreAction",
        "plugin_utils._core_action.SUDO",
        "plugin_utils._core_lookup.CoreLookup",
    )
    body = ast.parse(file.read_text(encoding="utf-8")).body
    found = [module for module in of_ours(imported_when_loaded(body)) if "plugin_utils._far." not in module]
    rest = {module.removeprefix("ansible_collections.hybridcore.packer.plugins.") for module in found}
    assert rest <= set(allowed), "import the core in the function that needs it, after the gate"


def test_the_gate_lets_this_python_through_and_tells_an_old_one(monkeypatch, capsys):
    gate = import_module("plugins.module_utils._gate")
    assert gate.refusal() == ""
    gate.check_module()
    monkeypatch.setattr(sys, "version_info", (3, 10, 13))
    with pytest.raises(SystemExit):
        gate.check_module()
    printed = capsys.readouterr().out
    assert '"failed": true' in printed
    assert "needs Python 3.11 or newer" in printed
