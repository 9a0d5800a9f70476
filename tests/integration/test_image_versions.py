"""Versions of images that Packer really builds."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from hybridcore import state
from hybridcore.errors import PackerError
from hybridcore.images import look_up, parse
from hybridcore.images.differences import compare
from hybridcore.images.known import Known
from hybridcore.images.proving import verify
from tests.support.builds import build, statuses
from tests.support.images import new_key
from tests.support.workspaces import WorkspaceFolder

pytestmark = pytest.mark.integration

TARGET = "linux/file/note"
IMAGE = f"dev:{TARGET}"
FILE = """\
variable "text" {
  type    = string
  default = "%s"
}

source "file" "note" {
  content = var.text
  target  = "output/note.txt"
}

build {
  sources = ["source.file.note"]

  provisioner "shell-local" {
    inline = ["%s"]
  }
}
"""


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder]) -> WorkspaceFolder:
    return make_workspace()


def write(space: WorkspaceFolder, text: str, *, command: str = "true") -> None:
    space.template(TARGET, FILE % (text, command))


def records(space: WorkspaceFolder) -> list[str]:
    return sorted(path.name for path in (space.root / "state/images/dev" / TARGET).glob("*.json"))


def test_good_builds_alone_are_numbered(space: WorkspaceFolder) -> None:
    write(space, "one")
    assert statuses(build(space)) == {TARGET: "built"}
    assert statuses(build(space)) == {TARGET: "unchanged"}
    write(space, "two", command="false")
    assert statuses(build(space)) == {TARGET: "failed"}
    assert records(space) == ["1.json"]
    write(space, "three")
    assert statuses(build(space)) == {TARGET: "built"}
    assert records(space) == ["1.json", "2.json"]
    found = [look_up(f"{IMAGE}@{number}", workspace=space.open()) for number in (1, 2)]
    assert [Path(one.path).read_text() for one in found] == ["one", "three"]
    image = state.read(workspace=space.open())["images"][f"dev/{TARGET}"]
    assert (image["newest"], image["version"]) == (2, 2)
    told = [json.loads(line) for line in (space.root / "state/events.jsonl").read_text().splitlines()]
    assert [(one["event"], one["version"]) for one in told] == [("built", 1), ("failed", None), ("built", 2)]
    link = space.root / "images/dev" / TARGET / "latest"
    assert link.resolve() == Path(found[1].path).parent


def test_old_versions_are_retired_after_a_build_and_latest_is_found(space: WorkspaceFolder) -> None:
    space.settings("[retention]\nkeep = 1\n")
    for text in ("one", "two", "three"):
        write(space, text)
        build(space)
    folder = space.root / "images/dev" / TARGET
    (left,) = (path for path in folder.iterdir() if not path.is_symlink())
    assert os.readlink(folder / "latest") == left.name
    assert look_up(IMAGE, workspace=space.open()).version == 3
    assert records(space) == ["1.json", "2.json", "3.json"]


def test_what_was_built_before_there_were_versions_goes_on(space: WorkspaceFolder) -> None:
    write(space, "one")
    build(space)
    file = space.open().state_file
    data = json.loads(file.read_text())
    data["schema_version"] = 1
    del (
        data["checksum"],
        data["images"][f"dev/{TARGET}"]["newest"],
        data["images"][f"dev/{TARGET}"]["version"],
    )
    file.write_text(json.dumps(data))
    (space.root / "state/images/dev" / TARGET / "1.json").unlink()
    assert look_up(IMAGE, workspace=space.open()).version == 1
    assert statuses(build(space)) == {TARGET: "unchanged"}
    write(space, "two")
    build(space)
    assert records(space) == ["1.json", "2.json"]
    assert Path(look_up(f"{IMAGE}@1", workspace=space.open()).path).read_text() == "one"


LIST = """Package: bash
Status: install ok installed
Architecture: amd64
Version: 5.2.15-2

"""


def give(space: WorkspaceFolder, text: str, listed: str) -> None:
    """Have the build leave a list of packages, as a provisioner does that brings it from the image."""
    encoded = base64.b64encode(listed.encode()).decode()
    command = f"mkdir -p contents && echo {encoded} | base64 --decode >contents/status"
    write(space, text, command=command)


def test_the_packages_that_a_build_gives_are_in_its_record(space: WorkspaceFolder) -> None:
    give(space, "one", LIST)
    result = build(space).results[0]
    assert result.warnings == ()
    give(space, "two", LIST.replace("5.2.15-2", "5.2.15-3"))
    build(space)
    known = Known(space.open(), state.read(workspace=space.open()))
    found = compare(known, parse(IMAGE).image, 1, parse(IMAGE).image, 2)
    assert found.packages
    assert [one.name for one in found.packages.upgraded] == ["bash"]
    # They are not among the files of the image.
    folder = space.root / "images/dev" / TARGET / "latest"
    assert sorted(path.name for path in folder.rglob("*")) == ["note.txt", "packer-manifest.json"]


@pytest.mark.parametrize("listed", [LIST[:-20], "x" * 100, ""])
def test_a_list_that_is_torn_leaves_a_good_image_and_a_warning(space: WorkspaceFolder, listed: str) -> None:
    give(space, "one", listed)
    result = build(space).results[0]
    assert result.status.value == "built"
    [warning] = result.warnings
    assert "the status of dpkg is " in warning
    known = Known(space.open(), state.read(workspace=space.open()))
    assert known.record(parse(IMAGE).image, 1)["contents"] is None


@pytest.fixture
def key(space: WorkspaceFolder) -> Path:
    """A key that the workspace signs versions with."""
    file = new_key(space.root / "key.pem")
    space.settings('[attest]\nkey = "key.pem"\n')
    return file


def test_a_build_is_signed_where_a_key_is_set(space: WorkspaceFolder, key: Path) -> None:
    give(space, "one", LIST)
    assert build(space).results[0].warnings == ()
    known = Known(space.open(), state.read(workspace=space.open()))
    found = verify(known, parse(IMAGE).image, 1)
    assert found.ok
    assert found.signed
    note = space.root / "images/dev" / TARGET / "latest/note.txt"
    note.write_text("two")
    assert [one.wrong for one in verify(known, parse(IMAGE).image, 1).checks if one.wrong] == [
        "it is not what was built"
    ]


def test_nothing_is_built_with_a_key_that_others_can_read(space: WorkspaceFolder, key: Path) -> None:
    write(space, "one")
    key.chmod(0o644)
    with pytest.raises(PackerError) as caught:
        build(space)
    [fault] = caught.value.faults
    assert "can be used by others: its mode is 0644" in fault.message
    assert records(space) == []


def test_an_image_whose_key_vanished_while_it_was_built_is_kept(space: WorkspaceFolder, key: Path) -> None:
    write(space, "one", command=f"rm {key}")
    result = build(space).results[0]
    assert result.status.value == "built"
    [warning] = result.warnings
    assert f"{IMAGE}@1 cannot be signed: the key of [attest] cannot be read" in warning
    known = Known(space.open(), state.read(workspace=space.open()))
    assert known.record(parse(IMAGE).image, 1)["attestation"] is None
    [told] = [json.loads(line) for line in (space.root / "state/events.jsonl").read_text().splitlines()]
    assert "cannot be signed" in told["unsigned"]
