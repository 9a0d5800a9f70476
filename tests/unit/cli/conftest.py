"""The command line in a workspace: fixtures of the state, and how commands are run."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from hybridcore.cli import main
from hybridcore.workspace import Workspace
from tests.support.images import Shelf
from tests.support.states import add_image, full, workspace

__all__ = ["add_image", "full", "workspace"]


@pytest.fixture
def cli(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Run the command line; gives its exit code, output and errors."""

    def run(*argv: str) -> tuple[int, str, str]:
        code = main(["--workspace", str(workspace.root), *argv])
        return code, *capsys.readouterr()

    return run


@pytest.fixture
def run(shelf: Shelf, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run a verb of `images` on the images of the fixture `shelf`; gives what it prints."""

    def call(*argv: str, code: int = 0) -> str:
        assert main(["--workspace", str(shelf.workspace.root), "images", *argv]) == code, capsys.readouterr()
        found = capsys.readouterr()
        return found.out if code in (0, 5) else found.out + found.err

    return call


@pytest.fixture
def data(run: Callable[..., str]) -> Callable[..., dict[str, Any]]:
    """Run a verb of `images` with `--json`; gives the object that it prints."""

    def call(verb: str, *argv: str, code: int = 0) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(run(verb, "--json", *argv, code=code).splitlines()[0])
        return found

    return call
