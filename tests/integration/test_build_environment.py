"""What of the environment reaches a build: the settings and the template say so; secrets of it are masked."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hybridcore.packer.results import BuildReport
from tests.support.builds import build, hybrid, statuses
from tests.support.tools import Tools
from tests.support.workspaces import WorkspaceFolder

pytestmark = pytest.mark.integration

CANARY = "canary-of-the-environment"
SHOWN = """\
variable "region" {
  type    = string
  default = env("REGION_OF_BUILD")
}

variable "other" {
  type    = string
  default = env("OTHER_OF_BUILD")
}

source "file" "one" {
  content = "region ${var.region}"
  target  = "one.txt"
}

source "file" "two" {
  content = "other ${var.other}"
  target  = "two.txt"
}

build {
  sources = ["source.file.one", "source.file.two"]

  provisioner "shell-local" {
    inline = ["env | grep -E '^(OS_|FLEET|STRAY)' || true"]
  }
}
"""
IMAGES = """
[images."linux/file/one"]
template = "packer"
only = "file.one"

[images."linux/file/two"]
template = "packer"
only = "file.two"
"""


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder], any_packer: Path) -> WorkspaceFolder:
    made = make_workspace()
    made.write("packer/images.pkr.hcl", SHOWN)
    passing = '[environment]\npass = ["OS_*"]\nsecrets = ["FLEET_*"]\n'
    made.settings(passing + IMAGES, packer=any_packer)
    return made


def text_of(space: WorkspaceFolder, report: BuildReport) -> str:
    (file,) = report.results[0].artifacts[0].files
    return (space.root / file.path).read_text()


def test_what_is_named_passes_and_secrets_of_it_are_masked(
    space: WorkspaceFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OS_CLOUD", "cloud-nine")
    monkeypatch.setenv("FLEET_PASS", CANARY)
    monkeypatch.setenv("STRAY", "is not named")
    report = build(space, "linux/file/one")
    assert statuses(report) == {"linux/file/one": "built"}
    log = (space.root / (report.results[0].log_path or "")).read_text()
    assert "OS_CLOUD=cloud-nine" in log
    assert "FLEET_PASS=***" in log
    assert "STRAY" not in log
    for path in space.root.rglob("*"):
        assert not (path.is_file() and CANARY.encode() in path.read_bytes()), path


def test_what_the_template_reads_passes_and_counts_where_the_image_uses_it(
    space: WorkspaceFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REGION_OF_BUILD", "north")
    monkeypatch.setenv("OTHER_OF_BUILD", "a")
    targets = ("linux/file/one", "linux/file/two")
    report = build(space, *targets)
    assert set(statuses(report).values()) == {"built"}
    assert text_of(space, report) == "region north"
    monkeypatch.setenv("OTHER_OF_BUILD", "b")
    report = build(space, *targets)
    assert statuses(report) == {"linux/file/one": "unchanged", "linux/file/two": "built"}
    assert report.results[1].reasons == ("env OTHER_OF_BUILD changed",)


def test_a_variable_that_passes_and_is_not_read_rebuilds_nothing(
    space: WorkspaceFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OS_CLOUD", "a")
    build(space, "linux/file/one")
    monkeypatch.setenv("OS_CLOUD", "b")
    assert statuses(build(space, "linux/file/one")) == {"linux/file/one": "unchanged"}


def test_a_required_variable_of_the_environment_is_not_missing(
    space: WorkspaceFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = SHOWN.replace('  default = env("REGION_OF_BUILD")\n', "")
    space.write("packer/images.pkr.hcl", text)
    assert hybrid(space, "build", "--env", "dev", "linux/file/one").returncode == 1
    monkeypatch.setenv("PKR_VAR_region", "south")
    assert text_of(space, build(space, "linux/file/one")) == "region south"


def test_what_was_left_out_is_said_where_a_build_fails_for_it(
    space: WorkspaceFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = SHOWN.replace("env | grep -E '^(OS_|FLEET|STRAY)' || true", "echo $${STRAY_TOKEN:?} > /dev/null")
    space.write("packer/images.pkr.hcl", text)
    monkeypatch.setenv("STRAY_TOKEN", CANARY)
    done = hybrid(space, "build", "--env", "dev", "linux/file/one")
    assert done.returncode != 0
    assert "STRAY_TOKEN is set here and did not reach Packer" in done.stdout
    assert "[environment] of packer-hybrid.toml" in done.stdout
    assert CANARY not in done.stdout + done.stderr
    monkeypatch.delenv("STRAY_TOKEN")
    assert "did not reach Packer" not in hybrid(space, "build", "--env", "dev", "linux/file/one").stdout


def test_vault_and_consul_get_what_they_ask_where_a_template_calls_them(
    make_workspace: Callable[..., WorkspaceFolder], tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nobody listens there: what Packer says names the addresses that it was given.
    made = make_workspace()
    made.settings("", packer=tools.packer)
    monkeypatch.setenv("VAULT_ADDR", "http://127.0.0.9:1")
    monkeypatch.setenv("VAULT_MAX_RETRIES", "0")
    monkeypatch.setenv("VAULT_TOKEN", CANARY)
    monkeypatch.setenv("CONSUL_HTTP_ADDR", "127.0.0.8:1")
    for name, call in (("v", 'vault("secret/x", "y")'), ("c", 'consul_key("a")')):
        made.template(
            f"linux/null/{name}",
            f'locals {{\n  x = {call}\n}}\nsource "null" "{name}" {{\n  communicator = "none"\n}}\n'
            f'build {{\n  sources = ["source.null.{name}"]\n}}\n',
        )
    done = hybrid(made, "validate", "--env", "dev", packer=tools.packer)
    assert "127.0.0.9:1" in done.stdout
    assert "127.0.0.8:1" in done.stdout
    assert CANARY not in done.stdout + done.stderr


def test_a_sensitive_value_of_the_table_reaches_packer_alone(
    make_workspace: Callable[..., WorkspaceFolder], any_packer: Path
) -> None:
    made = make_workspace()
    made.write(
        "packer/x.pkr.hcl",
        'variable "password" {\n  sensitive = true\n}\n'
        'source "file" "x" {\n  content = "${length(var.password)}"\n  target = "x.txt"\n}\n'
        'build {\n  sources = ["source.file.x"]\n}\n',
    )
    made.settings(
        f'[images."linux/file/x"]\ntemplate = "packer"\nvars = {{password = "{CANARY}"}}\n', packer=any_packer
    )
    assert text_of(made, build(made, "linux/file/x")) == str(len(CANARY))
    assert CANARY not in (made.root / "configs/dev/linux/file/x.pkrvars.hcl").read_text()
