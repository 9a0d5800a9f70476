"""What the supervisor and its caller say to each other, and the channel between them.

A frame is a length (4 bytes), a number of descriptors (1 byte) and a JSON object. ``start`` carries two or
three descriptors: the write end and the read end of the program's pipe, and a lock that is to be held until
it has ended, if there is one.
"""

from __future__ import annotations

import array
import errno
import json
import os
import select
import socket
import struct
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Literal, NotRequired, TypeAlias, TypedDict

    class Run(TypedDict):
        """The run that the programs belong to: what it takes to settle it when the caller has gone.

        Attributes:
            workspace: its folder.
            run_id: names the run in the state.
            folder: of this run, to be removed.
        """

        op: Literal["run"]
        workspace: str
        run_id: str
        folder: str

    class Start(TypedDict):
        """A program to start; see ``children.Child``."""

        op: Literal["start"]
        id: str
        argv: Sequence[str]
        env: dict[str, str]
        cwd: str
        log: str | None
        secrets: Sequence[str]
        grace: float

    class Stop(TypedDict):
        """A program is to clean up and end."""

        op: Literal["stop"]
        id: str

    class Goodbye(TypedDict):
        """The caller needs nothing any more."""

        op: Literal["goodbye"]

    Request: TypeAlias = "Run | Start | Stop | Goodbye"

    class Started(TypedDict):
        """A program runs."""

        event: Literal["started"]
        id: str
        pid: int

    class Exit(TypedDict):
        """A program has ended.

        Attributes:
            code: exit code, negative for a signal; None where it never ran, or nobody knows.
            why: why it was told to end; empty when it was not.
            not_started: what the system said when it refused to start it.
            killed: nobody saw its end, since the supervisor was killed.
        """

        event: Literal["exit"]
        id: str
        code: int | None
        why: str
        not_started: NotRequired[str]
        killed: NotRequired[bool]

    class Cancelled(TypedDict):
        """Everything that runs was told to end."""

        event: Literal["cancelled"]
        why: str

    Event: TypeAlias = "Started | Exit | Cancelled"

_HEAD = struct.Struct("!IB")
_MOST_DESCRIPTORS = 3
_READ = 1 << 18


class Received(NamedTuple):
    """A frame that has come.

    Attributes:
        message: what was said.
        fds: the descriptors that came with it, which are the receiver's to close; None when this process has
            so many open that it could not take them.
    """

    message: Any
    fds: list[int] | None


class Channel:
    """One end of the socket between the supervisor and its caller; it never waits for the other end.

    What finds no room in the socket is kept and sent later. For selectors, the channel is readable when
    something has come or when there is room for what is kept: call ``receive`` then.

    Args:
        end: a connected stream socket, which the channel closes.

    Attributes:
        closed: the other end has gone; nothing comes any more.
    """

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)
        self._socket = end
        self._unsent: deque[tuple[memoryview, list[int]]] = deque()
        self._incoming = bytearray()
        # One list for each frame that carries descriptors, in the order of the frames.
        self._descriptors: deque[list[int]] = deque()
        self.closed = False
        self._poll = select.epoll()
        self._poll.register(end, select.EPOLLIN)

    def fileno(self) -> int:
        """The descriptor to wait for; only for reading."""
        return self._poll.fileno()

    @property
    def has_room(self) -> bool:
        """Whether all that was said has been sent."""
        return not self._unsent

    def wait(self, seconds: float) -> None:
        """Wait until there is something to receive, or room for what is kept."""
        self._poll.poll(seconds)

    def send(self, message: Request | Event, fds: Sequence[int] = ()) -> None:
        """Say something, now or as soon as there is room.

        Args:
            message: what to say.
            fds: descriptors that travel with it; the caller may close its own at once.

        Raises:
            ConnectionError: the other end has gone; what was kept is dropped.
            OSError: this process has too many files open.
        """
        data = json.dumps(message).encode()
        kept: list[int] = []
        try:
            for fd in fds:
                kept.append(os.dup(fd))
        except OSError:
            _close(kept)
            raise
        self._unsent.append((memoryview(_HEAD.pack(len(data), len(kept)) + data), kept))
        self._flush()

    def receive(self) -> list[Received]:
        """Send what is kept, and take what has come.

        Returns:
            The frames that are complete now.
        """
        try:
            self._flush()
        except ConnectionError:
            pass  # the other side has gone; what it sent before can still be read
        try:
            # Not socket.recv_fds, which drops the flags in Python 3.11.
            data, ancillary, flags, __ = self._socket.recvmsg(
                _READ,
                socket.CMSG_SPACE(_MOST_DESCRIPTORS * array.array("i").itemsize),
                socket.MSG_CMSG_CLOEXEC,
            )
        except BlockingIOError:
            return []
        except ConnectionError:
            data, ancillary, flags = b"", [], 0
        if ancillary or flags & socket.MSG_CTRUNC:
            # Descriptors come with the first bytes of their frame, and the kernel ends the read there.
            self._descriptors.append(_descriptors(ancillary))
        if not data:
            self.closed = True
        self._incoming += data
        found = []
        while len(self._incoming) >= _HEAD.size:
            size, count = _HEAD.unpack_from(self._incoming)
            end = _HEAD.size + size
            if len(self._incoming) < end:
                break
            message = json.loads(self._incoming[_HEAD.size : end])
            del self._incoming[:end]
            found.append(Received(message, self._taken(count)))
        return found

    def close(self) -> None:
        """Let go of the socket, and of the descriptors that were not sent or not taken."""
        for __, fds in self._unsent:
            _close(fds)
        for fds in self._descriptors:
            _close(fds)
        self._unsent.clear()
        self._descriptors.clear()
        self._poll.close()
        self._socket.close()

    def _taken(self, count: int) -> list[int] | None:
        if not count:
            return []
        fds = self._descriptors.popleft()
        if len(fds) == count:
            return fds
        _close(fds)
        return None

    def _flush(self) -> None:
        """Send as much as there is room for."""
        try:
            while self._unsent:
                data, fds = self._unsent[0]
                if fds:
                    sent = socket.send_fds(self._socket, [data], fds)
                    _close(fds)
                else:
                    sent = self._socket.send(data)
                if sent < len(data):
                    self._unsent[0] = (data[sent:], [])
                else:
                    self._unsent.popleft()
        except BlockingIOError:
            pass
        except ConnectionError:
            for __, fds in self._unsent:
                _close(fds)
            self._unsent.clear()
            raise
        except OSError as error:
            # ETOOMANYREFS of unix(7): a user may have only so many descriptors in flight at a time.
            if error.errno != errno.ETOOMANYREFS:
                raise
        wanted = select.EPOLLIN | (select.EPOLLOUT if self._unsent else 0)
        self._poll.modify(self._socket, wanted)


def _descriptors(ancillary: Sequence[tuple[int, int, bytes]]) -> list[int]:
    """The descriptors in what came beside the data, see recvmsg in the documentation of Python's socket."""
    found = array.array("i")
    for level, kind, data in ancillary:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            found.frombytes(data[: len(data) - len(data) % found.itemsize])
    return list(found)


def _close(fds: list[int]) -> None:
    while fds:
        os.close(fds.pop())
