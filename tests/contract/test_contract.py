"""What is assumed of any Packer, tried with the one at hand; docs/packers.md says where it comes from.

`make test-packer PACKER=/path/to/packer` runs this file alone; it needs no other program than Packer.
The first line of each test is what is assumed.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from hybridcore import hcl, state
from hybridcore import packer as core
from hybridcore.errors import PackerError
from hybridcore.hcl.dialect import PROBES, spoken_with
from hybridcore.packer.program.capabilities import Capabilities, probe
from tests.support.builds import Running, build_json, hybrid, hybrid_command, hybrid_environment, long_null
from tests.support.plugins import SOURCE, file_name, install, program
from tests.support.workspaces import WorkspaceFolder

pytestmark = pytest.mark.integration

SECRET = "canary-6-times-7"
REQUIRED = f"""\
packer {{
  required_plugins {{
    mars = {{
      source  = "{SOURCE}"
      version = ">= 1.0.0"
    }}
  }}
}}
"""
FILE = """\
source "file" "made" {
  content = "content"
  target  = "out/made.txt"
}

build {
  sources = ["source.file.made"]
EXTRA}
"""


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder], packer: Path) -> WorkspaceFolder:
    made = make_workspace()
    made.use(packer)
    return made


@pytest.fixture(scope="session")
def capabilities(packer: Path) -> Capabilities:
    return probe(str(packer))


def requiring(space: WorkspaceFolder) -> str:
    target = space.null()
    space.write(f"templates/{target}/plugins.pkr.hcl", REQUIRED)
    return target


def without_init(capabilities: Capabilities) -> bool:
    """Whether its plugins are built in, so that nothing else can be assumed of them."""
    return not capabilities.has_init


def test_version(capabilities: Capabilities) -> None:
    """version: it says its version, its commands and their options, and its builders."""
    assert capabilities.version[0].isdigit()
    assert {"build", "console", "fmt", "inspect", "validate", "version"} <= set(capabilities.commands)
    for option in ("-machine-readable", "-var-file", "-only", "-except", "-force", "-on-error", "-color"):
        assert capabilities.supports("build", option), option
    assert {"cleanup", "abort"} <= set(capabilities.on_error)
    assert {"null", "file"} <= set(capabilities.builders)


def test_language(space: WorkspaceFolder, capabilities: Capabilities) -> None:
    """language: what not every Packer takes can be asked of it, and expressions mean the same."""
    assert set(capabilities.language) <= set(PROBES)
    functions = spoken_with(capabilities.language).functions
    template = space.write("empty.pkr.hcl", "locals {\n  a = 1\n}\n")
    wrong = {}
    for text in (
        '"${1 + 2}-${upper("a")}"',
        'join(",", [for x in ["a", "b"] : "<${x}>"])',
        'merge({ a = 1 }, { b = 2 })["b"]',
        'format("%s-%d", "a", 7)',
        "true ? length([1, 2]) : 0",
        'replace("a-b", "-", "_")',
        'lookup({ a = "x" }, "b", "none")',
    ):
        done = subprocess.run(
            [capabilities.path, "console", str(template)],
            input=f"jsonencode({text})\n",
            text=True,
            capture_output=True,
            check=False,
            env={**os.environ, "CHECKPOINT_DISABLE": "1"},
        )
        said = done.stdout.strip().removeprefix("> ")
        mine = hcl.evaluate(text, {}, functions)
        if json.loads(said) != json.loads(json.dumps(mine, default=str)):
            wrong[text] = (said, mine)
    assert wrong == {}


def test_fmt(space: WorkspaceFolder) -> None:
    """fmt: it brings a file into canonical form, once, and names file and line of what it cannot parse."""
    target = space.null()
    file = space.write(f"templates/{target}/more.pkr.hcl", 'locals {\na = 1\n  bb="x"\n}\n')
    assert core.fmt([space.root], workspace=space.open()).changed
    assert file.read_text() == 'locals {\n  a  = 1\n  bb = "x"\n}\n'
    assert not core.fmt([space.root], workspace=space.open()).changed
    file.write_text("locals {\n  a = \n}\n")
    (fault,) = core.fmt([space.root], workspace=space.open()).faults
    assert (Path(str(fault.file)).name, fault.line) == ("more.pkr.hcl", 2)


def test_validate(space: WorkspaceFolder) -> None:
    """validate: a good template is valid, and faults come with file and line."""
    target = space.null()
    assert hybrid(space, "validate", "--env", "dev").returncode == 0
    space.write(f"templates/{target}/more.pkr.hcl", "locals {\n  a = local.missing\n}\n")
    done = hybrid(space, "--json", "validate", "--env", "dev")
    assert done.returncode == 1, done.stderr
    (fault,) = json.loads(done.stdout)["results"][0]["faults"]
    assert (fault["file"], fault["line"]) == (f"templates/{target}/more.pkr.hcl", 2)


def test_init(space: WorkspaceFolder, capabilities: Capabilities, monkeypatch: pytest.MonkeyPatch) -> None:
    """init: it finds a plugin that is installed, and fails where it cannot get one; or it has none."""
    target = requiring(space)
    monkeypatch.setenv("PACKER_PLUGIN_PATH", str(space.root / "path"))
    if without_init(capabilities):
        with pytest.raises(PackerError, match="has no init"):
            core.init([target], workspace=space.open())
        return
    with pytest.raises(PackerError, match="could not be installed"):
        core.init([target], workspace=space.open())
    install(space.root / "path", program())
    assert not core.init([target], workspace=space.open()).changed


def test_build(space: WorkspaceFolder) -> None:
    """build: it makes the artifact of the template and says so; a manifest is written where asked."""
    extra = '\n  post-processor "manifest" {\n    output = "manifest.json"\n  }\n'
    target = space.template("linux/file/made", FILE.replace("EXTRA", extra))
    (result,) = build_json(space)["results"]
    assert (result["target"], result["status"], result["warnings"]) == (target, "built", [])
    (artifact,) = result["artifacts"]
    assert (space.root / artifact["files"][0]["path"]).read_text() == "content"
    manifest = json.loads((space.root / result["manifest_path"]).read_text())
    assert manifest["last_run_uuid"] == manifest["builds"][0]["packer_run_uuid"]
    assert build_json(space)["results"][0]["status"] == "unchanged"


def test_outcome(space: WorkspaceFolder) -> None:
    """outcome: a step that fails is an error with its name; -only that selects nothing builds nothing."""
    space.null("linux/null/bad", inline=("echo before; exit 3",))
    (result,) = build_json(space, code=3)["results"]
    assert result["status"] == "failed"
    assert "exit status" in result["errors"][0] or "exit code" in result["errors"][0]
    (result,) = build_json(space, "--only", "null.other", code=3)["results"]
    assert (result["status"], bool(result["errors"])) == ("failed", True)


def test_cancel(space: WorkspaceFolder, packer: Path) -> None:
    """cancel: on SIGTERM it ends, with all that it started."""
    long_null(space)
    child = subprocess.Popen(
        hybrid_command(space, "build", "--env", "dev"),
        env=hybrid_environment(packer),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        run = Running(space)
        child.send_signal(signal.SIGTERM)
        assert child.wait(30) == 130
        run.assert_nothing_left({"linux/null/long": "cancelled"})
    finally:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def test_secrets(space: WorkspaceFolder) -> None:
    """secrets: a sensitive variable comes from the environment; console tells what only it computes."""
    text = """\
