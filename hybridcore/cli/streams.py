"""The standard streams of the command line: whatever they are, they stand in nobody's way."""

from __future__ import annotations

import io
import json
import os
import sys
from typing import TYPE_CHECKING

from ..errors import EXIT_DONE, EXIT_WOULD_CHANGE

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence
    from typing import Any, Protocol, TypeVar

    class _Result(Protocol):
        def to_dict(self) -> dict[str, Any]: ...

    class _Changing(Protocol):
        @property
        def changed(self) -> bool: ...

    T = TypeVar("T", bound=_Result)


class OutputError(Exception):
    """Standard output does not take what is printed.

    Args:
        error: what the system said.
    """

    def __init__(self, error: OSError) -> None:
        super().__init__(error.strerror)
        self.reader_has_gone = isinstance(error, BrokenPipeError)


class _Output(io.TextIOWrapper):
    """Standard output, whose errors are told from those of any other file."""

    def write(self, text: str) -> int:
        try:
            return super().write(text)
        except OSError as error:
            raise OutputError(error) from error

    def flush(self) -> None:
        try:
            super().flush()
        except OSError as error:
            raise OutputError(error) from error


def use_utf8() -> None:
    """Start this process again in Python's UTF-8 mode where its locale has another encoding.

    Templates, and the names of files that Packer prints, are UTF-8 whatever the locale is. What we print
    stays in the encoding of the terminal.
    """
    if sys.getfilesystemencoding() == "utf-8":
        return
    if sys.stdout is not None:
        os.environ.setdefault("PYTHONIOENCODING", sys.stdout.encoding)
    os.execv(sys.executable, [sys.executable, "-X", "utf8", *sys.orig_argv[1:]])


def prepare() -> None:
    """Make the streams fit for use.

    One that is closed leads nowhere from now on: the next file that is opened would take its number, and
    with it what is printed. A character that the terminal's encoding lacks, or a name that is no text, is
    shown escaped.
    """
    for fd in range(3):
        try:
            os.fstat(fd)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number, which is this one
    if sys.stderr is None:
        sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 -- for the whole process
    if isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr.reconfigure(errors="backslashreplace")
    if sys.stdout is None:
        sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 -- for the whole process
    elif sys.stdout is sys.__stdout__ and isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout = _Output(
            sys.stdout.buffer,
            encoding=sys.stdout.encoding,
            errors="backslashreplace",
            line_buffering=sys.stdout.line_buffering,
            write_through=sys.stdout.write_through,
        )


def print_json(data: object) -> None:
    """Print data as one JSON object; in ASCII, which is the same in every encoding."""
    print(json.dumps(data))


def print_results(
    results: Sequence[T], say: Callable[[T], None], args: argparse.Namespace, *, nothing: str
) -> None:
    """Print what came of each thing, as data where that is asked for.

    Args:
        results: what there is to tell; each has ``to_dict``.
        say: prints one of them for people.
        args: ``json``.
        nothing: what people read where there are none; empty where that was said already.
    """
    if args.json:
        print_json({"results": [result.to_dict() for result in results]})
        return
    for result in results:
        say(result)
    if not results and nothing:
        print(nothing)


def exit_code(results: Sequence[_Changing], args: argparse.Namespace) -> int:
    """The exit code of a command that changes things, or with ``--check`` says what it would change."""
    return EXIT_WOULD_CHANGE if args.check and any(result.changed for result in results) else EXIT_DONE


def complain(text: str) -> None:
    """Say something on standard error; where that cannot be written, nobody hears it."""
    try:
        print(text, file=sys.stderr, flush=True)
    except OSError:
        pass


def finish() -> None:
    """Flush the standard streams, and drop what cannot be written: the interpreter would try it again.

    Raises:
        OutputError: standard output does not take what is left.
    """
    try:
        sys.stderr.flush()
    except OSError:
        _lead_nowhere(2)
    try:
        sys.stdout.flush()
    except OutputError:
        _lead_nowhere(1)
        raise


def _lead_nowhere(fd: int) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
    os.dup2(nowhere, fd)
    os.close(nowhere)
