"""What a person sees of a build on a console."""

from __future__ import annotations

import io
import time

import pytest

from hybridcore.monitor import ConsoleMonitor, NullMonitor


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


LINES = [("say", "==> starting"), ("message", "details"), ("error", "it broke"), ("other", "noise")]


@pytest.mark.parametrize(
    ("options", "shown"),
    [
        ({}, ["say", "message", "error"]),
        ({"verbose": True}, ["say", "message", "error", "other"]),
    ],
)
def test_which_lines_are_shown(options: dict[str, bool], shown: list[str]) -> None:
    stream = io.StringIO()
    monitor = ConsoleMonitor(stream, **options)
    for kind, text in LINES:
        monitor.line("linux/null/a", text, kind)
    monitor.note("a note")
    expected = [f"linux/null/a: {text}" for kind, text in LINES if kind in shown]
    assert stream.getvalue().splitlines() == [*expected, "a note"]


def test_a_quiet_console_wants_notes_alone() -> None:
    stream = io.StringIO()
    monitor = ConsoleMonitor(stream, quiet=True)
    assert monitor.wants_lines is False
    monitor.note("a note")
    assert stream.getvalue() == "a note\n"
    assert ConsoleMonitor(stream).wants_lines is True


def test_no_progress_line_where_nobody_looks() -> None:
    stream = io.StringIO()
    monitor = ConsoleMonitor(stream)
    monitor.tick({"linux/null/a": 61.0})
    assert stream.getvalue() == ""


def test_the_progress_line_goes_before_the_next_line(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    stream = Terminal()
    monitor = ConsoleMonitor(stream)
    monitor.tick({"linux/null/a": 61.4, "linux/null/b": 5.0})
    monitor.tick({"linux/null/a": 61.6, "linux/null/b": 5.2})  # too soon
    monitor.line("linux/null/a", "text", "say")
    now[0] += 1
    monitor.tick({})
    assert stream.getvalue() == (
        "[2 running] linux/null/a 1:01, linux/null/b 0:05\r\033[Klinux/null/a: text\n"
    )


@pytest.mark.parametrize("columns", [20, 200])
def test_the_progress_line_fits_the_terminal(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    stream = Terminal()
    ConsoleMonitor(stream).tick({f"linux/null/{number:030}": 1.0 for number in range(9)})
    assert stream.getvalue().startswith("[9 running] linux/")
    assert len(stream.getvalue()) == columns - 1


def test_a_quiet_terminal_has_no_progress_line() -> None:
    stream = Terminal()
    ConsoleMonitor(stream, quiet=True).tick({"linux/null/a": 61.0})
    assert stream.getvalue() == ""


def test_nobody_sees_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    monitor = NullMonitor()
    monitor.line("a", "b", "error")
    monitor.note("c")
    monitor.tick({"a": 1.0})
    assert capsys.readouterr() == ("", "")