variable "pw" {
  type      = string
  sensitive = true
}

locals {
  sure = "safe-${var.pw}"
}

source "null" "demo" {
  communicator = "none"
}

build {
  sources = ["source.null.demo"]

  provisioner "shell-local" {
    inline = ["test \\"$PKR_VAR_pw\\" = canary-6-times-7", "echo got ${local.sure}"]
  }
}
"""
    space.template("linux/null/demo", text)
    done = hybrid(space, "--json", "build", "--env", "dev", "--secret", "pw", PKR_VAR_pw=SECRET)
    assert done.returncode == 0, done.stderr
    log = (space.root / json.loads(done.stdout)["results"][0]["log_path"]).read_text()
    assert "got safe-***" in log
    assert SECRET not in log + done.stdout + done.stderr


def test_plugins(
    space: WorkspaceFolder, capabilities: Capabilities, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """plugins: of those in PACKER_PLUGIN_PATH it takes the last that is allowed, with its digest alone."""
    if without_init(capabilities):
        assert capabilities.plugin_order == ""
        return
    assert capabilities.plugin_order in ("numbers", "text")
    requiring(space)
    monkeypatch.setenv("PACKER_PLUGIN_PATH", str(space.root / "path"))
    asked = tmp_path / "asked"
    for version in ("1.9.0", "1.10.0"):
        install(space.root / "path", program(version) + f"echo {version} >>{asked}\n".encode(), version)
    (result,) = build_json(space)["results"]
    assert result["status"] == "built"
    inputs = state.read(workspace=space.open())["images"]["dev/linux/null/demo"]["inputs"]
    assert inputs[f"plugin {SOURCE}"] == asked.read_text().split()[0]
    for path in (space.root / "path").rglob("*_SHA256SUM"):
        path.write_text("0" * 64)
    (result,) = build_json(space, "--force", code=3)["results"]
    assert result["status"] == "failed"


def test_plugin_names(
    space: WorkspaceFolder, capabilities: Capabilities, monkeypatch: pytest.MonkeyPatch
) -> None:
    """plugins: one for another machine, or without its digest, is none."""
    if without_init(capabilities):
        assert not capabilities.has_plugins
        return
    requiring(space)
    monkeypatch.setenv("PACKER_PLUGIN_PATH", str(space.root / "path"))
    path = install(space.root / "path", program())
    path.with_name(f"{path.name}_SHA256SUM").unlink()
    other = path.with_name(file_name().replace("linux", "plan9"))
    other.write_bytes(program())
    (result,) = build_json(space, code=3)["results"]
    assert "mars" in result["errors"][0]


def test_hcp(space: WorkspaceFolder, capabilities: Capabilities) -> None:
    """hcp: a block for HCP is read by us, and without its credentials Packer builds nothing."""
    extra = '\n  hcp_packer_registry {\n    bucket_name = "made"\n  }\n'
    space.template("linux/file/made", FILE.replace("EXTRA", extra))
    (result,) = build_json(space, code=3)["results"]
    assert result["status"] == "failed"
    assert "hcp" in " ".join(result["errors"]).lower()
