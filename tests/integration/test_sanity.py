"""`ansible-test sanity` over the plugins, as the collection's users and Galaxy would run it."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

pytestmark = pytest.mark.integration

# ansible-test fetches get-pip from a site of its own, unless the file is in its cache already. With this
# stand-in there, the tests' own pip fills ansible-test's environments.
GET_PIP = """\
import subprocess, sys
arguments = [word for word in sys.argv[1:] if word not in ("--no-setuptools", "--no-wheel")]
sys.exit(subprocess.call([{python!r}, "-m", "pip", "--python", sys.executable, "install", "-q", *arguments]))
"""
# pslint and shellcheck need programs that are no Python packages; `make lint` checks the changelog.
SKIPPED = ("pslint", "shellcheck", "changelog")


def test_ansible_test_sanity(ansible, installed_collections, tmp_path):
    cache = tmp_path / ".ansible" / "test" / "cache"
    cache.mkdir(parents=True)
    for version in ("24_2", "25_1", "25_2"):
        (cache / f"get_pip_{version}.py").write_text(GET_PIP.format(python=sys.executable))
    collections = tmp_path / "collections"
    shutil.copytree(installed_collections, collections, symlinks=True)
    collection = collections / "ansible_collections" / "hybridcore" / "packer"
    # With git at hand ansible-test sees the symbolic link to the core, which is in tests/sanity/ignore-*.txt.
    for words in (["init", "-q"], ["add", "--all"]):
        subprocess.run(["git", *words], cwd=collection, check=True, stdin=subprocess.DEVNULL)
    skip = [word for name in SKIPPED for word in ("--skip-test", name)]
    done = ansible.run(
        "ansible-test",
        *("sanity", "--python", f"{sys.version_info.major}.{sys.version_info.minor}", *skip),
        *("plugins/", "playbooks/", "meta/"),
        cwd=collection,
        env={"HOME": str(tmp_path)},
    )
    assert done.returncode == 0, done.stdout[-8000:]
    # It ran, and did not merely find nothing to do.
    assert 'Running sanity test "validate-modules"' in done.stdout
    assert 'Running sanity test "import"' in done.stdout
