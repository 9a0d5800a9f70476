"""Not building what is unchanged: each input that decides an image is seen, and named when it changed."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from hybridcore.packer.results import BuildReport
from tests.support.builds import Recorder, build, build_json, hybrid, state_of, statuses
from tests.support.tools import Tools
from tests.support.workspaces import WorkspaceFolder

pytestmark = pytest.mark.integration

FILE = """\
variable "message" {
  type    = string
  default = "hello"
}

variable "enable_ansible" {
  type    = bool
  default = true
}

source "file" "image" {
  content = var.message
  target  = "output/image.txt"
}

build {
  sources = ["source.file.image"]
}
"""
TARGET = "linux/file/image"
TEMPLATE = f"templates/{TARGET}/build.pkr.hcl"


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> WorkspaceFolder:
    made = WorkspaceFolder.create(tmp_path_factory.mktemp("unchanged") / "workspace")
    made.template(TARGET, FILE)
    made.write("templates/ansible/site.yml", "[]\n")
    made.write("templates/ansible/roles/base/tasks/main.yml", "[]\n")
    return made


@pytest.fixture
def built(space: WorkspaceFolder) -> BuildReport:
    """The image as it is now, built if need be."""
    build(space)
    report = build(space)
    assert statuses(report) == {TARGET: "unchanged"}
    return report


def reasons(space: WorkspaceFolder, **options: object) -> list[str]:
    """Why the image is built; check mode must have said the same before."""
    monitor = Recorder()
    predicted = build(space, check=True, **options).results[0]
    result = build(space, monitor=monitor, **options).results[0]
    assert (predicted.status, predicted.reasons) == (result.status, result.reasons)
    assert predicted.fingerprint == result.fingerprint
    told = [note.partition("rebuild: ")[2] for note in monitor.notes if "rebuild: " in note]
    assert told == list(result.reasons)
    return told


def test_files_of_an_image_stay_where_the_state_says(space: WorkspaceFolder, built: BuildReport) -> None:
    image = state_of(space)["images"][f"dev/{TARGET}"]
    ((file,),) = ([*artifact["files"]] for artifact in image["artifacts"])
    assert file == {
        "path": f"images/dev/{TARGET}/{image['run']}/image.txt",
        "size": 5,
        "sha256": hashlib.sha256(b"hello").hexdigest(),
    }
    assert (space.root / file["path"]).read_text() == "hello"
    latest = space.root / "images" / "dev" / TARGET / "latest"
    assert os.readlink(latest) == image["run"]
    manifest = json.loads((latest / "packer-manifest.json").read_text())
    (entry,) = manifest["builds"]
    assert entry["packer_run_uuid"] == manifest["last_run_uuid"] == image["run"]
    assert entry["files"] == [{"name": str(latest.resolve() / "image.txt"), "size": 5}]
    (result,) = built.results
    assert result.manifest_path == f"images/dev/{TARGET}/{image['run']}/packer-manifest.json"
    assert [one.to_dict() for one in result.artifacts] == image["artifacts"]


def test_an_unchanged_image_costs_no_run(space: WorkspaceFolder, built: BuildReport) -> None:
    before = state_of(space)
    assert not build(space).changed
    assert state_of(space) == before
    assert list((space.root / "images" / ".runs").iterdir()) == []


def test_a_changed_template(space: WorkspaceFolder, built: BuildReport) -> None:
    with (space.root / TEMPLATE).open("a") as file:
        file.write("# more\n")
    assert reasons(space) == [f"{TEMPLATE} changed"]
    assert reasons(space) == []


def test_a_changed_value(space: WorkspaceFolder, built: BuildReport) -> None:
    assert reasons(space, values={"message": "other"}) == ["configuration: message changed"]
    image = state_of(space)["images"][f"dev/{TARGET}"]
    assert (space.root / image["artifacts"][0]["files"][0]["path"]).read_text() == "other"
    assert reasons(space) == ["configuration: message changed"]


def test_changed_assets_of_a_provisioner(space: WorkspaceFolder, built: BuildReport) -> None:
    space.write("templates/ansible/site.yml", "[] # changed\n")
    space.write("templates/ansible/roles/base/files/new", "new\n")
    (space.root / "templates/ansible/roles/base/tasks/main.yml").unlink()
    assert reasons(space) == [
        "templates/ansible/roles/base/files/new added",
        "templates/ansible/roles/base/tasks/main.yml removed",
        "templates/ansible/site.yml changed",
    ]


def test_a_variable_from_the_environment(
    space: WorkspaceFolder, built: BuildReport, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rendered configuration sets every variable that is no secret: Packer does not see this value."""
    monkeypatch.setenv("PKR_VAR_message", "environment")
    assert reasons(space) == []
    assert reasons(space, extra_env={"PKR_VAR_message": "another"}) == []
    build(space, force=True)
    image = state_of(space)["images"][f"dev/{TARGET}"]
    assert (space.root / image["artifacts"][0]["files"][0]["path"]).read_text() == "hello"


