"""What people read, taken apart for tests that compare it with the code."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

REPOSITORY = Path(__file__).resolve().parent.parent.parent


def code(names: Iterable[str]) -> str:
    """Names as a cell of a table shows them."""
    return ", ".join(f"`{name}`" for name in names)


def table_rows(document: str, title: str) -> list[tuple[str, ...]]:
    """The cells of each row, without the head, of the first table under a heading.

    Args:
        document: path in the checkout.
        title: of a heading, without the marks in front.
    """
    text = (REPOSITORY / document).read_text(encoding="utf-8")
    found: list[tuple[str, ...]] = []
    inside = False
    for line in text.splitlines():
        if line.startswith("#"):
            inside = line.strip("# ") == title
        elif inside and line.startswith("|"):
            found.append(tuple(cell.strip() for cell in line.strip("|").split("|")))
        elif inside and found:
            break
    assert len(found) > 2, f"{document}: there is no table under {title!r}"
    return found[2:]


def module_options(file: str) -> dict[str, dict[str, Any]]:
    """The options in the documentation of a module of the collection, by name.

    Args:
        file: path in the checkout.
    """
    for node in ast.parse((REPOSITORY / file).read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "DOCUMENTATION":
            found: dict[str, dict[str, Any]] = yaml.safe_load(ast.literal_eval(node.value))["options"]
            return found
    raise AssertionError(f"{file} has no DOCUMENTATION")
