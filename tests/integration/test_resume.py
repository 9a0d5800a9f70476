"""Run again after something went wrong: only what is missing is built, and what was left is named."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from hybridcore import pipeline, templates
from hybridcore.packer.building import batch
from hybridcore.packer.building.batch import run_batch
from hybridcore.packer.options import BuildOptions
from hybridcore.packer.planning import plan
from hybridcore.packer.program.capabilities import probe
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
    template = templates.load(target, workspace)
    made = plan.plan([template], env="dev", workspace=workspace, capabilities=capabilities, options=options)
    assert made[0].reasons == ("never built",)
    theirs = batch.build([template], env="dev", workspace=workspace)
    monitor = Recorder()
    report = run_batch(
        made, env="dev", options=options, workspace=workspace, capabilities=capabilities, monitor=monitor
    )
    assert statuses(report) == {target: "unchanged"}
    assert f"{target}: was built meanwhile, in run {theirs.run_id}" in monitor.notes
    assert state_of(space)["images"][f"dev/{target}"]["run"] == theirs.run_id


def test_the_assets_of_a_stack_count_where_the_template_runs_it_and_not_where_it_is_off(
    space: WorkspaceFolder,
) -> None:
    plain = space.null("linux/null/plain")
    path = space.root / "templates" / plain / "build.pkr.hcl"
    named = 'environment_vars = ["A=b"]\n    script = "${path.root}/../../../ansible/run.sh"'
    inline = 'inline = ["echo message is ${var.message}"]'
    text = path.read_text().replace(inline, named)
    path.write_text(text)
    switched = space.template(
        "linux/null/switched",
        text.replace('"plain"', '"switched"').replace("null.plain", "null.switched")
        + 'variable "enable_ansible" {\n  type    = bool\n  default = true\n}\n',
    )
    space.write("templates/ansible/site.yml", "[]\n")
    space.write("templates/ansible/run.sh", "echo one\n").chmod(0o755)
    off = pipeline.Request(env="dev", provisioners={"ansible": False})
    workspace = space.open()
    assert statuses(pipeline.build(off, workspace=workspace, monitor=Recorder())) == {
        plain: "built",
        switched: "built",
    }
    space.write("templates/ansible/run.sh", "echo two\n")
    changed = pipeline.build(off, workspace=workspace, monitor=Recorder(), check=True)
    assert {one.target: one.reasons for one in changed.results} == {
        plain: ("templates/ansible/run.sh changed",),
        switched: (),
    }


def machine_that_waits(space: WorkspaceFolder, vcsim: Vcsim, name: str) -> str:
    """A target that leaves its machine in the simulator, says so by a file, and then waits."""
    target = space.vsphere_clone(f"linux/vsphere/{name}", vcsim)
    path = space.root / "templates" / target / "build.pkr.hcl"
    text = path.read_text().removesuffix("}\n")
    line = f"test -e {space.root}/go || {{ touch {space.root}/began-machine; sleep 300; }}"
    path.write_text(f'{text}\n  post-processor "shell-local" {{\n    inline = ["{line}"]\n  }}\n}}\n')
    return target


def kill_all(pids: Sequence[int], number: signal.Signals) -> None:
    """Send a signal to processes, as far as they still live."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


NAMED = "source.vsphere-clone.{0} may have left a machine (vm_name = {0}); look, and remove it"


def remove(vcsim: Vcsim, name: str) -> None:
    """What the person does who reads the message."""
    with vcsim.machines() as machines:
        (found,) = [machine for machine in machines if machine.name == name]
        found.Destroy_Task()
    wait_for(lambda: name not in vcsim.templates(), "the machine is removed")


def test_a_machine_of_a_killed_packer_is_named(
    space: WorkspaceFolder, vcsim: Vcsim, started: Callable[..., subprocess.Popen[bytes]]
) -> None:
    target = machine_that_waits(space, vcsim, "of-killed")
    child = started()
    run = Running(space, ["began-machine"])
    kill_all(run.processes(), signal.SIGKILL)
    assert child.wait(60) == 3
    run.assert_nothing_left({target: "failed"})
    assert "of-killed" in vcsim.templates()
    assert NAMED.format("of-killed") in state_of(space)["images"][f"dev/{target}"]["last_attempt"]["error"]
    assert NAMED.format("of-killed") in (space.root / "output").read_text()
    assert NAMED.format("of-killed") in hybrid(space, "status").stdout
    remove(vcsim, "of-killed")
    (space.root / "go").touch()
    assert build_json(space)["results"][0]["status"] == "built"
    remove(vcsim, "of-killed")


def test_a_machine_of_a_dead_run_is_named_at_the_next_start(
    space: WorkspaceFolder, vcsim: Vcsim, started: Callable[..., subprocess.Popen[bytes]]
) -> None:
    target = machine_that_waits(space, vcsim, "of-dead")
    long_null(space, LONG)
    child = started("--parallel-builds", "2")
    run = Running(space, ["began-machine", "began-long"])
    # As when a container is killed: all at once, and nobody can do anything about it.
    everything = [child.pid, run.supervisor, *run.processes()]
    kill_all(everything, signal.SIGSTOP)
    kill_all(everything, signal.SIGKILL)
    child.wait()
    wait_for(lambda: not is_alive(run.supervisor), "the supervisor is dead")
    assert "of-dead" in vcsim.templates()
    shown = hybrid(space, "status").stdout
    assert f"{target} in dev: interrupted, started " in shown
    assert f"log: logs/builds/dev/{target}/" in shown
    assert f"\n  Packer could not clean up: {NAMED.format('of-dead')}" in shown
    assert shown.count("Packer could not clean up") == 1
    remove(vcsim, "of-dead")
    (space.root / "go").touch()
    said = build_json(space)
    assert f"{target}: Packer could not clean up: {NAMED.format('of-dead')}" in said["stderr"]
    assert f"{LONG}: Packer could not clean up" not in said["stderr"]
    assert f"run {run.run_id} was interrupted" in said["stderr"]
    assert said["interrupted"] == [
        f"{target}: Packer could not clean up: {NAMED.format('of-dead')}",
        f"run {run.run_id} was interrupted; what it left was removed, its targets are built again",
    ]
    assert build_json(space)["interrupted"] == []
    assert "never built: the last attempt was interrupted" in said["stderr"]
    assert {one["status"] for one in said["results"]} == {"built"}
    assert not run.folder.exists()
    assert [folder for folder in run.temporary if folder.exists()] == []
    remove(vcsim, "of-dead")


def test_a_temporary_folder_is_remembered_before_it_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kill between the two leaves a link to nothing, and never a folder that nobody knows."""
    from hybridcore.packer import runs
    from hybridcore.packer.building.job import make_temporary

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
