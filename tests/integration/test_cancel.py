"""Whatever ends the caller of a build: nothing is left, the state says so, and the next build works."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.builds import (
    Running,
    build_json,
    hybrid,
    hybrid_command,
    hybrid_environment,
    is_alive,
    long_null,
    parent_of,
    state_of,
    wait_for,
)
from tests.support.playbooks import Ansible
from tests.support.programs import FakePacker
from tests.support.workspaces import WorkspaceFolder

pytestmark = pytest.mark.integration

TARGET = "linux/null/long"
PLAYBOOK = """\
- hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - hybridcore.packer.packer_build:
        env: dev
        workspace: {workspace}
      {more}
"""
Spawn = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder]) -> WorkspaceFolder:
    made = make_workspace()
    long_null(made)
    return made


@pytest.fixture
def spawn(tmp_path: Path) -> Iterator[Spawn]:
    """Start a program in a session of its own, its output in a file; what a failed test left is killed."""
    started: list[subprocess.Popen[bytes]] = []

    def run(command: list[str], env: dict[str, str], **more: object) -> subprocess.Popen[bytes]:
        with open(tmp_path / "output", "wb") as output:
            settings = {"stdin": subprocess.DEVNULL, "stdout": output, "stderr": output, **more}
            child = subprocess.Popen(command, env=env, start_new_session=True, **settings)
        started.append(child)
        return child

    yield run
    for child in started:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def assert_next_build_works(space: WorkspaceFolder, packer: Path | None = None) -> None:
    (space.root / "go").touch()
    said = build_json(space, packer=packer)
    assert {result["status"] for result in said["results"]} <= {"built", "unchanged"}
    assert state_of(space)["images"][f"dev/{TARGET}"]["status"] == "built"
    assert build_json(space, packer=packer)["changed"] is False


def start_hybrid(spawn: Spawn, space: WorkspaceFolder, *arguments: str, packer: Path | None = None):
    return spawn(hybrid_command(space, "build", "--env", "dev", *arguments), hybrid_environment(packer))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_signal_to_the_command_line(
    spawn: Spawn, space: WorkspaceFolder, any_packer: Path, number: signal.Signals, tmp_path: Path
) -> None:
    child = start_hybrid(spawn, space, packer=any_packer)
    run = Running(space)
    child.send_signal(number)
    code = child.wait(20)
    run.assert_nothing_left({TARGET: "cancelled"})
    if number is signal.SIGKILL:
        assert code == -signal.SIGKILL
    else:
        assert code == 130
        assert "packer-hybrid: cancelled" in (tmp_path / "output").read_text()
    said = hybrid(space, "status").stdout
    assert f"{TARGET} in dev: last attempt cancelled at 20" in said
    assert f"log: logs/builds/dev/{TARGET}/" in said
    assert_next_build_works(space, any_packer)


def test_ctrl_c_reaches_the_whole_group(spawn: Spawn, space: WorkspaceFolder) -> None:
    child = start_hybrid(spawn, space)
    run = Running(space)
    os.killpg(child.pid, signal.SIGINT)
    assert child.wait(20) == 130
    run.assert_nothing_left({TARGET: "cancelled"})


def test_a_second_ctrl_c_leaves_nothing_either(spawn: Spawn, space: WorkspaceFolder) -> None:
    child = start_hybrid(spawn, space)
    run = Running(space)
    for _ in range(3):
        os.killpg(child.pid, signal.SIGINT)
    assert child.wait(20) != 0
    run.assert_nothing_left({TARGET: "cancelled"})


def test_what_was_ignored_at_the_start_stays_ignored_and_sigterm_ends_the_build(
    spawn: Spawn, space: WorkspaceFolder
) -> None:
    """As `nohup packer-hybrid build &` in a script."""
    waits = f"touch {space.root}/began-long; until test -e {space.root}/go; do sleep 0.05; done"
    space.null(TARGET, inline=(waits,))
    command = ["env", "--ignore-signal=INT,HUP", *hybrid_command(space, "build", "--env", "dev")]
    child = spawn(command, hybrid_environment())
    run = Running(space)
    for number in (signal.SIGINT, signal.SIGHUP):
        child.send_signal(number)
        os.kill(run.supervisor, number)
    (space.root / "go").touch()
    assert child.wait(20) == 0
    run.assert_nothing_left({TARGET: "built"})
    for name in ("go", "began-long"):
        (space.root / name).unlink()
    child = spawn([*command, "--force"], hybrid_environment())
    run = Running(space)
    child.send_signal(signal.SIGTERM)
    assert child.wait(20) == 130
    run.assert_nothing_left({TARGET: "cancelled"})


def test_closed_terminal(spawn: Spawn, space: WorkspaceFolder) -> None:
    ours, theirs = pty.openpty()
    child = spawn(
        ["setsid", "--ctty", "--wait", *hybrid_command(space, "build", "--env", "dev")],
        hybrid_environment(),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    run = Running(space)
    os.close(ours)
    child.wait(20)
    run.assert_nothing_left({TARGET: "cancelled"})
    assert_next_build_works(space)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_death_of_the_supervisor(spawn: Spawn, space: WorkspaceFolder, number: signal.Signals) -> None:
    child = start_hybrid(spawn, space)
    run = Running(space)
    os.kill(run.supervisor, number)
    assert child.wait(20) == 130
    run.assert_nothing_left({TARGET: "cancelled"})
    assert_next_build_works(space)


def test_what_a_dead_run_left_is_removed_at_the_next_start(spawn: Spawn, space: WorkspaceFolder) -> None:
    child = start_hybrid(spawn, space)
    run = Running(space)
    # As when a container is killed: the supervisor cannot do anything, and Packer happens to live on.
    os.kill(run.supervisor, signal.SIGSTOP)
    child.kill()
    child.wait()
    os.kill(run.supervisor, signal.SIGKILL)
    wait_for(lambda: not is_alive(run.supervisor), "the supervisor is dead")
    assert run.processes()
    assert run.folder.is_dir()
    (shown,) = json.loads(hybrid(space, "--json", "status").stdout)["running"]
    assert (shown["status"], shown["target"]) == ("interrupted", TARGET)
    assert (space.root / shown["log_path"]).is_file()
    (space.root / "go").touch()
    said = build_json(space)
    assert said["results"][0]["status"] == "built"
    assert f"run {run.run_id} was interrupted" in said["stderr"]
    assert not run.processes()
    assert not run.folder.exists()
    assert [folder for folder in run.temporary if folder.exists()] == []
    before, last = state_of(space)["history"]
    assert (before["id"], before["status"]) == (run.run_id, "interrupted")
    assert before["finished_at"]
    assert last["status"] == "built"


def test_after_a_cancelled_batch_only_what_is_missing_is_built(spawn: Spawn, space: WorkspaceFolder) -> None:
    quick, late = space.null("linux/null/a-quick"), space.null("linux/null/z-late")
    child = start_hybrid(spawn, space, "--parallel-builds", "1")
    run = Running(space)
    child.send_signal(signal.SIGTERM)
    assert child.wait(20) == 130
    run.assert_nothing_left({quick: "built", TARGET: "cancelled", late: "cancelled"})
    assert state_of(space)["history"][-1]["status"] == "partial"
    (space.root / "go").touch()
    said = build_json(space)
    assert {result["target"]: result["status"] for result in said["results"]} == {
        quick: "unchanged",
        TARGET: "built",
        late: "built",
    }


def test_a_process_that_left_its_group_is_found(spawn: Spawn, space: WorkspaceFolder) -> None:
    space.null(
        TARGET,
        inline=(f"setsid sleep 300 & setsid sh -c 'trap : TERM; touch {space.root}/began-long; sleep 300'",),
    )
    child = start_hybrid(spawn, space)
    run = Running(space)
    assert len(run.processes()) >= 4
    child.send_signal(signal.SIGINT)
    assert child.wait(20) == 130
    run.assert_nothing_left({TARGET: "cancelled"})


def test_a_packer_that_does_not_end_is_killed(
    spawn: Spawn, space: WorkspaceFolder, fake_packer: FakePacker
) -> None:
    fake_packer.answer(
        "build",
        code="import signal, subprocess, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "subprocess.Popen(['sleep', '300'], start_new_session=True)\n"
        f"open('{space.root}/began-long', 'w').close()\n"
        "time.sleep(300)",
    )
    child = start_hybrid(spawn, space)
    run = Running(space)
    child.send_signal(signal.SIGTERM)
    assert child.wait(20) == 130
    run.assert_nothing_left({TARGET: "cancelled"})


def test_a_second_ctrl_c_leaves_a_slow_cleanup_to_the_supervisor(
    spawn: Spawn, space: WorkspaceFolder, fake_packer: FakePacker, tmp_path: Path
) -> None:
    target = "linux/vsphere/long"
    (space.root / "templates" / TARGET / "build.pkr.hcl").unlink()
    space.template(
        target, 'source "vsphere-iso" "long" {\n}\nbuild {\n  sources = ["source.vsphere-iso.long"]\n}\n'
    )
    fake_packer.answer(
        "build",
        code="import signal\n"
        "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGUSR1])\n"
        f"open('{space.root}/began-long', 'w').close()\n"
        "signal.sigwait([signal.SIGTERM])\n"
        f"open('{space.root}/cleans-up', 'w').close()\n"
        "signal.sigwait([signal.SIGUSR1])\n"
        f"open('{space.root}/cleaned-up', 'w').close()\n"
        "sys.exit(1)",
    )
    child = start_hybrid(spawn, space)
    run = Running(space)
    os.killpg(child.pid, signal.SIGINT)
    wait_for((space.root / "cleans-up").exists, "Packer cleans up")
    wait_for(lambda: "up to 300 s" in (tmp_path / "output").read_text(), "the caller says that it waits")
    wait_for(lambda: child.poll() is not None or os.killpg(child.pid, signal.SIGINT), "the caller ends")
    assert child.returncode != 0
    (packer,) = run.processes()
    os.kill(packer, signal.SIGUSR1)
    run.assert_nothing_left({target: "cancelled"})
    assert (space.root / "cleaned-up").exists()


def start_playbook(
    spawn: Spawn, ansible: Ansible, space: WorkspaceFolder, tmp_path: Path, *, more: str = "", **extra: str
) -> subprocess.Popen[bytes]:
    file = tmp_path / "play.yml"
    file.write_text(PLAYBOOK.format(workspace=space.root, more=more))
    command = [ansible.program("ansible-playbook"), str(file)]
    return spawn(command, ansible.environment(extra), cwd=tmp_path)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_signal_to_ansible_playbook(
    spawn: Spawn, ansible: Ansible, space: WorkspaceFolder, tmp_path: Path, number: signal.Signals
) -> None:
    child = start_playbook(spawn, ansible, space, tmp_path)
    run = Running(space)
    assert parent_of(run.caller) == child.pid
    child.send_signal(number)
    child.wait(20)
    run.assert_nothing_left({TARGET: "cancelled"})
    assert_next_build_works(space)


def test_ctrl_c_reaches_the_group_of_ansible_playbook(
    spawn: Spawn, ansible: Ansible, space: WorkspaceFolder, tmp_path: Path
) -> None:
    child = start_playbook(spawn, ansible, space, tmp_path)
    run = Running(space)
    os.killpg(child.pid, signal.SIGINT)
    child.wait(20)
    run.assert_nothing_left({TARGET: "cancelled"})


def test_kill_of_the_worker(spawn: Spawn, ansible: Ansible, space: WorkspaceFolder, tmp_path: Path) -> None:
    start_playbook(spawn, ansible, space, tmp_path)
    run = Running(space)
    os.kill(run.caller, signal.SIGKILL)
    run.assert_nothing_left({TARGET: "cancelled"})


def test_timeout_of_the_task(spawn: Spawn, ansible: Ansible, space: WorkspaceFolder, tmp_path: Path) -> None:
    child = start_playbook(spawn, ansible, space, tmp_path, more="timeout: 8")
    run = Running(space)
    assert child.wait(40) == 2
    assert "timed out" in (tmp_path / "output").read_text().lower()
    run.assert_nothing_left({TARGET: "cancelled"})
    assert_next_build_works(space)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_end_of_ansible_runner(
    spawn: Spawn, ansible: Ansible, space: WorkspaceFolder, tmp_path: Path, number: signal.Signals
) -> None:
    private = tmp_path / "private"
    (private / "project").mkdir(parents=True)
    (private / "project" / "play.yml").write_text(PLAYBOOK.format(workspace=space.root, more=""))
    environment = ansible.environment({"AWX_ISOLATED_DATA_DIR": str(private)})
    child = spawn([ansible.program("ansible-runner"), "run", str(private), "-p", "play.yml"], environment)
    run = Running(space)
    child.send_signal(number)
    child.wait(20)
    run.assert_nothing_left({TARGET: "cancelled"})
    # Without its runner nobody reads what ansible-playbook says; it ends by itself once the build has.
    wait_for(lambda: not is_alive(run.caller), "the worker ends")
    # A killed runner leaves ansible-playbook itself behind; that is not ours, so we end it.
    for folder in Path("/proc").glob("[0-9]*/cwd"):
        with contextlib.suppress(OSError):
            if os.readlink(folder) == str(private / "project"):
                os.kill(int(folder.parent.name), signal.SIGKILL)
    assert_next_build_works(space)
