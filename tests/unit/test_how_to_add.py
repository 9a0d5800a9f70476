"""The page that says how to add something: its files exist, they are few, and what it leaves out is named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hybridcore.state import schema
from tests.support.documents import table_rows

PAGE = "docs/hybridcore-architecture.md"
MOST = {
    "A platform": 3,
    "A provisioner stack": 8,
    "An option of a build": 6,
    "A state field": 3,
    "A check": 3,
}


def part(repository: Path, title: str) -> str:
    """The text of one part of the page."""
    page = (repository / PAGE).read_text(encoding="utf-8").partition("\n## How to add\n")[2]
    return page.partition("\n## ")[0].partition(f"\n### {title}\n")[2].partition("\n### ")[0]


@pytest.mark.parametrize("title", MOST)
def test_the_files_of_each_part_exist_and_are_few(repository: Path, title: str) -> None:
    text = part(repository, title)
    named = set(re.findall(r"`([\w./-]+\.(?:py|md|yml))`", text))
    assert [name for name in sorted(named) if not (repository / name).is_file()] == []
    assert any(name.startswith("tests/") for name in named), "no test keeps it true"
    steps = "\n".join(line for line in re.findall(r"^\d\. .*(?:\n   .*)*", text, re.MULTILINE))
    touched = {name for name in named if f"`{name}`" in steps and not name.startswith("tests/")}
    assert 0 < len(touched) <= MOST[title]


def fields(kind: object, path: str) -> list[str]:
    """The fields below a kind of the state's schema, as docs/state.md writes them."""
    if isinstance(kind, schema.Record):
        return [one for name, inner in kind.fields.items() for one in fields(inner, f"{path}.{name}")]
    if isinstance(kind, schema.Table):
        return fields(kind.value, f"{path}.*")
    if isinstance(kind, schema.Items):
        return fields(kind.item, f"{path}[]")
    return [path]


def unread() -> list[str]:
    """The fields of the state that docs/state.md does not explain."""
    rows = table_rows("docs/state.md", "The fields")
    found = []
    for section, kind in schema.SECTIONS.items():
        # What a run of the history is, is told at the last run.
        told = [" ".join(row) for row in rows if row[0].strip("`").startswith((section, "last_run"))]
        for path in fields(kind, section):
            name = re.sub(r"(\.\*|\[\])+$", "", path).rpartition(".")[2]
            if not any(re.search(rf"[`.]{name}`", row) for row in told):
                found.append(path)
    return found


def test_each_field_of_the_state_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    assert unread() == []
    image = schema.SECTIONS["images"]
    assert isinstance(image, schema.Table)
    assert isinstance(image.value, schema.Record)
    monkeypatch.setitem(image.value.fields, "colour", schema.SECTIONS["plugins"])  # type: ignore[arg-type]
    assert unread() == ["images.*.colour.*"]
