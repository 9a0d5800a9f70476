"""The specification tree tells the truth about the code: diagrams, registry, matrix, named tests, links."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
UMBRELLA = ROOT / "specs" / "hybridcore" / "spec.md"
REMEDIATIONS = ROOT / "assessments" / "2025-11-14-remediation-migration" / "remediations"
MODULES = ("config", "sources", "templates", "provisioners", "packer", "images", "state", "logs")
# What the specification's class diagram asks for, whatever else a module offers.
REQUIRED = {
    "config": {"generate_env_config", "validate_schema"},
    "sources": {"sync"},
    "templates": {"list_builders", "compose_files"},
    "provisioners": {"enable_ansible", "enable_puppet", "emit_vars"},
    "packer": {"fmt", "validate", "build"},
    "state": {"read", "write"},
    "logs": {"get_logger"},
}
DIMENSIONS = ("Functionality", "Reliability", "Security", "Performance", "Documentation")
SEVERITIES = ("critical", "high", "medium")
SPECS = sorted((ROOT / "specs").glob("*/*.md"))
DOCUMENTS = [
    *SPECS,
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted(REMEDIATIONS.glob("*.md")),
    *sorted(ROOT.glob("*.md")),
    *sorted((ROOT / "roles").glob("*/README.md")),
]


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def section(text: str, title: str) -> str:
    """The text under a heading of the second level."""
    found = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"there is no heading '## {title}'"
    return found[1]


def mermaid(title: str) -> str:
    found = re.search(r"```mermaid\n(.*?)```", section(UMBRELLA.read_text(), title), re.DOTALL)
    assert found, f"there is no diagram under '## {title}'"
    return found[1]


def table(title: str) -> dict[str, list[str]]:
    """The rows of the table under a heading, by their first cell."""
    lines = [line for line in section(UMBRELLA.read_text(), title).splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]
    return {row[0]: row for row in rows}


def drawn_classes() -> dict[str, list[str]]:
    """Full name of each class of the class diagram, and its members."""
    blocks = re.findall(r'class \w+\["([\w.]+)"\] \{\n(.*?)\n  \}', mermaid("Class diagram"), re.DOTALL)
    return {name: [line.strip().removeprefix("+") for line in body.splitlines()] for name, body in blocks}


def signature(function: object) -> str:
    """A function as the diagram writes it: names of parameters, ``*`` before those by keyword, result."""
    shown = []
    for parameter in inspect.signature(function).parameters.values():  # type: ignore[arg-type]
        if parameter.kind is parameter.KEYWORD_ONLY and "*" not in shown:
            shown.append("*")
        shown.append(parameter.name)
    result = str(inspect.signature(function).return_annotation).partition("[")[0].rpartition(".")[2]  # type: ignore[arg-type]
    return f"{function.__name__}({', '.join(shown)}) {result}"  # type: ignore[attr-defined]


def severities(file: Path) -> list[str]:
    """The severity of each open fault of a remediation file."""
    found = []
    for dimension in DIMENSIONS:
        for item in re.findall(r"^[-*] .*", section(file.read_text(), dimension), re.MULTILINE):
            words = re.findall(r"\b(critical|high|medium)\b", item, re.IGNORECASE)
            assert words, f"{name_of(file)}: no severity in {item!r}"
            found.append(words[0].lower())
    return found


def test_class_diagram_agrees_with_the_code() -> None:
    drawn = drawn_classes()
    assert {f"hybridcore.{module}" for module in MODULES} <= set(drawn)
    for full_name, members in drawn.items():
        if full_name.rpartition(".")[2][0].isupper():
            module, _, class_name = full_name.rpartition(".")
            fields = {
                field.name
                for field in dataclasses.fields(getattr(importlib.import_module(module), class_name))
            }
            assert set(members) <= fields, full_name
        else:
            module = importlib.import_module(full_name)
            names = [member.partition("(")[0] for member in members]
            assert members == [signature(getattr(module, name)) for name in names], full_name
            assert REQUIRED.get(full_name.removeprefix("hybridcore."), set()) <= set(names), full_name


def imported(module: str) -> set[str]:
    """The parts of the core that a part imports when it runs, at whatever place in its code."""
    core = ROOT / "hybridcore"
    files = sorted((core / module).glob("**/*.py")) or [core / f"{module}.py"]
    parts = {path.stem for path in core.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    found: set[str] = set()
    for file in files:
        folder = list(file.relative_to(core).parts[:-1])
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for_types = {
            id(inner)
            for node in ast.walk(tree)
            if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
            for inner in ast.walk(node)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and node.level and id(node) not in for_types:
                base = folder[: len(folder) - node.level + 1] + (
                    node.module.split(".") if node.module else []
                )
                found |= {base[0]} if base else {alias.name for alias in node.names}
    return (found & parts) - {module}


def test_dependencies_are_as_drawn() -> None:
    drawn = set(re.findall(r"^  (\w+) --> (\w+)$", mermaid("Boundaries"), re.MULTILINE))
    shown = {*MODULES, "pipeline"}
    actual = {(module, other) for module in sorted(shown) for other in imported(module) & shown}
    assert {edge for edge in drawn if edge[0] in shown} == actual


def test_no_module_imports_an_adapter_or_the_pipeline() -> None:
    assert {module: imported(module) & {"cli", "pipeline"} for module in MODULES} == {
        module: set() for module in MODULES
    }


def test_component_diagram_has_every_module() -> None:
    diagram = mermaid("Component diagram")
    assert [module for module in MODULES if f"hybridcore.{module}" not in diagram] == []
    arrows = set(re.findall(r'(\w+)(?:\["[^"]*"\])? -->\|"[^"]*"\| (\w+)', diagram))
    assert {
        ("CLI", "CONFIG"),
        ("CLI", "SOURCES"),
        ("CONFIG", "TEMPLATES"),
        ("TEMPLATES", "PROV"),
        ("PROV", "PACKER"),
        ("SOURCES", "PACKER"),
        ("PACKER", "STATE"),
        ("PACKER", "LOGS"),
        ("LOGS", "STATE"),
    } <= arrows


def test_governance_touchpoints_are_in_the_diagrams() -> None:
    governance = (ROOT / "docs" / "governance.md").read_text()
    for title in ("Integration diagram", "Sequence diagram"):
        diagram = mermaid(title)
        for touchpoint in ("G1", "G2", "G3"):
            assert touchpoint in diagram
            assert f"(**{touchpoint}**)" in governance


def test_documents_link_back_to_the_diagrams() -> None:
    architecture = (ROOT / "docs" / "hybridcore-architecture.md").read_text()
    for anchor in ("component-diagram", "class-diagram", "integration-diagram", "sequence-diagram"):
        assert f"specs/hybridcore/spec.md#{anchor})" in architecture
    assert "orchestration-flow.md)" in architecture
    assert "](orchestration-flow.md)" in UMBRELLA.read_text()


def test_registry_has_every_module() -> None:
    rows = table("Module registry")
    specified = {path.name.removeprefix("hybridcore-") for path in (ROOT / "specs").glob("hybridcore-*")}
    assert set(rows) == {*MODULES, *specified}
    for module, row in rows.items():
        assert len(row) == 5, module
        assert row[1] == f"[spec](../hybridcore-{module}/spec.md)"
        assert f"/remediations/{module}-remediations.md)" in row[3]
        assert row[2], f"{module} has no status"
        assert row[4], f"{module} has no reference of a pull request"


def test_matrix_has_every_module_of_the_registry() -> None:
    assert list(table("Matrix of open issues")) == ["hybridcore", *table("Module registry")]


@pytest.mark.parametrize("module", table("Matrix of open issues"))
def test_matrix_agrees_with_the_remediation_files(module: str) -> None:
    row = table("Matrix of open issues")[module]
    found = severities(REMEDIATIONS / f"{module}-remediations.md")
    highest = min(found, key=SEVERITIES.index, default="none")
    assert row[3] == highest
    assert bool(row[2]) == bool(found), "themes are named exactly when there are open issues"
    assert row[1].endswith("#open-issues)")


def test_rubric_names_the_response_times() -> None:
    rows = table("Escalation")
    assert {name: row[2] for name, row in rows.items()} == {
        "critical": "24 hours",
        "high": "3 days",
        "medium": "1 week",
    }
    assert "docs/governance.md#release-captain" in section(UMBRELLA.read_text(), "Escalation")


@pytest.mark.parametrize("module", MODULES)
def test_every_module_has_specification_and_remediation_file(module: str) -> None:
    assert (ROOT / "specs" / f"hybridcore-{module}" / "spec.md").is_file()
    assert (REMEDIATIONS / f"{module}-remediations.md").is_file()


@pytest.mark.parametrize("spec", sorted((ROOT / "specs").glob("*/spec.md")), ids=name_of)
def test_specifications_end_with_open_issues(spec: Path) -> None:
    headings = re.findall(r"^## (.*)", spec.read_text(), re.MULTILINE)
    assert headings[-1] == "Open Issues"
    name = spec.parent.name.removeprefix("hybridcore-")
    assert f"{name}-remediations.md" in section(spec.read_text(), "Open Issues")


@pytest.mark.parametrize("file", sorted(REMEDIATIONS.glob("*.md")), ids=name_of)
def test_remediation_files_have_every_dimension(file: Path) -> None:
    text = file.read_text()
    headings = re.findall(r"^## (.*)", text, re.MULTILINE)
    assert [heading for heading in headings if heading in DIMENSIONS] == list(DIMENSIONS)
    severities(file)
    for dimension in DIMENSIONS:
        content = section(text, dimension)
        assert bool(re.search(r"^[-*] ", content, re.MULTILINE)) != ("None known." in content), dimension


def named_tests(spec: Path) -> list[tuple[str, str]]:
    """File and function of every test that a specification names.

    The file is given by its stem, or by its path.
    """
    text = spec.read_text()
    paths = {path.stem: name_of(path) for path in (ROOT / "tests").glob("**/test_*.py")}
    found = re.findall(r"`([\w/.-]+)::(?:\w+::)?(test_\w+)(?:\[[^`]*\])?`", text)
    return [(paths.get(file, file), function) for file, function in found]


@pytest.mark.parametrize("spec", SPECS, ids=name_of)
def test_tests_that_specifications_name_exist(spec: Path) -> None:
    named = named_tests(spec)
    if spec.name == "spec.md":
        assert named, "no requirement names its test"
    missing = []
    for file, function in named:
        path = ROOT / file
        defined = re.findall(r"def (test_\w+)\(", path.read_text()) if path.is_file() else []
        if function not in defined:
            missing.append(f"{file}::{function}")
    for file in re.findall(r"`(tests/[\w/.-]+\.py)`", spec.read_text()):
        if not (ROOT / file).is_file():
            missing.append(file)
    assert missing == []


def anchors(file: Path) -> set[str]:
    """The anchors of a document's headings, as web sites for source code make them."""
    headings = re.findall(r"^#+ (.*)", file.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_links_lead_somewhere(document: Path) -> None:
    broken = []
    text = re.sub(r"```.*?```", "", document.read_text(), flags=re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []
