"""`make test-packer`: a Packer that is not as assumed is named, with what it did."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.support.builds import REPOSITORY

pytestmark = pytest.mark.integration


def run(packer: str, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/contract", *more]
    env = {**os.environ, "HYBRIDCORE_TEST_PACKER": packer}
    return subprocess.run(command, cwd=REPOSITORY, env=env, capture_output=True, text=True, check=False)


def test_a_packer_that_deviates_is_named_with_what_it_did(tmp_path, packer_debian):
    odd = tmp_path / "packer"
    odd.write_text(f'#!/bin/sh\n[ "$1" = fmt ] && exit 0\nexec {packer_debian} "$@"\n')
    odd.chmod(0o755)
    done = run(str(odd), "-k", "fmt or version")
    assert done.returncode == 1
    assert "DEVIATES: fmt: it brings a file into canonical form" in done.stdout
    assert f"{odd}: 1 of 2 of what is assumed of a Packer hold" in done.stdout
    done = run(str(packer_debian), "-k", "fmt or version")
    assert (done.returncode, "DEVIATES" in done.stdout) == (0, False)
    assert "2 of 2 of what is assumed of a Packer hold" in done.stdout
