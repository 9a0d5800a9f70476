import os
import time

import pytest

from hybridcore import logs
from hybridcore.errors import LogsError

TARGET = "linux/qemu/debian-12"
RUN = "20261122T000000.000Z-abcdef"


@pytest.fixture
def build(workspace):
    """Leave a log as a build does, so many days old."""

    def make(number, target=TARGET, env="dev", days=0.0, text="x\n"):
        path = logs.build_log_path(workspace, env, target, f"20261122T000000.00{number}Z-abcdef")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        then = time.time() - days * 86_400
        os.utime(path, (then, then))
        return path

    return make


def test_the_path_tells_environment_target_and_run(workspace):
    path = logs.build_log_path(workspace, "dev", TARGET, RUN)
    folder = workspace.logs / "builds" / "dev" / "linux" / "qemu" / "debian-12"
    assert path.parent == folder
    assert path.name == f"{RUN}.log"
    assert not workspace.logs.exists()


@pytest.mark.parametrize(
    ("env", "target", "run"),
    [
        ("..", TARGET, RUN),
        ("dev", "../../etc", RUN),
        ("dev", "linux/qemu", RUN),
        ("dev", "linux/qemu/a/b", RUN),
        ("dev", "/linux/qemu/a", RUN),
        ("dev", TARGET, f"../{RUN}"),
        ("dev", TARGET, "r1"),
        ("dev", TARGET, ""),
    ],
)
def test_no_name_leads_out_of_the_folder(workspace, env, target, run):
    with pytest.raises(LogsError):
        logs.build_log_path(workspace, env, target, run)
    assert not workspace.logs.exists()


def test_logs_are_listed_oldest_first_and_strangers_left_out(workspace, build):
    paths = [build(number) for number in range(3)]
    (paths[0].parent / "notes.txt").write_text("mine")
    listed = logs.build_logs(workspace, "dev", TARGET)
    assert listed == sorted(paths)
    assert logs.build_logs(workspace, "prod", TARGET) == []


def test_old_logs_go_by_count(with_settings, build):
    workspace = with_settings(logs_keep_builds=2)
    paths = sorted(build(number) for number in range(5))
    other = [build(number, target="linux/qemu/other") for number in range(3)]
    stranger = paths[0].parent / "notes.txt"
    stranger.write_text("mine")
    assert logs.prune_builds(workspace, "dev", TARGET) == paths[:3]
    assert logs.build_logs(workspace, "dev", TARGET) == paths[3:]
    assert stranger.exists()
    assert all(path.exists() for path in other)


def test_old_logs_go_by_age(with_settings, build):
    workspace = with_settings(logs_keep_days=7)
    old, young = build(1, days=7.1), build(2, days=6.9)
    last = build(3)
    assert logs.prune_builds(workspace, "dev", TARGET) == [old]
    assert young.exists()
    assert last.exists()


def test_the_last_log_always_stays(with_settings, build):
    last = build(1, days=400)
    assert logs.prune_builds(with_settings(logs_keep_builds=0, logs_keep_days=1), "dev", TARGET) == []
    assert last.exists()


def test_without_a_limit_of_age_old_logs_stay(workspace, build):
    old, last = build(1, days=4000), build(2)
    assert logs.prune_builds(workspace, "dev", TARGET) == []
    assert old.exists()
    assert last.exists()


def test_the_last_build_of_all_of_a_target_and_of_an_environment(workspace, build):
    assert logs.last_build_log(workspace) is None
    first, prod = build(1), build(2, env="prod")
    other = build(3, target="linux/qemu/other")
    assert logs.last_build_log(workspace) == other
    assert logs.last_build_log(workspace, target=TARGET) == prod
    assert logs.last_build_log(workspace, target=TARGET, env="dev") == first
    assert logs.last_build_log(workspace, target="linux/qemu/none") is None
    assert logs.last_build_log(workspace, target="../..") is None


def test_following_gives_lines_as_they_come_and_ends_with_the_build(build):
    path = build(1, text="one\ntw")
    steps = [
        lambda log: log.write("o\nthree\n"),
        lambda log: log.write("four\nfi"),
        lambda log: log.write("ve"),
    ]

    def running():
        if not steps:
            return False
        with open(path, "a") as log:
            steps.pop(0)(log)
        return True

    assert list(logs.follow(path, running=running, pause_s=0)) == ["one", "two", "three", "four", "five"]


def test_following_makes_control_characters_visible(build):
    path = build(1, text="")
    path.write_bytes(b"a\tb\r\n\x1b[2Jgone\n\xff\xfe\nend")
    assert list(logs.follow(path, running=lambda: False)) == ["a\tb", "\\x1b[2Jgone", "\\xff\\xfe", "end"]


def test_following_a_log_that_is_gone_is_an_error(workspace):
    with pytest.raises(LogsError, match="cannot read the build log"):
        list(logs.follow(workspace.root / "gone.log", running=lambda: False))
