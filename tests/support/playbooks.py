"""Run Ansible's programs from a test, with this collection and nothing of the user's own settings."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from tests.support.commands import to_its_end

# Runs everything on this machine, and is not Ansible's own connection to it.
CONNECTION = """\
DOCUMENTATION = "name: elsewhere\\nshort_description: this machine, as if it were another"
from ansible.plugins.connection.local import Connection as Local
class Connection(Local):
    transport = "elsewhere"
"""
# A variable, since the one that localhost has by itself hides the keyword "connection" of a task.
ELSEWHERE = {"ansible_connection": "elsewhere"}


class Become:
    """A plugin of `become` with its options."""

    def __init__(self, name: str = "sudo", **options: object) -> None:
        self.name, self._options = name, options

    def get_option(self, name: str) -> object:
        return self._options.get(name)


class Ansible:
    """Ansible as a user would run it.

    Args:
        collections_path: the folder that holds `ansible_collections`.
        home: the folder for everything that Ansible writes for itself.
    """

    def __init__(self, collections_path: Path, *, home: Path) -> None:
        self.collections_path = collections_path
        self.home = home
        home.mkdir(parents=True, exist_ok=True)
        self._settings = home / "ansible.cfg"
        self._settings.touch()

    def environment(self, extra: Mapping[str, str] | None = None) -> dict[str, str]:
        """The environment of a run."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
        return kept | {
            "ANSIBLE_COLLECTIONS_PATH": str(self.collections_path),
            "ANSIBLE_COLLECTIONS_SCAN_SYS_PATH": "false",
            "ANSIBLE_CONFIG": str(self._settings),
            "ANSIBLE_HOME": str(self.home),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_NOCOLOR": "1",
            "NO_COLOR": "1",
            "ANSIBLE_RETRY_FILES_ENABLED": "false",
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            **(extra or {}),
        }

    @staticmethod
    def program(name: str) -> str:
        """Where one of Ansible's programs lies: beside the interpreter of the tests."""
        return str(Path(sys.executable).parent / name)

    def run(
        self, program: str, *arguments: str | Path, cwd: Path, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a program of Ansible's, such as `ansible-playbook`, to its end; both outputs as one text."""
        return to_its_end(
            [self.program(program), *map(str, arguments)],
            cwd=cwd,
            env=self.environment(env),
            errors="replace",
        )

    def playbook(
        self, playbook: str | Path, *arguments: str | Path, cwd: Path, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a playbook: a file, or a name such as `hybridcore.packer.build_images`."""
        return self.run("ansible-playbook", playbook, *arguments, cwd=cwd, env=env)
