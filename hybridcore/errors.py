"""The errors that reach a user: what happened, where, and what to do about it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path
    from typing import Any

EXIT_DONE = 0
EXIT_USER = 1
EXIT_USAGE = 2
EXIT_PACKER = 3
EXIT_LOCKED = 4
EXIT_WOULD_CHANGE = 5
EXIT_INTERNAL = 70
EXIT_CANCELLED = 130


class Fault:
    """One thing that is wrong, addressed by file and line.

    Args:
        message: what is wrong, one sentence, no secrets in it.
        file: the file it is wrong in, where there is one.
        line: line number in that file, from 1.
        hint: what to do about it.
    """

    __slots__ = ("file", "hint", "line", "message")

    def __init__(
        self,
        message: str,
        *,
        file: str | Path | None = None,
        line: int | None = None,
        hint: str = "",
    ) -> None:
        self.message = message
        self.file = None if file is None else str(file)
        self.line = line
        self.hint = hint

    def __str__(self) -> str:
        where = ""
        if self.file is not None:
            where = f"{self.file}:{self.line}: " if self.line is not None else f"{self.file}: "
        return f"{where}{self.message}" + (f" ({self.hint})" if self.hint else "")

    def __repr__(self) -> str:
        return f"Fault({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Fault) and self.to_dict() == other.to_dict()

    def __hash__(self) -> int:
        return hash((self.file, self.line, self.message, self.hint))

    def sort_key(self) -> tuple[str, int, str]:
        """The order in which faults are reported: by file, line, then message."""
        return (self.file or "", self.line or 0, self.message)

    def to_dict(self) -> Mapping[str, str | int | None]:
        """The fault as data, for ``--json`` and for Ansible."""
        return {"message": self.message, "file": self.file, "line": self.line, "hint": self.hint}


class HybridError(Exception):
    """Something that a user can understand and mend.

    Args:
        message: what happened, one sentence.
        hint: what to do about it.
        file: where it happened.
        line: line number in that file, from 1.
        faults: everything that is wrong, where several things were checked at once; kept sorted.
    """

    exit_code = EXIT_USER

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        file: str | Path | None = None,
        line: int | None = None,
        faults: Iterable[Fault] = (),
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.file = None if file is None else str(file)
        self.line = line
        self.faults = sorted(faults, key=Fault.sort_key)

    def __str__(self) -> str:
        return "\n".join([str(self._own()), *(f"  {fault}" for fault in self.faults)])

    def _own(self) -> Fault:
        return Fault(self.message, file=self.file, line=self.line, hint=self.hint)

    def as_faults(self) -> list[Fault]:
        """What is wrong, to report with what else is: its faults, or itself where it has none."""
        return self.faults or [self._own()]


class WorkspaceError(HybridError):
    """The workspace or its settings file is not usable."""


class ProcessError(HybridError):
    """Another program could not be started, or ran out of time."""


class HclError(HybridError):
    """A text is not HCL2 as Packer uses it.

    Args:
        message: what was expected and what was found.
        filename: the name of the text.
        line: line number, from 1.
        column: column number in characters, from 1.
        source_line: the line itself, shortened, or empty.
    """

    def __init__(self, message: str, *, filename: str, line: int, column: int, source_line: str = "") -> None:
        super().__init__(message, file=filename, line=line)
        self.filename = filename
        self.column = column
        self.source_line = source_line

    def __str__(self) -> str:
        text = f"{self.filename}:{self.line}:{self.column}: {self.message}"
        if self.source_line:
            text += f"\n  {self.source_line}"
        return text


class ConfigError(HybridError):
    """The configuration of a target is not right."""


class SourcesError(HybridError):
    """A source repository is not as it was pinned."""


class TemplatesError(HybridError):
    """A build template is missing or breaks the conventions."""


class ProvisionersError(HybridError):
    """An asset of an enabled provisioner is missing."""


class PackerError(HybridError):
    """Packer is missing, refused its input, or failed."""

    exit_code = EXIT_PACKER


class StateError(HybridError):
    """The state cannot be read or written."""


class LockError(StateError):
    """Somebody else holds the lock, and the time to wait for it is over."""

    exit_code = EXIT_LOCKED


class ImagesError(HybridError):
    """A version of an image is not there, may not be used, or may not go where it was to go."""


class NotSignedError(ImagesError):
    """A version cannot be signed now; nothing else is wrong with it."""


class LogsError(HybridError):
    """The log cannot be written or read."""


class FileError(HybridError):
    """The operating system refused to work with a file or folder."""


class UsageError(HybridError):
    """The arguments of a command are not right."""

    exit_code = EXIT_USAGE


class Cancelled(HybridError):
    """The user ended the command."""

    exit_code = EXIT_CANCELLED


def from_os_error(error: OSError) -> FileError:
    """An error of the operating system that no module expected, in the form that users get.

    Args:
        error: for example that of a file where a folder belongs.
    """
    if error.filename is None or isinstance(error.filename, int):
        return FileError(error.strerror or str(error))
    return FileError(
        error.strerror or str(error),
        file=os.fsdecode(error.filename),
        hint="look at what is there: its kind, its owner, its permissions, the free space",
    )


def error_to_dict(error: HybridError) -> dict[str, Any]:
    """An error as data, for ``--json`` and for Ansible."""
    return {
        "error": type(error).__name__,
        "msg": str(error),
        "message": error.message,
        "hint": error.hint,
        "file": error.file,
        "line": error.line,
        "faults": [fault.to_dict() for fault in error.faults],
    }
