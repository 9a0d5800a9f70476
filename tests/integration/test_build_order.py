"""The order of builds, their clocks, and what an error in the middle of a batch leaves."""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Callable

import pytest

from hybridcore.errors import LockError
from hybridcore.images.locks import target_lock
from hybridcore.packer import runs
from hybridcore.packer.building import finisher
from hybridcore.packer.results import Status
from tests.support.builds import Recorder, build, long_null, processes_of, state_of, statuses, wait_for
from tests.support.workspaces import WorkspaceFolder

pytestmark = pytest.mark.integration

FIRST, SECOND = "linux/null/a", "linux/null/b"


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder]) -> WorkspaceFolder:
    return make_workspace()


class Clock(Recorder):
    """A monitor that sets the clock forward, and releases a build, when the build says its own name.

    Args:
        monkeypatch: of the test.
        space: where the builds are.
        seconds: how long each of the named builds takes by this clock.
    """

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, space: WorkspaceFolder, seconds: dict[str, float]
    ) -> None:
        super().__init__()
        self._space = space
        self._seconds = seconds
        self._ahead = 0.0
        real = time.monotonic
        monkeypatch.setattr(time, "monotonic", lambda: real() + self._ahead)

    def line(self, target: str, text: str, kind: str) -> None:
        super().line(target, text, kind)
        name = target.rpartition("/")[2]
        if text.endswith(f": this is {name}"):
            self._ahead += self._seconds[name]
            writer = os.open(self._space.root / f"fifo-{name}", os.O_WRONLY)
            os.close(writer)

    def build_of(self, target: str, *then: str) -> str:
        """A target whose build says its name, waits until it is released, and goes on with shell lines."""
        name = target.rpartition("/")[2]
        fifo = self._space.root / f"fifo-{name}"
        os.mkfifo(fifo)
        return self._space.null(target, inline=(f"echo this is {name}", f"cat {fifo}", *then))


def test_a_retry_goes_before_what_was_not_begun(space: WorkspaceFolder) -> None:
    order, tried = space.root / "order", space.root / "tried"
    space.null(
        FIRST,
        inline=(
            f"echo a >> {order}",
            f"test -e {tried} || {{ touch {tried}; echo connection refused; exit 1; }}",
        ),
    )
    others = [space.null(f"linux/null/{name}", inline=(f"echo {name} >> {order}",)) for name in "bcdef"]
    report = build(space, FIRST, *others, parallel_builds=1, retries=1, retry_delay=0)
    assert set(statuses(report).values()) == {"built"}
    started = order.read_text().split()
    assert started.count("a") == 2
    # One other may begin while the first attempt is being concluded.
    assert started.index("a", 1) <= 2


def test_a_retry_whose_time_is_over_is_not_begun(
    space: WorkspaceFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch, space, {"a": 60, "b": 50})
    clock.build_of(FIRST, "echo connection refused", "exit 1")
    clock.build_of(SECOND)
    report = build(
        space, FIRST, SECOND, monitor=clock, parallel_builds=1, retries=5, retry_delay=0, timeout=100
    )
    failed, built = report.results
    assert (failed.status, failed.attempts, built.status) == (Status.FAILED, 1, Status.BUILT)
    assert "connection refused" in str(failed.errors)


def test_waiting_for_a_lock_begins_when_it_is_asked_for(
    space: WorkspaceFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch, space, {"a": 1000})
    clock.build_of(FIRST)
    space.null(SECOND)
    lock = os.open(target_lock(space.open(), "dev", SECOND), os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    note = clock.note

    def release(text: str) -> None:
        note(text)
        if text.startswith(f"{SECOND}: waiting up to"):
            fcntl.flock(lock, fcntl.LOCK_UN)

    monkeypatch.setattr(clock, "note", release)
    try:
        report = build(space, FIRST, SECOND, monitor=clock, parallel_builds=1, lock_timeout=60)
    finally:
        os.close(lock)
    assert statuses(report) == {FIRST: "built", SECOND: "built"}
    assert any(text.startswith(f"{SECOND}: waiting up to 60 s") for text in clock.notes)


def test_a_cancel_does_not_wait_for_an_image_that_is_being_hashed(
    space: WorkspaceFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick, slow = space.null("linux/null/quick"), long_null(space)
    concluding = threading.Event()
    gone = []
    conclude = finisher.conclude

    def slowly(job, batch):  # type: ignore[no-untyped-def]
        concluding.set()
        wait_for(lambda: not processes_of(batch.run_id), "the other build is gone", 9)
        gone.append(True)
        return conclude(job, batch)

    class Impatient(Recorder):
        def tick(self, running: dict[str, float]) -> None:
            if concluding.is_set() and (space.root / "began-long").exists():
                raise KeyboardInterrupt

    monkeypatch.setattr(finisher, "conclude", slowly)
    with pytest.raises(KeyboardInterrupt):
        build(space, quick, slow, monitor=Impatient(), parallel_builds=2)
    assert gone == [True]
    assert state_of(space)["images"][f"dev/{slow}"]["last_attempt"]["status"] == "cancelled"
    assert state_of(space)["running"] == {}


def test_an_image_that_cannot_be_recorded_leaves_no_lock_and_no_link(
    space: WorkspaceFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = space.null()

    def busy(*_: object, **more: object) -> None:
        raise LockError("the state is locked")

    monkeypatch.setattr(runs, "record", busy)
    with pytest.raises(LockError):
        build(space, target)
    monkeypatch.undo()
    assert list((space.root / "images/dev/linux/null/demo").iterdir()) == []
    assert state_of(space)["running"] == {}
    assert statuses(build(space, target)) == {target: "built"}


def test_files_that_cannot_be_remembered_do_not_cost_the_image(
    space: WorkspaceFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = space.null()
    space.write("state/inputs", "a file in the way")
    assert statuses(build(space, target)) == {target: "built"}
    assert statuses(build(space, target)) == {target: "unchanged"}
