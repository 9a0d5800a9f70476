"""scripts/bootstrap.sh in a copy of what it needs: it sets up once, and again only when something changed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.commands import to_its_end

pytestmark = pytest.mark.integration

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(repository: Path, tmp_path: Path) -> Run:
    """Run the script in a small checkout whose requirements are one package that needs no other."""
    for name in ("scripts", "requirements"):
        (tmp_path / name).mkdir()
    shutil.copy(repository / "scripts/bootstrap.sh", tmp_path / "scripts")
    lines = (repository / "requirements/runtime.txt").read_text().splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("resolvelib=="))
    one = [lines[start]]
    while one[-1].endswith("\\"):
        one.append(lines[start + len(one)])
    for name in ("runtime", "test"):
        (tmp_path / f"requirements/{name}.txt").write_text("\n".join(one) + "\n")

    def run_script(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        return to_its_end(
            [str(tmp_path / "scripts/bootstrap.sh"), *arguments],
            env=os.environ | env,
            cwd="/",
        )

    return run_script


def test_it_sets_up_once_and_makes_the_collection_findable(run: Run, tmp_path: Path) -> None:
    first = run()
    assert first.returncode == 0, first.stdout
    assert "making .venv with /usr/bin/python3" in first.stdout
    subprocess.run([tmp_path / ".venv/bin/python", "-c", "import resolvelib"], check=True)
    link = tmp_path / ".venv/collections/ansible_collections/hybridcore/packer"
    assert link.resolve() == tmp_path.resolve()

    again = run("runtime")
    assert (again.returncode, again.stdout) == (0, "")


def test_changed_requirements_are_installed_and_a_broken_environment_is_mended(
    run: Run, tmp_path: Path
) -> None:
    assert run().returncode == 0
    with open(tmp_path / "requirements/runtime.txt", "a") as file:
        file.write("# changed\n")
    changed = run()
    assert changed.returncode == 0, changed.stdout
    assert "installing the pinned runtime requirements" in changed.stdout
    assert "making .venv" not in changed.stdout

    (tmp_path / ".venv/bin/python").unlink()
    mended = run()
    assert mended.returncode == 0, mended.stdout
    subprocess.run([tmp_path / ".venv/bin/python", "-c", "import resolvelib"], check=True)


def test_a_requirement_with_another_digest_is_refused_and_not_taken_for_done(
    run: Run, tmp_path: Path
) -> None:
    file = tmp_path / "requirements/runtime.txt"
    good = file.read_text()
    file.write_text(re.sub("sha256:[0-9a-f]{64}", "sha256:" + "0" * 64, good))
    for _ in range(2):
        refused = run()
        assert refused.returncode != 0
        assert "DO NOT MATCH THE HASHES" in refused.stdout
    file.write_text(good)
    assert run().returncode == 0


def test_an_unknown_word_is_refused(run: Run) -> None:
    done = run("everything")
    assert done.returncode == 1
    assert done.stdout == "bootstrap: usage: bootstrap.sh [runtime|test]\n"
