import json
import logging
import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridcore import logs


def test_the_shared_format(record):
    assert logs.Formatter().format(record("hello %s", "world")) == (
        "[2026-11-22T05:25:08.123Z] INFO packer: hello world"
    )


def test_a_record_of_a_command_carries_it(record):
    made = record("done", command="build linux/qemu/debian-12", level=logging.WARNING)
    assert logs.Formatter().format(made) == (
        "[2026-11-22T05:25:08.123Z] WARNING packer: [build linux/qemu/debian-12] done"
    )


@pytest.mark.parametrize(
    ("created", "text"),
    [
        (0.0, "1970-01-01T00:00:00.000Z"),
        (1795325108.9999, "2026-11-22T05:25:08.999Z"),
        (1795325109.0, "2026-11-22T05:25:09.000Z"),
    ],
)
def test_times_are_utc_with_milliseconds(record, created, text):
    formatter = logs.Formatter()
    formatter.format(record("before", created=1795325107.5))
    assert formatter.format(record("x", created=created)).startswith(f"[{text}] ")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("Größe 5 µm, 你好", "Größe 5 µm, 你好"),
        ("a\nb\r\nc", "a\\nb\\r\\nc"),
        ("\x1b[2Jgone", "\\x1b[2Jgone"),
        ("\0\t\x7f\x85", "\\x00\\t\\x7f\\x85"),
        ("a\u2028b\u2029c", "a\\u2028b\\u2029c"),
        ("right\u202eleft", "right\\u202eleft"),
        ("half \ud800 pair", "half \\ud800 pair"),
    ],
)
def test_what_could_end_a_line_or_move_the_cursor_is_shown(text, shown):
    assert logs.escape(text) == shown


anything = st.text(st.characters(), max_size=30)


@given(message=anything, command=anything, name=anything)
def test_no_record_can_forge_another(message, command, name):
    made = logging.LogRecord(f"hybridcore.{name}", logging.INFO, __file__, 1, message, (), None)
    made.command = command
    line = logs.Formatter().format(made)
    assert line.isprintable()
    assert len(line.splitlines()) == 1
    line.encode("utf-8")
    entry = logs.JsonFormatter().format(made)
    assert entry.isascii()
    assert entry.isprintable()
    assert json.loads(entry)["message"] == message


def test_an_exception_stays_in_its_line(record):
    try:
        raise ValueError("first\nsecond")
    except ValueError:
        made = record("failed", exc_info=sys.exc_info())
    line = logs.Formatter().format(made)
    assert line.isprintable()
    assert "failed\\nTraceback (most recent call last):\\n" in line
    assert line.endswith("ValueError: first\\nsecond")
    entry = json.loads(logs.JsonFormatter().format(made))
    assert entry["message"] == "failed"
    assert entry["exception"].endswith("ValueError: first\nsecond")


def test_json_lines(record):
    made = record("hello %s", "world", command="build x", level=logging.ERROR)
    assert json.loads(logs.JsonFormatter().format(made)) == {
        "time": "2026-11-22T05:25:08.123Z",
        "level": "ERROR",
        "component": "packer",
        "command": "build x",
        "message": "hello world",
    }
    assert "command" not in json.loads(logs.JsonFormatter().format(record("x")))


def test_the_prefix_is_the_one_that_every_user_of_the_logger_gets(record):
    prefix = re.compile(r"\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\] [A-Z]+ [\w.]+: ")
    for level in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL):
        assert prefix.match(logs.Formatter().format(record("x", level=level)))
