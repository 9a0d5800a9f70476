"""The process that owns running programs and outlives nobody; ``caretaker`` starts it.

The caller (an Ansible worker, or the command line) starts one supervisor and hands it each command over a
socket, which is the supervisor's standard input, since sudo lets nothing else through. The caller reads
the programs' output itself, from pipes whose ends both processes hold. The supervisor watches the caller,
and whoever else it is told to watch, through ``pidfd_open``. When one of them ends, or the socket closes
without a goodbye, it sends SIGTERM to every program (Packer then removes its virtual machine), keeps draining
their pipes so that none of them blocks, kills what is left of their groups after a grace time, and has the
run settled.

SIGTERM to Packer's own process is what cancels a build: SIGINT to that process alone is ignored by its
wrapper, and a signal from the kernel on the parent's death leaves QEMU behind.
"""

from __future__ import annotations

import errno
import os
import selectors
import signal
import socket
import subprocess
import time
from typing import TYPE_CHECKING

from .kill import RUN_MARK, kill_group, kill_marked
from .wire import Channel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Protocol

    from .wire import Event, Request, Run, Start

    class Log(Protocol):
        """Goes on with a program's log after the caller's end."""

        def feed(self, data: bytes) -> None:
            """Take the next bytes of the output, cut anywhere."""

        def close(self, why: str) -> None:
            """Take the end of the output, and why the program was ended."""


class _Child:
    """A running program, as the supervisor sees it."""

    def __init__(self, request: Start, process: subprocess.Popen[bytes], fds: list[int]) -> None:
        self.key = request["id"]
        self.request = request
        self.process = process
        self.read_end, *self.locks = fds
        self.pidfd = os.pidfd_open(process.pid)
        self.kill_at: float | None = None
        self.log: Log | None = None

    def terminate(self) -> None:
        """Ask it to clean up and end; what does not end within the grace time is killed."""
        if self.kill_at is None:
            self.kill_at = time.monotonic() + self.request["grace"]
            self.process.terminate()

    def kill(self) -> None:
        """Kill everything that it started, also what left its group."""
        kill_group(self.process.pid)
        kill_marked(self.request["env"][RUN_MARK])

    def close(self) -> None:
        """Let go of the pipe and of the target's lock."""
        for fd in (self.read_end, *self.locks, self.pidfd):
            os.close(fd)


