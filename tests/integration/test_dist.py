"""The artifact of `make dist`: what Galaxy and an Automation Hub take, and what a user gets of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
import yaml

from tests.support import programs_of_python
from tests.support.commands import to_its_end

pytestmark = pytest.mark.integration

PLAY = """\
- hosts: localhost
  gather_facts: false
  tasks:
    - hybridcore.packer.packer_config: {env: dev, targets: [linux/null/hello]}
    - hybridcore.packer.packer_build: {env: dev, targets: [linux/null/hello]}
"""
CORE = "plugins/module_utils/hybridcore"


@pytest.fixture(scope="module")
def members(artifact: Path) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(artifact) as archive:
        return {member.name: member for member in archive.getmembers()}


@pytest.fixture(scope="module")
def collection(installed_collections: Path) -> Path:
    return installed_collections / "ansible_collections" / "hybridcore" / "packer"


def test_the_artifact_is_made_without_a_network(repository, tmp_path):
    """In a network namespace of its own, where nothing can be reached."""
    alone = ["unshare", "--net", "--map-root-user"]
    if subprocess.run([*alone, "true"], check=False, capture_output=True).returncode:
        pytest.skip("this kernel lets nobody make a network namespace")
    made = subprocess.run(
        [*alone, repository / "scripts" / "dist.sh", tmp_path],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert made.returncode == 0, made.stderr
    assert len(list(tmp_path.glob("hybridcore-packer-*.tar.gz"))) == 1


def test_the_core_is_there_as_real_files_and_once(members, repository):
    assert [name for name, member in members.items() if member.issym() or member.islnk()] == []
    shipped = {name.removeprefix(f"{CORE}/") for name in members if name.startswith(f"{CORE}/")}
    core = {
        str(file.relative_to(repository / "hybridcore")) for file in (repository / "hybridcore").rglob("*.py")
    }
    missing = {name for name in core - shipped if name.split("/")[0] not in ("__main__.py", "cli")}
    assert missing == set(), "the command line alone comes with the checkout"
    assert shipped & {"__main__.py", "cli/__init__.py"} == set()
    assert not any(name.split("/")[0] == "hybridcore" for name in members)


def test_the_manifest_says_what_it_is(artifact, repository):
    with tarfile.open(artifact) as archive:
        manifest = json.load(archive.extractfile("MANIFEST.json"))["collection_info"]
    given = yaml.safe_load((repository / "galaxy.yml").read_text())
    assert artifact.name == f"hybridcore-packer-{given['version']}.tar.gz"
    assert {name: manifest[name] for name in ("namespace", "name", "version", "repository", "license")} == {
        name: given[name] for name in ("namespace", "name", "version", "repository", "license")
    }


def test_it_holds_what_users_need_and_nothing_of_ours(collection):
    here = set(os.listdir(collection))
    assert here >= {
        "plugins",
        "roles",
        "playbooks",
        "meta",
        "docs",
        "changelogs",
        "LICENSE",
        "LICENSES",
        "README.md",
    }
    assert here >= {"CHANGELOG.md", "CODE_OF_CONDUCT.md", "SECURITY.md", "bindep.txt"}
    assert not here & {
        *(".venv", ".git", ".ci", ".gitignore", "images", "state", "logs", "sources", "configs"),
        *("packer-hybrid.toml", "requirements", "scripts", "Makefile", "pyproject.toml", "assessments"),
    }
    assert sorted(os.listdir(collection / "tests")) == ["config.yml", "integration"]
    assert os.listdir(collection / "tests" / "integration") == ["targets"]


def test_it_is_small(artifact):
    """A cache or an image that slipped in would show in its size."""
    assert artifact.stat().st_size < 1_000_000


def test_it_builds_with_nothing_but_what_ansible_loads(ansible, collection, tmp_path, make_workspace):
    """An execution environment may keep these folders alone."""
    kept = tmp_path / "kept"
    bare = kept / "ansible_collections" / "hybridcore" / "packer"
    for name in ("meta", "plugins", "roles", "playbooks"):
        shutil.copytree(collection / name, bare / name)
    space = make_workspace()
    space.null("linux/null/hello", message="hello")
    space.write("build.yml", PLAY)
    ansible.collections_path = kept
    done = ansible.playbook("build.yml", cwd=space.root)
    assert done.returncode == 0, done.stdout
    assert "changed=2" in done.stdout
    named = ansible.playbook(
        "hybridcore.packer.build_images",
        *("-e", json.dumps({"env": "dev", "targets": "linux/null/hello"})),
        cwd=space.root,
    )
    assert named.returncode == 0, named.stdout
    assert "changed=0" in named.stdout


@pytest.mark.slow
def test_galaxy_importer_takes_it_without_a_warning(artifact, tmp_path):
    program = programs_of_python.environment(
        "galaxy-importer==0.4.44", "ansible-core==2.19.14", "ansible-lint"
    )
    settings = tmp_path / "galaxy-importer.cfg"
    settings.write_text(f"[galaxy-importer]\nansible_local_tmp = {tmp_path / 'tmp'}\n")
    done = to_its_end(
        [program / "python", "-m", "galaxy_importer.main", artifact],
        cwd=tmp_path,
        env={
            "HOME": str(tmp_path),
            "PATH": f"{program}{os.pathsep}{os.environ['PATH']}",
            "GALAXY_IMPORTER_CONFIG": str(settings),
        },
    )
    assert done.returncode == 0, done.stdout
    assert "Importer processing completed successfully" in done.stdout
    assert "WARNING" not in done.stdout
    assert "ERROR" not in done.stdout


def test_ansible_lint_finds_nothing_in_it(ansible, installed_collections, collection, tmp_path):
    ansible.collections_path = installed_collections
    done = ansible.run(
        "ansible-lint",
        *("--offline", "--strict", "-q", "--profile", "production"),
        cwd=collection,
        env={"HOME": str(tmp_path), "ANSIBLE_LINT_SKIP_SCHEMA_UPDATE": "1"},
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_ansible_builder_finds_what_an_execution_environment_needs(collection, installed_collections):
    program = programs_of_python.environment("ansible-builder==3.2.0")
    done = subprocess.run(
        [program / "ansible-builder", "introspect", installed_collections],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = yaml.safe_load(done.stdout)
    assert found["python"] == []
    assert any(line.startswith("git [platform:dpkg") for line in found["system"])


@pytest.mark.slow
def test_the_licences_are_complete(repository):
    program = programs_of_python.environment("reuse")
    done = subprocess.run(
        [program / "reuse", "lint"],
        cwd=repository,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
