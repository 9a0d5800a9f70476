"""live_command: whether the program runs, and what the task returns of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


class Notes:
    """A monitor that keeps what it is told."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


@pytest.fixture
def run(plugin, tmp_path: Path):
    """`run(*argv, **params)`: the answer, and the lines that were shown."""

    def call(
        *argv: str, check_mode: bool = False, creates: str | None = None
    ) -> tuple[dict[str, Any], list[str]]:
        monitor = Notes()
        params = {"argv": list(argv), "creates": creates, "chdir": str(tmp_path)}
        answer = plugin("module_utils.live_command").run(
            params, check_mode=check_mode, diff=False, monitor=monitor
        )
        return answer, monitor.notes

    return call


def test_what_it_creates_is_there_so_nothing_runs(run, tmp_path: Path) -> None:
    (tmp_path / "made").touch()
    answer, shown = run("touch", "ran", creates=str(tmp_path / "made"))
    assert answer == {"changed": False, "rc": 0, "lines": [], "msg": f"not run: {tmp_path}/made exists"}
    assert shown == []
    assert not (tmp_path / "ran").exists()


def test_in_check_mode_it_would_run(run, tmp_path: Path) -> None:
    answer, _ = run("touch", "ran", check_mode=True, creates=str(tmp_path / "made"))
    assert (answer["changed"], answer["msg"]) == (True, "not run: check mode")
    assert not (tmp_path / "ran").exists()


def test_a_program_that_ends_well(run, tmp_path: Path) -> None:
    answer, shown = run("sh", "-c", "echo one; pwd")
    assert answer == {"changed": True, "rc": 0, "lines": ["one", str(tmp_path)], "msg": ""}
    assert shown == ["one", str(tmp_path)]


@pytest.mark.parametrize(
    ("script", "rc", "says"),
    [
        ("echo last; exit 3", 3, "sh ended with exit code 3: last"),
        ("exit 3", 3, "sh ended with exit code 3"),
        ("echo last; kill -9 $$", -9, "sh ended with signal 9: last"),
    ],
)
def test_a_program_that_fails_says_how_and_its_last_line(run, script: str, rc: int, says: str) -> None:
    answer, _ = run("sh", "-c", script)
    assert (answer["failed"], answer["rc"], answer["msg"]) == (True, rc, says)
