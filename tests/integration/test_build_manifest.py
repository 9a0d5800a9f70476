"""The end of a build that succeeded: its files and its manifest are kept together, or not at all."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from hybridcore.packer.manifest import Manifest
from hybridcore.packer.results import Status
from tests.support.builds import build, state_of
from tests.support.workspaces import WorkspaceFolder

pytestmark = pytest.mark.integration

FILE = """\
source "file" "image" {
  content = "hello"
  target  = "image.txt"
}

build {
  sources = ["source.file.image"]
}
"""


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder]) -> WorkspaceFolder:
    return make_workspace()


def test_an_image_that_cannot_be_kept_leaves_nothing(
    space: WorkspaceFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would count as one of the images that are kept, and push out a good one."""
    target = space.template("linux/file/image", FILE)
    assert build(space).status is Status.BUILT
    good = state_of(space)["images"][f"dev/{target}"]["run"]
    moved: list[str] = []

    def full(path: Path, manifest: Manifest) -> None:
        moved.extend(os.listdir(path.parent))
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    with monkeypatch.context() as patch:
        patch.setattr("hybridcore.packer.manifest.write", full)
        (result,) = build(space, force=True).results
    assert moved == ["image.txt"]
    assert result.status is Status.FAILED
    assert result.artifacts == ()
    assert "the result cannot be kept" in result.errors[0]
    assert "No space left on device" in result.errors[0]
    folder = space.root / "images" / "dev" / target
    assert sorted(os.listdir(folder)) == sorted([good, "latest"])
    assert os.readlink(folder / "latest") == good
    assert build(space).status is Status.UNCHANGED
