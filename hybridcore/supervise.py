"""A small process that owns running programs, the Packers of a batch above all, and outlives nobody.

The caller (an Ansible worker, or the command line) starts one supervisor and hands it each command over a
socket, which is the supervisor's standard input, since sudo lets nothing else through. The caller reads
Packer's output itself, from a pipe whose ends both processes hold. The supervisor watches the caller, and
whoever else it is told to watch, through ``pidfd_open``. When one of them ends, or the socket closes
without a goodbye, it sends SIGTERM to every Packer, which then removes its virtual machine, keeps draining
their pipes so that none of them blocks, kills what is left of their groups after a grace time, removes the
folders of the run and writes the end of the run into the state.

SIGTERM to Packer's own process is what cancels a build: SIGINT to that process alone is ignored by its
wrapper, and a signal from the kernel on the parent's death leaves QEMU behind.

Wire format: a frame is a 4-byte length and a JSON object. ``start`` carries two or three descriptors: the
write end and the read end of the pipe, and the lock of the target, if it has one.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import struct
import subprocess
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .packer.takeover import Takeover

GRACE_S = 10.0
RUN_MARK = "HYBRIDCORE_RUN"
_LENGTH = struct.Struct("!I")
_KILL_ROUNDS, _KILL_PAUSE_S = 100, 0.01


def send(sock: socket.socket, message: dict[str, Any], fds: list[int] | None = None) -> None:
    """Send one frame.

    Args:
        sock: a connected stream socket.
        message: what JSON can hold.
        fds: descriptors that travel with it.
    """
    data = json.dumps(message).encode()
    if fds:
        socket.send_fds(sock, [_LENGTH.pack(len(data))], fds)
    else:
        sock.sendall(_LENGTH.pack(len(data)))
    sock.sendall(data)


def receive(sock: socket.socket, max_fds: int = 0) -> tuple[dict[str, Any] | None, list[int]]:
    """Receive one frame.

    Args:
        sock: a connected stream socket.
        max_fds: how many descriptors may come with it.

    Returns:
        The message, or None when the other side has gone, and the descriptors.
    """
    try:
        head, fds, _, _ = socket.recv_fds(sock, _LENGTH.size, max_fds)
        head += _exactly(sock, _LENGTH.size - len(head)) if head else b""
        body = _exactly(sock, _LENGTH.unpack(head)[0]) if len(head) == _LENGTH.size else b""
    except ConnectionError:
        return None, []
    if not body:
        return None, fds
    message: dict[str, Any] = json.loads(body)
    return message, fds


def _exactly(sock: socket.socket, size: int) -> bytes:
    parts = []
    while size:
        part = sock.recv(size)
        if not part:
            raise ConnectionResetError
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


class _Child:
    """A running Packer, as the supervisor sees it."""

    def __init__(self, request: dict[str, Any], process: subprocess.Popen[bytes], fds: list[int]) -> None:
        self.key: str = request["id"]
        self.request = request
        self.process = process
        self.read_end, *self.locks = fds
        self.pidfd = os.pidfd_open(process.pid)
        self.kill_at: float | None = None
        self.takeover: Takeover | None = None

    def terminate(self) -> None:
        """Ask Packer to clean up and end; what does not end within the grace time is killed."""
        if self.kill_at is None:
            self.kill_at = time.monotonic() + self.request["grace"]
            self.process.terminate()

    def kill(self) -> None:
        """Kill everything that this Packer started, also what left its group."""
        kill_group(self.process.pid)
        kill_marked(self.request["env"][RUN_MARK])

    def close(self) -> None:
        """Let go of the pipe and of the target's lock."""
        for fd in (self.read_end, *self.locks, self.pidfd):
            os.close(fd)


