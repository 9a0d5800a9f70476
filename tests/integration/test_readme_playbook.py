"""The collection in a playbook of one's own, installed and run as README.md says, from a checkout on."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

from tests.support.commands import to_its_end

pytestmark = pytest.mark.integration

MAKE = "make dist && "


@pytest.fixture
def part(repository: Path) -> str:
    """README.md's part on playbooks."""
    found = re.search(
        r"^## In your own playbook$(.*?)^## ", (repository / "README.md").read_text(), re.M | re.S
    )
    assert found is not None
    return found[1]


@pytest.fixture
def checkout(repository: Path, artifact: Path, tmp_path: Path) -> Path:
    """A checkout after `make dist`, as Ansible sees it: its settings name the collection already."""
    made = tmp_path / "checkout"
    (made / ".venv").mkdir(parents=True)
    (made / ".venv" / "collections").symlink_to(repository / ".venv" / "collections")
    shutil.copy(repository / "ansible.cfg", made)
    shutil.copy(artifact, made)
    return made


def test_the_readme_installs_the_collection_and_builds(
    part: str, checkout: Path, repository: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    hidden = ("ANSIBLE_", "PYTHON", "HYBRIDCORE_")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    environ |= {"HOME": str(home), "PATH": f"{repository}/.venv/bin:{os.environ['PATH']}"}

    def run(lines: str, cwd: Path) -> str:
        done = to_its_end(
            ["bash", "-ec", lines],
            env=environ,
            cwd=cwd,
        )
        assert done.returncode == 0, f"{lines}\n{done.stdout}"
        return done.stdout

    install, shipped = re.findall(r"```console\n(.*?)```", part, re.S)
    assert install.startswith(MAKE)
    run(install.removeprefix(MAKE), checkout)
    folder = home / "images"
    files = dict(re.findall(r"```(?:hcl|yaml)\n# (\S+)\n(.*?)```", part, re.S))
    assert len(files) == 3
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    first = run("ansible-playbook build.yml", folder)
    assert "message is from the overlay" in first
    assert "changed=0" in run("ansible-playbook build.yml", folder)
    by_name, by_inventory = shipped.splitlines()
    assert "changed=0" in run(by_name, folder)
    assert "--limit web" in by_inventory, "that one needs an inventory, see test_build_images"
