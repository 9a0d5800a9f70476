"""`packer_info`: which Packer, plugins, targets and images there are."""

from __future__ import annotations

import json
import os
import re
import shutil
from hashlib import sha256

import pytest
import yaml

from hybridcore import cli, process, state
from hybridcore.errors import TemplatesError, WorkspaceError
from hybridcore.packer.info import info
from hybridcore.packer.program import plugins

pytestmark = pytest.mark.integration
TASK = "hybridcore.packer.packer_info"
FILE = """\
source "file" "image" {
  content = "hello"
  target  = "output/image.txt"
}

build {
  sources = ["source.file.image"]
}
"""
KEYS = {"packer", "plugins", "builders", "observation", "targets", "images", "last_run"}


@pytest.fixture
def folder(make_workspace):
    made = make_workspace()
    made.null("linux/null/one")
    made.null("linux/null/two")
    return made


def play(ansible, folder, tasks, *arguments):
    content = [{"hosts": "localhost", "gather_facts": False, "tasks": tasks}]
    folder.write("play.yml", yaml.safe_dump(content, sort_keys=False))
    return ansible.playbook("play.yml", *arguments, cwd=folder.root)


def answer(ansible, folder, *arguments, before=(), options=None):
    tasks = [
        *before,
        {TASK: options, "register": "found"},
        {
            "copy": {"content": "{{ found | to_json }}", "dest": "{{ playbook_dir }}/found.json"},
            "check_mode": False,
        },
    ]
    done = play(ansible, folder, tasks, *arguments)
    assert done.returncode == 0, done.stdout
    return json.loads((folder.root / "found.json").read_text())


def test_before_anything_was_built(folder):
    found = info(workspace=folder.open())
    assert set(found) == KEYS
    assert found["packer"]["version"] == "1.6.6"
    assert "null" in found["packer"]["builders"]
    assert found["observation"] == {"available": True, "reason": ""}
    assert found["targets"] == [
        {"target": "linux/null/one", "builder": "source.null.one", "parent": None},
        {"target": "linux/null/two", "builder": "source.null.two", "parent": None},
    ]
    assert found["images"] == []
    assert found["last_run"] is None


def test_a_kernel_without_notes_of_what_is_opened(folder, monkeypatch):
    def none(self):
        raise OSError(24, os.strerror(24))

    monkeypatch.setattr("hybridcore.packer.building.inotify.Inotify.__init__", none)
    reason = "inotify: Too many open files"
    assert info(workspace=folder.open())["observation"] == {"available": False, "reason": reason}


def test_wrong_names_are_refused(folder):
    with pytest.raises(WorkspaceError, match="is not the name of an environment"):
        info(env="../dev", workspace=folder.open())
    with pytest.raises(TemplatesError, match="does not exist"):
        info(targets=["linux/null/three"], workspace=folder.open())


def test_plugins_beside_packer(folder, tools, monkeypatch):
    folder.write("packer-hybrid.toml", f'[packer]\npath = "{tools.packer}"\n')
    monkeypatch.setenv("PACKER_PLUGIN_PATH", str(tools.plugins))
    found = info(workspace=folder.open())
    assert found["packer"]["version"] == "1.9.4"
    assert found["packer"]["has_init"] is True
    assert found["plugins"]["github.com/hashicorp/qemu"] == "1.0.9"


def test_a_build_records_the_plugins_beside_packer(folder, tools, monkeypatch):
    monkeypatch.setenv("PACKER_PLUGIN_PATH", str(tools.plugins))
    where = folder.open()
    command = ["build", "--env", "dev", "linux/null/one", "--quiet"]
    assert cli.main(["--workspace", str(folder.root), *command]) == 0
    assert state.read(workspace=where)["plugins"] == {}  # Packer 1.6.6 does not look for them
    folder.write("packer-hybrid.toml", f'[packer]\npath = "{tools.packer}"\n')
    assert cli.main(["--workspace", str(folder.root), *command]) == 0
    data = state.read(workspace=where)
    assert data["packer"]["version"] == "1.9.4"
    assert data["plugins"]["github.com/hashicorp/qemu"] == "1.0.9"


