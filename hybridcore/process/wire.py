"""What the supervisor and its caller say to each other.

A frame is a 4-byte length and a JSON object. ``start`` carries two or three descriptors: the write end and
the read end of the program's pipe, and a lock that is to be held until it has ended, if there is one.
"""

from __future__ import annotations

import json
import socket
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Literal, NotRequired, TypedDict

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

    Request = Run | Start | Stop | Goodbye

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

    Event = Started | Exit | Cancelled

_LENGTH = struct.Struct("!I")


def send(sock: socket.socket, message: Request | Event, fds: list[int] | None = None) -> None:
    """Send one frame.

    Args:
        sock: a connected stream socket.
        message: what to say.
        fds: descriptors that travel with it.
    """
    data = json.dumps(message).encode()
    if fds:
        socket.send_fds(sock, [_LENGTH.pack(len(data))], fds)
    else:
        sock.sendall(_LENGTH.pack(len(data)))
    sock.sendall(data)


def receive(sock: socket.socket, max_fds: int = 0) -> tuple[Any, list[int]]:
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
    return json.loads(body), fds


def _exactly(sock: socket.socket, size: int) -> bytes:
    parts = []
    while size:
        part = sock.recv(size)
        if not part:
            raise ConnectionResetError
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
