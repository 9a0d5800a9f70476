"""The shared format of a log record: one line, which nothing in a message can end or forge."""

from __future__ import annotations

import json
import logging
import time

ROOT = "hybridcore"
"""The logger above all of ours; a program that embeds the core puts its handlers there."""


def escape(text: str) -> str:
    """Make every character visible that could end a line, move the cursor or reorder text.

    Args:
        text: any text.

    Returns:
        The text with control, separator and direction characters, and what is not Unicode text, as
        ``\\n``, ``\\x1b``, ``\\u202e``; printable characters of any language stay.
    """
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text
    )


class Formatter(logging.Formatter):
    """``[2026-11-22T05:25:08.123Z] INFO packer: [build linux/qemu/debian-12] message``.

    Time (UTC), level, component, then, when the record carries one (``extra={"command": ...}``), the
    command that it belongs to, then the message. An exception follows in the same line, escaped.
    """

    def __init__(self) -> None:
        super().__init__()
        self._second = -1
        self._second_text = ""

    def time(self, record: logging.LogRecord) -> str:
        """The time of a record: RFC 3339, UTC, milliseconds."""
        second = int(record.created)
        if second != self._second:  # writing it out costs as much as the rest of the line
            self._second_text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
            self._second = second
        return f"{self._second_text}.{int((record.created - second) * 1000):03}Z"

    def format(self, record: logging.LogRecord) -> str:
        """A record as a line, without its end."""
        message = record.getMessage()
        if record.exc_info or record.exc_text or record.stack_info:
            message = f"{message}\n{self.trace(record)}"
        command = getattr(record, "command", None)
        if command:
            message = f"[{command}] {message}"
        return f"[{self.time(record)}] {record.levelname} {escape(component(record))}: {escape(message)}"

    def trace(self, record: logging.LogRecord) -> str:
        """The exception and the stack that a record carries, as text of several lines; may be empty."""
        if record.exc_info and not record.exc_text:
            record.exc_text = self.formatException(record.exc_info)
        return "\n".join(part for part in (record.exc_text, record.stack_info) if part)


class JsonFormatter(Formatter):
    """One JSON object a line: ``time``, ``level``, ``component``, ``command``, ``message``, ``exception``.

    ``command`` and ``exception`` are there when the record has them.
    """

    def format(self, record: logging.LogRecord) -> str:
        """A record as a line, without its end."""
        entry = {"time": self.time(record), "level": record.levelname, "component": component(record)}
        command = getattr(record, "command", None)
        if command:
            entry["command"] = str(command)
        entry["message"] = record.getMessage()
        trace = self.trace(record)
        if trace:
            entry["exception"] = trace
        return json.dumps(entry)  # ASCII: control and separator characters come out escaped


def component(record: logging.LogRecord) -> str:
    """The part of the system that a record comes from."""
    return record.name.removeprefix(ROOT + ".")
