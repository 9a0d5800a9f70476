"""A workspace in a place without network: bundled elsewhere, and built in a network namespace of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from hybridcore import sources, state
from hybridcore.errors import SourcesError
from hybridcore.workspace import open_workspace
from tests.support.builds import hybrid, hybrid_command, hybrid_environment
from tests.support.file_server import FileServer, file_server
from tests.support.git_servers import WebServer, web_server
from tests.support.playbooks import Ansible
from tests.support.remotes import Remote, git
from tests.support.sources import Space
from tests.support.workspaces import WorkspaceFolder

pytestmark = pytest.mark.integration

QEMU = "github.com/hashicorp/qemu"
TEMPLATE = f"""\
packer {{
  required_plugins {{
    qemu = {{
      source  = "{QEMU}"
      version = "1.0.9"
    }}
  }}
}}

source "null" "demo" {{
  communicator = "none"
}}

build {{
  sources = ["source.null.demo"]

  provisioner "shell-local" {{
    inline = ["cat ${{path.root}}/../../../../sources/demo/file.txt"]
  }}
}}
"""


def without_network(space: WorkspaceFolder, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `packer-hybrid` where not even 127.0.0.1 answers."""
    command = ["unshare", "--map-root-user", "--net", *hybrid_command(space, *arguments)]
    return subprocess.run(
        command,
        env=hybrid_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def no_network() -> None:
    done = subprocess.run(["unshare", "--map-root-user", "--net", "true"], capture_output=True, check=False)
    if done.returncode:
        pytest.skip(f"the kernel gives no network namespace here: {done.stderr.decode().strip()}")


@pytest.fixture
def bundle(make_workspace, tools, tmp_path, monkeypatch) -> tuple[Path, str]:
    """A bundle of a workspace whose servers have gone, and the commit of its source."""
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    remote = Remote(tmp_path / "remotes" / "demo")
    sha = remote.commit(text="from the source\n")
    space = make_workspace("online")
    space.template("linux/null/demo", TEMPLATE)
    space.write("images/base/disk.img", "a disk")
    space.write("collections/ansible_collections/lab/tools/README.md", "tools")
    program = next((tools.plugins / QEMU).glob("packer-plugin-qemu*[!M]"))
    with (
        web_server(WebServer(remote.folder.parent)) as web,
        file_server(FileServer(program.parent)) as files,
    ):
        text = (
            f'[sources.demo]\nurl = "http://127.0.0.1:{web.port}/demo"\nref = "main"\n'
            f'[plugins."{QEMU}"]\nversion = "1.0.9"\nfrom = "{files.url}/{program.name}"\n'
        )
        space.settings(text, packer=tools.packer)
        assert "is not installed" in hybrid(space, "sources", "bundle", str(tmp_path / "bundle")).stderr
        assert not (tmp_path / "bundle").exists()
        for command in ("sources", "plugins"):
            done = hybrid(space, command, "sync")
            assert done.returncode == 0, done.stderr
        remote.commit(text="newer\n")  # what is bundled is what was synced
    done = hybrid(space, "--json", "sources", "bundle", str(tmp_path / "bundle"))
    assert done.returncode == 0, done.stderr
    kinds = [entry["kind"] for entry in json.loads(done.stdout)["results"]]
    assert sorted(kinds) == ["base image", "collection", "packer", "plugin", "repository"]
    away = make_workspace("away")
    away.template("linux/null/demo", TEMPLATE)
    away.settings(
        f'[packer]\npath = "no-such-packer"\nstrict = true\n[offline]\nmirror = "../bundle"\n{text}'
    )
    return tmp_path / "bundle", sha


def test_a_build_in_a_place_without_network(bundle, no_network, tmp_path):
    folder, sha = bundle
    away = WorkspaceFolder(tmp_path / "away")
    done = without_network(away, "sources", "sync")
    assert done.returncode == 1  # there is no server here
    done = without_network(away, "--json", "build", "--env", "dev", "--offline")
    assert done.returncode == 1
    assert "it is not pinned by a digest" in done.stderr
    assert without_network(away, "plugins", "lock").returncode == 0
    done = without_network(away, "--json", "build", "--env", "dev", "--offline")
    assert done.returncode == 0, done.stderr
    (result,) = json.loads(done.stdout)["results"]
    assert result["status"] == "built"
    assert "from the source" in (away.root / result["log_path"]).read_text()
    assert (away.root / "images/base/disk.img").read_text() == "a disk"
    assert (away.root / "collections/ansible_collections/lab/tools/README.md").is_file()
    remembered = state.read(workspace=away.open())
    assert remembered["packer"]["path"] == str(folder / "packer/packer")
    assert remembered["sources"]["demo"]["sha"] == sha
    # The clone knows where it comes from, for the day when there is a network again.
    assert git(away.root / "sources/demo", "config", "remote.origin.url").startswith("http://127.0.0.1")
    done = without_network(away, "--json", "build", "--env", "dev", "--offline")
    assert json.loads(done.stdout)["results"][0]["status"] == "unchanged"


@pytest.mark.parametrize("path", ["base/disk.img", "packer/packer"])
def test_a_bundle_that_was_changed_is_refused(bundle, tmp_path, path):
    folder, _ = bundle
    with open(folder / path, "ab") as file:
        file.write(b"changed")
    done = hybrid(WorkspaceFolder(tmp_path / "away"), "build", "--env", "dev", "--offline")
    assert done.returncode == 1
    assert f"{Path(path).name} of the bundle is not what was bundled" in done.stderr
    assert not (tmp_path / "away/images/base/disk.img").exists() or path == "packer/packer"


def test_an_older_bundle_is_replaced_and_nothing_else(bundle, tmp_path):
    folder, _ = bundle
    online = WorkspaceFolder(tmp_path / "online")
    (folder / "old").touch()
    assert hybrid(online, "sources", "bundle", str(folder)).returncode == 0
    assert not (folder / "old").exists()
    assert sorted(path.name for path in tmp_path.iterdir() if path.name.startswith(".bundle")) == []
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/file").touch()
    done = hybrid(online, "sources", "bundle", str(tmp_path / "mine"))
    assert (done.returncode, "is no bundle and not empty" in done.stderr) == (1, True)
    assert (tmp_path / "mine/file").exists()


@pytest.fixture
def space(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Space:
    made = Space.alone(tmp_path, monkeypatch)
    (tmp_path / "mirror").mkdir()
    made.settings(url="https://git.invalid/demo.git", more='ref = "main"\n[offline]\nmirror = "../mirror"\n')
    return made


@pytest.mark.parametrize("kind", ["demo.git", "demo.bundle", "demo"])
def test_a_plain_folder_of_repositories(space: Space, tmp_path: Path, kind: str) -> None:
    def mirror() -> None:
        if kind == "demo.bundle":
            git(space.remote.folder, "bundle", "create", "--quiet", str(tmp_path / "mirror" / kind), "--all")
        else:
            shutil.rmtree(tmp_path / "mirror" / kind, ignore_errors=True)
            git(tmp_path, "clone", "--quiet", "--mirror", str(space.remote.folder), f"mirror/{kind}")

    mirror()
    assert [(each.action, each.sha) for each in space.sync(offline=True)] == [("cloned", space.first)]
    second = space.remote.commit(text="two\n")
    mirror()
    assert [(each.action, each.sha) for each in space.sync(offline=True)] == [("updated", second)]
    assert git(space.clone, "config", "remote.origin.url") == "https://git.invalid/demo.git"


def test_a_mirror_without_the_repository_or_none_at_all(space: Space, tmp_path: Path) -> None:
    assert "offline nothing can be cloned" in space.error(offline=True)
    (tmp_path / "mirror").rmdir()
    with pytest.raises(SourcesError, match=r"the mirror .* is not there"):
        sources.sync(offline=True, workspace=open_workspace(space.root))


@pytest.mark.parametrize(
    ("role", "given", "defaults"),
    [
        ("sources", {}, {"hybridcore.packer.packer_sources": {"offline": True}}),
        ("pipeline", {"env": "dev", "targets": "all", "control_node": False, "offline": True}, {}),
    ],
)
def test_a_role_that_is_offline_asks_the_mirror_alone(
    space: Space, ansible: Ansible, tmp_path: Path, role: str, given: dict[str, object], defaults: dict
) -> None:
    git(tmp_path, "clone", "--quiet", "--mirror", str(space.remote.folder), "mirror/demo.git")
    WorkspaceFolder(space.root).null()
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "module_defaults": defaults,
        "vars": {f"{role}_{name}": value for name, value in given.items()},
        "roles": [f"hybridcore.packer.{role}"],
    }
    (space.root / "play.yml").write_text(yaml.safe_dump([play]))
    done = ansible.playbook("play.yml", cwd=space.root)
    assert done.returncode == 0, done.stdout
    assert space.head() == space.first
