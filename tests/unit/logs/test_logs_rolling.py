import logging
import os
import signal
import stat
import sys

import pytest

from hybridcore import logs
from hybridcore.logs import rolling


@pytest.fixture
def open_log(tmp_path):
    """Make handlers on one file, with the message alone as format."""
    made = []

    def make(**options):
        options = {"max_bytes": 100, "backup_count": 3} | options
        handler = logs.RollingHandler(tmp_path / "logs" / "x.log", **options)
        handler.setFormatter(logging.Formatter("%(message)s"))
        made.append(handler)
        return lambda message: handler.handle(logging.LogRecord("x", 20, "f", 1, message, (), None))

    yield make
    for handler in made:
        handler.close()


def files(tmp_path):
    return {path.name: path.read_text().split("\n")[:-1] for path in (tmp_path / "logs").iterdir()}


def test_a_full_file_rolls_and_the_oldest_goes(open_log, tmp_path):
    write = open_log(max_bytes=20)
    for number in range(11):
        write(f"line {number:03}")  # 9 bytes, so two to a file
    assert files(tmp_path) == {
        "x.log": ["line 010"],
        "x.log.1": ["line 008", "line 009"],
        "x.log.2": ["line 006", "line 007"],
        "x.log.3": ["line 004", "line 005"],
    }


def test_a_file_may_be_exactly_full(open_log, tmp_path):
    write = open_log(max_bytes=18)
    for name in ("one 4567", "two 4567", "three"):
        write(name)
    assert files(tmp_path) == {"x.log": ["three"], "x.log.1": ["one 4567", "two 4567"]}


def test_a_record_larger_than_a_file_gets_one_of_its_own(open_log, tmp_path):
    write = open_log(max_bytes=20)
    for text in ("short", "l" * 100, "end"):
        write(text)
    assert files(tmp_path) == {"x.log": ["end"], "x.log.1": ["l" * 100], "x.log.2": ["short"]}


def test_without_backups_a_full_file_is_dropped(open_log, tmp_path):
    write = open_log(max_bytes=20, backup_count=0)
    for number in range(3):
        write(f"line {number:03}")
    assert files(tmp_path) == {"x.log": ["line 002"]}


def test_without_a_limit_it_never_rolls(open_log, tmp_path):
    write = open_log(max_bytes=0)
    for number in range(100):
        write(f"line {number:03}")
    assert len(files(tmp_path)["x.log"]) == 100


def test_a_gap_in_the_numbers_is_filled(open_log, tmp_path):
    # What a process leaves that was killed in the middle of the renames.
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "x.log.2").write_text("old\n")
    write = open_log(max_bytes=10)
    write("first 89")
    write("second")
    assert files(tmp_path) == {"x.log": ["second"], "x.log.1": ["first 89"], "x.log.2": ["old"]}


def test_two_writers_follow_each_other_through_a_roll(open_log, tmp_path):
    one, two = open_log(max_bytes=20), open_log(max_bytes=20)
    for number in range(4):
        one(f"one {number:04}")
        two(f"two {number:04}")
    assert files(tmp_path) == {
        "x.log": ["one 0003", "two 0003"],
        "x.log.1": ["one 0002", "two 0002"],
        "x.log.2": ["one 0001", "two 0001"],
        "x.log.3": ["one 0000", "two 0000"],
    }


def test_a_file_that_was_removed_is_made_again(open_log, tmp_path):
    write = open_log()
    write("one")
    (tmp_path / "logs" / "x.log").unlink()
    write("two")
    (tmp_path / "logs" / "x.log").unlink()
    (tmp_path / "logs").rmdir()
    write("three")
    assert files(tmp_path) == {"x.log": ["three"]}


def test_a_child_of_a_fork_has_a_lock_of_its_own(open_log, tmp_path):
    write = open_log()
    write("parent")
    pid = os.fork()
    if pid == 0:
        write("child")
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)
    write("parent again")
    assert files(tmp_path) == {"x.log": ["parent", "child", "parent again"]}


def test_a_full_disk_leaves_no_half_record(open_log, tmp_path, monkeypatch, capsys):
    write = open_log()
    write("one")
    real = os.write

    def fills_up(fd, data):
        if len(data) > 3:
            return real(fd, data[:3])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", fills_up)
    write("three and more")
    monkeypatch.undo()
    write("two")
    assert files(tmp_path) == {"x.log": ["one", "two"]}
    assert "No space left on device" in capsys.readouterr().err


def test_a_short_write_is_finished(open_log, tmp_path, monkeypatch):
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, data[:2]))
    open_log()("a longer record")
    monkeypatch.undo()
    assert files(tmp_path) == {"x.log": ["a longer record"]}


def test_a_file_that_cannot_roll_grows_on(open_log, tmp_path, monkeypatch, capsys):
    def refuse(_old, _new):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "rename", refuse)
    write = open_log(max_bytes=10)
    for name in ("first 89", "second", "third"):
        write(name)
    assert files(tmp_path) == {"x.log": ["first 89", "second", "third"]}
    assert capsys.readouterr().err.count("cannot roll the log") == 1


def test_a_link_in_place_of_the_log_is_not_followed(open_log, tmp_path, capsys):
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "x.log").symlink_to(victim)
    open_log()("x")
    assert victim.read_text() == "precious"
    assert "cannot write the log" in capsys.readouterr().err


def test_permissions_are_those_of_any_new_file(open_log, tmp_path):
    before = os.umask(0o027)
    try:
        open_log()("x")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "logs" / "x.log").stat().st_mode) == 0o640


def test_a_message_that_does_not_fit_its_arguments_stops_nothing(tmp_path, capsys, monkeypatch):
    handler = logs.RollingHandler(tmp_path / "x.log", max_bytes=0, backup_count=0)
    handler.setFormatter(logs.Formatter())
    handler.handle(logging.LogRecord("x", 20, "f", 1, "%d", ("word",), None))
    handler.handle(logging.LogRecord("x", 20, "f", 1, "good", (), None))
    handler.close()
    assert "Logging error" in capsys.readouterr().err
    assert (tmp_path / "x.log").read_text().count("\n") == 1


@pytest.mark.parametrize("stream", ["none", "full"])
def test_a_log_that_cannot_be_written_stops_nothing_though_nobody_can_be_told(
    open_log, tmp_path, monkeypatch, capsys, stream
):
    (tmp_path / "logs").write_text("in the way")
    with open("/dev/full", "w") as full:
        monkeypatch.setattr(sys, "stderr", None if stream == "none" else full)
        open_log()("one")
        monkeypatch.undo()
        assert capsys.readouterr().out == ""
        if stream == "full":
            with pytest.raises(OSError, match="No space left"):
                full.flush()  # it was tried, and the stream still holds it
            with open(os.devnull, "w") as nowhere:
                os.dup2(nowhere.fileno(), full.fileno())


def test_who_listens_is_told_in_place_of_standard_error(open_log, tmp_path, capsys):
    heard = []

    class Listener(logging.Handler):
        def emit(self, record):
            heard.append(record.getMessage())

    (tmp_path / "logs").write_text("in the way")
    listener = Listener()
    logging.getLogger(rolling.LOGGER).addHandler(listener)
    try:
        open_log()("one")
    finally:
        logging.getLogger(rolling.LOGGER).removeHandler(listener)
    assert len(heard) == 1
    assert "cannot write the log" in heard[0]
    assert capsys.readouterr().err == ""
