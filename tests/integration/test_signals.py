"""The tests started as `nohup` and `&` in a script do it: what they start hears signals all the same."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.signals import NEEDED, ignored_of

pytestmark = pytest.mark.integration

REPOSITORY = Path(__file__).resolve().parents[2]
AS_IN_A_SCRIPT = ("env", "--ignore-signal=INT,HUP,TERM")


def test_what_a_test_starts_hears_every_signal() -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as child:
        assert ignored_of(child.pid) == set()
        child.send_signal(signal.SIGHUP)
        assert child.wait() == -signal.SIGHUP


def test_the_tests_themselves_go_on() -> None:
    """The signals that are sent here end this process, were they not ignored when it was started."""
    if os.environ.get("IGNORED_FROM_THE_START"):
        for number in NEEDED:
            os.kill(os.getpid(), number)
    assert ignored_of(os.getpid()) == set()


@pytest.mark.parametrize("workers", ["0", "1"])
def test_tests_that_are_started_with_signals_ignored(workers: str) -> None:
    this = f"{__file__}::test_what_a_test_starts_hears_every_signal"
    other = f"{__file__}::test_the_tests_themselves_go_on"
    done = subprocess.run(
        [
            *AS_IN_A_SCRIPT,
            sys.executable,
            "-m",
            "pytest",
            "-n",
            workers,
            "-p",
            "no:cacheprovider",
            this,
            other,
        ],
        cwd=REPOSITORY,
        env={**os.environ, "IGNORED_FROM_THE_START": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout
