"""The shared log, ``logs/packer-hybrid.log``, and the logs of the builds. See docs/logs.md."""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ..errors import Cancelled
from ..workspace import resolve
from .build_log import BuildLog
from .builds import build_log_path, build_logs, follow, last_build_log, prune_builds
from .format import ROOT, Formatter, JsonFormatter, escape
from .rolling import RollingHandler

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
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
    "recorded",
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


@contextmanager
def recorded(
    component: str, command: str, *, workspace: Workspace, secrets: Iterable[str] = ()
) -> Iterator[Callable[[str], None]]:
    """Write that something begins, what came of it, and how it ended: done, cancelled, or failed and why.

    Args:
        component: whose records they are, as in ``get_logger``.
        command: what is done, without secrets.
        workspace: whose log.
        secrets: what must not show in the text of an error, besides the secrets of our environment.

    Yields:
        A function that writes a result, one sentence without secrets.
    """
    log = get_logger(component, workspace=workspace)
    extra = {"command": command}
    began = time.monotonic()
    log.info("begun", extra=extra)
    try:
        yield lambda result: log.info("%s", result, extra=extra)
    except BaseException as error:
        age = time.monotonic() - began
        if isinstance(error, KeyboardInterrupt | Cancelled):
            log.warning("cancelled after %.1f s", age, extra=extra)
        else:
            from ..process.mask import masked

            why = masked(str(error) or type(error).__name__, secrets)
            log.error("failed after %.1f s: %s", age, why, extra=extra)
        raise
    log.info("done after %.1f s", time.monotonic() - began, extra=extra)


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
