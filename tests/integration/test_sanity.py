"""`ansible-test sanity` over the whole artifact, as Galaxy and an Automation Hub would run it."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.support import interpreters, programs_of_python
from tests.support.commands import to_its_end

pytestmark = pytest.mark.integration

# ansible-test fetches get-pip from a site of its own, unless the file is in its cache already. With this
# stand-in there, the pip beside ansible-test fills its environments.
GET_PIP = """\
import subprocess, sys
arguments = [word for word in sys.argv[1:] if word not in ("--no-setuptools", "--no-wheel")]
sys.exit(subprocess.call([{python!r}, "-m", "pip", "--python", sys.executable, "install", "-q", *arguments]))
"""
# The versions of pip that the versions of ansible-test ask for.
PIPS = ("23_1_2", "24_0", "24_2", "25_0_1", "25_1", "25_2", "25_3", "26_0")
# pslint and shellcheck need programs that are no Python packages.
SKIPPED = ("pslint", "shellcheck")
# 2.17 alone wants every __init__.py below module_utils to be empty. Those of the core say what it offers.
REFUSED = {"ansible-core==2.17.14": ("empty-init",)}
OTHERS = {
    "ansible-core==2.17.14": "3.11",
    "ansible-core==2.18.19": "3.11",
    "ansible-core==2.20.10": "3.12",
    "ansible-core==2.21.5": "3.13",
}


def sanity(
    programs: Path, python: str, collections: Path, home: Path, skipped: tuple[str, ...] = SKIPPED
) -> str:
    """Run ansible-test over a copy of the installed collection, and return what it said; it must pass."""
    cache = home / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True)
    for version in PIPS:
        (cache / f"get_pip_{version}.py").write_text(GET_PIP.format(python=str(programs / "python")))
    copy = home / "collections"
    shutil.copytree(collections, copy, symlinks=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    done = to_its_end(
        [
            programs / "ansible-test",
            *("sanity", "--python", python),
            *(word for name in skipped for word in ("--skip-test", name)),
        ],
        cwd=copy / "ansible_collections" / "hybridcore" / "packer",
        env={**kept, "HOME": str(home), "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"},
        errors="replace",
    )
    assert done.returncode == 0, done.stdout[-8000:]
    return done.stdout


def looked(said: str) -> None:
    """It ran, and did not merely find nothing to do."""
    assert 'Running sanity test "validate-modules"' in said
    assert 'Running sanity test "pylint"' in said


def test_ansible_test_sanity(installed_collections, tmp_path):
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    looked(sanity(Path(sys.executable).parent, python, installed_collections, tmp_path))


@pytest.mark.slow
@pytest.mark.parametrize("core", OTHERS)
def test_ansible_test_sanity_of_the_other_versions(installed_collections, tmp_path, core):
    python = interpreters.find(OTHERS[core])
    if python is None:
        pytest.skip(f"there is no Python {OTHERS[core]} on this machine")
    programs = programs_of_python.environment(core, python=python)
    skipped = (*SKIPPED, *REFUSED.get(core, ()))
    looked(sanity(programs, OTHERS[core], installed_collections, tmp_path, skipped))
