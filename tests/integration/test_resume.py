"""Run again after something went wrong: only what is missing is built, and what was left is named."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hybridcore import pipeline
from hybridcore.packer import batch, plan
from hybridcore.packer.build import run_batch
from hybridcore.packer.capabilities import probe
from hybridcore.packer.results import BuildOptions
from tests.support.builds import (
    Recorder,
    Running,
    build,
    build_json,
    hybrid,
    hybrid_command,
    hybrid_environment,
    is_alive,
    long_null,
    state_of,
    statuses,
    wait_for,
)
from tests.support.simulators import Vcsim
from tests.support.workspaces import WorkspaceFolder

pytestmark = pytest.mark.integration

LONG = "linux/null/long"
MACHINE = "linux/vsphere/left-behind"


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder]) -> WorkspaceFolder:
    return make_workspace()


@pytest.fixture
def started(space: WorkspaceFolder) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start a build of the command line in the background; what a failed test left is killed."""
    children: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str) -> subprocess.Popen[bytes]:
        with open(space.root / "output", "wb") as output:
            command = hybrid_command(space, "build", "--env", "dev", *arguments)
            child = subprocess.Popen(
                command,
                env=hybrid_environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        children.append(child)
        return child

    yield start
    for child in children:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def test_a_partly_failed_batch_builds_only_what_is_missing_and_says_so(space: WorkspaceFolder) -> None:
    good = space.null("linux/null/good")
    bad = space.null("linux/null/bad", inline=(f"test -e {space.root}/go",))
    assert statuses(build(space)) == {good: "built", bad: "failed"}
    (space.root / "go").touch()
    monitor = Recorder()
    assert build(space, check=True).results[0].reasons == ("never built: the last attempt was failed",)
    assert statuses(build(space, monitor=monitor)) == {good: "unchanged", bad: "built"}
    assert "1 unchanged, 1 to build" in monitor.notes
    assert f"{bad}: build: never built: the last attempt was failed" in monitor.notes
    assert statuses(build(space, force=True)) == {good: "built", bad: "built"}


def test_a_file_that_the_template_names_elsewhere_is_an_input(space: WorkspaceFolder) -> None:
    target = space.null()
    path = space.root / "templates" / target / "build.pkr.hcl"
    named = 'script = "${path.root}/../../../../files/show.sh"'
    path.write_text(path.read_text().replace('inline = ["echo message is ${var.message}"]', named))
    space.write("files/show.sh", "echo one\n").chmod(0o755)
    monitor = Recorder()
    build(space, monitor=monitor)
    assert "one" in monitor.text
    assert statuses(build(space)) == {target: "unchanged"}
    space.write("files/show.sh", "echo two\n")
    monitor = Recorder()
    result = build(space, monitor=monitor).results[0]
    assert result.reasons == ("files/show.sh changed",)
    assert "two" in monitor.text
    assert statuses(build(space)) == {target: "unchanged"}


def test_an_image_that_somebody_built_since_the_plan_was_made_is_taken(space: WorkspaceFolder) -> None:
    target = space.null()
    workspace = space.open()
    pipeline.render(pipeline.Request(env="dev"), workspace, write=True)
    capabilities = probe(workspace.settings.packer_path, cache_dir=workspace.state_dir / "cache")
    options = BuildOptions()
    made = plan.plan([target], env="dev", workspace=workspace, capabilities=capabilities, options=options)
    assert made[0].reasons == ("never built",)
    theirs = batch.build([target], env="dev", workspace=workspace)
    monitor = Recorder()
    report = run_batch(
        made, env="dev", options=options, workspace=workspace, capabilities=capabilities, monitor=monitor
    )
    assert statuses(report) == {target: "unchanged"}
    assert f"{target}: was built meanwhile, in run {theirs.run_id}" in monitor.notes
    assert state_of(space)["images"][f"dev/{target}"]["run"] == theirs.run_id


def machine_that_waits(space: WorkspaceFolder, vcsim: Vcsim) -> None:
    """A target that leaves its machine in the simulator, says so by a file, and then waits."""
    space.vsphere_clone(MACHINE, vcsim)
    path = space.root / "templates" / MACHINE / "build.pkr.hcl"
    text = path.read_text().removesuffix("}\n")
    line = f"test -e {space.root}/go || {{ touch {space.root}/began-machine; sleep 300; }}"
    path.write_text(f'{text}\n  post-processor "shell-local" {{\n    inline = ["{line}"]\n  }}\n}}\n')


NAMED = (
    "source.vsphere-clone.left-behind may have left a machine (vm_name = left-behind); look, and remove it"
)


def remove(vcsim: Vcsim, name: str) -> None:
    """What the person does who reads the message."""
    with vcsim.machines() as machines:
        (found,) = [machine for machine in machines if machine.name == name]
        found.Destroy_Task()
    wait_for(lambda: name not in vcsim.templates(), "the machine is removed")


def test_a_machine_of_a_killed_packer_is_named(
    space: WorkspaceFolder, vcsim: Vcsim, started: Callable[..., subprocess.Popen[bytes]]
) -> None:
    machine_that_waits(space, vcsim)
    child = started()
    run = Running(space, ["began-machine"])
    for pid in run.processes():
        os.kill(pid, signal.SIGKILL)
    assert child.wait(60) == 3
    run.assert_nothing_left({MACHINE: "failed"})
    assert "left-behind" in vcsim.templates()
    assert NAMED in state_of(space)["images"][f"dev/{MACHINE}"]["last_attempt"]["error"]
    assert NAMED in (space.root / "output").read_text()
    remove(vcsim, "left-behind")
    (space.root / "go").touch()
    assert build_json(space)["results"][0]["status"] == "built"
    remove(vcsim, "left-behind")


def test_a_machine_of_a_dead_run_is_named_at_the_next_start(
    space: WorkspaceFolder, vcsim: Vcsim, started: Callable[..., subprocess.Popen[bytes]]
) -> None:
    machine_that_waits(space, vcsim)
    long_null(space, LONG)
    child = started("--parallel-builds", "2")
    run = Running(space, ["began-machine", "began-long"])
    # As when a container is killed: all at once, and nobody can do anything about it.
    everything = [child.pid, run.supervisor, *run.processes()]
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for pid in everything:
            os.kill(pid, number)
    child.wait()
    wait_for(lambda: not is_alive(run.supervisor), "the supervisor is dead")
    assert "left-behind" in vcsim.templates()
    shown = hybrid(space, "status").stdout
    assert f"{MACHINE} in dev: interrupted, started " in shown
    assert f"log: logs/builds/dev/{MACHINE}/" in shown
    remove(vcsim, "left-behind")
    (space.root / "go").touch()
    said = build_json(space)
    assert f"{MACHINE}: Packer could not clean up: {NAMED}" in said["stderr"]
    assert f"{LONG}: Packer could not clean up" not in said["stderr"]
    assert f"run {run.run_id} was interrupted" in said["stderr"]
    assert "never built: the last attempt was interrupted" in said["stderr"]
    assert {one["status"] for one in said["results"]} == {"built"}
    assert not run.folder.exists()
    assert [folder for folder in run.temporary if folder.exists()] == []
    remove(vcsim, "left-behind")


def test_a_temporary_folder_is_remembered_before_it_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kill between the two leaves a link to nothing, and never a folder that nobody knows."""
    from hybridcore import runs
    from hybridcore.packer.job import make_temporary

    remembered = []

    def mkdir(path: Path, mode: int = 0o777) -> None:
        remembered.append(os.readlink(tmp_path / "tmp") == str(path))
        os.mkdir(path, mode)

    monkeypatch.setattr(Path, "mkdir", mkdir)
    made = make_temporary(tmp_path)
    assert remembered == [True]
    assert made.stat().st_mode & 0o777 == 0o700
    runs.remove_folder(tmp_path)
    assert not made.exists()
