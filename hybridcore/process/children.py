"""The caller's side of the supervisor: start programs, learn how they end, and never leave one behind."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import PackerError
from . import start
from .environment import child_environment
from .kill import RUN_MARK, kill_group, kill_marked
from .wire import Channel

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import TracebackType

    from .wire import Event, Request, Run, Start

# Seconds between the request to end and SIGKILL, in which a program cleans up, where nobody says otherwise.
GRACE_S = 10.0
WATCH_VARIABLE = "HYBRIDCORE_WATCH"
_PACKAGE = __name__.rpartition(".")[0].rpartition(".")[0]


@dataclass(frozen=True)
class Child:
    """One program to start.

    Attributes:
        key: names it in the events; unique in the batch.
        argv: the command.
        env: its whole environment.
        cwd: the folder it runs in.
        log: what the program prints after the caller's end goes there, masked; dropped without one.
        secrets: values to mask.
        lock: descriptor of a lock, which the supervisor holds too until the program has ended.
        grace: seconds that it has to clean up and end when it is told to, before it is killed.
    """

    key: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path
    log: Path | None = None
    secrets: tuple[str, ...] = ()
    lock: int | None = None
    grace: float = GRACE_S


class Children:
    """Running programs, owned by a supervisor process; a context manager.

    Leaving it normally says goodbye; leaving it by an exception cancels what runs and waits until it is gone.

    Args:
        mark: unique to this run; every process of it carries it in ``HYBRIDCORE_RUN``.
        watched: more processes, besides this one, whose end cancels the batch.
        sudo: what makes the supervisor another user, such as ``sudo -n``; only a process of that user may
            end what runs as that user.
    """

    def __init__(self, mark: str, watched: Sequence[int] = (), *, sudo: Sequence[str] = ()) -> None:
        self._mark = mark
        self._pids: dict[str, int] = {}
        self._graces: dict[str, float] = {}
        ours, theirs = socket.socketpair()
        self._channel = Channel(ours)
        with theirs:
            self._process = start(
                [*sudo, *supervisor_command([os.getpid(), *watched])],
                env=child_environment(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                stdin=theirs.fileno(),
            )

    @property
    def pid(self) -> int:
        """Process id of the supervisor, which lives until nothing of the batch runs any more."""
        return self._process.pid

    @property
    def grace(self) -> float:
        """Seconds that what runs may take to clean up and end, once it is told to."""
        return max(self._graces.values(), default=GRACE_S)

    def __enter__(self) -> Children:
        """Enter the batch."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the batch; nothing that it started is left behind."""
        if kind is None:
            self._say_goodbye()
        self._channel.close()
        try:
            ended_well = self._process.wait(self.grace + 5) == 0
        except subprocess.TimeoutExpired:
            self._kill_supervisor()
            ended_well = False
        if not ended_well:
            self._kill_all()

    def fileno(self) -> int:
        """The descriptor for selectors: it is readable when ``events`` has something to do."""
        return self._channel.fileno()

    @property
    def has_room(self) -> bool:
        """Whether the supervisor keeps up; start nothing more until it does."""
        return self._channel.has_room

    def announce(self, run: Run) -> None:
        """Tell the supervisor which run of which workspace this is, so that it can settle it."""
        self._tell(run)

    def start(self, child: Child) -> int:
        """Start a program.

        Args:
            child: what to start.

        Returns:
            The read end of the pipe that carries its output, non-blocking; the caller closes it.

        Raises:
            ConnectionError: the supervisor has gone.
            OSError: too many files are open.
        """
        read_end, write_end = os.pipe()
        _widen_pipe(read_end)
        os.set_blocking(read_end, False)
        request: Start = {
            "op": "start",
            "id": child.key,
            "argv": child.argv,
            "env": {**child.env, RUN_MARK: f"{self._mark}/{child.key}"},
            "cwd": str(child.cwd),
            "log": str(child.log) if child.log else None,
            "secrets": child.secrets,
            "grace": child.grace,
        }
        try:
            self._channel.send(request, [write_end, read_end, *([] if child.lock is None else [child.lock])])
        except BaseException:
            os.close(read_end)
            raise
        finally:
            os.close(write_end)
        self._graces[child.key] = child.grace
        return read_end

    def stop(self, key: str) -> None:
        """Ask a program to clean up and end; it is killed if it does not."""
        self._tell({"op": "stop", "id": key})

    def events(self) -> list[Event]:
        """What the supervisor has said since the last call: what was started or has ended, or that everything
        was told to end. Call it when this object is readable; it sends what is left to be sent, too.

        Raises:
            PackerError: the supervisor has gone; everything that it owned has been killed.
        """
        found: list[Event] = [message for message, __ in self._channel.receive()]
        if not found and self._channel.closed:
            self._kill_all()
            raise PackerError("the supervisor was killed, so what it ran was too")
        for message in found:
            if message["event"] == "started":
                self._pids[message["id"]] = message["pid"]
            elif message["event"] == "exit":
                self._pids.pop(message["id"], None)
                self._graces.pop(message["id"], None)
        return found

    def _tell(self, message: Request) -> None:
        try:
            self._channel.send(message)
        except ConnectionError:
            pass  # the supervisor has gone, which events() tells

    def _say_goodbye(self) -> None:
        self._tell({"op": "goodbye"})
        end = time.monotonic() + self.grace
        while not self._channel.has_room and not self._channel.closed and time.monotonic() < end:
            self._channel.wait(end - time.monotonic())
            self._channel.receive()

    def _kill_supervisor(self) -> None:
        try:
            self._process.kill()
        except PermissionError:
            pass  # it runs as another user

    def _kill_all(self) -> None:
        for pid in self._pids.values():
            kill_group(pid)
        kill_marked(self._mark)


def supervisor_command(watched: Sequence[int]) -> list[str]:
    """The command that starts a supervisor: a bare interpreter and our package, wherever it lies.

    Args:
        watched: processes to watch.

    Returns:
        An argument list. Within a module that Ansible has shipped, the package lies in a zip file.
    """
    package = Path(__file__).resolve().parent.parent
    root, name = (package.parent, package.name) if package.is_dir() else _in_zip(package)
    code = (
        f"import sys; sys.path.insert(0, {str(root)!r}); "
        f"from {name}.caretaker import main; main(sys.argv[1:])"
    )
    # -B: no .pyc files beside our modules, which would belong to another user where a build runs as one.
    return [sys.executable, "-I", "-S", "-B", "-c", code, *map(str, watched)]


def _in_zip(package: Path) -> tuple[Path, str]:
    root = next(folder for folder in package.parents if folder.is_file())
    return root, _PACKAGE


def watched_parents(environ: Mapping[str, str]) -> list[int]:
    """Processes besides the caller whose end cancels a build.

    Args:
        environ: ``HYBRIDCORE_WATCH`` may name process ids, separated by commas; ``make image`` names its own.

    Returns:
        Their ids.
    """
    return [int(part) for part in environ.get(WATCH_VARIABLE, "").split(",") if part.isdigit()]


def _widen_pipe(fd: int) -> None:
    """A pipe of 1 MiB instead of 64 KiB, so that Packer does not wait for us while we write the log."""
    import fcntl

    try:
        fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, 1 << 20)
    except OSError:
        pass  # the user's limit on pipes; the default size works too
