"""The collection as others use it: built, installed into an empty path, run from a folder of their own."""

from __future__ import annotations

import json
import subprocess

import pytest

pytestmark = pytest.mark.integration

# The playbook of README.md: ten lines, every name fully qualified.
PLAYBOOK = """\
- name: Build the images
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Render the configuration
      hybridcore.packer.packer_config: {env: dev, targets: [linux/null/hello]}
    - name: Build
      hybridcore.packer.packer_build: {env: dev, targets: [linux/null/hello]}
      register: built
"""


@pytest.fixture
def project(make_workspace):
    """A folder of somebody who has only the collection."""
    workspace = make_workspace("project")
    workspace.null("linux/null/hello", message="from the template")
    workspace.write("environments/dev/all.pkrvars.hcl", 'message = "from the overlay"\n')
    workspace.write("build.yml", PLAYBOOK)
    return workspace.root


def test_ten_lines_build_an_image(ansible, installed_collections, project):
    ansible.collections_path = installed_collections
    first = ansible.playbook("build.yml", cwd=project)
    assert first.returncode == 0, first.stdout
    assert "message is from the overlay" in first.stdout, "Packer's lines are shown"
    state = json.loads((project / "state" / "packer-hybrid.json").read_text())
    assert len(state["images"]) == 1
    assert "changed=2" in first.stdout
    again = ansible.playbook("build.yml", cwd=project)
    assert again.returncode == 0, again.stdout
    assert "changed=0" in again.stdout
    assert "message is from the overlay" not in again.stdout, "nothing was built again"


def test_the_shipped_playbook_runs_by_its_name(ansible, installed_collections, project):
    ansible.collections_path = installed_collections
    done = ansible.playbook(
        "hybridcore.packer.build_images",
        *("-e", json.dumps({"env": "dev", "targets": ["linux/null/hello"]})),
        cwd=project,
    )
    assert done.returncode == 0, done.stdout
    assert (project / "state" / "packer-hybrid.json").is_file()
    assert not (installed_collections / "ansible_collections" / "hybridcore" / "packer" / "state").exists(), (
        "an installed collection is not a workspace"
    )


def test_installed_modules_are_documented(ansible, installed_collections, tmp_path):
    ansible.collections_path = installed_collections
    names = [f"hybridcore.packer.packer_{name}" for name in ("build", "config", "info", "sources")]
    done = subprocess.run(
        [ansible.program("ansible-doc"), "--json", *names],
        env=ansible.environment(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    documented = json.loads(done.stdout)
    assert sorted(documented) == names
    assert all(entry["return"] for entry in documented.values())
