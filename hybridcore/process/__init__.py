"""The one door to other programs: an argument list, no shell, no standard input, a built environment."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from ..errors import ProcessError
from .environment import child_environment

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping, Sequence
    from pathlib import Path


class Completed:
    """A program that has ended.

    Attributes:
        argv: what was run.
        returncode: its exit code; negative for the signal that ended it.
        stdout: what it printed, bytes that are not UTF-8 replaced.
        stderr: the same for standard error.
    """

    __slots__ = ("argv", "returncode", "stderr", "stdout")

    def __init__(self, argv: Sequence[str], returncode: int, stdout: str, stderr: str) -> None:
        self.argv = tuple(argv)
        self.returncode = returncode
        self.stdout = stdout
        self.stderr = stderr


def start(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: str | Path | None = None,
    stdout: int,
    stderr: int,
    stdin: int | None = None,
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own, and do not wait for it.

    Args:
        argv: program and arguments.
        env: its whole environment.
        cwd: the folder it runs in.
        stdout: file descriptor, or a constant of ``subprocess``.
        stderr: the same for standard error.
        stdin: file descriptor, or a constant of ``subprocess``; nothing to read when not given.

    Returns:
        The running process; its process group has the same id.

    Raises:
        ProcessError: it cannot be started.
    """
    import subprocess

    try:
        return subprocess.Popen(  # pylint: disable=ansible-bad-function
            list(argv),
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL if stdin is None else stdin,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )
    except FileNotFoundError as error:
        if cwd is not None and not os.path.isdir(cwd):
            raise ProcessError(f"the folder {cwd} does not exist") from error
        raise ProcessError(
            f"the program {argv[0]!r} was not found", hint="install it, or correct PATH"
        ) from error
    except OSError as error:
        raise ProcessError(f"cannot start {argv[0]!r}: {error.strerror}") from error


def run(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: str | Path | None = None,
    timeout: float | None = None,
    stdin: str = "",
) -> Completed:
    """Run a program to its end and keep what it printed.

    Args:
        argv: program and arguments.
        env: its whole environment; ``child_environment()`` when not given.
        cwd: the folder it runs in.
        timeout: seconds after which it and its process group are killed.
        stdin: what it reads from its standard input.

    Returns:
        How it ended; an exit code other than 0 is not an error here.

    Raises:
        ProcessError: it cannot be started, or ran out of time.
    """
    import signal
    import subprocess

    child = start(
        argv,
        env=child_environment() if env is None else env,
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.PIPE if stdin else None,
    )
    with child:
        try:
            out, err = child.communicate(input=stdin.encode() or None, timeout=timeout)
        except BaseException as error:
            try:
                os.killpg(child.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass  # it ended just now
            child.wait()
            if isinstance(error, subprocess.TimeoutExpired):
                raise ProcessError(f"{argv[0]!r} did not end within {timeout:g} s") from None
            raise
    return Completed(argv, child.returncode, out.decode("utf-8", "replace"), err.decode("utf-8", "replace"))
