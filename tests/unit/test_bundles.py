"""Making a bundle, and taking files out of one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from hybridcore.bundles import bring, bundle
from hybridcore.errors import SourcesError
from hybridcore.monitor import NullMonitor
from tests.support.programs import FakePacker
from tests.support.workspaces import WorkspaceFolder


def test_files_come_back_as_they_were_bundled_and_none_of_the_workspace_is_replaced(
    make_workspace: Callable[..., WorkspaceFolder], fake_packer: FakePacker, tmp_path: Path
) -> None:
    here = make_workspace("here")
    here.write("images/base/a.img", "a")
    here.write("images/base/b/b.img", "b")
    found = bundle(tmp_path / "bundle", workspace=here.open(), monitor=NullMonitor())
    assert [(one.kind, one.path) for one in found] == [
        ("packer", "packer/packer"),
        ("base image", "base/a.img"),
        ("base image", "base/b/b.img"),
    ]
    assert sorted(json.loads((tmp_path / "bundle/bundle.json").read_text())["files"]) == [
        "base/a.img",
        "base/b/b.img",
        "packer/packer",
    ]
    there = make_workspace("there")
    there.settings('[offline]\nmirror = "../bundle"\n')
    there.write("images/base/a.img", "mine")
    bring(workspace=there.open(), monitor=NullMonitor())
    assert (there.root / "images/base/a.img").read_text() == "mine"
    assert (there.root / "images/base/b/b.img").read_text() == "b"


def test_a_changed_file_is_refused_and_leaves_nothing(
    make_workspace: Callable[..., WorkspaceFolder], fake_packer: FakePacker, tmp_path: Path
) -> None:
    here = make_workspace("here")
    here.write("images/base/a.img", "a")
    bundle(tmp_path / "bundle", workspace=here.open(), monitor=NullMonitor())
    (tmp_path / "bundle/base/a.img").write_text("x")
    there = make_workspace("there")
    there.settings('[offline]\nmirror = "../bundle"\n')
    with pytest.raises(SourcesError, match="is not what was bundled"):
        bring(workspace=there.open(), monitor=NullMonitor())
    assert list((there.root / "images/base").iterdir()) == []
