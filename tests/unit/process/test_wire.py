"""Frames between the supervisor and its caller, with descriptors."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator

import pytest

from hybridcore.process.wire import receive, send


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, other = socket.socketpair()
    with one, other:
        yield one, other


def test_a_frame_of_any_size_arrives_whole_with_its_descriptors(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    read_end, write_end = os.pipe()
    message = {"op": "start", "env": {"A": "x" * 1_000_000, "B": "ä\udcff"}}
    sender = threading.Thread(target=send, args=(pair[0], message, [write_end]))
    sender.start()
    received, (fd,) = receive(pair[1], 3)
    sender.join()
    assert received == message
    os.close(write_end)
    os.write(fd, b"through it")
    os.close(fd)
    assert os.read(read_end, 100) == b"through it"
    os.close(read_end)


def test_two_frames_do_not_run_together(pair: tuple[socket.socket, socket.socket]) -> None:
    send(pair[0], {"number": 1})
    send(pair[0], {"number": 2})
    assert [receive(pair[1])[0] for _ in range(2)] == [{"number": 1}, {"number": 2}]


@pytest.mark.parametrize("sent", [b"", b"\0\0", b'\0\0\0\x09{"a"'])
def test_a_caller_that_dies_within_a_frame_has_gone(
    pair: tuple[socket.socket, socket.socket], sent: bytes
) -> None:
    pair[0].sendall(sent)
    pair[0].close()
    assert receive(pair[1], 3) == (None, [])
