"""The shape of the core: rooms without circles, imports that point down, and few files in one place."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CORE, PLUGINS, UNIT = ROOT / "hybridcore", ROOT / "plugins", ROOT / "tests" / "unit"
# What may import what: a room imports only what stands further down. The face of packer/, its ``__init__``,
# stands above its rooms.
FLOORS = """
__main__
cli
live pipeline
bundles
packer
caretaker
packer.info
packer.building
packer.checking
packer.mirror packer.settling
packer.runs
packer.planning
packer.stream
packer.runtime packer.secrets
packer.pinned
packer.passing
packer.program
packer.results
packer.options
config sources images
provisioners
templates
state logs monitor
process hcl
workspace
settings
version_settings
image_settings source_settings plugin_settings
setting_tables platforms
errors host temporary atomic
"""


def modules() -> dict[str, Path]:
    """Every file of the core by its dotted name below ``hybridcore``; a package has that of its folder."""
    found = {}
    for file in sorted(CORE.rglob("*.py")):
        parts = file.relative_to(CORE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return found


def imports(name: str, file: Path, known: dict[str, Path]) -> set[str]:
    """The modules that a file imports when it runs, within functions too; not those for types alone."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for_types = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    package = name.split(".") if file.name == "__init__.py" else name.split(".")[:-1]
    package = [part for part in package if part]
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level and id(node) not in for_types:
            base = package[: len(package) - node.level + 1] + (node.module.split(".") if node.module else [])
            for alias in node.names:
                whole = ".".join([*base, alias.name])
                found.add(whole if whole in known else ".".join(base))
    return found - {name, ""}


@pytest.fixture(scope="module")
def graph() -> dict[str, set[str]]:
    known = modules()
    return {name: imports(name, file, known) for name, file in known.items()}


def room(module: str) -> str:
    """The room of a module: its part of the core, and within ``packer/`` its folder or file."""
    parts = module.split(".")
    return ".".join(parts[: 2 if parts[0] == "packer" else 1])


def test_no_modules_import_each_other_in_a_circle(graph: dict[str, set[str]]) -> None:
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(f"a circle: {' -> '.join(error.args[1])}")


def test_imports_point_down(graph: dict[str, set[str]]) -> None:
    floors = {
        name: number for number, line in enumerate(FLOORS.strip().splitlines()) for name in line.split()
    }
    assert {room(module) for module in graph if module} <= set(floors), "a room without a floor"
    upward = [
        f"{module} -> {other}"
        for module, others in graph.items()
        for other in sorted(others)
        if room(module) != room(other) and floors[room(other)] <= floors[room(module)]
    ]
    assert upward == []


def test_packer_is_made_of_rooms() -> None:
    rooms = [path.name for path in (CORE / "packer").iterdir() if (path / "__init__.py").is_file()]
    assert len(rooms) >= 4
    assert len(list((CORE / "packer").glob("*.py"))) <= 14


def test_running_programs_knows_no_packer(graph: dict[str, set[str]]) -> None:
    reached = {name for name in graph if name.split(".")[0] == "process"}
    while more := {other for name in reached for other in graph[name]} - reached:
        reached |= more
    assert {name for name in reached if name.split(".")[0] in ("packer", "state", "logs", "config")} == set()


# A module with this many lines in its functions, docstrings left out, has logic, and so a test file.
LOGIC_LINES = 10
# Modules with logic that need no unit test file of their name, each with the reason.
WITHOUT_UNIT_TEST: dict[str, str] = {}
# Modules whose file is still to be written; one that has it must leave this list.
UNIT_TEST_MISSING = """
plugins.lookup.image
plugins.module_utils._images
plugins.module_utils._packer_channel
plugins.module_utils._packer_images_info
plugins.module_utils._packer_version
"""


def lines_of_functions(file: Path) -> int:
    """How many lines of a file are in the bodies of functions, docstrings left out."""
    lines: set[int] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for statement in node.body[1 if ast.get_docstring(node) is not None else 0 :]:
                lines |= set(range(statement.lineno, (statement.end_lineno or statement.lineno) + 1))
    return len(lines)


def unit_tests(module: str, file: Path) -> list[Path]:
    """The test files of a module's name: ``test_<module>.py``, or with the name of the room before it.

    They lie in the folder of the room under ``tests/unit/``, those of a package in its own. Modules that are
    in no room may have theirs in a folder that is named after no room.
    """
    parts = module.split(".")
    folder = UNIT.joinpath(*parts if file.name == "__init__.py" else parts[:-1])
    names = {f"test_{parts[-1]}.py", f"test_{'_'.join(parts[-2:])}.py"}
    found = [folder / name for name in names]
    if folder == UNIT:
        found += [path for path in UNIT.glob("*/*.py") if path.name in names and not is_room(path.parent)]
    return [path for path in found if path.is_file()]


def is_room(folder: Path) -> bool:
    return (CORE / folder.relative_to(UNIT)).is_dir()


def plugins() -> dict[str, Path]:
    """The collection's own files, as ``plugins.action.packer_build``; the core is not among them."""
    return {".".join(file.relative_to(ROOT).with_suffix("").parts): file for file in PLUGINS.glob("*/*.py")}


def plugin_tests(file: Path) -> list[Path]:
    """The test files of a plugin's name, without its underscore; an action has the name of its module."""
    name = file.stem.lstrip("_")
    own = f"test_{file.parent.name}_{name}.py"
    names = [own] if file.parent.name == "action" else [own, f"test_{name}.py"]
    return [path for name in names for path in (UNIT / "plugins" / name, UNIT / name) if path.is_file()]


def test_each_module_with_logic_has_a_unit_test_file_of_its_name() -> None:
    debts = UNIT_TEST_MISSING.split()
    known = {name: (file, unit_tests(name, file)) for name, file in modules().items() if name}
    known |= {name: (file, plugin_tests(file)) for name, file in plugins().items()}
    logic = {name for name, (file, _) in known.items() if lines_of_functions(file) >= LOGIC_LINES}
    tested = {
        name for name, (_, found) in known.items() if any("\ndef test_" in path.read_text() for path in found)
    }
    excused = {*debts, *WITHOUT_UNIT_TEST}
    assert sorted(logic - tested - excused) == [], "these have no unit test file of their name"
    assert sorted(excused - logic) == [], "these need no entry: they are no modules with logic"
    assert sorted(excused & tested) == [], "these need no entry: they have a unit test file"
    assert all(WITHOUT_UNIT_TEST.values()), "each exemption has a reason"
    assert len(debts) == len(set(debts))