def test_builders_of_plugins_count_where_packer_looks_for_plugins(folder, tools, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    beside = tmp_path / "plugins" / "example.org" / "lab"
    for name, text in (
        ("mars", """echo '{"builders": ["rover", "-packer-default-plugin-name-"]}'"""),
        ("dead", "exit 1"),
    ):
        program = beside / name / f"packer-plugin-{name}_v1.0.0_x5.0_linux_amd64"
        program.parent.mkdir(parents=True)
        program.write_text(f"#!/bin/sh\n{text}\n")
        program.chmod(0o755)
        program.with_name(f"{program.name}_SHA256SUM").write_text(sha256(program.read_bytes()).hexdigest())
    monkeypatch.setenv("PACKER_PLUGIN_PATH", f"{tools.plugins}:{tmp_path / 'plugins'}")
    old = info(workspace=folder.open())
    assert old["builders"] == old["packer"]["builders"]
    folder.write("packer-hybrid.toml", f'[packer]\npath = "{tools.packer}"\n')
    new = info(workspace=folder.open())
    assert set(new["builders"]) - set(new["packer"]["builders"]) == {"mars", "mars-rover"}
    assert "qemu" in new["builders"]


@pytest.mark.parametrize(
    "names",
    [
        ("PACKER_PLUGIN_PATH", "PACKER_CONFIG_DIR", "XDG_CONFIG_HOME"),
        ("PACKER_CONFIG_DIR", "XDG_CONFIG_HOME"),
        ("XDG_CONFIG_HOME", ".packer.d"),
        ("XDG_CONFIG_HOME",),
        (),
    ],
    ids=lambda names: "-".join(names) or "none",
)
def test_plugins_are_those_that_packer_finds(tools, tmp_path, names):
    """Each folder that Packer may look into has a version of its own; Packer 1.9.4 says which count."""
    packer = tmp_path / "bin" / "packer"
    home = tmp_path / "home"
    places = {
        "bin": packer.parent,
        "PACKER_PLUGIN_PATH": tmp_path / "path",
        "PACKER_CONFIG_DIR": tmp_path / "config/plugins",
        "PACKER_CONFIG_DIR/.packer.d": tmp_path / "config/.packer.d/plugins",
        "XDG_CONFIG_HOME": tmp_path / "xdg/packer/plugins",
        "HOME/.config": home / ".config/packer/plugins",
    }
    if ".packer.d" in names:
        places[".packer.d"] = home / ".packer.d/plugins"
    machine = plugins.machine()
    for number, place in enumerate(places.values()):
        for version, suffix, checksum in (
            (f"1.0.{number}", machine, True),
            (f"1.1.{number}", machine, False),
            (f"1.2.{number}", "plan9_mips", True),
        ):
            program = place / f"example.org/lab/mars/packer-plugin-mars_v{version}_x5.0_{suffix}"
            program.parent.mkdir(parents=True, exist_ok=True)
            program.write_text("""#!/bin/sh\necho '{"api_version": "x5.0", "version": "1.0.0"}'\n""")
            program.chmod(0o755)
            if checksum:
                digest = sha256(program.read_bytes()).hexdigest()
                program.with_name(f"{program.name}_SHA256SUM").write_text(digest)
    shutil.copy(tools.packer, packer)
    (tmp_path / "empty").mkdir()
    values = {"PACKER_PLUGIN_PATH": "path", "PACKER_CONFIG_DIR": "config", "XDG_CONFIG_HOME": "xdg"}
    environ = {name: str(tmp_path / values[name]) for name in names if name in values}
    environ |= {"HOME": str(home), "PATH": os.environ["PATH"], "CHECKPOINT_DISABLE": "1"}
    said = process.run([str(packer), "plugins", "installed"], env=environ, cwd=tmp_path / "empty")
    assert said.returncode == 0, said.stderr
    found = set(re.findall(r"_v(\d+\.\d+\.\d+)_", said.stdout))
    assert found
    assert set(plugins.installed(environ, str(packer))["example.org/lab/mars"]) == found


def test_after_a_build_in_a_playbook(ansible, folder):
    build = {"hybridcore.packer.packer_build": {"env": "dev", "targets": ["linux/null/one"]}}
    found = answer(ansible, folder, before=[build])
    assert found["changed"] is False
    assert set(found) > KEYS
    (image,) = found["images"]
    assert (image["environment"], image["target"], image["status"]) == ("dev", "linux/null/one", "built")
    assert image["artifacts"][0]["id"] == "Null"
    for path in (image["log_path"], image["last_attempt"]["log_path"]):
        assert path.startswith(f"{folder.root}/logs/builds/")
        assert os.path.isfile(path)
    assert found["last_run"]["status"] == "built"
    # Check mode tells the same, and filters leave out what was not asked for.
    assert answer(ansible, folder, "--check") == found
    other = answer(ansible, folder, options={"targets": ["linux/null/two"]})
    assert (len(other["targets"]), other["images"]) == (1, [])
    assert answer(ansible, folder, options={"env": "prod"})["images"] == []
    assert answer(ansible, folder, options={"env": "dev"})["images"] == [image]


def test_paths_are_absolute_as_those_of_a_build(ansible, folder):
    folder.template("linux/file/image", FILE)
    build = {
        "hybridcore.packer.packer_build": {"env": "dev", "targets": ["linux/file/image"]},
        "register": "built",
    }
    same = {
        "assert": {
            "that": [
                "found.images[0].artifacts == built.results[0].artifacts",
                "found.images[0].log_path == built.results[0].log_path",
            ]
        }
    }
    look = {TASK: {"targets": ["linux/file/image"]}, "register": "found"}
    done = play(ansible, folder, [build, look, same])
    assert done.returncode == 0, done.stdout


def test_an_image_that_was_never_built_has_an_empty_list_of_artifacts(folder):
    folder.null("linux/null/one", inline=("exit 7",))
    command = ["build", "--env", "dev", "linux/null/one", "--quiet"]
    assert cli.main(["--workspace", str(folder.root), *command]) == 3
    (image,) = info(workspace=folder.open())["images"]
    assert image["artifacts"] == []
    assert image["status"] is None


def test_a_missing_packer_fails_the_task_in_words(ansible, folder):
    folder.write("packer-hybrid.toml", '[packer]\npath = "packer-of-nobody"\n')
    done = play(ansible, folder, [{TASK: None}])
    assert done.returncode == 2
    assert "Packer was not found as 'packer-of-nobody'" in done.stdout
    assert "Traceback" not in done.stdout


def test_unknown_options_fail_the_task(ansible, folder):
    done = play(ansible, folder, [{TASK: {"environment_name": "dev"}}])
    assert done.returncode == 2
    assert "environment_name" in done.stdout
