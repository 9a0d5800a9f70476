"""`packer-hybrid status`: a table for people, data for programs, and both say the same."""

import json
import os

import pytest

from hybridcore import state
from hybridcore.cli.status import collect, duration, table

NOW = 1795325108.123  # 2026-11-22T05:25:08.123Z


def test_status_of_an_empty_workspace(cli):
    assert cli("status") == (0, "nothing was built yet\n", "")
    code, out, _ = cli("--json", "status")
    assert (code, json.loads(out)) == (0, {"images": [], "running": [], "last_run": None})


def test_status_shows_a_table(full, add_image):
    add_image(full, "small", status="built", built_at="2026-11-19T01:25:08.123Z", duration_s=3.25)
    full["running"] = {}
    assert table(collect(full, now=NOW)).splitlines() == [
        "TARGET                ENVIRONMENT  STATUS          AGE      ARTIFACT  DURATION",
        "linux/null/small      dev          built           3 d 4 h  -         3.2 s",
        "linux/qemu/debian-12  dev          built (failed)  0.0 s    VM        5 min 12 s",
        "linux/qemu/debian-12 in dev: last attempt failed at 2026-11-22T05:25:08.123Z: no disk; log: logs/x",
    ]


def test_status_as_data_has_what_the_table_has(full):
    (image,) = collect(full, now=NOW + 60)["images"]
    assert image == {
        "target": "linux/qemu/debian-12",
        "environment": "dev",
        "builder": "source.qemu.debian-12",
        "status": "built",
        "built_at": "2026-11-22T05:25:08.123Z",
        "age_s": 60.0,
        "artifacts": ["VM"],
        "manifest_path": "images/dev/manifest.json",
        "duration_s": 312.5,
        "log_path": "logs/builds/dev/linux/qemu/debian-12/20261122T052508.123Z-r1.log",
        "run": "r1",
        "last_attempt": full["images"]["dev/linux/qemu/debian-12"]["last_attempt"],
    }


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({}, "running"),
        ({"pid_start_time": 1}, "interrupted"),
        ({"host": "another"}, "unknown"),
    ],
)
def test_status_shows_running_and_interrupted_builds_with_their_log(full, workspace, cli, change, word):
    full["running"]["r3"].update({**state.process_identity(), **change})
    state.write(full, workspace=workspace)
    _, out, _ = cli("status")
    assert (
        f"linux/qemu/debian-12 in dev: {word}, started 2026-11-22T05:25:08.123Z by pid {os.getpid()}" in out
    )
    assert "log: logs/y" in out
    (entry,) = json.loads(cli("--json", "status")[1])["running"]
    assert (entry["status"], entry["log_path"], entry["run"]) == (word, "logs/y", "r3")


def test_status_of_one_target_or_environment(full, workspace, cli, add_image):
    add_image(full, "a", status="built")
    state.write(full, workspace=workspace)

    def targets(*argv):
        return [image["target"] for image in json.loads(cli("--json", "status", *argv)[1])["images"]]

    assert targets() == ["linux/null/a", "linux/qemu/debian-12"]
    assert targets("linux/null/a") == ["linux/null/a"]
    assert targets("--env", "dev", "linux/null/a") == ["linux/null/a"]
    # What the workspace has and nobody built yet is no mistake.
    (workspace.environments / "prod").mkdir(parents=True)
    (workspace.templates / "linux/null/b").mkdir(parents=True)
    assert targets("--env", "prod") == []
    assert targets("linux/null/b") == []


def test_status_of_what_nobody_knows_is_refused(full, workspace, cli):
    state.write(full, workspace=workspace)
    code, out, err = cli("status", "--env", "nope", "zzz", "linux/null/c", "linux/qemu/debian-12")
    assert (code, out) == (1, "")
    assert "'zzz' is not a target" in err
    assert "the target linux/null/c does not exist" in err
    assert "there is no environment 'nope'" in err
    assert "debian-12 does not" not in err


def test_status_cannot_be_forged_by_what_a_build_said(full):
    full["images"]["dev/linux/qemu/debian-12"]["last_attempt"]["error"] = "a\nlinux/null/x  dev  built\x1b[2J"
    full["images"]["dev/linux/qemu/debian-12"]["artifacts"][0]["id"] = "\x1b]0;title\x07"
    text = table(collect(full, now=NOW))
    assert all(line.isprintable() for line in text.split("\n"))
    assert len(text.split("\n")) == 5  # the last one says what a run that may be dead may have left


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "-"),
        (0, "0.0 s"),
        (9.94, "9.9 s"),
        (59, "59 s"),
        (60, "1 min 0 s"),
        (3599, "59 min 59 s"),
        (3600, "1 h 0 min"),
        (86_399, "23 h 59 min"),
        (90_000, "1 d 1 h"),
    ],
)
def test_durations(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize("argv", [["status", "--nonsense"], ["status", "--env"]])
def test_wrong_usage(cli, argv):
    with pytest.raises(SystemExit) as caught:
        cli(*argv)
    assert caught.value.code == 2
