"""The end of a build that succeeded: its files and its manifest are kept together, or not at all."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hybridcore.packer.results import BuildResult, Status
from hybridcore.packer.stream.manifest import Manifest
from tests.support.builds import build, state_of, statuses
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


# Of a build that ended in 2018; Packer writes it like this.
OLD = """\
{
  "builds": [
    {
      "name": "image",
      "builder_type": "null",
      "build_time": 1543396579,
      "files": null,
      "artifact_id": "Null",
      "packer_run_uuid": "09bbd7fa-9b83-3c4b-14bd-131d5d7227aa",
      "custom_data": null
    }
  ],
  "last_run_uuid": "09bbd7fa-9b83-3c4b-14bd-131d5d7227aa"
}
"""


def add_to_build(space: WorkspaceFolder, target: str, text: str) -> None:
    """Put something at the end of the template's block `build`, which is the last one."""
    file = space.root / "templates" / target / "build.pkr.hcl"
    file.write_text(f"{file.read_text().removesuffix('}' + chr(10))}{text}}}\n")


def manifest_to(output: str) -> str:
    return f'  post-processor "manifest" {{\n    output = "{output}"\n  }}\n'


def written(space: WorkspaceFolder, result: BuildResult) -> dict[str, Any]:
    """The manifest that was kept."""
    loaded: dict[str, Any] = json.loads((space.root / str(result.manifest_path)).read_text())
    return loaded


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
        patch.setattr("hybridcore.packer.stream.manifest.write", full)
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


def test_the_manifest_of_packer_is_kept(space: WorkspaceFolder, any_packer: Path) -> None:
    space.use(any_packer)
    target = space.template("linux/file/image", FILE)
    add_to_build(space, target, manifest_to("manifest.json"))
    (result,) = build(space).results
    assert result.warnings == ()
    first = written(space, result)
    (entry,) = first["builds"]
    assert entry["packer_run_uuid"] == first["last_run_uuid"]
    assert (entry["artifact_id"], entry["files"]) == ("File", [{"name": "image.txt", "size": 5}])
    assert entry["packer_run_uuid"] != state_of(space)["images"][f"dev/{target}"]["run"]
    (again,) = build(space, force=True).results
    second = written(space, again)
    assert len(second["builds"]) == 1
    assert second["last_run_uuid"] != first["last_run_uuid"]


def test_a_manifest_of_another_run_is_not_taken(space: WorkspaceFolder, any_packer: Path) -> None:
    """A provisioner copies it into Packer's folder, from a place where somebody keeps it."""
    space.use(any_packer)
    old = space.write("images/old.json", OLD)
    target = space.null("linux/null/image", inline=(f"cp {old} manifest.json",))
    (result,) = build(space).results
    assert result.status is Status.BUILT
    assert result.warnings == ("the manifest 'manifest.json' is not of this build: it is not kept",)
    kept = written(space, result)
    (entry,) = kept["builds"]
    assert entry["packer_run_uuid"] == kept["last_run_uuid"]
    assert kept["last_run_uuid"] == state_of(space)["images"][f"dev/{target}"]["run"]
    assert "09bbd7fa" not in json.dumps(kept)


def test_packers_manifest_is_taken_though_another_one_lies_beside_it(
    space: WorkspaceFolder, any_packer: Path
) -> None:
    space.use(any_packer)
    old = space.write("images/old.json", OLD)
    target = space.null(inline=(f"cp {old} a.json", f"cp {old} z.json"))
    add_to_build(space, target, manifest_to("z.json"))
    (result,) = build(space).results
    assert result.status is Status.BUILT, result.errors
    (warning,) = result.warnings
    assert warning.startswith("no artifact names a.json: not kept; ")
    kept = written(space, result)
    assert [build["build_time"] == 1543396579 for build in kept["builds"]] == [True, False]
    assert kept["last_run_uuid"] == kept["builds"][1]["packer_run_uuid"]
    assert kept["last_run_uuid"] != state_of(space)["images"][f"dev/{target}"]["run"]


def test_a_manifest_in_a_subfolder_is_taken(space: WorkspaceFolder, any_packer: Path) -> None:
    space.use(any_packer)
    target = space.null(inline=("mkdir out",))
    add_to_build(space, target, manifest_to("out/made.json"))
    (result,) = build(space).results
    assert result.status is Status.BUILT, result.errors
    assert result.warnings == ()
    kept = written(space, result)
    assert kept["last_run_uuid"] == kept["builds"][0]["packer_run_uuid"]
    assert kept["last_run_uuid"] != state_of(space)["images"][f"dev/{target}"]["run"]


def built_after_a_manifest(space: WorkspaceFolder, kind: str, attribute: str) -> BuildResult:
    """Build an image whose manifest is written before another post-processor runs."""
    target = space.template("linux/file/image", FILE)
    add_to_build(
        space,
        target,
        '  post-processors {\n    post-processor "manifest" {}\n'
        f'    post-processor "{kind}" {{\n      {attribute}\n    }}\n  }}\n',
    )
    (result,) = build(space).results
    assert result.status is Status.BUILT, result.errors
    return result


def test_a_manifest_that_is_an_artifact_too(space: WorkspaceFolder, any_packer: Path) -> None:
    space.use(any_packer)
    result = built_after_a_manifest(space, "artifice", 'files = ["packer-manifest.json"]')
    assert result.warnings == ()
    names = [os.path.basename(file.path) for artifact in result.artifacts for file in artifact.files]
    assert names == ["image.txt", "packer-manifest.json"]
    assert build(space).status is Status.UNCHANGED


def test_a_file_that_changed_after_the_manifest_was_written(space: WorkspaceFolder, any_packer: Path) -> None:
    space.use(any_packer)
    result = built_after_a_manifest(space, "shell-local", 'inline = ["echo more >> image.txt"]')
    assert result.warnings == ("file.image: image.txt has 5 bytes in the manifest, and 10 on the disk",)


def test_json_that_is_no_manifest_does_not_stop_the_batch(space: WorkspaceFolder) -> None:
    for name, text in {
        "deep": "[" * 100_000,
        "other": "{}",
        "long": "9" * 5000,
        "endless": '{"builds": [{"build_time": Infinity}]}',
    }.items():
        space.write(f"images/odd/{name}.json", text)
    odd = space.null(
        "linux/null/odd",
        inline=(f"cp {space.root}/images/odd/*.json .", "mkdir out.json", "mkfifo pipe.json"),
    )
    good = space.null("linux/null/good")
    report = build(space)
    assert statuses(report) == {odd: "built", good: "built"}
    nothing, (said,) = (result.warnings for result in report.results)
    assert said.startswith("no artifact names deep.json, endless.json, long.json, other.json: not kept; ")
    assert nothing == ()