def kill_group(pgid: int) -> None:
    """Send SIGKILL to a process group, if there is one."""
    try:
        os.killpg(pgid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass


def marked(mark: str) -> list[int]:
    """Ids of the processes whose environment carries a mark: all that a build started, wherever they went.

    Args:
        mark: value of ``HYBRIDCORE_RUN``: ``<run>/<target>`` for one build, ``<run>`` for all of a run.
    """
    exact = f"{RUN_MARK}={mark}".encode()
    found = []
    for name in os.listdir("/proc"):
        if name.isdigit() and int(name) != os.getpid():
            try:
                with open(f"/proc/{name}/environ", "rb") as file:
                    names = file.read().split(b"\0")
                if any(entry == exact or entry.startswith(exact + b"/") for entry in names):
                    found.append(int(name))
            except OSError:
                continue  # it has ended, or is not ours
    return found


def kill_marked(mark: str) -> None:
    """Kill every process that carries a mark, also those that are started meanwhile, and see them gone.

    Gone means that they write no more: their folders can be removed then. A process that hangs in the
    kernel is left after a while.
    """
    for _ in range(_KILL_ROUNDS):
        found = marked(mark)
        if not found:
            return
        for pid in found:
            try:
                os.kill(pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                continue
        time.sleep(_KILL_PAUSE_S)


class Supervisor:
    """The life of the supervisor process.

    Args:
        control: the socket to the caller.
        watched: processes whose end cancels everything.
    """

    def __init__(self, control: socket.socket, watched: list[int]) -> None:
        self._control: socket.socket | None = control
        self._children: dict[str, _Child] = {}
        self._run: dict[str, Any] = {}
        self._cancelled = ""
        self._killed: set[str] = set()
        self._said_goodbye = False
        self._selector = selectors.DefaultSelector()
        self._selector.register(control, selectors.EVENT_READ, self._on_request)
        self._wake_read, wake_write = socket.socketpair()
        self._wake_read.setblocking(False)
        wake_write.setblocking(False)
        self._wake_write = wake_write
        self._selector.register(self._wake_read, selectors.EVENT_READ, self._on_signal)
        signal.set_wakeup_fd(wake_write.fileno())
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: None)
        for pid in watched:
            self._watch(pid)

    def _watch(self, pid: int) -> None:
        if not pid:
            return  # the parent of a container's first process, or of one that was brought into it
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
            for key, _ in self._selector.select(self._time_to_next_kill()):
                # The end of a child takes its pipe out, which may be among what this round found.
                if self._selector.get_map().get(key.fd) is key:
                    key.data()
            now = time.monotonic()
            for child in list(self._children.values()):
                if child.kill_at is not None and child.kill_at <= now:
                    child.kill()
        if not self._said_goodbye and self._run:
            self._settle()

    def _time_to_next_kill(self) -> float | None:
        moments = [child.kill_at for child in self._children.values() if child.kill_at is not None]
        return max(0.05, min(moments) - time.monotonic()) if moments else None

    def _on_signal(self) -> None:
        self._wake_read.recv(64)
        self._cancel("the supervisor was told to stop")

    def _on_request(self) -> None:
        assert self._control is not None
        request, fds = receive(self._control, 3)
        if request is None:
            self._caller_has_gone()
        elif request["op"] == "run":
            self._run = request
        elif request["op"] == "start":
            self._start(request, fds)
        elif request["op"] == "stop" and request["id"] in self._children:
            self._children[request["id"]].terminate()
        elif request["op"] == "goodbye":
            self._said_goodbye = True

    def _caller_has_gone(self) -> None:
        assert self._control is not None
        self._selector.unregister(self._control)
        self._control.close()
        self._control = None
        if not self._said_goodbye:
            self._cancel("the caller ended")
            for child in self._children.values():
                self._drain(child)

    def _start(self, request: dict[str, Any], fds: list[int]) -> None:
        write_end, *kept = fds
        if self._cancelled:
            self._answer({"event": "exit", "id": request["id"], "code": None, "why": self._cancelled})
            for fd in fds:
                os.close(fd)
            return
        try:
            process = subprocess.Popen(
                request["argv"],
                env=request["env"],
                cwd=request["cwd"],
                stdin=subprocess.DEVNULL,
                stdout=write_end,
                stderr=write_end,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:  # ValueError: a NUL in an argument or in the environment
            why = getattr(error, "strerror", None) or str(error)
            answer = {"event": "exit", "id": request["id"], "code": None, "why": ""}
            self._answer({**answer, "not_started": why})
            for fd in fds:
                os.close(fd)
            return
        os.close(write_end)
        child = _Child(request, process, kept)
        self._children[child.key] = child
        self._selector.register(child.pidfd, selectors.EVENT_READ, lambda: self._on_exit(child))
        self._answer({"event": "started", "id": child.key, "pid": process.pid})

    def _on_exit(self, child: _Child) -> None:
        code = child.process.wait()
        # Packer has ended; a plugin, QEMU or provisioner that it left behind must not outlive it.
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

    def _answer(self, message: dict[str, Any]) -> None:
        if self._control is not None:
            try:
                send(self._control, message)
            except ConnectionError:
                pass  # the caller's end is seen, and handled, by the next read

    def _cancel(self, why: str) -> None:
        if not self._cancelled:
            self._cancelled = why
            self._answer({"event": "cancelled", "why": why})
        for child in self._children.values():
            child.terminate()

    def _drain(self, child: _Child) -> None:
        """Read what Packer still prints, now that nobody else does, into the build's log."""
        os.set_blocking(child.read_end, False)
        if child.request["log"] is not None:
            from .packer.takeover import Takeover

            child.takeover = Takeover(child.request["log"], child.request["secrets"])

        def readable() -> None:
            try:
                data = os.read(child.read_end, 65536)
            except BlockingIOError:
                return
            if not data:
                self._selector.unregister(child.read_end)
            elif child.takeover is not None:
                child.takeover.feed(data)

        self._selector.register(child.read_end, selectors.EVENT_READ, readable)

    def _drained(self, child: _Child) -> None:
        if child.read_end in self._selector.get_map():
            self._selector.unregister(child.read_end)
        try:
            while data := os.read(child.read_end, 65536):
                if child.takeover is not None:
                    child.takeover.feed(data)
        except BlockingIOError:
            pass
        if child.takeover is not None:
            child.takeover.close(self._cancelled)

    def _settle(self) -> None:
        """The caller died: write into the state that its run was cancelled, and remove its folder."""
        from pathlib import Path

        from .errors import HybridError
        from .logs import get_logger
        from .runs import remove_folder, settle
        from .workspace import open_workspace

        remove_folder(Path(self._run["folder"]))
        try:
            workspace = open_workspace(self._run["workspace"])
        except HybridError:
            return  # it has gone, or its settings are not right any more
        try:
            settle(workspace, self._run["run_id"], "cancelled", self._cancelled, killed=self._killed)
        except (HybridError, OSError) as error:
            # The next reader of the state finds the run dead and settles it as interrupted.
            get_logger("supervise", workspace=workspace).error(
                "the end of run %s cannot be written into the state: %s", self._run["run_id"], error
            )


def main(arguments: list[str]) -> None:
    """Run the supervisor.

    Args:
        arguments: the ids of the processes to watch. The control socket is standard input.
    """
    Supervisor(socket.socket(fileno=0), [int(pid) for pid in arguments]).serve()
