"""The log of one build: its format, and a file system that does not take it."""

import os
import resource
import stat

import pytest

from hybridcore.logs import BuildLog


@pytest.fixture
def log(tmp_path):
    made = BuildLog(tmp_path / "logs" / "a" / "run.log")
    yield made
    made.close()


@pytest.fixture
def disk():
    """`disk(size)`: no file grows beyond so many bytes; `disk(None)`: the disk has room again."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)

    def limit(size):
        resource.setrlimit(resource.RLIMIT_FSIZE, (before[0] if size is None else size, before[1]))

    yield limit
    limit(None)


def test_the_format(log):
    log.attempt(1, "run-1", ("packer", "build", "."))
    log.output(b"==> hello\n")
    log.crash("panic: \udcff\n")
    log.attempt(2, "run-1", ("packer", "build", "."))
    log.taken_over()
    log.output(b"\xff\n")
    log.cancelled("the caller ended")
    assert log.path.read_bytes().split(b"\n") == [
        b"hybridcore: attempt 1, run run-1: packer build .",
        b"==> hello",
        b"",
        b"hybridcore: Packer left a crash log:",
        b"panic: \\udcff",
        b"hybridcore: attempt 2, run run-1: packer build .",
        b"",
        b"hybridcore: the caller ended; the line that it was reading is left out",
        b"\xff",
        b"",
        b"hybridcore: build cancelled: the caller ended",
        b"",
    ]
    assert (log.begun, log.trouble) == (True, "")


def test_it_is_made_by_the_first_record_and_not_for_everybody(log):
    assert not log.path.parent.exists()
    assert not log.begun
    log.output(b"x\n")
    assert stat.S_IMODE(log.path.stat().st_mode) & 0o007 == 0


def test_what_is_there_stays(log):
    log.path.parent.mkdir(parents=True)
    log.path.write_text("before\n")
    log.output(b"one\n")
    log.close()
    log.output(b"two\n")
    assert log.path.read_text() == "before\none\ntwo\n"


def test_a_full_disk_costs_whole_records_and_the_log_says_how_much(log, disk):
    log.output(b"one\n")
    disk(10)
    log.output(b"too long for this disk\n")
    log.output(b"this too, a lot\n")
    assert log.path.read_bytes() == b"one\n"
    assert log.trouble == os.strerror(27)
    disk(None)
    log.output(b"two\n")
    assert log.path.read_text().splitlines() == [
        "one",
        "",
        f"hybridcore: 39 bytes are missing here: {os.strerror(27)}",
        "two",
    ]
    assert log.trouble


def test_a_short_write_is_finished(log, monkeypatch):
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, data[:2]))
    log.output(b"a longer record\n")
    monkeypatch.undo()
    assert log.path.read_bytes() == b"a longer record\n"


def test_a_disk_that_fills_up_in_a_record_keeps_nothing_of_it(log, disk):
    log.output(b"one\n")
    disk(10)
    log.output(b"0123456789\n")
    disk(None)
    assert log.path.read_bytes() == b"one\n"


@pytest.mark.parametrize("way", ["a file in place of the folder", "a link in place of the log"])
def test_a_log_that_cannot_be_made_stops_nothing(log, tmp_path, way):
    if way.startswith("a file"):
        (tmp_path / "logs").write_text("in the way")
    else:
        log.path.parent.mkdir(parents=True)
        log.path.symlink_to(tmp_path / "elsewhere")
    log.output(b"one\n")
    assert log.trouble
    assert not log.begun
    assert not (tmp_path / "elsewhere").exists()
