"""Room for many programs within the limits of open files."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator

import pytest

from hybridcore.process.limits import room_for


@pytest.fixture
def limit() -> Iterator[None]:
    """Puts the soft limit back; the hard one is not touched, since it can only be lowered."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_a_limit_that_is_high_enough_stays(limit: None) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    with room_for(2) as room:
        assert room == 2
        assert resource.getrlimit(resource.RLIMIT_NOFILE) == before


def test_the_soft_limit_is_raised_for_a_while(limit: None) -> None:
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (128, hard))
    with room_for(200) as room:
        assert room == 200
        held = [os.dup(0) for _ in range(3 * 200)]
        for fd in held:
            os.close(fd)
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == (128, hard)


def test_a_hard_limit_that_is_too_low_leaves_room_for_fewer() -> None:
    # In a process of its own: nobody can raise a hard limit again.
    pid = os.fork()
    if not pid:
        code = 1
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (50, 200))
            with room_for(1000) as room:
                held = [os.dup(0) for _ in range(3 * room)]
                code = 0 if 10 < room < 60 and len(held) == 3 * room else 2
            resource.setrlimit(resource.RLIMIT_NOFILE, (50, 60))
            with room_for(1000) as room:
                code = code or (0 if room == 1 else 3)
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
