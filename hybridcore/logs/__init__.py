"""The shared log, ``logs/packer-hybrid.log``, and the logs of the builds. See docs/logs.md."""

from __future__ import annotations

import logging

from ..workspace import resolve
from .build_log import BuildLog
from .builds import build_log_path, build_logs, follow, last_build_log, prune_builds
from .format import ROOT, Formatter, JsonFormatter, escape
from .rolling import RollingHandler

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ..workspace import Workspace

__all__ = [
    "LOG_NAME",
    "BuildLog",
    "Formatter",
    "JsonFormatter",
    "RollingHandler",
    "build_log_path",
    "build_logs",
    "escape",
    "follow",
    "get_logger",
    "last_build_log",
    "prune_builds",
]

LOG_NAME = "packer-hybrid.log"

# One handler for a log, so that a process holds it open once; by its path and its settings.
_handlers: dict[tuple[Path, int, int, str], RollingHandler] = {}
_loggers: dict[tuple[RollingHandler, str], logging.Logger] = {}


def get_logger(
    name: str,
    *,
    workspace: Workspace | None = None,
    mask: Callable[[str], str] | None = None,
) -> logging.Logger:
    """A logger that writes to the shared log, in the shared format.

    A record goes to ``logs/packer-hybrid.log`` of the workspace, and to the handlers of the logger
    ``hybridcore`` and of those above it, where a program that embeds the core listens.

    Args:
        name: component, for example ``packer``; it stands before each message.
        workspace: whose log; of the one that is found when not given.
        mask: hides secrets in a text; applied to every message, command and exception before it
            goes anywhere.

    Returns:
        The logger; the same one for the same name and workspace, unless there is a mask.

    Raises:
        WorkspaceError: no workspace was given, and none is found.
    """
    handler = _handler(resolve(workspace))
    if mask is None and (handler, name) in _loggers:
        return _loggers[handler, name]
    # Not from logging.getLogger: there a name has one logger, and here one for each workspace.
    logger = logging.Logger(f"{ROOT}.{name}", logging.INFO)
    logger.parent = logging.getLogger(ROOT)
    logger.addHandler(handler)
    if mask is None:
        _loggers[handler, name] = logger
    else:
        logger.addFilter(_masking(mask))
    return logger


def _handler(workspace: Workspace) -> RollingHandler:
    settings = workspace.settings
    size, count, form = settings.logs_max_bytes, settings.logs_backup_count, settings.logs_format
    key = (workspace.root, size, count, form)
    if key not in _handlers:
        handler = RollingHandler(workspace.logs / LOG_NAME, max_bytes=size, backup_count=count)
        handler.setFormatter(JsonFormatter() if form == "json" else Formatter())
        _handlers[key] = handler
    return _handlers[key]


def _masking(mask: Callable[[str], str]) -> Callable[[logging.LogRecord], bool]:
    formatter = Formatter()

    def hide(record: logging.LogRecord) -> bool:
        record.msg = mask(record.getMessage())
        record.args = None
        record.exc_text = mask(formatter.trace(record)) or None
        record.exc_info = record.stack_info = None
        if getattr(record, "command", None):
            record.__dict__["command"] = mask(str(record.__dict__["command"]))
        return True

    return hide
