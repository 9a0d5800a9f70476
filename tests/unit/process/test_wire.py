"""Frames between the supervisor and its caller, with descriptors; nobody waits for the other end."""

from __future__ import annotations

import os
import resource
import selectors
import socket
from collections.abc import Iterator

import pytest

from hybridcore.process.wire import Channel, Received


def small_pair() -> tuple[socket.socket, socket.socket]:
    """Connected sockets that hold as little as the kernel allows."""
    ends = socket.socketpair()
    for end in ends:
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
    return ends


@pytest.fixture
def pair() -> Iterator[tuple[Channel, Channel]]:
    one, other = map(Channel, small_pair())
    yield one, other
    one.close()
    other.close()


def descriptors() -> list[str]:
    return os.listdir("/proc/self/fd")


def exchange(one: Channel, other: Channel, count: int) -> list[Received]:
    """Work at both ends until so many frames have come to the other, which says nothing."""
    found: list[Received] = []
    with selectors.DefaultSelector() as selector:
        selector.register(one, selectors.EVENT_READ)
        selector.register(other, selectors.EVENT_READ)
        while len(found) < count:
            ready = selector.select(30)
            assert ready, "both ends wait for each other"
            for key, _ in ready:
                received = key.fileobj.receive()
                found += received if key.fileobj is other else []
    return found


def test_a_frame_of_any_size_arrives_whole_with_its_descriptors(pair: tuple[Channel, Channel]) -> None:
    read_end, write_end = os.pipe()
    message = {"op": "start", "env": {"A": "x" * 1_000_000, "B": "ä\udcff"}}
    pair[0].send(message, [write_end])
    assert not pair[0].has_room
    os.close(write_end)
    ((received, fds),) = exchange(*pair, 1)
    assert pair[0].has_room
    assert received == message
    (fd,) = fds
    assert not os.get_inheritable(fd)
    os.write(fd, b"through it")
    os.close(fd)
    assert os.read(read_end, 100) == b"through it"
    os.close(read_end)


def test_frames_do_not_run_together_and_each_has_its_own_descriptors(pair: tuple[Channel, Channel]) -> None:
    before = descriptors()
    files = [os.memfd_create(str(number)) for number in range(3)]
    for number, count in enumerate((0, 2, 0, 1, 0)):
        pair[0].send({"number": number}, [files.pop() for _ in range(count)])
    sent = exchange(*pair, 5)
    assert [message["number"] for message, _ in sent] == [0, 1, 2, 3, 4]
    named = [[os.readlink(f"/proc/self/fd/{fd}")[len("/memfd:")] for fd in fds] for _, fds in sent]
    assert named == [[], ["2", "1"], [], ["0"], []]
    del files
    for _, fds in sent:
        for fd in fds:
            os.close(fd)
    assert len(descriptors()) == len(before) + 3  # the test's own, which send left alone


@pytest.mark.parametrize("size", [10, 300_000])
def test_two_ends_that_both_speak_do_not_wait_for_each_other(
    pair: tuple[Channel, Channel], size: int
) -> None:
    for channel in pair:
        for number in range(300):
            channel.send({"number": number, "text": "x" * size})
    found: dict[Channel, list[int]] = {channel: [] for channel in pair}
    with selectors.DefaultSelector() as selector:
        for channel in pair:
            selector.register(channel, selectors.EVENT_READ)
        while any(len(numbers) < 300 for numbers in found.values()):
            ready = selector.select(30)
            assert ready, "both ends wait for each other"
            for key, _ in ready:
                found[key.fileobj] += [message["number"] for message, _ in key.fileobj.receive()]
    assert list(found.values()) == [list(range(300))] * 2
    assert all(channel.has_room for channel in pair)
    assert selectors_are_quiet(*pair)


def selectors_are_quiet(*channels: Channel) -> bool:
    """Whether nothing is to be done: a channel that is always readable would burn a processor."""
    with selectors.DefaultSelector() as selector:
        for channel in channels:
            selector.register(channel, selectors.EVENT_READ)
        return not selector.select(0)


@pytest.mark.parametrize("sent", [b"", b"\0\0", b'\0\0\0\x09\0{"a"'])
def test_an_end_that_dies_within_a_frame_has_gone(sent: bytes) -> None:
    ours, theirs = socket.socketpair()
    channel = Channel(ours)
    theirs.sendall(sent)
    theirs.close()
    while not channel.closed:
        assert channel.receive() == []
    channel.close()


def test_to_speak_to_an_end_that_has_gone_is_an_error_and_keeps_nothing_open(
    pair: tuple[Channel, Channel],
) -> None:
    before = descriptors()
    pair[0].send({"text": "x" * 1_000_000}, [0, 1])
    assert len(descriptors()) > len(before) - 2
    pair[1].close()
    with pytest.raises(ConnectionError):
        pair[0].send({"text": "y"}, [0])
    assert pair[0].has_room
    assert len(descriptors()) == len(before) - 2  # those of the other end


def test_descriptors_that_find_no_place_are_told_and_the_others_stay_in_order(
    pair: tuple[Channel, Channel],
) -> None:
    pair[0].send({"number": 1}, [0, 1, 2])
    pair[0].send({"number": 2})
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    spare = os.dup(0)
    os.close(spare)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (spare + 1, before[1]))
        (first,) = pair[1].receive()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert first == ({"number": 1}, None)
    assert os.dup(0) == spare, "what found a place was closed"
    os.close(spare)
    pair[0].send({"number": 3}, [0])
    second, (third, (fd,)) = exchange(*pair, 2)
    assert (second, third) == (({"number": 2}, []), {"number": 3})
    os.close(fd)
