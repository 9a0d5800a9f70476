"""fmt, validate, init and inspect with real Packers, by the core and by the command line."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from hybridcore import packer
from hybridcore.errors import ConfigError, PackerError, WorkspaceError

pytestmark = pytest.mark.integration
REPOSITORY = Path(__file__).resolve().parents[2]

UGLY = 'variable "a" {\ntype=string\n  default = "x"\n}\n'
PRETTY = 'variable "a" {\n  type    = string\n  default = "x"\n}\n'
TARGET = "linux/null/demo"
SECRET = "hunter2, and $more"
TEMPLATE = """\
variable "password" {
  type      = string
  sensitive = true
}

variable "size" {
  type    = number
  default = 3
}

source "null" "demo" {
  communicator = "none"
}

build {
  sources = ["source.null.demo"]

  provisioner "shell-local" {
    environment_vars = ["PASSWORD=${var.password}"]
    inline           = ["true"]
  }
}
"""
PLUGINS = """\
packer {
  required_plugins {
    nope = {
      version = ">= 9.0.0"
      source  = "github.com/hashicorp/nope"
    }
  }
}

"""


@pytest.fixture
def folder(make_workspace, any_packer):
    made = make_workspace()
    made.write("packer-hybrid.toml", f'[packer]\npath = "{any_packer}"\n')
    return made


@pytest.fixture
def demo(folder, monkeypatch):
    """A valid target with a rendered configuration and a secret in the environment."""
    monkeypatch.setenv("PKR_VAR_password", SECRET)
    folder.template(TARGET, TEMPLATE)
    folder.write(f"configs/dev/{TARGET}.pkrvars.hcl", "size = 4\n")
    return folder


def command_line(folder, *arguments: str, env: dict[str, str] | None = None):
    return subprocess.run(
        [sys.executable, "-m", "hybridcore", "--workspace", str(folder.root), *arguments],
        cwd=REPOSITORY,
        env={**os.environ, **(env or {})},
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture
def temporary(monkeypatch):
    """A folder for temporary files that is this test's alone; its path is short, since sockets lie in it."""
    with tempfile.TemporaryDirectory(prefix="t-") as folder:
        monkeypatch.setenv("TMPDIR", folder)
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


def test_fmt_says_what_would_change_and_changes_nothing_with_check(folder):
    file = folder.write("templates/linux/null/demo/a.pkr.hcl", UGLY)
    folder.write("templates/linux/null/demo/b.pkr.hcl", PRETTY)
    result = packer.fmt([folder.root], check=True, workspace=folder.open())
    assert result.changed_files == ("templates/linux/null/demo/a.pkr.hcl",)
    assert file.read_text() == UGLY
    assert "-type=string\n" in result.diff
    assert "+  type    = string\n" in result.diff
    assert result.diff.startswith("--- old/templates/linux/null/demo/a.pkr.hcl\n")


def test_fmt_formats_every_kind_of_file_at_any_depth_and_then_nothing_more(folder, temporary):
    names = [
        "templates/linux/null/demo/a.pkr.hcl",
        "environments/dev/common.pkrvars.hcl",
        "environments/dev/linux/null/demo.auto.pkrvars.hcl",
    ]
    for name in names:
        folder.write(name, UGLY if name.endswith(".pkr.hcl") else "x=1\nlonger = 2\n").chmod(0o640)
    folder.write("sources/other/a.pkr.hcl", UGLY)
    folder.write("templates/.hidden/a.pkr.hcl", UGLY)
    workspace = folder.open()
    assert packer.fmt([folder.root], workspace=workspace).changed_files == tuple(sorted(names))
    assert (folder.root / names[0]).read_text() == PRETTY
    assert (folder.root / names[1]).read_text() == "x      = 1\nlonger = 2\n"
    assert stat.S_IMODE((folder.root / names[0]).stat().st_mode) == 0o640
    # What others own, and what is hidden, is not ours to change.
    assert (folder.root / "sources/other/a.pkr.hcl").read_text() == UGLY
    assert (folder.root / "templates/.hidden/a.pkr.hcl").read_text() == UGLY
    again = packer.fmt([folder.root], workspace=workspace)
    assert (again.changed_files, again.diff) == ((), "")
    assert os.listdir(temporary) == []


