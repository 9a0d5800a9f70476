"""Targets that the settings declare over templates as people have them, with real Packers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from hybridcore import packer, state, templates
from hybridcore.errors import ConfigError, TemplatesError
from hybridcore.packer.results import BuildReport
from tests.support.builds import build, build_json, hybrid, statuses
from tests.support.tools import Tools
from tests.support.workspaces import WorkspaceFolder

pytestmark = pytest.mark.integration

# Two sources, three builds; what differs between two builds of one source stands in these.
TEMPLATE = """\
variable "release" {
  type = string
}

variable "mirror" {
  type    = string
  default = "here"
}

variable "password" {
  type      = string
  sensitive = true
  default   = ""
}

locals {
  motd  = file("files/motd")
  other = file("files/other")
}

source "file" "web" {
  content = "${var.release} ${local.motd}"
}

source "file" "db" {
  content = "${var.mirror} ${local.other}"
  target  = "output/db.txt"
}

build {
  name    = "plain"
  sources = ["source.file.db"]

  source "source.file.web" {
    target = "output/web.txt"
  }

  provisioner "shell-local" {
    script = "scripts/show.sh"
  }
}

build {
  name = "named"

  source "source.file.web" {
    target = "output/named.txt"
  }
}
"""
SETTINGS = """\
[images."linux/file/web"]
template = "packer"
only = "plain.file.web"
cwd = "."
var_files = ["values/common.pkrvars.hcl"]

