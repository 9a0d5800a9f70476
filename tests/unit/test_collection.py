"""What each plugin and role of the collection must have to be published."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

import hybridcore

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = ROOT / "plugins"
MODULES = sorted((PLUGINS / "modules").glob("*.py"))
ROLES = sorted(path for path in (ROOT / "roles").iterdir() if path.is_dir())
SOURCES = sorted(
    path for path in PLUGINS.rglob("*.py") if not path.is_relative_to(PLUGINS / "module_utils/hybridcore")
)
# These import Ansible's own code, which is under the GPL; module_utils imports what is under a BSD licence.
GPL = ("action", "doc_fragments", "inventory", "lookup", "plugin_utils")
GROUP = "hybridcore.packer.packer"


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def documented(file: Path, variable: str = "DOCUMENTATION") -> dict[str, Any]:
    """The YAML text that a plugin assigns to a name."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == variable:
            found: dict[str, Any] = yaml.safe_load(ast.literal_eval(node.value))
            return found
    raise AssertionError(f"{file} has no {variable}")


def attributes(file: Path) -> dict[str, Any]:
    """The attributes of a module, with those of the fragment that it takes."""
    own = documented(file)
    shared = documented(PLUGINS / "doc_fragments" / "core.py")
    takes = "hybridcore.packer.core" in own.get("extends_documentation_fragment", [])
    return {**(shared["attributes"] if takes else {}), **own.get("attributes", {})}


@pytest.mark.parametrize("file", MODULES, ids=name)
def test_a_module_says_how_it_behaves(file):
    found = attributes(file)
    assert {"check_mode", "diff_mode", "async", "platform"} <= set(found)
    group = yaml.safe_load((ROOT / "meta/runtime.yml").read_text())["action_groups"]["packer"]
    assert (file.stem in group) == ("action_group" in found), "the attribute and meta/runtime.yml agree"
    if file.stem in group:
        assert found["action_group"]["membership"] == [GROUP]


@pytest.mark.parametrize("file", MODULES, ids=name)
def test_a_module_has_an_action_and_an_integration_target(file):
    assert (PLUGINS / "action" / file.name).is_file()
    assert (ROOT / "tests/integration/targets" / file.stem / "tasks/main.yml").is_file()
    assert (ROOT / "tests/integration/targets" / file.stem / "aliases").is_file()


@pytest.mark.parametrize("file", SOURCES, ids=name)
def test_a_plugin_names_its_licence_in_its_first_lines(file):
    head = "".join(file.read_text(encoding="utf-8").splitlines(keepends=True)[:6])
    licence = "GPL-3.0-or-later" if file.parent.name in GPL else "Apache-2.0"
    # REUSE-IgnoreStart
    assert "# SPDX-FileCopyrightText: The hybridcore.packer authors\n" in head
    assert f"# SPDX-License-Identifier: {licence}\n" in head
    # REUSE-IgnoreEnd
    if file.parent.name in (*GPL, "modules"):
        assert "GNU General Public License v3.0" in head, "ansible-test looks for the name"


@pytest.mark.parametrize("file", sorted((PLUGINS / "module_utils").glob("*.py")), ids=name)
def test_what_is_under_apache_imports_nothing_under_the_gpl(file):
    tree = ast.parse(file.read_text(encoding="utf-8"))
    found = [node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module]
    of_ansible = [module for module in found if module.partition(".")[0] == "ansible"]
    assert [module for module in of_ansible if not module.startswith("ansible.module_utils.")] == []


def test_utilities_of_ours_begin_with_an_underscore():
    """What does not is for others to import; of that there is the core alone, and its specifications."""
    found = [path for folder in ("module_utils", "plugin_utils") for path in (PLUGINS / folder).iterdir()]
    public = [path.name for path in found if not path.name.startswith("_") and path.name != "hybridcore"]
    assert public == []


@pytest.mark.parametrize("role", ROLES, ids=name)
def test_a_role_has_a_readme_with_each_of_its_variables(role):
    text = (role / "README.md").read_text(encoding="utf-8")
    options = yaml.safe_load((role / "meta/argument_specs.yml").read_text())["argument_specs"]["main"].get(
        "options", {}
    )
    assert sorted(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)) == sorted(options)


def test_every_place_names_the_same_version():
    galaxy = yaml.safe_load((ROOT / "galaxy.yml").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert galaxy["version"] == project["version"] == hybridcore.__version__
    released = yaml.safe_load((ROOT / "changelogs/changelog.yaml").read_text())["releases"]
    assert galaxy["version"] in released, "antsibull-changelog release writes it"


def test_no_check_of_ansible_test_is_ignored():
    """galaxy-importer warns of each file of ignores."""
    assert sorted((ROOT / "tests").glob("sanity/ignore-*.txt")) == []
