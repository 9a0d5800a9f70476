"""Run one program and show its lines while they come; whatever ends the caller ends the program too."""

from __future__ import annotations

import os
import selectors
import time
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import ProcessError
from .monitor import Silence
from .process import run as run_quietly
from .process.children import Child, Children
from .process.environment import environment_secrets
from .process.lines import LineSplitter, strip_ansi
from .process.mask import Masker, Stream

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from .process.wire import Exit

KEPT_LINES = 50
_TICK_S = 1.0
_READ = 1 << 16


def run(
    argv: Sequence[str],
    *,
    cwd: str | Path,
    env: Mapping[str, str],
    line: Callable[[str], object],
    watched: Sequence[int] = (),
    sudo: Sequence[str] = (),
) -> tuple[int, list[str]]:
    """Run a program to its end, owned by a supervisor of its own.

    Args:
        argv: program and arguments.
        cwd: the folder it runs in.
        env: its whole environment; secrets in it are masked in the lines.
        line: takes each line when it is complete, standard error among them, without colours and blank lines;
            and where there is none for a while, that the program still runs, as ``Silence`` has it.
        watched: processes, besides this one, whose end ends the program: SIGTERM, then SIGKILL after 10 s.
        sudo: what runs a command as another user, such as ``sudo -n``; it must ask nothing. The supervisor
            runs as that user too, because we may not signal what belongs to another user.

    Returns:
        The exit code, negative for the signal that ended it, and the last lines.

    Raises:
        ProcessError: it cannot be started, or was ended because a watched process ended.
        PackerError: its supervisor was killed.
    """
    if not argv:
        raise ProcessError("there is no program to run: the argument list is empty")
    if not os.path.isdir(cwd):
        raise ProcessError(f"the folder {cwd} does not exist")
    if sudo:
        _check_sudo(sudo)
    lines = _Lines(os.path.basename(argv[0]), env, line)
    with Children(f"live-{os.urandom(6).hex()}", watched, sudo=sudo) as children:
        pipe = children.start(Child(key="live", argv=tuple(argv), env=env, cwd=Path(cwd)))
        try:
            end = _wait(children, pipe, lines)
        finally:
            os.close(pipe)
    if "not_started" in end:
        raise ProcessError(
            f"cannot start {argv[0]!r}: {end['not_started']}", hint="install it, or correct the path"
        )
    if end["why"] or end["code"] is None:
        raise ProcessError(f"{argv[0]!r} was ended: {end['why']}")
    return end["code"], list(lines.last)


class _Lines:
    """Shows what a program prints line by line, and says that it still runs when it is silent."""

    def __init__(self, name: str, env: Mapping[str, str], line: Callable[[str], object]) -> None:
        self._name = name
        self._line = line
        self._begun = time.monotonic()
        self._silence = Silence()
        self._masked = Stream(Masker(environment_secrets(env)))
        self._splitter = LineSplitter()
        self.last: deque[str] = deque(maxlen=KEPT_LINES)

    def feed(self, data: bytes) -> None:
        # A progress bar returns to the start of its line: each state of it is a line here.
        self._show(self._splitter.feed(self._masked.feed(data.replace(b"\r", b"\n"))))

    def close(self) -> None:
        self._show(self._splitter.feed(self._masked.flush()) + self._splitter.flush())

    def tick(self) -> None:
        if text := self._silence.told({self._name: time.monotonic() - self._begun}):
            self._line(text)

    def _show(self, complete: bytes) -> None:
        for raw in strip_ansi(complete).split(b"\n"):
            text = raw.decode("utf-8", "replace").rstrip()
            if text:
                self.last.append(text)
                self._silence.broken()
                self._line(text)


def _wait(children: Children, pipe: int, lines: _Lines) -> Exit:
    """Show lines until the program has ended; gives the event that tells how it ended."""
    with selectors.DefaultSelector() as selector:
        selector.register(children, selectors.EVENT_READ)
        selector.register(pipe, selectors.EVENT_READ)
        while True:
            for key, __ in selector.select(_TICK_S):
                if key.fd == pipe:
                    _read(pipe, lines)
                    continue
                for event in children.events():
                    if event["event"] == "exit":
                        # What it left running has been killed by now, so that there is an end to this.
                        _read(pipe, lines)
                        lines.close()
                        return event
            lines.tick()


def _read(pipe: int, lines: _Lines) -> None:
    """Read what is in the pipe now; end of file does not come while the supervisor has the pipe open."""
    try:
        while data := os.read(pipe, _READ):
            lines.feed(data)
    except BlockingIOError:
        return


def _check_sudo(sudo: Sequence[str]) -> None:
    """Say in sudo's words why it refuses; the supervisor could not."""
    hint = "allow sudo without a password, or run as root"
    try:
        answer = run_quietly([*sudo, "true"])
    except ProcessError as error:
        raise ProcessError(f"cannot become root: {error.message}", hint=f"install sudo, or {hint}") from error
    if answer.returncode:
        said = answer.stderr.strip() or f"exit code {answer.returncode}"
        raise ProcessError(f"{' '.join(sudo)} does not work: {said}", hint=hint)
