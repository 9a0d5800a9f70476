"""The one door to other programs: how they end, and what is said when they do not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hybridcore import process
from hybridcore.errors import ProcessError

PYTHON = sys.executable


def test_a_program_gets_its_arguments_as_they_are_and_no_input() -> None:
    code = (
        "import sys; print(sys.argv[1:], repr(sys.stdin.read())); print('no', file=sys.stderr); sys.exit(7)"
    )
    done = process.run([PYTHON, "-c", code, "a b", "$HOME;", "*"])
    assert (done.stdout, done.stderr, done.returncode) == ("['a b', '$HOME;', '*'] ''\n", "no\n", 7)
    assert done.argv == (PYTHON, "-c", code, "a b", "$HOME;", "*")


def test_output_that_is_not_utf8() -> None:
    done = process.run([PYTHON, "-c", r"import sys; sys.stdout.buffer.write(b'\xff ok')"])
    assert done.stdout == "\ufffd ok"


def test_a_signal_is_a_negative_exit_code() -> None:
    done = process.run([PYTHON, "-c", "import os; os.kill(os.getpid(), 9)"])
    assert done.returncode == -signal.SIGKILL


def test_what_takes_too_long_is_killed_with_all_that_it_started(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    code = (
        "import subprocess, sys, time\n"
        f"child = subprocess.Popen(['sleep', '300'])\nopen({str(file)!r}, 'w').write(str(child.pid))\n"
        "time.sleep(300)"
    )
    # Long enough for it to start its child on a busy machine; the wait is over as soon as that is done.
    with pytest.raises(ProcessError, match="did not end within 3 s"):
        process.run([PYTHON, "-c", code], timeout=3)
    pid = int(file.read_text())
    end = time.monotonic() + 30
    while Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text().split()[2]:
        assert time.monotonic() < end, "the grandchild lives on"
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("no-such-program", "not found"), ("folder", "cannot"), ("text", "cannot")],
)
def test_what_cannot_be_started(tmp_path: Path, name: str, expected: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "text").write_text("no program")
    program = name if name == "no-such-program" else str(tmp_path / name)
    with pytest.raises(ProcessError) as caught:
        process.run([program])
    assert expected in str(caught.value)
    assert name in str(caught.value)


def test_a_folder_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ProcessError) as caught:
        process.run([PYTHON, "-c", ""], cwd=tmp_path / "none")
    assert str(tmp_path / "none") in str(caught.value)


def test_the_environment_of_a_run_is_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOT_IN_THE_TABLE", "1")
    done = process.run([PYTHON, "-c", "import os; print('NOT_IN_THE_TABLE' in os.environ)"])
    assert done.stdout == "False\n"
    assert "NOT_IN_THE_TABLE" in os.environ


def test_an_interrupt_when_the_program_has_just_ended_is_still_an_interrupt(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def ended_and_interrupted(child: subprocess.Popen[bytes], **_: object) -> None:
        child.wait()
        raise KeyboardInterrupt

    monkeypatch.setattr(subprocess.Popen, "communicate", ended_and_interrupted)
    with pytest.raises(KeyboardInterrupt):
        process.run(["true"])
