"""The way of a build as docs/hybridcore-architecture.md tells it is the way that a build takes."""

from __future__ import annotations

import re
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from hybridcore import cli
from tests.support.workspaces import WorkspaceFolder

pytestmark = pytest.mark.integration


def stations(repository: Path) -> list[str]:
    """The functions that the list in the document names first, in order."""
    text = (repository / "docs/hybridcore-architecture.md").read_text()
    section = text.partition("## The way of a build")[2].partition("\n## ")[0]
    return re.findall(r"^\d+\. `([\w.]+)`", section, re.MULTILINE)


def test_a_build_takes_the_way_that_is_written_down(
    repository: Path, make_workspace: Callable[..., WorkspaceFolder]
) -> None:
    named = stations(repository)
    assert 0 < len(named) <= 12
    space = make_workspace()
    target = space.null()
    seen: list[str] = []

    def called(frame: FrameType, event: str, _: Any) -> None:
        if event == "call":
            module = frame.f_globals.get("__name__", "").removeprefix("hybridcore.")
            name = f"{module}.{frame.f_code.co_qualname}"
            if name in named and name not in seen:
                seen.append(name)

    before = sys.getprofile()
    threading.setprofile(called)
    sys.setprofile(called)
    try:
        code = cli.main(["--workspace", str(space.root), "build", "--env", "dev", "--quiet", target])
    finally:
        sys.setprofile(before)
        threading.setprofile(None)  # type: ignore[arg-type]
    assert code == 0
    assert seen == named
