"""A look at a few images: the same as reading all, and only what is looked at is parsed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from hybridcore import state
from hybridcore.errors import StateError
from hybridcore.state.entries import Entries
from tests.support.workspaces import WorkspaceFolder


def test_a_look_sees_what_reading_does(make_workspace: Callable[..., WorkspaceFolder], full: Any) -> None:
    where = make_workspace().open()
    assert state.peek(workspace=where) == state.empty()
    state.write(full, workspace=where)
    seen = state.peek(workspace=where)
    assert isinstance(seen["images"], Entries)
    assert {**seen, "images": dict(seen["images"])} == state.read(workspace=where)


def test_a_look_at_an_edited_file_checks_it_whole(
    make_workspace: Callable[..., WorkspaceFolder], full: Any
) -> None:
    where = make_workspace().open()
    state.write(full, workspace=where)
    data = json.loads(where.state_file.read_text())
    data["images"]["dev/linux/qemu/debian-12"]["built_at"] = "yesterday"
    where.state_file.write_text(json.dumps(data))
    with pytest.raises(StateError, match="damaged"):
        state.peek(workspace=where)