class Supervisor:
    """The life of the supervisor process.

    Args:
        control: the socket to the caller.
        watched: processes whose end cancels everything.
        take_over: opens the log of a program when the caller has gone, given its path and the secrets in it.
        settle: writes the end of a run whose caller has gone, given the run as it was announced, why it
            ended, and the keys of the programs that could not clean up.
    """

    def __init__(
        self,
        control: socket.socket,
        watched: Sequence[int],
        *,
        take_over: Callable[[str, Sequence[str]], Log],
        settle: Callable[[Run, str, set[str]], None],
    ) -> None:
        self._take_over = take_over
        self._settle = settle
        self._control: Channel | None = Channel(control)
        self._children: dict[str, _Child] = {}
        self._run: Run | None = None
        self._cancelled = ""
        self._killed: set[str] = set()
        self._said_goodbye = False
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._control, selectors.EVENT_READ, self._on_requests)
        self._wake_read, wake_write = socket.socketpair()
        self._wake_read.setblocking(False)
        wake_write.setblocking(False)
        self._wake_write = wake_write
        self._selector.register(self._wake_read, selectors.EVENT_READ, self._on_signal)
        signal.set_wakeup_fd(wake_write.fileno())
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            # What our caller ignores, as SIGHUP under nohup, is ignored here too; SIGTERM always counts.
            if number == signal.SIGTERM or signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, lambda *__: None)
        for pid in watched:
            self._watch(pid)

    def _watch(self, pid: int) -> None:
        if not pid:
            return  # 0: the parent is outside of our pid namespace, as that of a container's first process is
        try:
            pidfd = os.pidfd_open(pid)
        except ProcessLookupError:
            self._cancel(f"process {pid} ended")
            return

        def ended() -> None:
            self._selector.unregister(pidfd)
            os.close(pidfd)
            self._cancel(f"process {pid} ended")

        self._selector.register(pidfd, selectors.EVENT_READ, ended)

    def serve(self) -> None:
        """Work until the caller has said goodbye or has gone, and nothing runs any more."""
        while self._control is not None or self._children:
            for key, __ in self._selector.select(self._time_to_next_kill()):
                # The end of a child unregisters its pipe, which may come later in the same list of events.
                if self._selector.get_map().get(key.fd) is key:
                    key.data()
            now = time.monotonic()
            for child in list(self._children.values()):
                if child.kill_at is not None and child.kill_at <= now:
                    child.kill()
        if not self._said_goodbye and self._run is not None:
            self._settle(self._run, self._cancelled, self._killed)

    def _time_to_next_kill(self) -> float | None:
        moments = [child.kill_at for child in self._children.values() if child.kill_at is not None]
        return max(0.05, min(moments) - time.monotonic()) if moments else None

    def _on_signal(self) -> None:
        self._wake_read.recv(64)
        self._cancel("the supervisor was told to stop")

    def _on_requests(self) -> None:
        if self._control is None:
            raise AssertionError("the caller has gone, and nothing of it is looked at")
        received = self._control.receive()
        for request, fds in received:
            self._on_request(request, fds)
        if not received and self._control.closed:
            self._caller_has_gone()

    def _on_request(self, request: Request, fds: list[int] | None) -> None:
        if request["op"] == "run":
            self._run = request
        elif request["op"] == "start":
            self._start(request, fds)
        elif request["op"] == "stop" and request["id"] in self._children:
            self._children[request["id"]].terminate()
        elif request["op"] == "goodbye":
            self._said_goodbye = True

    def _caller_has_gone(self) -> None:
        if self._control is None:
            raise AssertionError("the caller has gone, and nothing of it is looked at")
        self._selector.unregister(self._control)
        self._control.close()
        self._control = None
        if not self._said_goodbye:
            self._cancel("the caller ended")
            for child in self._children.values():
                self._drain(child)

    def _start(self, request: Start, fds: list[int] | None) -> None:
        if fds is None:
            self._not_started(request, os.strerror(errno.EMFILE))
            return
        write_end, *kept = fds
        if self._cancelled:
            self._answer({"event": "exit", "id": request["id"], "code": None, "why": self._cancelled})
            for fd in fds:
                os.close(fd)
            return
        try:
            child = self._child(request, write_end, kept)
        except (OSError, ValueError) as error:  # ValueError: a NUL in an argument or in the environment
            self._not_started(request, getattr(error, "strerror", None) or str(error))
            for fd in fds:
                os.close(fd)
            return
        os.close(write_end)
        self._children[child.key] = child
        self._selector.register(child.pidfd, selectors.EVENT_READ, lambda: self._on_exit(child))
        self._answer({"event": "started", "id": child.key, "pid": child.process.pid})

    @staticmethod
    def _child(request: Start, write_end: int, kept: list[int]) -> _Child:
        """Start a program.

        Raises:
            OSError, ValueError: it cannot be started, and does not run.
        """
        process = subprocess.Popen(  # pylint: disable=ansible-bad-function
            request["argv"],
            env=request["env"],
            cwd=request["cwd"],
            stdin=subprocess.DEVNULL,
            stdout=write_end,
            stderr=write_end,
            start_new_session=True,
        )
        try:
            return _Child(request, process, kept)
        except OSError:  # no pidfd could be opened, by which its end would be seen
            kill_group(process.pid)
            process.wait()
            raise

    def _not_started(self, request: Start, why: str) -> None:
        self._answer({"event": "exit", "id": request["id"], "code": None, "why": "", "not_started": why})

    def _on_exit(self, child: _Child) -> None:
        code = child.process.wait()
        # A plugin, QEMU or provisioner that Packer left behind must not outlive it.
        kill_group(child.process.pid)
        if code < 0:
            self._killed.add(child.key)
        if child.kill_at is not None or code < 0:
            kill_marked(child.request["env"][RUN_MARK])
        self._selector.unregister(child.pidfd)
        if self._control is None:
            self._drained(child)
        child.close()
        del self._children[child.key]
        self._answer({"event": "exit", "id": child.key, "code": code, "why": self._cancelled})

    def _answer(self, message: Event) -> None:
        if self._control is not None:
            try:
                self._control.send(message)
            except ConnectionError:
                pass  # the caller has gone: the next read of the socket sees it, and handles it

    def _cancel(self, why: str) -> None:
        if not self._cancelled:
            self._cancelled = why
            self._answer({"event": "cancelled", "why": why})
        for child in self._children.values():
            child.terminate()

    def _drain(self, child: _Child) -> None:
        """Read what it still prints, now that nobody else does, into its log."""
        os.set_blocking(child.read_end, False)
        if child.request["log"] is not None:
            child.log = self._take_over(child.request["log"], child.request["secrets"])

        def readable() -> None:
            try:
                data = os.read(child.read_end, 65536)
            except BlockingIOError:
                return
            if not data:
                self._selector.unregister(child.read_end)
            elif child.log is not None:
                child.log.feed(data)

        self._selector.register(child.read_end, selectors.EVENT_READ, readable)

    def _drained(self, child: _Child) -> None:
        if child.read_end in self._selector.get_map():
            self._selector.unregister(child.read_end)
        try:
            while data := os.read(child.read_end, 65536):
                if child.log is not None:
                    child.log.feed(data)
        except BlockingIOError:
            pass
        if child.log is not None:
            child.log.close(self._cancelled)