def test_fmt_tells_of_each_file_that_cannot_be_parsed_and_formats_the_others(folder):
    folder.write("templates/linux/null/demo/a.pkr.hcl", UGLY)
    folder.write("templates/linux/null/demo/bad.pkr.hcl", 'variable "a" {\n  type = = string\n}\n')
    folder.write("templates/linux/null/demo/worse.pkr.hcl", 'source "null" {{{\n')
    result = packer.fmt([folder.root / "templates"], workspace=folder.open())
    assert result.changed_files == ("templates/linux/null/demo/a.pkr.hcl",)
    assert [(fault.file, fault.line) for fault in result.faults] == [
        ("templates/linux/null/demo/bad.pkr.hcl", 2),
        ("templates/linux/null/demo/worse.pkr.hcl", 1),
    ]


def test_fmt_refuses_what_is_not_there_not_ours_or_no_packer_file(folder, tmp_path):
    outside = tmp_path / "outside.pkr.hcl"
    outside.write_text(UGLY)
    folder.write("templates/link.pkr.hcl", "")
    (folder.root / "templates/link.pkr.hcl").unlink()
    (folder.root / "templates/link.pkr.hcl").symlink_to(outside)
    folder.write("notes-of-nobody.md", "x")
    given = ["templates/none.pkr.hcl", outside, folder.root / "templates/link.pkr.hcl", "notes-of-nobody.md"]
    with pytest.raises(WorkspaceError) as caught:
        packer.fmt(given, workspace=folder.open())
    told = sorted(fault.message for fault in caught.value.faults)
    assert told == [
        "is not a Packer file",
        "lies outside of the workspace",
        "lies outside of the workspace",
        "there is no such file or folder",
    ]
    # A link in a folder that is searched is passed by, also when it leads out.
    assert packer.fmt([folder.root], workspace=folder.open()).changed_files == ()
    assert outside.read_text() == UGLY


def test_fmt_on_the_command_line(folder):
    folder.write("templates/linux/null/demo/a.pkr.hcl", UGLY)
    done = command_line(folder, "fmt", "--check", "--diff")
    assert done.returncode == 5
    assert "would change: templates/linux/null/demo/a.pkr.hcl\n" in done.stdout
    assert "+  type    = string\n" in done.stdout
    done = command_line(folder, "--json", "fmt")
    assert done.returncode == 0
    assert json.loads(done.stdout)["changed_files"] == ["templates/linux/null/demo/a.pkr.hcl"]
    assert command_line(folder, "fmt", "--check").returncode == 0
    folder.write("templates/linux/null/demo/bad.pkr.hcl", "= 1\n")
    done = command_line(folder, "fmt")
    assert done.returncode == 1
    assert "templates/linux/null/demo/bad.pkr.hcl:1: " in done.stderr


def test_a_valid_target(demo, temporary):
    result = packer.validate([TARGET], env="dev", workspace=demo.open())
    assert result.ok
    assert result.faults == ()
    # Packer takes it, but it shows a secret in the process list.
    (warning,) = result.warnings
    assert "the sensitive variable 'password' into environment_vars" in warning.message
    assert warning.file == "templates/linux/null/demo/build.pkr.hcl"
    assert (
        warning.line == TEMPLATE.splitlines().index('    environment_vars = ["PASSWORD=${var.password}"]') + 1
    )
    assert os.listdir(temporary) == []


def test_faults_have_the_file_and_line_that_the_user_knows(demo):
    demo.template(TARGET, TEMPLATE.replace('communicator = "none"', "communicator = var.nothing"))
    (fault,) = packer.validate([TARGET], env="dev", workspace=demo.open()).faults
    assert (fault.file, fault.line) == ("templates/linux/null/demo/build.pkr.hcl", 12)
    assert "nothing" in fault.message
    demo.template(TARGET, TEMPLATE)
    demo.write(f"configs/dev/{TARGET}.pkrvars.hcl", 'size = "many"\n')
    (fault,) = packer.validate([TARGET], env="dev", workspace=demo.open()).faults
    assert (fault.file, fault.line) == (f"configs/dev/{TARGET}.pkrvars.hcl", 1)
    assert "a number is required" in fault.message


