"""``packer-hybrid graph``."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from hybridcore.cli import main
from tests.support.workspaces import WorkspaceFolder

SETTINGS = """\
[images."linux/null/app"]
parent = "linux/null/web"

[images."linux/null/web"]
parent = {target = "linux/null/base", channel = "stable"}

[images."linux/null/api"]
parent = "linux/null/web"
"""


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder]) -> WorkspaceFolder:
    made = make_workspace()
    for name in ("base", "web", "app", "api", "other"):
        made.null(f"linux/null/{name}")
    made.settings(SETTINGS)
    return made


def graph(space: WorkspaceFolder, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["--workspace", str(space.root), *arguments]) == 0
    return capsys.readouterr().out


def test_children_stand_below_their_parents(space: WorkspaceFolder, capsys) -> None:
    assert graph(space, capsys, "graph") == (
        "linux/null/base\n"
        "  linux/null/web (channel stable)\n"
        "    linux/null/api\n"
        "    linux/null/app\n"
        "linux/null/other\n"
    )
    assert graph(space, capsys, "graph", "linux/null/app") == (
        "linux/null/base\n  linux/null/web (channel stable)\n    linux/null/app\n"
    )


def test_as_a_diagram(space: WorkspaceFolder, capsys) -> None:
    assert graph(space, capsys, "graph", "--mermaid", "linux/null/app").splitlines() == [
        "flowchart TD",
        '  t0["linux/null/app"]',
        '  t1["linux/null/base"]',
        '  t2["linux/null/web"]',
        "  t2 --> t0",
        "  t1 -. stable .-> t2",
    ]


def test_as_data(space: WorkspaceFolder, capsys) -> None:
    said = json.loads(graph(space, capsys, "--json", "graph", "linux/null/web"))
    assert said == {
        "targets": [
            {"target": "linux/null/base", "parent": None},
            {"target": "linux/null/web", "parent": {"target": "linux/null/base", "channel": "stable"}},
        ]
    }
