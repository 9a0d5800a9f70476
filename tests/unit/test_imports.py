"""The core loads nothing but the standard library and itself, and names itself relatively."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest

CORE = Path(__file__).resolve().parents[2] / "hybridcore"
# These write TYPE_CHECKING = False; why is said in docs/hybridcore-architecture.md.
WITHOUT_TYPING = ("config", "packer")
MODULES = ("config", "sources", "templates", "provisioners", "packer", "images", "state", "logs")

_LIST_FOREIGN = """
import importlib, json
importlib.import_module({name!r})
allowed = set(sys.stdlib_module_names) | {{"hybridcore", "__main__"}}
print(json.dumps(sorted(name for name in sys.modules if name.partition(".")[0] not in allowed)))
"""


def module_names() -> list[str]:
    """Every module of the core but `__main__`, whose import would run the command line."""
    names = []
    for file in sorted(CORE.rglob("*.py")):
        parts = file.relative_to(CORE.parent).with_suffix("").parts
        if parts[-1] != "__main__":
            names.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return names


def test_the_seven_modules_are_there():
    assert {f"hybridcore.{name}" for name in MODULES} <= set(module_names())


@pytest.mark.parametrize("name", module_names())
def test_import_loads_only_the_standard_library(name, python_bare):
    done = python_bare(_LIST_FOREIGN.format(name=name))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == []


def test_typing_is_spared_where_nothing_else_is_loaded_and_only_there(python_bare):
    spared = [
        file for file in sorted(CORE.rglob("*.py")) if "\nTYPE_CHECKING = False\n" in file.read_text("utf-8")
    ]
    assert spared == [CORE / name / "__init__.py" for name in WITHOUT_TYPING]
    for name in WITHOUT_TYPING:
        done = python_bare(f"import hybridcore.{name}; print('typing' in sys.modules)")
        assert (done.stdout, done.stderr) == ("False\n", "")


@pytest.mark.parametrize("file", sorted(CORE.rglob("*.py")), ids=lambda file: str(file.relative_to(CORE)))
def test_imports_of_ourselves_are_relative(file):
    """In a collection the package has another name: an absolute import finds nothing, or another copy."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    absolute = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            absolute += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            absolute.append(node.module or "")
    assert [name for name in absolute if name.partition(".")[0] in ("hybridcore", "ansible")] == []


def test_the_links_into_the_collection_reach_the_core():
    link = CORE.parent / "plugins" / "module_utils" / "hybridcore"
    assert link.is_symlink()
    assert link.resolve() == CORE


@pytest.mark.parametrize("package", sorted(CORE.rglob("__init__.py")), ids=lambda file: file.parent.name)
def test_no_function_of_a_package_has_the_name_of_a_module_in_it(package):
    """Importing `packer/build.py` would put the module in the place of the function `packer.build`."""
    functions = {
        node.name
        for node in ast.parse(package.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef)
    }
    assert functions & {path.stem for path in package.parent.iterdir()} == set()