[images."linux/file/db"]
template = "packer"
only = "file.db"
cwd = "."
var_files = ["values/common.pkrvars.hcl"]
vars = {mirror = "there"}
"""


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder]) -> WorkspaceFolder:
    made = make_workspace()
    made.write("packer/images.pkr.hcl", TEMPLATE)
    made.write("packer/files/motd", "hello")
    made.write("packer/files/other", "other")
    made.write("scripts/show.sh", "#!/bin/sh\necho shown by a script of the root\n").chmod(0o755)
    made.write("values/common.pkrvars.hcl", 'release = "12"\nunknown = "shared files are like that"\n')
    made.settings(SETTINGS)
    return made


def contents(space: WorkspaceFolder, report: BuildReport) -> dict[str, str]:
    return {
        result.target: (space.root / file.path).read_text()
        for result in report.results
        for artifact in result.artifacts
        for file in artifact.files
    }


def log_of(space: WorkspaceFolder, report: BuildReport) -> str:
    return (space.root / (report.results[0].log_path or "")).read_text()


def test_two_images_of_one_template_with_both_packers(space: WorkspaceFolder, any_packer: Path) -> None:
    space.settings(SETTINGS, packer=any_packer)
    report = build(space)
    assert statuses(report) == {"linux/file/db": "built", "linux/file/web": "built"}
    assert contents(space, report) == {"linux/file/db": "there other", "linux/file/web": "12 hello"}
    assert [result.builder for result in report.results] == ["source.file.db", "source.file.web"]
    assert "shown by a script of the root" in log_of(space, report)
    assert statuses(build(space)) == {"linux/file/db": "unchanged", "linux/file/web": "unchanged"}
    assert not (space.root / "output").exists()
    assert not (space.root / "packer/output").exists()


def test_one_source_that_a_build_uses_twice_with_both_packers(
    space: WorkspaceFolder, any_packer: Path
) -> None:
    space.write(
        "packer/images.pkr.hcl",
        'source "file" "x" {\n  content = "of the source"\n}\nbuild {\n'
        '  source "source.file.x" {\n    name = "one"\n    target = "output/one"\n  }\n'
        '  source "source.file.x" {\n    name = "two"\n    target = "output/two"\n  }\n}\n',
    )
    space.settings('[images."linux/file/web"]\ntemplate = "packer"\nonly = "file.two"\n', packer=any_packer)
    report = build(space)
    assert contents(space, report) == {"linux/file/web": "of the source"}
    assert [Path(file.path).name for file in report.results[0].artifacts[0].files] == ["two"]


@pytest.mark.parametrize(
    ("file", "text", "rebuilt"),
    [
        ("packer/files/motd", "changed", "linux/file/web"),
        ("packer/files/other", "changed", "linux/file/db"),
        ("packer/unused.txt", "changed", ""),
        ("values/common.pkrvars.hcl", 'release = "12"\nunknown = "changed"\n', ""),
        (
            "packer/images.pkr.hcl",
            TEMPLATE.replace('"output/db.txt"', '"output/database.txt"'),
            "linux/file/db",
        ),
        ("packer/images.pkr.hcl", TEMPLATE.replace("${var.mirror} ", "${var.mirror}: "), "linux/file/db"),
        ("packer/images.pkr.hcl", TEMPLATE.replace("named.txt", "other.txt"), ""),
        ("packer/images.pkr.hcl", f"# a comment\n\n{TEMPLATE}", ""),
    ],
)
def test_only_what_an_image_uses_rebuilds_it(
    space: WorkspaceFolder, file: str, text: str, rebuilt: str
) -> None:
    build(space)
    space.write(file, text)
    report = build(space)
    assert [target for target, status in statuses(report).items() if status == "built"] == (
        [rebuilt] if rebuilt else []
    )


def test_a_part_that_both_use_rebuilds_both_and_is_named(space: WorkspaceFolder) -> None:
    build(space)
    space.write("scripts/show.sh", "#!/bin/sh\necho changed\n")
    report = build(space)
    assert {result.reasons for result in report.results} == {("scripts/show.sh changed",)}
    space.write("packer/images.pkr.hcl", TEMPLATE.replace('"here"', '"elsewhere"'))
    assert [result.reasons for result in build(space).results] == [
        ("template packer/variable.mirror changed",),
        (),
    ]


def test_one_image_for_each_file_of_values(space: WorkspaceFolder) -> None:
    space.settings(
        '[images."linux/file/{name}"]\ntemplate = "packer/images.pkr.hcl"\nonly = "named.*"\n'
        'each = "os/*.pkrvars.hcl"\n'
    )
    space.write("os/debian-12.pkrvars.hcl", 'release = "bookworm"\n')
    space.write("os/debian-13.pkrvars.hcl", 'release = "trixie"\n')
    assert templates.list_targets(workspace=space.open()) == ["linux/file/debian-12", "linux/file/debian-13"]
    report = build(space, parallel_builds=2)
    assert contents(space, report) == {
        "linux/file/debian-12": "bookworm hello",
        "linux/file/debian-13": "trixie hello",
    }


def test_files_that_packer_takes_by_itself_count_and_do_not_beat_a_secret(space: WorkspaceFolder) -> None:
    space.write("packer/a.auto.pkrvars.hcl", 'release = "by itself"\npassword = "of-the-file"\n')
    space.write("packer/images.pkr.hcl", TEMPLATE.replace("${local.motd}", "${var.password}"))
    settings = '[images."linux/file/web"]\ntemplate = "packer"\nonly = "named.file.web"\n'
    space.settings(settings)
    report = build(space)
    assert contents(space, report) == {"linux/file/web": "by itself of-the-file"}
    log = log_of(space, report)
    written = "".join(
        path.read_text()
        for folder in ("configs", "state", "logs")
        for path in (space.root / folder).rglob("*.*")
        if path.is_file()
    )
    assert "of-the-file" not in log + written
    report = build(space, secrets={"password": "of-the-caller"}, force=True)
    assert contents(space, report) == {"linux/file/web": "by itself of-the-caller"}


def test_overlays_win_over_files_of_values_and_the_caller_over_all(space: WorkspaceFolder) -> None:
    space.settings(
        '[images."linux/file/web"]\ntemplate = "packer"\nonly = "named.*"\n'
        'var_files = ["values/common.pkrvars.hcl"]\nvars = {release = "of the table"}\n'
    )
    assert contents(space, build(space))["linux/file/web"] == "of the table hello"
    space.write("environments/dev/linux.pkrvars.hcl", 'release = "overlay"\n')
    assert contents(space, build(space))["linux/file/web"] == "overlay hello"
    report = build(space, values={"release": "caller"})
    assert contents(space, report)["linux/file/web"] == "caller hello"


def test_more_files_that_decide_the_image_and_its_age(space: WorkspaceFolder) -> None:
    space.settings(SETTINGS.replace('cwd = "."\n', 'cwd = "."\ninputs = ["extra/**"]\nmax_age = "1h"\n', 1))
    space.write("extra/deep/file", "1")
    build(space)
    space.write("extra/deep/file", "2")
    assert dict.fromkeys(["linux/file/web"], ("extra/deep/file changed",)) == {
        result.target: result.reasons for result in build(space).results if result.reasons
    }
    with state.transaction(workspace=space.open()) as data:
        data["images"]["dev/linux/file/web"]["built_at"] = "2026-01-01T00:00:00.000Z"
    assert [result.reasons for result in build(space).results] == [(), ("older than 1h",)]


def test_the_age_of_the_call_wins_over_the_target_and_that_over_the_environment(
    space: WorkspaceFolder,
) -> None:
    space.settings(
        '[environments.dev]\nmax_age = "2d"\n'
        + SETTINGS.replace('cwd = "."\n', 'cwd = "."\nmax_age = "30d"\n', 1)
    )
    build(space)
    built_at = datetime.now(UTC) - timedelta(days=10)
    with state.transaction(workspace=space.open()) as data:
        for name in ("web", "db"):
            data["images"][f"dev/linux/file/{name}"]["built_at"] = built_at.strftime("%Y-%m-%dT%H:%M:%S.000Z")

    def reasons(*arguments: str) -> dict[str, list[str]]:
        code = 5 if arguments != ("--max-age", "4w") else 0
        said = build_json(space, "--check", *arguments, code=code)
        return {result["target"]: result["reasons"] for result in said["results"] if result["reasons"]}

    assert reasons() == {"linux/file/db": ["older than 2d"]}
    assert reasons("--max-age", "7d") == {
        "linux/file/db": ["older than 7d"],
        "linux/file/web": ["older than 7d"],
    }
    assert reasons("--max-age", "4w") == {}
    done = hybrid(space, "build", "--env", "dev", "--max-age", "soon")
    assert done.returncode == 1
    assert "max_age must be an age such as 7d or 12h, not 'soon'" in done.stderr


def test_a_folder_of_the_convention_gets_keys_added(space: WorkspaceFolder) -> None:
    target = space.null("linux/null/demo")
    space.settings('[images."linux/null/demo"]\nvar_files = ["values/demo.pkrvars.hcl"]\n')
    space.write("values/demo.pkrvars.hcl", 'message = "from the file of values"\n')
    report = build(space, target)
    assert (
        "message is from the file of values" in (space.root / (report.results[0].log_path or "")).read_text()
    )


def test_packer_names_files_as_people_know_them(space: WorkspaceFolder, tools: Tools) -> None:
    space.write("packer/images.pkr.hcl", TEMPLATE.replace('target  = "output/db.txt"', "bogus = 1"))
    hybrid(space, "config", "render", "--env", "dev")
    found = packer.validate(["linux/file/db"], env="dev", workspace=space.open())
    assert {(fault.file, fault.line) for fault in found.faults if fault.line} == {
        ("packer/images.pkr.hcl", 27)
    }


def test_what_is_wrong_with_another_build_is_no_fault_of_an_image(
    space: WorkspaceFolder, any_packer: Path
) -> None:
    space.settings(SETTINGS, packer=any_packer)
    space.write("packer/images.pkr.hcl", TEMPLATE.replace('target  = "output/db.txt"', "bogus = 1"))
    hybrid(space, "config", "render", "--env", "dev")
    found = packer.validate(["linux/file/db", "linux/file/web"], env="dev", workspace=space.open())
    assert [(one.target, one.ok) for one in found.results] == [
        ("linux/file/db", False),
        ("linux/file/web", True),
    ]


IMAGE = '[images."linux/file/x"]\ntemplate = "packer"\n'
DB = f'{IMAGE}only = "file.db"\n'


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (IMAGE, "the template has 3 builds, and exactly one is the image"),
        (f'{IMAGE}only = "file.none"\n', "matches no build"),
        (f'{IMAGE}only = "file.web"\n', "matches plain.file.web, named.file.web"),
        (IMAGE.replace('"packer"', '"gone"'), "template = 'gone': it is not there"),
        (f'{DB}var_files = ["no"]\n', "var_files = 'no': it is not there"),
        (f'{DB}cwd = "packer/images.pkr.hcl"\n', "it is no folder"),
        (IMAGE.replace('"packer"', '"scripts"'), "scripts holds no *.pkr.hcl or *.pkr.json file"),
        (DB.replace("linux/file/x", "linux/vsphere/x"), "does not belong to the platform 'vsphere'"),
        (
            '[images."linux/file/{name}"]\ntemplate = "packer"\neach = "none/*"\n',
            "no file of values is named",
        ),
    ],
)
def test_what_cannot_be_is_one_clear_fault(space: WorkspaceFolder, settings: str, says: str) -> None:
    space.settings(settings)
    with pytest.raises(TemplatesError) as caught:
        build(space)
    assert says in str(caught.value)
    assert "packer-hybrid.toml" in str(caught.value)


def test_two_files_that_give_one_name(space: WorkspaceFolder) -> None:
    space.settings('[images."linux/file/{name}"]\ntemplate = "packer"\neach = "*/web.pkrvars.hcl"\n')
    space.write("one/web.pkrvars.hcl", "")
    space.write("two/web.pkrvars.hcl", "")
    with pytest.raises(TemplatesError, match="linux/file/web is declared twice"):
        build(space)


def test_patterns_of_builds_do_not_go_with_a_declared_image(space: WorkspaceFolder) -> None:
    with pytest.raises(ConfigError, match="it takes no patterns of builds"):
        build(space, "linux/file/web", only=("named.*",))
    assert not (space.root / "images/dev").exists()
    assert not (space.root / "state/packer-hybrid.json").exists()


def test_an_overlay_named_like_a_declared_target_counts_for_it_alone(space: WorkspaceFolder) -> None:
    space.write("environments/dev/linux/file/db.pkrvars.hcl", 'mirror = "overlay"\n')
    space.write("environments/dev/linux/file/webb.pkrvars.hcl", 'mirror = "misspelt"\n')
    space.settings(SETTINGS.replace('vars = {mirror = "there"}\n', ""))
    done = hybrid(space, "config", "render", "--env", "dev")
    assert 'mirror  = "overlay"' in (space.root / "configs/dev/linux/file/db.pkrvars.hcl").read_text()
    assert 'mirror  = "misspelt"' in (space.root / "configs/dev/linux/file/web.pkrvars.hcl").read_text()
    assert "db.pkrvars.hcl: counts for" not in done.stdout + done.stderr
    assert "since linux/file/webb/ has no target (web was meant?)" in done.stdout + done.stderr
