"""`[plugins]`: from a folder, an archive or a URL into the workspace's folder, pinned, and used by Packer."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from hybridcore import state
from hybridcore.errors import SourcesError
from hybridcore.packer import pinned
from hybridcore.packer.program.capabilities import probe
from tests.support.builds import build_json, hybrid
from tests.support.file_server import FileServer, file_server
from tests.support.plugins import SOURCE, digest, file_name, install, packed, program
from tests.support.remotes import Remote
from tests.support.workspaces import WorkspaceFolder

pytestmark = pytest.mark.integration

QEMU = "github.com/hashicorp/qemu"
REQUIRED = """\
packer {
  required_plugins {
    NAME = {
      source  = "SOURCE"
      version = "VERSION"
    }
  }
}
"""


@pytest.fixture
def space(make_workspace, tools) -> WorkspaceFolder:
    made = make_workspace()
    made.use(tools.packer)
    return made


@pytest.fixture
def folder(space: WorkspaceFolder) -> Path:
    """A folder of the workspace with the program in it."""
    path = space.root / "vendor"
    path.mkdir()
    (path / file_name()).write_bytes(program())
    return path


def pin(
    space: WorkspaceFolder,
    tools,
    *,
    version: str = "1.2.3",
    strict: bool = False,
    more: str = "",
    **keys: str,
):
    """Write the settings: the plugin, and what a test adds."""
    keys.setdefault("from", "vendor")
    lines = [f'{key} = "{value}"' for key, value in {"version": version, **keys}.items()]
    head = "strict = true\n" if strict else ""
    space.settings(head + f'[plugins."{SOURCE}"]\n' + "\n".join(lines) + "\n" + more, packer=tools.packer)


def sync(space: WorkspaceFolder, **options) -> list[pinned.PluginResult]:
    return pinned.sync(**options, workspace=space.open())


def installed(space: WorkspaceFolder) -> list[str]:
    return sorted(path.name for path in (space.root / ".packer-plugins").rglob("*") if path.is_file())


def refused(space: WorkspaceFolder, **options) -> str:
    with pytest.raises(SourcesError) as caught:
        sync(space, **options)
    return str(caught.value)


def test_a_folder(space, tools, folder):
    pin(space, tools, sha256=digest(program()))
    predicted = sync(space, check=True)
    assert not (space.root / ".packer-plugins").exists()
    (result,) = sync(space)
    assert predicted == [pinned.PluginResult(SOURCE, "1.2.3", digest(program()), "", "", True, "installed")]
    place = space.root / ".packer-plugins" / SOURCE / file_name()
    assert (result.action, result.path, result.warning) == ("installed", str(place), "")
    assert place.read_bytes() == program()
    assert place.stat().st_mode & 0o777 == 0o755
    assert place.with_name(f"{place.name}_SHA256SUM").read_text() == digest(program())
    assert state.read(workspace=space.open())["plugins"] == {SOURCE: "1.2.3"}
    shutil.rmtree(folder)
    (again,) = sync(space)
    assert (again.action, again.changed) == ("unchanged", False)


def test_a_folder_in_the_layout_of_packer_and_without_anything(space, tools, folder):
    (folder / SOURCE).mkdir(parents=True)
    (folder / file_name()).rename(folder / SOURCE / file_name())
    pin(space, tools)
    assert sync(space)[0].action == "installed"
    pin(space, tools, version="1.2.4")
    assert f"has no {file_name('1.2.4')}" in refused(space)
    assert installed(space) == [".lock", file_name(), f"{file_name()}_SHA256SUM"]


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
@pytest.mark.parametrize("place", ["file", "folder", "file://"])
def test_an_archive(space, tools, folder, kind, place):
    (folder / file_name()).unlink()
    archive = folder / f"{file_name()}.{kind}"
    archive.write_bytes(packed(file_name(), program(), kind))
    origin = {"file": f"vendor/{archive.name}", "folder": "vendor", "file://": archive.as_uri()}[place]
    pin(space, tools, **{"from": origin}, archive_sha256=digest(archive.read_bytes()))
    (result,) = sync(space)
    assert (result.action, result.sha256) == ("installed", digest(program()))
    assert Path(result.path).read_bytes() == program()


def test_the_digest_of_an_archive_in_place_of_the_programs_is_told(space, tools, folder):
    archive = folder / "mars.zip"
    archive.write_bytes(packed(file_name(), program(), "zip"))
    pin(space, tools, **{"from": "vendor/mars.zip"}, sha256=digest(archive.read_bytes()))
    error = refused(space)
    assert "sha256 is that of the archive" in error
    assert f'sha256 = "{digest(program())}"' in error


def test_a_url(space, tools, tmp_path):
    served = tmp_path / "served"
    served.mkdir()
    (served / f"{file_name()}.zip").write_bytes(packed(file_name(), program(), "zip"))
    with file_server(FileServer(served)) as server:
        url = f"{server.url}/packer-plugin-mars_v{{version}}_x5.0_{{os}}_{{arch}}.zip"
        pin(space, tools, **{"from": url}, sha256=digest(program()))
        assert "offline nothing can be fetched" in refused(space, offline=True)
        assert server.seen == []
        assert sync(space)[0].action == "installed"
        assert sync(space, offline=True)[0].action == "unchanged"
        pin(space, tools, **{"from": f"{server.url}/none.zip"}, version="2.0.0")
        assert "the server says 404" in refused(space)
        assert installed(space) == [".lock", file_name(), f"{file_name()}_SHA256SUM"]


def test_a_url_with_a_secret_is_refused_and_not_repeated(space, tools):
    for url in ("https://user:hunter22@127.0.0.1/x.zip", "https://127.0.0.1/x.zip?token=hunter22"):
        pin(space, tools, **{"from": url})
        error = refused(space)
        assert "a password" in error or "a query" in error
        assert "hunter22" not in error


def test_one_version_is_there_and_all_are_checked_before_any_is_installed(space, tools, folder):
    pin(space, tools)
    sync(space)
    (folder / file_name("1.3.0")).write_bytes(program("1.3.0"))
    other = '[plugins."example.org/lab/venus"]\nversion = "1.0.0"\nfrom = "vendor"\n'
    pin(space, tools, version="1.3.0", more=other)
    assert "1 of 2 plugins" in refused(space)
    assert file_name() in installed(space)
    pin(space, tools, version="1.3.0")
    (result,) = sync(space)
    assert (result.action, result.before) == ("updated", "1.2.3")
    assert installed(space) == [".lock", file_name("1.3.0"), f"{file_name('1.3.0')}_SHA256SUM"]


def test_what_a_newer_packer_would_not_load_is_told(space, tools, folder):
    (folder / file_name()).write_bytes(program(says="1.2.3-dev"))
    pin(space, tools)
    (result,) = sync(space)
    assert result.warning.startswith("it says that it is 1.2.3-dev")


def test_only_a_source_of_the_kind_plugin_gives_programs_and_only_as_it_was_synced(space, tools, tmp_path):
    remote = Remote(tmp_path / "remote")
    (remote.folder / file_name()).write_bytes(program())
    remote.commit()
    source = f'[sources.vendor]\nurl = "{remote.url}"\n'
    pin(space, tools, **{"from": "sources/vendor"}, more=source)
    assert hybrid(space, "sources", "sync").returncode == 0
    assert "is of kind 'example'" in refused(space)
    pin(space, tools, **{"from": "sources/vendor"}, more=source + 'kind = "plugin"\n')
    (synced,) = json.loads(hybrid(space, "--json", "sources", "sync").stdout)["results"]
    assert synced["kind"] == "plugin"
    (space.root / "sources/vendor" / file_name()).write_bytes(program(more="edited"))
    assert "differs from its commit" in refused(space)
    (space.root / "sources/vendor" / file_name()).write_bytes(program())
    assert sync(space)[0].action == "installed"


def test_a_packer_with_built_in_plugins_needs_none_and_says_so(space, packer_debian, folder):
    space.settings(f'[plugins."{SOURCE}"]\nversion = "1.2.3"\nfrom = "vendor"\n', packer=packer_debian)
    done = hybrid(space, "plugins", "sync")
    assert (done.returncode, done.stdout) == (0, "")
    assert "Packer 1.6.6 has its plugins built in and looks for no others" in done.stderr
    assert not (space.root / ".packer-plugins").exists()


def test_lock_and_verify(space, tools, folder):
    pin(space, tools)
    sync(space)
    (one,) = pinned.verify(workspace=space.open())
    assert (one.pinned, one.problem) == ("", "it is not pinned by a digest")
    lock_file = space.root / "packer-hybrid.lock"
    predicted = pinned.lock(check=True, workspace=space.open())
    assert not lock_file.exists()
    assert pinned.lock(workspace=space.open()) == predicted
    assert f' = "{digest(program())}"\n' in lock_file.read_text()
    (one,) = pinned.verify(workspace=space.open())
    assert (one.pinned, one.problem) == ("lock", "")
    # Another machine's digest stays while the version does.
    lock_file.write_text(lock_file.read_text() + f'programs.plan9_mips = "{"1" * 64}"\n')
    pinned.lock(workspace=space.open())
    assert "plan9_mips" in lock_file.read_text()
    Path(one.path).write_bytes(program(more="changed"))
    (one,) = pinned.verify(workspace=space.open())
    assert one.problem.endswith(f"pinned is {digest(program())}")
    (result,) = sync(space)
    assert (result.action, Path(result.path).read_bytes()) == ("updated", program())
    (folder / file_name()).write_bytes(program(more="changed"))
    Path(result.path).unlink()
    assert "pinned is" in refused(space)
    pin(space, tools, version="1.2.4")
    assert "packer-hybrid.lock has version 1.2.3" in refused(space)


def test_sources_need_no_entry_because_plugins_are_locked(space, tools, folder, tmp_path):
    remote = Remote(tmp_path / "remote")
    remote.commit()
    pin(space, tools, more=f'[sources.demo]\nurl = "{remote.url}"\n')
    assert hybrid(space, "sources", "sync").returncode == 0
    sync(space)
    pinned.lock(workspace=space.open())
    assert hybrid(space, "sources", "sync", "--frozen").returncode == 0
    assert hybrid(space, "sources", "lock").returncode == 0
    text = (space.root / "packer-hybrid.lock").read_text()
    assert "[sources." in text
    assert "[plugins." in text


def test_command_line(space, tools, folder):
    assert "nothing to sync" in hybrid(space, "plugins", "sync").stdout
    pin(space, tools)
    assert hybrid(space, "plugins", "sync", "--check").returncode == 5
    assert hybrid(space, "plugins", "list").stdout == f"{SOURCE} 1.2.3 missing not pinned\n"
    done = hybrid(space, "--json", "plugins", "sync", SOURCE)
    assert json.loads(done.stdout)["results"][0]["action"] == "installed"
    assert hybrid(space, "plugins", "verify").returncode == 1
    assert hybrid(space, "plugins", "lock").stdout.startswith(f"locked    {SOURCE} 1.2.3")
    assert hybrid(space, "plugins", "lock", "--check").returncode == 0
    done = hybrid(space, "--json", "plugins", "verify")
    assert (done.returncode, json.loads(done.stdout)["plugins"][0]["pinned"]) == (0, "lock")
    done = hybrid(space, "plugins", "sync", "example.org/lab/pluto")
    assert done.returncode == 1
    assert "there is no plugin 'example.org/lab/pluto'" in done.stderr


@pytest.fixture
def building(space, tools) -> WorkspaceFolder:
    """A target that requires the real qemu plugin."""
    space.null()
    text = REQUIRED.replace("NAME", "qemu").replace("SOURCE", QEMU).replace("VERSION", ">= 1.0.0")
    space.write("templates/linux/null/demo/plugins.pkr.hcl", text)
    return space


def real(space: WorkspaceFolder, tools, *, strict: bool = False, pinned_by: str = "") -> Path:
    """Pin the real plugin; gives its program."""
    built = next((tools.plugins / QEMU).glob("packer-plugin-qemu*[!M]"))
    found = digest(built.read_bytes()) if pinned_by == "settings" else ""
    text = "strict = true\n" if strict else ""
    text += f'[plugins."{QEMU}"]\nversion = "1.0.9"\nfrom = "{tools.plugins}"\n'
    space.settings(text + (f'sha256 = "{found}"\n' if found else ""), packer=tools.packer)
    return built


def test_a_build_uses_the_pinned_plugin_and_no_other(building, tools, tmp_path, monkeypatch):
    monkeypatch.setenv("PACKER_PLUGIN_PATH", str(tools.plugins))
    built = real(building, tools)
    # Though the environment has it, the workspace's own folder alone counts.
    (error,) = build_json(building, code=3)["results"][0]["errors"]
    assert error.startswith("Error: Missing plugins")
    (result,) = build_json(building, "--init")["results"]
    assert result["status"] == "built"
    remembered = state.read(workspace=building.open())
    inputs = remembered["images"]["dev/linux/null/demo"]["inputs"]
    assert inputs[f"plugin {QEMU}"] == "1.0.9"
    assert inputs[f"program {QEMU}"] == digest(built.read_bytes())
    assert remembered["plugins"] == {QEMU: "1.0.9"}
    # Another one that the template does not want is no reason to build.
    other = building.root / ".packer-plugins" / "github.com/hashicorp/other"
    other.mkdir(parents=True)
    assert build_json(building)["results"][0]["status"] == "unchanged"


def test_the_version_that_counts_is_the_one_that_packer_takes(space, tools, tmp_path, monkeypatch):
    asked = tmp_path / "asked"
    for version in ("1.9.0", "1.10.0"):
        install(tmp_path / "path", program(version) + f"echo {version} >>{asked}\n".encode(), version)
    monkeypatch.setenv("PACKER_PLUGIN_PATH", str(tmp_path / "path"))
    space.null()
    text = REQUIRED.replace("NAME", "mars").replace("SOURCE", SOURCE).replace("VERSION", "> 1.0.0")
    space.write("templates/linux/null/demo/plugins.pkr.hcl", text)
    build_json(space)
    inputs = state.read(workspace=space.open())["images"]["dev/linux/null/demo"]["inputs"]
    assert inputs[f"plugin {SOURCE}"] == asked.read_text().split()[0]


def test_how_each_packer_orders_versions_is_asked_of_it(any_packer, tools):
    assert probe(str(any_packer)).plugin_order == ("text" if any_packer == tools.packer else "")


def test_strict_refuses_what_is_not_pinned_or_was_changed(building, tools):
    real(building, tools, strict=True)
    assert hybrid(building, "plugins", "sync").returncode == 0
    said = hybrid(building, "build", "--env", "dev")
    assert said.returncode == 1
    assert f"strict: the plugin {QEMU} 1.0.9: it is not pinned by a digest" in said.stderr
    assert hybrid(building, "plugins", "lock").returncode == 0
    assert build_json(building)["results"][0]["status"] == "built"
    place = next((building.root / ".packer-plugins").rglob("packer-plugin-qemu*[!M]"))
    with open(place, "ab") as file:
        file.write(b"changed")
    for command in (["build", "--env", "dev"], ["validate", "--env", "dev"], ["inspect"]):
        said = hybrid(building, *command)
        assert said.returncode == 1, said.stderr
        assert f"pinned is {digest(place.read_bytes()[:-7])}" in said.stderr
    assert hybrid(building, "plugins", "sync").returncode == 0
    assert build_json(building)["results"][0]["status"] == "unchanged"


def test_strict_refuses_what_nobody_pinned(building, tools, tmp_path):
    real(building, tools, strict=True, pinned_by="settings")
    assert hybrid(building, "plugins", "sync").returncode == 0
    mark = tmp_path / "was-run"
    other = install(building.root / ".packer-plugins", f"#!/bin/sh\ntouch {mark}\n".encode())
    said = hybrid(building, "build", "--env", "dev", "--init")
    assert f"strict: the plugin {SOURCE} 1.2.3: it is not in the settings" in said.stderr
    assert not mark.exists()
    said = hybrid(building, "init")
    assert (said.returncode, "plugins are those of [plugins] alone" in said.stderr) == (1, True)
    other.rename(building.root / ".packer-plugins" / "packer-plugin-mars")
    said = hybrid(building, "build", "--env", "dev")
    assert "a program that no plugin of the settings explains" in said.stderr


def test_init_of_a_build_with_both_packers(building, any_packer, tools, monkeypatch):
    monkeypatch.setenv("PACKER_PLUGIN_PATH", str(tools.plugins))
    building.use(any_packer)
    said = build_json(building, "--init")
    assert said["results"][0]["status"] == "built"
    old = any_packer != tools.packer
    assert ("Packer 1.6.6 has its plugins built in: init does nothing" in said["stderr"]) == old
