"""Batches: side by side, one image's failure apart from the others, locks, retries, timeouts, the truth."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from hybridcore.errors import ConfigError
from hybridcore.packer.results import Status
from tests.support.builds import (
    Recorder,
    Running,
    build,
    build_json,
    hybrid,
    hybrid_command,
    hybrid_environment,
    long_null,
    processes,
    state_of,
    statuses,
    wait_for,
)
from tests.support.programs import FakePacker
from tests.support.tools import Tools
from tests.support.workspaces import WorkspaceFolder

pytestmark = pytest.mark.integration


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder]) -> WorkspaceFolder:
    return make_workspace()


def nothing_left(space: WorkspaceFolder) -> None:
    assert list((space.root / "images" / ".runs").iterdir()) == []
    assert state_of(space)["running"] == {}
    marks = [run["id"].encode() for run in state_of(space)["history"]]
    for pid in processes():
        try:
            environ = Path(f"/proc/{pid}/environ").read_bytes()
        except OSError:
            continue
        assert not any(b"HYBRIDCORE_RUN=" + mark in environ for mark in marks)


def test_builds_run_side_by_side(space: WorkspaceFolder) -> None:
    names = ("a", "b", "c")
    for name in names:
        others = " ".join(f"test -e {space.root}/{other} &&" for other in names)
        space.null(
            f"linux/null/{name}",
            inline=(
                f"touch {space.root}/{name}",
                f"for i in $(seq 1000); do {others} exit 0; sleep 0.02; done; exit 1",
            ),
        )
    report = build(space, parallel_builds=3)
    assert statuses(report) == dict.fromkeys((f"linux/null/{name}" for name in names), "built")


def test_no_more_builds_at_a_time_than_asked_for(space: WorkspaceFolder) -> None:
    alone = f"mkdir {space.root}/alone && sleep 0.1 && rmdir {space.root}/alone"
    for name in ("a", "b", "c"):
        space.null(f"linux/null/{name}", inline=(alone,))
    space.write("packer-hybrid.toml", "[build]\nparallel_builds = 1\n")
    assert build(space).status is Status.BUILT
    assert build(space, force=True, parallel_builds=1).status is Status.BUILT


def test_one_failure_does_not_stop_the_others(space: WorkspaceFolder, any_packer: Path) -> None:
    space.use(any_packer)
    good = [space.null(f"linux/null/good-{number}") for number in range(2)]
    bad = space.null("linux/null/bad", inline=("echo this is why", "exit 9"))
    said = build_json(space, bad, *good, "--parallel-builds", "1", code=3)
    assert said["status"] == "partial"
    assert [(one["target"], one["status"]) for one in said["results"]] == [
        (bad, "failed"),
        *((target, "built") for target in good),
    ]
    failed = said["results"][0]
    (error,) = failed["errors"]
    assert "exit status 9" in error or "exit status: 9" in error, error
    assert "step: Running local shell script" in error
    assert "this is why" in error.partition("last lines:")[2]
    assert failed["exit_code"] == 1
    assert failed["artifacts"] == []
    assert failed["retryable"] is False
    assert "this is why" in (space.root / failed["log_path"]).read_text()
    image = state_of(space)["images"][f"dev/{bad}"]
    assert image["last_attempt"]["status"] == "failed"
    assert "fingerprint" not in image
    again = build_json(space, code=3)
    assert {one["target"]: one["status"] for one in again["results"]} == {
        bad: "failed",
        **dict.fromkeys(good, "unchanged"),
    }
    nothing_left(space)


def test_a_failed_rebuild_keeps_the_image_that_is_there(space: WorkspaceFolder) -> None:
    target = space.null()
    first = build(space).results[0]
    good = (space.root / "templates" / target / "build.pkr.hcl").read_text()
    space.null(inline=("exit 1",))
    assert build(space).status is Status.FAILED
    image = state_of(space)["images"][f"dev/{target}"]
    assert (image["status"], image["fingerprint"]) == ("built", first.fingerprint)
    assert image["last_attempt"]["status"] == "failed"
    space.template(target, good)
    assert build(space).status is Status.UNCHANGED


def test_only_that_matches_nothing_is_a_failure(space: WorkspaceFolder, any_packer: Path) -> None:
    space.use(any_packer)
    space.null()
    (result,) = build(space, only=("no.such",)).results
    assert result.status is Status.FAILED
    if result.exit_code == 0:
        assert "no artifact was made" in result.errors[0]
    else:
        assert "No builds to run" in result.errors[0]
    assert build(space, only=("null.demo",)).status is Status.BUILT


def test_a_syntax_error_is_told_before_anything_starts(space: WorkspaceFolder) -> None:
    space.template("linux/null/wrong", 'source "null" "wrong" {\n  communicator = = "none"\n}\n')
    space.null("linux/null/right")
    done = hybrid(space, "build", "--env", "dev", "linux/null/right", "linux/null/wrong")
    assert done.returncode == 1
    assert "templates/linux/null/wrong/build.pkr.hcl:2:" in done.stderr
    assert "Traceback" not in done.stderr
    assert state_of(space) == {}


def test_what_packer_refuses_is_told_in_its_own_words(space: WorkspaceFolder, any_packer: Path) -> None:
    space.use(any_packer)
    space.template(
        "linux/null/odd",
        'source "null" "odd" {\n  no_such_option = 1\n}\nbuild {\n  sources = ["source.null.odd"]\n}\n',
    )
    (result,) = build(space).results
    assert result.status is Status.FAILED
    assert "no_such_option" in result.errors[0]
    assert result.exit_code == 1


def test_a_builder_that_this_packer_lacks(space: WorkspaceFolder, tools: Tools) -> None:
    space.use(tools.packer)
    space.template(
        "linux/proxmox/image",
        'source "proxmox-iso" "image" {}\nbuild {\n  sources = ["source.proxmox-iso.image"]\n}\n',
    )
    (result,) = build(space).results
    assert result.status is Status.FAILED
    assert "proxmox-iso" in result.errors[0]


def test_a_missing_packer(space: WorkspaceFolder) -> None:
    space.use(space.root / "no" / "packer")
    space.null()
    done = hybrid(space, "build", "--env", "dev")
    assert done.returncode == 3
    assert "Packer was not found as" in done.stderr
    assert "install Packer" in done.stderr
    assert state_of(space) == {}


def test_check_mode_before_packer_is_installed(space: WorkspaceFolder) -> None:
    """What sets the machine up may only have been checked, too."""
    space.null()
    build_json(space)
    space.use(space.root / "no" / "packer")
    space.null("linux/null/other")
    said = build_json(space, "--check", code=5)
    assert "warning: Packer was not found as" in said["stderr"]
    assert {one["target"]: (one["status"], one["reasons"]) for one in said["results"]} == {
        "linux/null/demo": ("built", ["packer 1.6.6 -> (not installed)"]),
        "linux/null/other": ("built", ["never built"]),
    }


def test_a_build_that_takes_too_long(space: WorkspaceFolder, any_packer: Path) -> None:
    space.use(any_packer)
    slow, quick = long_null(space), space.null("linux/null/quick")
    monitor = Recorder()
    report = build(space, timeout=3, monitor=monitor)
    assert statuses(report) == {slow: "timed_out", quick: "built"}
    assert report.results[0].errors[0] == "no end after 3 s, the timeout"
    assert f"{slow}: stopped after 3 s, its timeout" in monitor.notes
    assert state_of(space)["images"][f"dev/{slow}"]["last_attempt"]["status"] == "timed_out"
    nothing_left(space)
    (space.root / "go").touch()
    assert statuses(build(space)) == {slow: "built", quick: "unchanged"}


def test_errors_that_may_pass_are_tried_again(space: WorkspaceFolder) -> None:
    counter = space.root / "count"
    space.null(
        inline=(
            f"echo x >> {counter}",
            f"test $(wc -l < {counter}) -ge 3 || {{ echo dial tcp: connection refused; exit 1; }}",
        )
    )
    monitor = Recorder()
    (result,) = build(space, retries=3, retry_delay=0.01, monitor=monitor).results
    assert (result.status, result.attempts) == (Status.BUILT, 3)
    assert len([note for note in monitor.notes if "failed, next in" in note]) == 2
    log = (space.root / str(result.log_path)).read_text()
    assert [line.split(",")[0] for line in log.splitlines() if line.startswith("hybridcore: attempt")] == [
        f"hybridcore: attempt {number}" for number in (1, 2, 3)
    ]
    nothing_left(space)


def test_retries_end_and_other_errors_are_final(space: WorkspaceFolder) -> None:
    passing = space.null("linux/null/passing", inline=("echo connection refused", "exit 1"))
    final = space.null("linux/null/final", inline=("echo no such thing", "exit 1"))
    report = build(space, passing, final, retries=2, retry_delay=0.01)
    assert [(one.status, one.attempts, one.retryable) for one in report.results] == [
        (Status.FAILED, 3, True),
        (Status.FAILED, 1, False),
    ]


def test_two_builds_of_one_target_refuse_or_wait(space: WorkspaceFolder) -> None:
    target, other = long_null(space), space.null("linux/null/other")
    command = hybrid_command(space, "build", "--env", "dev", target)
    first = subprocess.Popen(command, env=hybrid_environment(), stderr=subprocess.DEVNULL)
    waiting = None
    try:
        run = Running(space)
        refused = build_json(space, target, code=4)["results"][0]
        assert refused["locked"] is True
        assert f"the target {target} is locked by build {target} in dev (pid {run.caller}" in str(
            refused["errors"]
        )
        assert "--lock-timeout, or lock_timeout of packer_build" in str(refused["errors"])
        mixed = build_json(space, target, other, code=4)
        assert {one["target"]: one["status"] for one in mixed["results"]} == {
            target: "failed",
            other: "built",
        }
        noted = space.root / "noted"
        with noted.open("wb") as stderr:
            waiting = subprocess.Popen(
                [*hybrid_command(space, "--json", "build", "--env", "dev"), target, "--lock-timeout", "60"],
                env=hybrid_environment(),
                stdout=subprocess.PIPE,
                stderr=stderr,
            )
        wait_for(lambda: "waiting up to" in noted.read_text(), "the second build says that it waits")
        (space.root / "began-long").unlink()
        run_folders = {path.name for path in run.folder.parent.iterdir()}
        assert run.run_id in run_folders
        # What the first one waits for comes now, by ending its sleep: the script then ends well.
        (sleeper,) = (
            pid
            for pid in run.processes()
            if Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"sleep\x00300")
        )
        subprocess.run(["kill", str(sleeper)], check=True)
        assert first.wait(30) in (0, 3)
        (space.root / "go").touch()
        out, _ = waiting.communicate(timeout=60)
        assert waiting.returncode == 0, noted.read_text()
        assert json.loads(out)["results"][0]["status"] in ("built", "unchanged")
    finally:
        for child in (first, waiting):
            if child is not None and child.poll() is None:
                child.kill()
                child.wait()


def test_who_waited_takes_the_image_that_was_built_meanwhile(space: WorkspaceFolder) -> None:
    root = space.root
    target = space.null(
        inline=(
            f"touch {root}/began-demo; echo x >> {root}/count",
            f"for i in $(seq 3000); do test -e {root}/go && exit 0; sleep 0.02; done; exit 1",
        )
    )
    first = subprocess.Popen(
        hybrid_command(space, "build", "--env", "dev"), env=hybrid_environment(), stderr=subprocess.DEVNULL
    )
    try:
        run = Running(space, ["began-demo"])

        class Releasing(Recorder):
            def note(self, text: str) -> None:
                super().note(text)
                if "waiting up to" in text:
                    (root / "go").touch()

        monitor = Releasing()
        (result,) = build(space, target, lock_timeout=60, monitor=monitor).results
        assert first.wait(30) == 0
        assert result.status is Status.UNCHANGED
        assert [one.id for one in result.artifacts] == ["Null"]
        assert f"{target}: was built meanwhile, in run {run.run_id}" in monitor.notes
        assert (root / "count").read_text() == "x\n"
        assert [one["status"] for one in state_of(space)["history"]] == ["built", "unchanged"]
        # The second command read its settings while the first one built.
        assert "packer-hybrid.toml" not in state_of(space)["images"][f"dev/{target}"].get("observed", [])
    finally:
        if first.poll() is None:
            first.kill()
            first.wait()


def test_one_target_asked_for_twice_is_built_once(space: WorkspaceFolder) -> None:
    target = space.null()
    assert statuses(build(space, target, target)) == {target: "built"}


def test_output_that_is_not_utf8_and_a_long_line(space: WorkspaceFolder) -> None:
    odd = space.root / "odd"
    odd.write_bytes(b"not UTF-8: \xff\xfe\n" + b"x" * 300_000 + b"\nafter it\n")
    space.null(inline=(f"cat {odd}",))
    monitor = Recorder()
    (result,) = build(space, monitor=monitor).results
    assert result.status is Status.BUILT, result.errors
    log = (space.root / str(result.log_path)).read_bytes()
    assert b"not UTF-8: " in log
    assert b"x" * 290_000 in log
    assert "after it" in monitor.text


def test_a_line_of_ten_megabytes(space: WorkspaceFolder, fake_packer: FakePacker) -> None:
    # Played, since Packer itself needs half a minute for such a line.
    space.null()
    fields = ["builder-id,x", "id,VM", "files-count,0", "end"]
    lines = ["1700000000,null.demo,artifact-count,1"]
    lines += [f"1700000000,null.demo,artifact,0,{field}" for field in fields]
    code = f"print('1700000000,,ui,message,' + 'x' * 10_000_000)\nprint({chr(10).join(lines)!r})"
    fake_packer.answer("build", code=code)
    monitor = Recorder()
    (result,) = build(space, monitor=monitor).results
    assert result.status is Status.BUILT, result.errors
    assert (space.root / str(result.log_path)).read_bytes().count(b"x" * 1000) == 10_000
    assert max(len(text) for _, text, _ in monitor.lines) < 100_000


def test_a_packer_that_panics(space: WorkspaceFolder, fake_packer: FakePacker, monkeypatch) -> None:
    monkeypatch.setenv("PKR_VAR_password", "canary-4711")
    target = space.null()
    space.write(f"templates/{target}/secret.pkr.hcl", 'variable "password" {\n  sensitive = true\n}\n')
    panic = "panic: runtime error: index out of range\n\ngoroutine 1 [running]:\nmain.main(canary-4711)\n"
    crash_log = "2026/11/22 packer-builder-null: password is canary-4711 \xff"
    code = f"with open('crash.log', 'w', encoding='latin-1') as file:\n    file.write({crash_log!r})"
    fake_packer.answer("build", stderr=panic, exit_code=2, code=code)
    (result,) = build(space).results
    assert result.status is Status.FAILED
    assert "Packer crashed: panic: runtime error" in result.errors[0]
    log = (space.root / str(result.log_path)).read_text()
    assert "goroutine 1 [running]:\nmain.main(***)" in log
    left = log.partition("hybridcore: Packer left a crash log:\n")[2]
    assert left == "2026/11/22 packer-builder-null: password is *** \N{REPLACEMENT CHARACTER}"
    assert "canary" not in str(result.to_dict()) + log


def test_a_packer_that_a_signal_ends(space: WorkspaceFolder, fake_packer: FakePacker) -> None:
    space.null()
    fake_packer.answer("build", code="import signal\nos.kill(os.getpid(), signal.SIGKILL)")
    (result,) = build(space).results
    assert (result.status, result.exit_code) == (Status.FAILED, None)
    assert "a signal ended Packer" in result.errors[0]


def test_exit_code_0_without_artifacts_is_a_failure(space: WorkspaceFolder, fake_packer: FakePacker) -> None:
    space.null()
    (result,) = build(space).results
    assert (result.status, result.exit_code) == (Status.FAILED, 0)
    assert "no artifact was made" in result.errors[0]


def test_a_file_that_packer_names_and_that_is_not_there(
    space: WorkspaceFolder, fake_packer: FakePacker
) -> None:
    target = space.null()
    fields = ["builder-id,x", "id,VM", "files-count,1", "file,0,out/disk.qcow2", "end"]
    lines = ["1700000000,,ui,say,Build 'null.demo' finished.", "1700000000,null.demo,artifact-count,1"]
    lines += [f"1700000000,null.demo,artifact,0,{field}" for field in fields]
    fake_packer.answer("build", stdout="\n".join(lines) + "\n")
    (result,) = build(space).results
    assert result.status is Status.FAILED
    assert result.errors == ("Packer names the file out/disk.qcow2, which is not there",)
    assert not (space.root / "images" / "dev" / target).exists()


def test_what_the_system_refuses_to_start_is_a_failure_with_its_reason(space: WorkspaceFolder) -> None:
    target = space.null()
    (result,) = build(space, extra_env={"HUGE": "x" * 200_000}).results
    assert result.status is Status.FAILED
    assert result.errors == ("Packer cannot be started: Argument list too long",)
    (result,) = build(space, extra_env={"NUL": "a\0b"}).results
    assert result.status is Status.FAILED
    assert result.errors == ("Packer cannot be started: embedded null byte",)
    nothing_left(space)
    assert statuses(build(space)) == {target: "built"}


def test_on_error_that_this_packer_lacks(
    space: WorkspaceFolder, fake_packer: FakePacker, monkeypatch: pytest.MonkeyPatch
) -> None:
    space.null()
    with pytest.raises(ConfigError, match="does not know -on-error=run-cleanup-provisioner"):
        build(space, on_error="run-cleanup-provisioner", only=("a,b",))
    assert not (space.root / "logs/builds").exists()
    assert [call.argv for call in fake_packer.calls_of("build")] == [["build", "--help"]]


def test_a_lost_secret_and_a_missing_target_are_told_together_with_their_place(
    space: WorkspaceFolder,
) -> None:
    for name in ("a", "b"):
        target = space.null(f"linux/null/{name}")
        space.write(
            f"templates/{target}/secret.pkr.hcl", f'\nvariable "password_{name}" {{\n  sensitive = true\n}}\n'
        )
    with pytest.raises(ConfigError) as caught:
        build(space)
    assert [(fault.file, fault.line) for fault in caught.value.faults] == [
        ("templates/linux/null/a/secret.pkr.hcl", 2),
        ("templates/linux/null/b/secret.pkr.hcl", 2),
    ]
    assert "PKR_VAR_password_a" in caught.value.faults[0].hint


def test_what_is_built_is_what_the_fingerprint_was_taken_of(space: WorkspaceFolder) -> None:
    """The configuration is rendered anew, with another value, while the target waits for its turn."""
    go, target = space.root / "go", "linux/null/z-later"
    slow = space.null(
        "linux/null/a-slow",
        inline=(f"touch {space.root}/begun", f"while ! test -e {go}; do sleep 0.02; done"),
    )
    space.null(target, message="first")
    command = hybrid_command(space, "build", "--env", "dev", "--parallel-builds", "1", slow, target)
    running = subprocess.Popen(command, env=hybrid_environment())
    try:
        begun = space.root / "begun"
        wait_for(begun.exists, "the first build has begun")
        rendered = hybrid(space, "config", "render", "--env", "dev", "--var", "message=second", target)
        assert rendered.returncode == 0, rendered.stderr
        assert "second" in (space.root / "configs/dev/linux/null/z-later.pkrvars.hcl").read_text()
        go.touch()
        assert running.wait(60) == 0
    finally:
        running.kill()  # its supervisor ends the build, where the test has failed
    (log,) = (space.root / "logs/builds/dev" / target).glob("*.log")
    assert "message is first" in log.read_text()
    assert "message is second" not in log.read_text()


def test_names_that_differ_in_their_separators_alone_do_not_collide(space: WorkspaceFolder) -> None:
    first, second = space.null("a_null/null/z"), space.null("a/null/z")
    third = space.null("a/null/null_z")
    assert statuses(build(space)) == dict.fromkeys((first, second, third), "built")


def test_errors_name_the_files_of_the_workspace(space: WorkspaceFolder) -> None:
    """What our reader takes and Packer refuses: the path must be the user's, not that of the run's folder."""
    target = space.null("linux/null/odd")
    space.write("templates/linux/null/odd/locals.pkr.hcl", "locals {\n  a = nothing.here\n}\n")
    monitor = Recorder()
    (result,) = build(space, monitor=monitor).results
    assert result.status is Status.FAILED
    said = "\n".join([*result.errors, *(text for _, text, _ in monitor.lines)])
    assert "templates/linux/null/odd/locals.pkr.hcl" in said
    assert ".runs" not in said
    assert target == result.target
