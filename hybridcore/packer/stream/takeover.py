"""The log of a build whose caller has died: the supervisor goes on with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ...logs import BuildLog
from ...process.mask import Masker
from ...process.wrapped import goes_on
from .outcome import Outcome
from .pump import Pump

if TYPE_CHECKING:
    from collections.abc import Iterable

_KEPT = 64  # bytes of the end of a line


class Takeover:
    """Writes what Packer still prints into the build's log, as the caller would have.

    The caller took the start of a line with it. If that was half of a secret, the other half would not be
    found, so what comes before the first end of a line is left out, and the log says so. So are the lines
    after it for as long as base64 goes on in them: a secret may have begun in what the caller took.

    Args:
        log: the build's log.
        secrets: values to mask.
    """

    def __init__(self, log: str, secrets: Iterable[str]) -> None:
        self._log = BuildLog(Path(log))
        self._pump = Pump(Masker(secrets), log=self._log.output, outcome=Outcome())
        self._is_cut = True
        self._end_of_line = b""
        self._log.taken_over()

    def feed(self, data: bytes) -> None:
        """Take the next bytes from the pipe, cut anywhere."""
        while self._is_cut and data:
            line, end, data = data.partition(b"\n")
            self._end_of_line = (self._end_of_line + line)[-_KEPT:]
            if end:
                self._is_cut = goes_on(self._end_of_line)
                self._end_of_line = b""
        if data:
            self._pump.feed(data)

    def close(self, why: str) -> None:
        """Take the end of the stream, and say why the build was cancelled."""
        self._pump.close()
        self._log.cancelled(why)
        self._log.close()
