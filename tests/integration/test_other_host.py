"""A build on another host, by a real sshd: whatever ends Ansible here ends the build there."""

from __future__ import annotations

import getpass
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.support.builds import Running, build_json, children_of, is_alive, long_null, wait_for
from tests.support.git_servers import SSHD, ssh_server
from tests.support.playbooks import Ansible
from tests.support.workspaces import WorkspaceFolder

pytestmark = pytest.mark.integration

ADDRESS = "127.0.0.2"
TARGET = "linux/null/long"


@dataclass(frozen=True)
class Far:
    """A workspace, and Ansible with a host on which it lies."""

    space: WorkspaceFolder
    ansible: Ansible
    folder: Path

    def write(self, tasks: list[dict[str, object]], **keywords: object) -> None:
        play = {"hosts": "builder", "gather_facts": False, "tasks": tasks, **keywords}
        (self.folder / "play.yml").write_text(yaml.safe_dump([play], sort_keys=False))

    def command(self, *arguments: str) -> list[str]:
        return [self.ansible.program("ansible-playbook"), "-i", "hosts.yml", "play.yml", *arguments]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=self.ansible.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        with open(self.folder / "output", "wb") as output:
            return subprocess.Popen(
                self.command(*arguments),
                cwd=self.folder,
                env=self.ansible.environment(),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )


@pytest.fixture
def far(make_workspace: Callable[..., WorkspaceFolder], ansible: Ansible, tmp_path: Path) -> Iterator[Far]:
    if SSHD is None:
        pytest.skip("there is no sshd: Debian's package openssh-server")
    space = make_workspace()
    long_null(space)
    folder = tmp_path / "plays"
    folder.mkdir()
    with ssh_server(tmp_path / "sshd", ADDRESS) as server:
        builder = {
            "ansible_host": ADDRESS,
            "ansible_port": server.port,
            "ansible_user": getpass.getuser(),
            "ansible_ssh_private_key_file": str(server.key),
            "ansible_ssh_common_args": f"-F none -o UserKnownHostsFile={server.known_hosts}",
            "ansible_python_interpreter": sys.executable,
        }
        (folder / "hosts.yml").write_text(yaml.safe_dump({"all": {"hosts": {"builder": builder}}}))
        yield Far(space, ansible, folder)
        # Connections that Ansible keeps for the next task.
        for place in (ansible.home / "cp").glob("*"):
            subprocess.run(
                ["ssh", "-F", "none", "-o", f"ControlPath={place}", "-O", "exit", ADDRESS],
                stderr=subprocess.DEVNULL,
                check=False,
            )


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda number: number.name
)
@pytest.mark.parametrize("pipelining", ["true", "false"])
def test_a_signal_to_ansible_playbook_ends_the_build_on_another_host(
    far: Far, number: signal.Signals, pipelining: str
) -> None:
    far.write([{"hybridcore.packer.packer_build": {"env": "dev", "workspace": str(far.space.root)}}])
    child = far.start("-e", f"ansible_pipelining={pipelining}")
    try:
        run = Running(far.space)
        (worker,) = children_of(child.pid)
        child.send_signal(number)
        child.wait(20)
        run.assert_nothing_left({TARGET: "cancelled"})
        wait_for(lambda: not is_alive(run.caller), "the module ends")
        wait_for(lambda: not is_alive(worker), "Ansible's worker ends")
    finally:
        child.kill()
        child.wait()
    (far.space.root / "go").touch()
    assert build_json(far.space)["results"][0]["status"] == "built"


def test_a_build_on_another_host_that_nobody_ends(far: Far) -> None:
    far.space.null(TARGET)
    far.write([{"hybridcore.packer.packer_build": {"env": "dev", "workspace": str(far.space.root)}}])
    done = far.run("-v", "-e", "ansible_pipelining=true")
    assert done.returncode == 0, done.stdout + done.stderr
    assert '"status": "built"' in done.stdout


def test_the_roles_of_a_build_work_on_the_host_of_the_play(far: Far) -> None:
    far.space.null(TARGET)
    where = {f"{role}_workspace": str(far.space.root) for role in ("sources", "config", "build")}
    roles = [{"role": f"hybridcore.packer.{role}"} for role in ("sources", "config", "build")]
    far.write([], roles=roles, vars={**where, "config_env": "dev", "build_env": "dev"})
    done = far.run("-vvv")
    assert done.returncode == 0, done.stdout + done.stderr
    for module in ("packer_sources", "packer_config", "packer_build"):
        assert f"<{ADDRESS}> SSH: EXEC" in done.stdout
        assert f"AnsiballZ_{module}.py" in done.stdout


@pytest.mark.parametrize(
    ("role", "variables"),
    [
        ("control_node", {}),
        ("verify", {"verify_targets": [TARGET]}),
        ("pipeline", {"pipeline_env": "dev", "pipeline_targets": "all"}),
    ],
)
def test_a_role_of_the_control_node_does_not_work_there_silently(
    far: Far, role: str, variables: dict[str, object]
) -> None:
    far.write([], roles=[{"role": f"hybridcore.packer.{role}"}], vars=variables)
    done = far.run()
    assert done.returncode == 2
    assert "the host builder of this play is another machine (connection ssh)" in " ".join(
        done.stdout.split()
    )