def test_messages_name_files_of_the_workspace_too(demo):
    script = '\n  provisioner "shell" {\n    script = "${abspath(path.root)}/none.sh"\n  }\n}\n'
    demo.template(TARGET, TEMPLATE.removesuffix("}\n") + script)
    (fault,) = packer.validate([TARGET], env="dev", workspace=demo.open()).faults
    assert f"Bad script '{demo.root}/templates/{TARGET}/none.sh'" in fault.message


def test_the_ansible_beside_the_interpreter_is_there_for_validate_as_for_a_build(demo, tmp_path, monkeypatch):
    demo.template(
        TARGET,
        """\
source "null" "demo" {
  ssh_host     = "127.0.0.1"
  ssh_username = "root"
  ssh_password = "a password"
}

build {
  sources = ["source.null.demo"]

  provisioner "ansible" {
    playbook_file = "${path.root}/site.yml"
  }
}
""",
    )
    demo.write(f"templates/{TARGET}/site.yml", "[]\n")
    demo.write(f"configs/dev/{TARGET}.pkrvars.hcl", "")
    monkeypatch.setenv("PATH", str(tmp_path))
    result = packer.validate([TARGET], env="dev", workspace=demo.open())
    assert result.faults == ()


def test_several_targets_each_have_their_faults(demo):
    other = demo.null("linux/null/other")
    demo.write(f"configs/dev/{other}.pkrvars.hcl", "")
    demo.template(TARGET, TEMPLATE.replace('"shell-local"', '"of-nobody"'))
    result = packer.validate([TARGET, other], env="dev", workspace=demo.open())
    assert [(one.target, one.ok) for one in result.results] == [(TARGET, False), (other, True)]
    assert "of-nobody" in result.faults[0].message


def test_what_packer_says_of_a_secret_is_masked(demo, monkeypatch):
    monkeypatch.setenv("PKR_VAR_password", "s3cret/of,the env")
    demo.template(TARGET, TEMPLATE.replace('communicator = "none"', "communicator = var.password"))
    result = packer.validate([TARGET], env="dev", workspace=demo.open())
    assert result.faults
    assert "s3cret" not in json.dumps(result.to_dict())


def test_a_target_without_configuration_says_how_to_make_it(demo):
    with pytest.raises(ConfigError) as caught:
        packer.validate([TARGET], env="prod", workspace=demo.open())
    assert caught.value.hint == "packer-hybrid config render --env prod"
    assert caught.value.faults[0].file == f"configs/prod/{TARGET}.pkrvars.hcl"


def test_plugin_requirements_do_not_disturb_a_packer_that_has_no_init(demo, any_packer, packer_debian):
    demo.template(TARGET, PLUGINS + TEMPLATE.replace('"none"', "var.nothing"))
    (fault, *_) = packer.validate([TARGET], env="dev", workspace=demo.open()).faults
    if any_packer == packer_debian:
        # Line numbers are those of the file with the block.
        assert fault.line == 12 + PLUGINS.count("\n")
    else:
        assert "Missing plugins" in fault.message


def test_validate_on_the_command_line(demo):
    done = command_line(demo, "validate", "--env", "dev")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"valid: {TARGET}\n  warning: templates/linux/null/demo/build.pkr.hcl:")
    done = command_line(demo, "--json", "validate", "--env", "dev", TARGET)
    assert json.loads(done.stdout)["ok"] is True
    demo.template(TARGET, TEMPLATE.replace('communicator = "none"', "communicator = 1 +"))
    done = command_line(demo, "validate", "--env", "dev")
    assert done.returncode == 1
    assert "templates/linux/null/demo/build.pkr.hcl:12" in done.stdout + done.stderr


def test_init(demo, any_packer, packer_debian):
    if any_packer == packer_debian:
        with pytest.raises(PackerError, match="has no init: its plugins are built in"):
            packer.init([TARGET], workspace=demo.open())
        assert command_line(demo, "init").returncode == 3
    else:
        assert packer.init([TARGET], workspace=demo.open()).changed is False
        done = command_line(demo, "init")
        assert (done.returncode, done.stdout) == (0, "all required plugins are installed\n")


