"""One program with live lines: what is shown of it, how it ends, and that nothing of it is left."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hybridcore import live
from hybridcore.errors import ProcessError


def play(code: str, folder: Path, **more: Any) -> tuple[int, list[str], list[str]]:
    """Run Python; its exit code, the last lines, and the lines that were shown."""
    shown: list[str] = []
    options = {"cwd": folder, "env": {}, "line": shown.append, **more}
    returned, last = live.run([sys.executable, "-IS", "-c", code], **options)
    return returned, last, shown


def test_lines_of_both_streams_without_colours_blank_ones_and_ends(tmp_path: Path) -> None:
    code = (
        "import os\nos.write(1, b'\\x1b[1mone\\x1b[0m  \\r\\n\\n \\n')\nos.write(2, b'10%\\r20%\\r')\n"
        "os.write(1, b'caf\\xe9 and no end')\nraise SystemExit(7)"
    )
    assert play(code, tmp_path) == (7, *[["one", "10%", "20%", "caf\ufffd and no end"]] * 2)


def test_only_the_last_lines_are_kept_and_all_are_shown(tmp_path: Path) -> None:
    _, last, shown = play("for n in range(60): print(n)", tmp_path)
    assert shown == [str(number) for number in range(60)]
    assert last == shown[-live.KEPT_LINES :]


def test_the_folder_the_environment_and_a_secret_in_it(tmp_path: Path) -> None:
    code = "import os; print(os.getcwd(), os.environ['PKR_VAR_password'], 'HOME' in os.environ)"
    code += "; print(os.environ['PLAIN'])"
    env = {"PKR_VAR_password": "s3cret-word", "AWS_SECRET_ACCESS_KEY": "s3cret-word", "PLAIN": "plain"}
    _, _, shown = play(code, tmp_path, env=env)
    assert shown == [f"{tmp_path} *** False", "plain"]


def test_a_signal_is_a_negative_exit_code(tmp_path: Path) -> None:
    assert play("import os; os.kill(os.getpid(), 9)", tmp_path)[0] == -9


def test_what_it_leaves_running_does_not_hold_it_open(tmp_path: Path) -> None:
    code = "import subprocess; print(subprocess.Popen(['sleep', '300']).pid)"
    returned, (pid,), _ = play(code, tmp_path)
    assert returned == 0
    stat = Path(f"/proc/{pid}/stat")
    # Where nobody waits for it, a dead process stays in the table.
    assert not stat.exists() or stat.read_text().split()[2] == "Z"


def test_the_end_of_a_watched_process_ends_it(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "300"]) as watched:
        code = f"import os, time; print('up'); os.kill({watched.pid}, 9); time.sleep(300)"
        with pytest.raises(ProcessError, match="was ended: "):
            play(code, tmp_path, watched=[watched.pid])


@pytest.mark.parametrize(
    ("argv", "folder", "said"),
    [
        ([], ".", "the argument list is empty"),
        (["true"], "none", "none does not exist"),
        (["./no-such-program"], ".", "cannot start './no-such-program'"),
    ],
)
def test_what_cannot_be_started(tmp_path: Path, argv: list[str], folder: str, said: str) -> None:
    with pytest.raises(ProcessError, match=said):
        live.run(argv, cwd=tmp_path / folder, env=dict(os.environ), line=print)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo 'sudo: a password is required' >&2; exit 1", "does not work: sudo: a password is required"),
        ("exit 3", "does not work: exit code 3"),
        (None, "cannot become root: the program"),
    ],
)
def test_sudo_that_refuses_is_told_in_its_words(tmp_path: Path, script: str | None, said: str) -> None:
    sudo = tmp_path / "sudo"
    if script is not None:
        sudo.write_text(f"#!/bin/sh\n{script}\n")
        sudo.chmod(0o755)
    with pytest.raises(ProcessError, match=said):
        play("", tmp_path, sudo=[str(sudo)])


def test_a_word_that_the_program_still_runs_comes_where_it_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[str] = []
    lines = live._Lines("prog", {}, shown.append)
    monkeypatch.setattr(lines._silence, "told", lambda running: f"{list(running)} still runs")
    lines.tick()
    monkeypatch.setattr(lines._silence, "told", lambda _: "")
    lines.tick()
    assert shown == ["['prog'] still runs"]
    assert list(lines.last) == []
