"""Folders for temporary files: gone with their block, and after a kill removed by whoever comes next."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from hybridcore import temporary


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def test_it_goes_with_the_block(place: Path) -> None:
    with temporary.folder() as folder:
        assert folder.parent == place
        assert folder.stat().st_mode & 0o777 == 0o700
        (folder / "x").touch()
    assert list(place.iterdir()) == []


def test_a_file_is_for_its_owner_only_whatever_the_umask_is(place: Path) -> None:
    before = os.umask(0)
    try:
        temporary.write(place / "x", b"data")
    finally:
        os.umask(before)
    assert (place / "x").read_bytes() == b"data"
    assert (place / "x").stat().st_mode & 0o777 == 0o600
    with pytest.raises(FileExistsError):
        temporary.write(place / "x", b"other")


def test_what_a_killed_process_left_is_swept_and_what_is_in_use_stays(place: Path) -> None:
    code = (
        "import os, signal\n"
        "from hybridcore import temporary\n"
        "with temporary.folder():\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    env = {**os.environ, "TMPDIR": str(place), "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", code], env=env, check=False)
    assert len(list(place.glob("hybridcore-*"))) == 1
    (place / "hybridcore-somebody-else's").mkdir()
    with temporary.folder() as mine:
        temporary.sweep()
        assert sorted(place.iterdir()) == sorted([mine, place / "hybridcore-somebody-else's"])