def test_init_finds_a_plugin_that_is_installed(make_workspace, tools, monkeypatch):
    folder = make_workspace()
    folder.write("packer-hybrid.toml", f'[packer]\npath = "{tools.packer}"\n')
    folder.template(TARGET, PLUGINS.replace("nope", "qemu").replace(">= 9.0.0", ">= 1.0.0") + TEMPLATE)
    monkeypatch.setenv("PACKER_PLUGIN_PATH", str(tools.plugins))
    monkeypatch.setenv("PKR_VAR_password", SECRET)
    assert packer.init([TARGET], workspace=folder.open()).installed == ()
    folder.write(f"configs/dev/{TARGET}.pkrvars.hcl", "")
    assert packer.validate([TARGET], env="dev", workspace=folder.open()).ok


def test_a_plugin_of_another_version_is_told_with_what_is_required(make_workspace, tools, monkeypatch):
    folder = make_workspace()
    folder.write("packer-hybrid.toml", f'[packer]\npath = "{tools.packer}"\n')
    folder.template(TARGET, PLUGINS.replace("nope", "qemu") + TEMPLATE)
    folder.write(f"configs/dev/{TARGET}.pkrvars.hcl", "")
    monkeypatch.setenv("PACKER_PLUGIN_PATH", str(tools.plugins))
    monkeypatch.setenv("PKR_VAR_password", SECRET)
    (fault,) = packer.validate([TARGET], env="dev", workspace=folder.open()).faults
    assert fault.message.startswith("Missing plugins: ")
    assert "* github.com/hashicorp/qemu >= 9.0.0" in fault.message


def test_inspect_lists_the_parts_and_no_secret(demo):
    (result,) = packer.inspect([TARGET], workspace=demo.open())
    assert result.sources == ("null.demo",)
    assert result.provisioners == ("shell-local",)
    assert result.variables == {"password": "***", "size": "3"}
    done = command_line(demo, "inspect")
    assert done.returncode == 0, done.stderr
    assert "    password = ***\n" in done.stdout
    assert "hunter2" not in done.stdout
    assert json.loads(command_line(demo, "--json", "inspect").stdout)["results"][0] == result.to_dict()


def test_what_is_learnt_about_packer_is_kept_in_the_state(demo):
    workspace = demo.open()
    packer.validate([TARGET], env="dev", workspace=workspace)
    (entry,) = json.loads((workspace.state_dir / "cache" / "packer-capabilities.json").read_text()).values()
    assert {"null", "qemu", "file"} <= set(entry["builders"])


def test_validate_renders_as_a_build_does_and_trusts_no_file_of_before(demo):
    config = demo.root / f"configs/dev/{TARGET}.pkrvars.hcl"
    config.unlink()
    assert command_line(demo, "validate", "--env", "dev", "--var", "size=5").returncode == 0
    assert not config.exists(), "validate writes nothing"
    config.write_text("size = 5\n")
    demo.write("environments/dev/all.pkrvars.hcl", 'size = "many"\n')  # what a build would render
    done = command_line(demo, "validate", "--env", "dev")
    assert done.returncode == 1
    assert "environments/dev/all.pkrvars.hcl:1" in done.stdout
    assert command_line(demo, "validate", "--env", "dev", "--var", "size=5").returncode == 0
    assert config.read_text() == "size = 5\n"


def test_what_cannot_be_rendered_hides_no_other_target(demo):
    demo.null("linux/null/other")
    demo.write(f"environments/dev/{TARGET}.pkrvars.hcl", "size = [\n")
    done = command_line(demo, "--json", "validate", "--env", "dev")
    assert done.returncode == 1
    results = {one["target"]: one for one in json.loads(done.stdout)["results"]}
    assert results["linux/null/other"]["ok"] is True
    assert results[TARGET]["faults"][0]["file"] == f"environments/dev/{TARGET}.pkrvars.hcl"


def test_validate_takes_secrets_as_a_build_does(demo):
    choice = 'communicator = var.word == "ssh-none" ? "none" : "what"'
    needed = TEMPLATE.replace('communicator = "none"', choice)
    demo.template(TARGET, 'variable "word" {\n  type      = string\n  sensitive = true\n}\n' + needed)
    command = ("validate", "--env", "dev", "--secret", "word")
    wrong = command_line(demo, *command, env={"PKR_VAR_word": "hunter2-x"})
    assert wrong.returncode == 1
    assert "hunter2" not in wrong.stdout + wrong.stderr
    right = command_line(demo, *command, env={"PKR_VAR_word": "ssh-none"})
    assert right.returncode == 0, right.stdout + right.stderr
    assert command_line(demo, *command).returncode == 1
