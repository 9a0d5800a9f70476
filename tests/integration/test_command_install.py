"""Installing the command line as README.md says."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.commands import to_its_end
from tests.support.workspaces import WorkspaceFolder

pytestmark = pytest.mark.integration


@pytest.fixture
def checkout(repository: Path, tmp_path: Path) -> Path:
    """A copy of what the wheel is made of, since that leaves files."""
    made = tmp_path / "checkout"
    shutil.copytree(
        repository / "hybridcore", made / "hybridcore", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copy(repository / "pyproject.toml", made)
    return made


def commands(repository: Path) -> list[str]:
    """The console lines of README.md's part on the command line."""
    part = re.search(r"^## The command line$(.*?)^## ", (repository / "README.md").read_text(), re.M | re.S)
    assert part is not None
    (block,) = re.findall(r"```console\n(.*?)```", part[1], re.S)
    return block.splitlines()


def test_the_readme_installs_the_command_without_dependencies(
    repository: Path, checkout: Path, tmp_path: Path, make_workspace: Callable[..., WorkspaceFolder]
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environ |= {"HOME": str(home)}

    def run(line: str, cwd: Path) -> str:
        done = to_its_end(
            ["bash", "-ec", line],
            env=environ,
            cwd=cwd,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}"
        return done.stdout

    said = [run(line, checkout) for line in commands(repository)]
    assert re.fullmatch(r"packer-hybrid \d+\.\d+\.\d+\n", said[-1])
    installed = run("~/packer-hybrid/bin/pip list --format=freeze", tmp_path)
    assert {line.partition("==")[0] for line in installed.splitlines()} <= {"hybridcore", "pip", "setuptools"}

    space = make_workspace()
    target = space.null()
    shutil.rmtree(checkout)  # what runs is what was installed
    where = shlex.quote(str(space.root))
    command = f"~/packer-hybrid/bin/packer-hybrid --workspace {where} build --env dev --quiet {target}"
    assert f"{target}: built" in run(command, tmp_path)
