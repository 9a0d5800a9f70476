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


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The moment that the clock shows."""
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_no_progress_line_where_nobody_looks(now: list[float]) -> None:
    stream = io.StringIO()
    monitor = ConsoleMonitor(stream)
    monitor.tick({"linux/null/a": 61.0})
    now[0] += 9.9
    monitor.tick({"linux/null/a": 70.9})
    assert stream.getvalue() == ""


def test_what_is_silent_for_long_is_named_ever_less_often(now: list[float]) -> None:
    stream = io.StringIO()
    monitor = ConsoleMonitor(stream)
    monitor.line("linux/null/a", "begun", "say")
    began, told = now[0], []
    while now[0] - began < 3600:
        now[0] += 1
        monitor.tick({"linux/null/a": now[0] - began, "linux/null/b": 5.0})
        minutes, seconds = divmod(int(now[0] - began), 60)
        if stream.getvalue().endswith(
            f"still running: linux/null/a {minutes}:{seconds:02d}, linux/null/b 0:05\n"
        ):
            told.append(now[0] - began)
    assert told == [10, 30, 70, 150, 310, *range(610, 3600, 300)]
    assert len(stream.getvalue().splitlines()) == 1 + len(told)


def test_a_line_breaks_the_silence_and_nothing_that_runs_is_none(now: list[float]) -> None:
    stream = io.StringIO()
    monitor = ConsoleMonitor(stream)
    for _ in range(2):
        now[0] += 10
        monitor.tick({"linux/null/a": 1.0})
    monitor.note("a note")
    now[0] += 9
    monitor.tick({"linux/null/a": 2.0})
    now[0] += 1
    monitor.tick({})
    monitor.tick({"linux/null/a": 3.0})
    running = "still running: linux/null/a 0:0"
    assert stream.getvalue().splitlines() == [f"{running}1", "a note", f"{running}3"]


def test_a_line_that_is_not_shown_does_not_break_the_silence(now: list[float]) -> None:
    stream = io.StringIO()
    monitor = ConsoleMonitor(stream)
    now[0] += 10
    monitor.line("linux/null/a", "noise", "other")
    monitor.tick({"linux/null/a": 10.0})
    assert stream.getvalue() == "still running: linux/null/a 0:10\n"


def test_the_progress_line_goes_before_the_next_line(now: list[float]) -> None:
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


def test_the_progress_line_goes_when_nothing_runs_any_more(now: list[float]) -> None:
    stream = Terminal()
    monitor = ConsoleMonitor(stream)
    monitor.tick({"linux/null/a": 0.0})
    now[0] += 0.1
    monitor.tick({})
    assert stream.getvalue() == "[1 running] linux/null/a 0:00\r\033[K"
    monitor.tick({})
    monitor.tick({"linux/null/b": 0.0})
    assert stream.getvalue().endswith("\033[K")  # a second is not over: too soon for the next
    now[0] += 0.9
    monitor.tick({"linux/null/b": 1.0})
    assert stream.getvalue().endswith("\r\033[K[1 running] linux/null/b 0:01")


@pytest.mark.parametrize(
    ("kind", "shown"),
    [(Terminal, "a: \033[1;31mred\033[0m\n\033[1mnote\033[m\n"), (io.StringIO, "a: red\nnote\n")],
)
def test_colours_are_for_terminals(kind: type[io.StringIO], shown: str) -> None:
    stream = kind()
    monitor = ConsoleMonitor(stream)
    monitor.line("a", "\033[1;31mred\033[0m", "message")
    monitor.note("\033[1mnote\033[m")
    assert stream.getvalue() == shown


@pytest.mark.parametrize("columns", [20, 200])
def test_the_progress_line_fits_the_terminal(monkeypatch: pytest.MonkeyPatch, columns: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    stream = Terminal()
    ConsoleMonitor(stream).tick({f"linux/null/{number:030}": 1.0 for number in range(9)})
    assert stream.getvalue().startswith("[9 running] linux/")
    assert len(stream.getvalue()) == columns - 1


@pytest.mark.parametrize("kind", [Terminal, io.StringIO])
def test_a_quiet_console_does_not_tell_what_runs(now: list[float], kind: type[io.StringIO]) -> None:
    stream = kind()
    monitor = ConsoleMonitor(stream, quiet=True)
    now[0] += 1000
    monitor.tick({"linux/null/a": 61.0})
    assert stream.getvalue() == ""


def test_nobody_sees_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    monitor = NullMonitor()
    monitor.line("a", "b", "error")
    monitor.note("c")
    monitor.tick({"a": 1.0})
    assert capsys.readouterr() == ("", "")