def test_no_digest_of_a_secret_is_in_the_state(space: WorkspaceFolder, built: BuildReport) -> None:
    assert reasons(space, secrets={"message": "a secret"}) == []
    build(space, force=True, secrets={"message": "a secret"}, extra_env={"PKR_VAR_message": "a secret"})
    files = [path for path in (space.root / "state").rglob("*") if path.is_file()]
    assert files
    digest = hashlib.sha256(b"a secret").hexdigest()
    assert [path for path in files if digest in path.read_text(errors="replace")] == []


def test_a_build_without_a_part_is_another_image(space: WorkspaceFolder, built: BuildReport) -> None:
    assert reasons(space, except_=("compress",)) == ["except added"]
    assert reasons(space) == ["except removed"]


def test_another_packer(
    space: WorkspaceFolder, built: BuildReport, tools: Tools, packer_debian: Path
) -> None:
    space.write("packer-hybrid.toml", f'[packer]\npath = "{tools.packer}"\n')
    assert reasons(space) == ["packer 1.6.6 -> 1.9.4"]
    space.write("packer-hybrid.toml", "")
    assert reasons(space) == ["packer 1.9.4 -> 1.6.6"]


@pytest.mark.parametrize("how", ["is gone", "is not what was built"])
def test_a_lost_image(space: WorkspaceFolder, built: BuildReport, how: str) -> None:
    path = built.results[0].artifacts[0].files[0].path
    file = space.root / path
    if how == "is gone":
        file.unlink()
    else:
        file.write_text("HELLO")  # of the same size
    assert reasons(space) == [f"{path} {how}"]


def test_force(space: WorkspaceFolder, built: BuildReport) -> None:
    assert build(space, force=True).results[0].reasons == ("forced",)


def test_check_predicts_and_builds_nothing(make_workspace: Callable[..., WorkspaceFolder]) -> None:
    space = make_workspace()
    target = space.null()
    done = hybrid(space, "build", "--env", "dev", "--check")
    assert done.returncode == 5
    assert done.stdout == f"{target}: would be built\n  because never built\n"
    assert not (space.root / "configs").exists()
    assert not (space.root / "images").exists()
    assert not (space.root / "logs").exists()
    assert state_of(space) == {}
    build_json(space)
    said = build_json(space, "--check")
    assert said["changed"] is False
    assert said["results"][0]["status"] == "unchanged"


def test_old_images_go_and_the_last_ones_stay(make_workspace: Callable[..., WorkspaceFolder]) -> None:
    space = make_workspace()
    space.write("packer-hybrid.toml", "[build]\nkeep_images = 2\n")
    space.template(TARGET, FILE)
    space.write("templates/ansible/site.yml", "[]\n")
    ran = [build(space, force=True).run_id for _ in range(3)]
    folder = space.root / "images" / "dev" / TARGET
    left = {path.name for path in folder.iterdir() if not path.is_symlink()}
    assert left == set(ran[-2:])
    assert os.readlink(folder / "latest") == ran[-1]


def test_a_manifest_that_somebody_left_in_the_templates_folder(
    make_workspace: Callable[..., WorkspaceFolder], any_packer: Path
) -> None:
    space = make_workspace()
    space.write("packer-hybrid.toml", f'[packer]\npath = "{any_packer}"\n')
    post = 'build {\n  sources = ["source.file.image"]\n  post-processor "manifest" {}\n}\n'
    source = 'source "file" "image" {\n  content = "hello"\n  target  = "output/image.txt"\n}\n'
    space.template(TARGET, source + post)
    left = space.write(f"templates/{TARGET}/packer-manifest.json", '{"builds": [], "last_run_uuid": "x"}')
    assert statuses(build(space)) == {TARGET: "built"}
    assert left.read_text() == '{"builds": [], "last_run_uuid": "x"}'
    assert statuses(build(space)) == {TARGET: "unchanged"}
