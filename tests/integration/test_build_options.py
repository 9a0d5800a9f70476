"""Options of a build with the real Packers: retries, the environment, on_error, and plugins beside Packer."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from hybridcore.packer.results import Status
from tests.support.builds import CANCEL_SECONDS, build, hybrid, is_alive, statuses, wait_for
from tests.support.playbooks import Ansible
from tests.support.programs import FakePacker
from tests.support.simulators import Vcsim
from tests.support.tools import Tools
from tests.support.workspaces import WorkspaceFolder

pytestmark = pytest.mark.integration


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder]) -> WorkspaceFolder:
    return make_workspace()


def test_the_delay_before_a_retry_is_the_users(
    space: WorkspaceFolder, ansible: Ansible, tmp_path: Path
) -> None:
    space.null(inline=("echo connection refused", "exit 1"))
    done = hybrid(space, "build", "--env", "dev", "--retries", "2", "--retry-delay", "0.02")
    assert done.returncode == 3
    assert "linux/null/demo: attempt 1 failed, next in 0.02 s\n" in done.stderr
    assert "linux/null/demo: attempt 2 failed, next in 0.04 s\n" in done.stderr
    done = hybrid(space, "build", "--env", "dev", "--retries", "1", "--retry-delay", "-1")
    assert done.returncode == 1
    assert "retry_delay must be a number that is not negative, not -1" in done.stderr
    play = tmp_path / "play.yml"
    task = {"env": "dev", "workspace": str(space.root), "retries": 1, "retry_delay": 0.03}
    play.write_text(
        json.dumps(
            [
                {
                    "hosts": "localhost",
                    "gather_facts": False,
                    "tasks": [{"hybridcore.packer.packer_build": task}],
                }
            ]
        )
    )
    played = ansible.playbook(play, cwd=tmp_path)
    assert "linux/null/demo: attempt 1 failed, next in 0.03 s" in played.stdout


def test_what_ansible_returns_of_a_long_error_is_short(
    space: WorkspaceFolder, fake_packer: FakePacker, ansible: Ansible, tmp_path: Path
) -> None:
    space.null()
    line = f"1700000000,null.demo,error,It broke. {'x' * 60_000}"
    fake_packer.answer("build", stdout=f"{line}\n", exit_code=1)
    play = tmp_path / "play.yml"
    task = {"hybridcore.packer.packer_build": {"env": "dev", "workspace": str(space.root)}}
    play.write_text(json.dumps([{"hosts": "localhost", "gather_facts": False, "tasks": [task]}]))
    shown = ansible.playbook(play, cwd=tmp_path).stdout
    assert '"msg": "1 of 1 images were not built; linux/null/demo: null.demo: It broke. xxx' in shown
    assert "characters, see the log" in shown
    # Ansible shows the message twice; then there is the error, and half of it in the summary.
    assert 10_000 < len(shown) < 20_000


def test_a_variable_of_the_shell_reaches_packer_where_it_is_named(space: WorkspaceFolder) -> None:
    seen = space.root / "seen"
    space.null(inline=(f"echo [$ADDED] >> {seen}",))
    assert hybrid(space, "build", "--env", "dev", "--force", ADDED="from the shell").returncode == 0
    done = hybrid(space, "build", "--env", "dev", "--force", "--env-var", "ADDED", ADDED="from the shell")
    assert done.returncode == 0, done.stderr
    assert seen.read_text() == "[]\n[from the shell]\n"


ON_ERROR = ["cleanup", "abort", "run-cleanup-provisioner"]
CLEANUP = """
  error-cleanup-provisioner "shell-local" {
    inline = ["touch CLEANED"]
  }
}
"""


@pytest.mark.parametrize("on_error", ON_ERROR)
def test_what_is_on_a_platform_is_left_as_on_error_says(
    space: WorkspaceFolder, any_packer: Path, vcsim: Vcsim, on_error: str
) -> None:
    space.use(any_packer)
    target = space.vsphere_clone(f"linux/vsphere/{on_error}-in-{any_packer.parent.name}", vcsim)
    file = space.root / "templates" / target / "build.pkr.hcl"
    # The machine is made, and then it never tells its address.
    login = 'communicator = "ssh"\n  ssh_username = "nobody"\n  ssh_password = "none"\n'
    waiting = f'{login}  ip_wait_timeout = "1s"'
    file.write_text(file.read_text().replace('communicator        = "none"', waiting))
    (result,) = build(space, target, on_error=on_error).results
    assert result.status is Status.FAILED
    assert "waiting for IP" in result.errors[0]
    assert (f"-on-error={on_error}" in result.command) is (on_error != "cleanup")
    with vcsim.machines() as machines:
        left = [machine.name for machine in machines if machine.name == target.rsplit("/", 1)[-1]]
    assert bool(left) is (on_error != "cleanup")


def failing_with_cleanup(space: WorkspaceFolder) -> Path:
    """Make a target whose provisioner fails, and give the file that its provisioner for errors makes."""
    file = space.root / "templates" / space.null(inline=("echo this is why", "exit 3")) / "build.pkr.hcl"
    cleaned = space.root / "cleaned"
    file.write_text(file.read_text().removesuffix("}\n") + CLEANUP.replace("CLEANED", str(cleaned)))
    return cleaned


@pytest.mark.parametrize("on_error", ON_ERROR)
def test_the_provisioner_for_errors_runs_unless_the_build_is_aborted(
    space: WorkspaceFolder, tools: Tools, on_error: str
) -> None:
    space.use(tools.packer)
    cleaned = failing_with_cleanup(space)
    (result,) = build(space, on_error=on_error).results
    assert result.status is Status.FAILED
    assert "exit status: 3" in result.errors[0]
    assert "this is why" in result.errors[0]
    assert cleaned.exists() is (on_error != "abort")


@pytest.mark.parametrize("on_error", ON_ERROR)
def test_packer_1_6_takes_each_value_and_no_provisioner_for_errors_in_hcl(
    space: WorkspaceFolder, packer_debian: Path, on_error: str
) -> None:
    space.use(packer_debian)
    cleaned = failing_with_cleanup(space)
    (result,) = build(space, on_error=on_error).results
    assert 'Blocks of type "error-cleanup-provisioner" are not expected here' in result.errors[0]
    space.null(inline=("exit 3",))
    (result,) = build(space, on_error=on_error).results
    assert "exit status: 3" in result.errors[0]
    assert not cleaned.exists()


def test_abort_keeps_nothing_on_this_host(space: WorkspaceFolder, any_packer: Path) -> None:
    space.use(any_packer)
    begun = space.root / "begun"
    space.null(inline=(f"sleep 300 > disk.img 2>&1 & echo $! $PWD > {begun}", "exit 3"))
    report = build(space, on_error="abort")
    assert report.status is Status.FAILED
    machine, folder = begun.read_text().split()
    wait_for(lambda: not is_alive(int(machine)), "what was left running ends", CANCEL_SECONDS)
    assert not Path(folder).exists()


REQUIRED = """\
packer {
  required_plugins {
    NAME = {
      source  = "github.com/hashicorp/NAME"
      version = "VERSION"
    }
  }
}
"""


def requiring(space: WorkspaceFolder, target: str, plugin: str, version: str) -> str:
    space.null(target)
    text = REQUIRED.replace("NAME", plugin).replace("VERSION", version)
    space.write(f"templates/{target}/plugins.pkr.hcl", text)
    return target


def test_a_plugin_that_is_missing_fails_its_targets_alone(
    space: WorkspaceFolder, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    space.use(tools.packer)
    monkeypatch.setenv("PACKER_PLUGIN_PATH", str(tools.plugins))
    there = requiring(space, "linux/null/there", "ansible", ">= 1.0.0")
    missing = requiring(space, "linux/null/missing", "nope", ">= 1.0.0")
    other = requiring(space, "linux/null/other", "qemu", ">= 9.0.0")
    plain = space.null("linux/null/plain")
    report = build(space, there, missing, other, plain)
    results = {result.target: result for result in report.results}
    assert statuses(report) == {there: "built", missing: "failed", other: "failed", plain: "built"}
    for target, named in ((missing, "nope >= 1.0.0"), (other, "qemu >= 9.0.0")):
        (error,) = results[target].errors
        assert error.startswith("Error: Missing plugins\n")
        assert f"* github.com/hashicorp/{named}\n" in error
        assert "Install them with packer-hybrid init" in error.splitlines()[-1]
