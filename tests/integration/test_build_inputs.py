"""What decides whether a target is built again: sources as they lie there, environment, chosen builds."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from hybridcore import config, packer, pipeline, sources
from hybridcore.errors import ConfigError
from tests.support.builds import Recorder, build, hybrid, state_of, statuses
from tests.support.remotes import Remote
from tests.support.workspaces import WorkspaceFolder

pytestmark = pytest.mark.integration

TARGET = "linux/file/image"
READS_SOURCE = """\
source "file" "image" {
  content = file("../../../../sources/shared/motd")
  target  = "output/image.txt"
}

build {
  sources = ["source.file.image"]
}
"""
TWO_BUILDS = """\
source "file" "image" {
  content = "x"
}

build {
  name = "first"

  source "source.file.image" {
    target = "output/first.txt"
  }
}

build {
  name = "second"

  source "source.file.image" {
    target = "output/second.txt"
  }
}
"""


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder]) -> WorkspaceFolder:
    return make_workspace()


@pytest.fixture
def with_source(space: WorkspaceFolder, tmp_path: Path) -> WorkspaceFolder:
    remote = Remote(tmp_path / "remote")
    remote.commit("motd", "hello\n")
    space.write("packer-hybrid.toml", f'[sources.shared]\nurl = "{remote.url}"\n')
    sources.sync(workspace=space.open())
    space.template(TARGET, READS_SOURCE)
    assert statuses(build(space)) == {TARGET: "built"}
    assert statuses(build(space)) == {TARGET: "unchanged"}
    return space


@pytest.mark.parametrize("how", ["edited", "added", "gone", "elsewhere"])
def test_a_source_that_is_not_what_was_synced_is_refused(with_source: WorkspaceFolder, how: str) -> None:
    clone = with_source.root / "sources/shared"
    if how == "edited":
        (clone / "motd").write_text("tampered\n")
    elif how == "added":
        (clone / "more").write_text("x")
    elif how == "gone":
        shutil.rmtree(clone)
    else:
        (clone / ".git/HEAD").write_text("0" * 40 + "\n")
    with pytest.raises(ConfigError) as caught:
        build(with_source)
    (fault,) = [fault for fault in caught.value.faults if "'shared'" in fault.message]
    assert fault.file == "sources/shared"
    assert "packer-hybrid sources sync shared" in fault.hint
    assert state_of(with_source)["images"][f"dev/{TARGET}"]["status"] == "built"


def test_a_rendered_configuration_gives_the_same_fingerprint_as_the_pipeline(space: WorkspaceFolder) -> None:
    space.write("templates/ansible/site.yml", "[]\n")
    space.template(
        TARGET,
        'variable "enable_ansible" {\n  type    = bool\n  default = false\n}\n'
        + READS_SOURCE.replace('file("../../../../sources/shared/motd")', '"x"'),
    )
    request = pipeline.Request(env="dev", targets=[TARGET], provisioners={"ansible": False})
    assert statuses(pipeline.build(request, workspace=space.open(), monitor=Recorder())) == {TARGET: "built"}
    report = packer.build([TARGET], env="dev", workspace=space.open())
    assert statuses(report) == {TARGET: "unchanged"}


def test_a_value_that_moves_to_another_overlay_is_the_same_value(space: WorkspaceFolder) -> None:
    space.template(
        TARGET,
        'variable "message" {\n  type = string\n}\n'
        + READS_SOURCE.replace('file("../../../../sources/shared/motd")', "var.message"),
    )
    space.write("environments/dev/all.pkrvars.hcl", 'message = "hello"\n')
    assert statuses(build(space)) == {TARGET: "built"}
    space.write("environments/dev/all.pkrvars.hcl", "")
    space.write("environments/dev/linux.pkrvars.hcl", 'message = "hello"\n')
    assert statuses(build(space)) == {TARGET: "unchanged"}
    before = config.generate_env_config({"env": "dev"}, workspace=space.open(), write=False)["files"][0]
    assert "linux.pkrvars.hcl" in before["after"]


def test_a_name_of_the_environment_that_the_caller_adds(
    space: WorkspaceFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = space.null(inline=("echo release is $RELEASE",))
    options = ("build", "--env", "dev", "--env-var", "RELEASE", target)
    monkeypatch.setenv("RELEASE", "12")
    assert "built" in hybrid(space, *options).stdout
    assert "unchanged" in hybrid(space, *options).stdout
    monkeypatch.setenv("RELEASE", "13")
    done = hybrid(space, *options)
    assert "rebuild: env RELEASE changed" in done.stdout + done.stderr


def test_images_of_builds_that_were_left_out_stay(space: WorkspaceFolder) -> None:
    space.write("packer-hybrid.toml", "[build]\nkeep_images = 1\n")
    space.template(TARGET, TWO_BUILDS)
    folder = space.root / "images/dev" / TARGET

    def names() -> list[str]:
        return sorted(path.name for path in folder.glob("2*/**/*.txt"))

    build(space)
    assert names() == ["first.txt", "second.txt"]
    for _ in range(3):
        build(space, only=("first.*",), force=True)
    assert "second.txt" in names()
    build(space, only=("second.*",), force=True)
    assert names() == ["first.txt", "first.txt", "second.txt", "second.txt"]
    build(space, force=True)
    assert names() == ["first.txt", "second.txt"]
    assert "others" not in {
        name for name, value in state_of(space)["images"][f"dev/{TARGET}"].items() if value
    }


def test_the_order_of_patterns_is_no_reason_to_build(space: WorkspaceFolder) -> None:
    space.template(TARGET, TWO_BUILDS)
    build(space, only=("first.*", "second.*"))
    assert statuses(build(space, only=("second.*", "first.*"))) == {TARGET: "unchanged"}


def test_what_cannot_be_followed_is_said_once(space: WorkspaceFolder) -> None:
    target = space.template(
        "linux/null/demo",
        'source "null" "demo" {\n  communicator = "none"\n}\n'
        'build {\n  sources = ["source.null.demo"]\n'
        '  provisioner "shell-local" {\n    script = "../../../../scripts/${build.name}.sh"\n  }\n}\n',
    )
    space.write("scripts/demo.sh", "exit 0\n")
    done = hybrid(space, "build", "--env", "dev", target)
    assert done.stderr.count("all of scripts counts") == 1
    assert "templates/linux/null/demo/build.pkr.hcl:7" in done.stderr
