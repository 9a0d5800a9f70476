"""20 vsphere-clone images against the simulator: ours against `xargs -P2 packer build` of the same 20."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import compiled, emit, in_turn, run_quietly

from tests.support.playbooks import Ansible
from tests.support.simulators import Vcsim, start_vcsim
from tests.support.tools import build_tools
from tests.support.workspaces import WorkspaceFolder

ROOT = Path(__file__).resolve().parents[2]
IMAGES = 20
ROUNDS = 5


class Bench:
    """A workspace with all targets, made ahead of the clock; each run builds the next 20."""

    def __init__(self, folder: Path, vcsim: Vcsim) -> None:
        self.ansible = Ansible(folder / "collections", home=folder / "ansible-home")
        link = folder / "collections" / "ansible_collections" / "hybridcore" / "packer"
        link.parent.mkdir(parents=True)
        link.symlink_to(ROOT)
        self.env = compiled(os.environ) | {"CHECKPOINT_DISABLE": "1", "PYTHONPATH": str(ROOT)}
        self.space = WorkspaceFolder.create(folder / "space")
        # Two comparisons, two sides each, and one run more to fill the caches that a workspace in use has.
        self.batches = iter([self._batch(number, vcsim) for number in range(4 * ROUNDS + 1)])

    def _batch(self, number: int, vcsim: Vcsim) -> list[str]:
        names = [f"linux/vsphere/batch{number:02}-image{image:02}" for image in range(IMAGES)]
        return [self.space.vsphere_clone(name, vcsim) for name in names]

    def xargs(self) -> None:
        """What a careful shell user does."""
        subprocess.run(
            ["xargs", "-P2", "-n1", "packer", "build"],
            input="\n".join(next(self.batches)),
            cwd=self.space.root / "templates",
            env=self.env,
            stdout=subprocess.DEVNULL,
            check=True,
            text=True,
        )

    def command_line(self) -> None:
        """The same by our command line."""
        argv = [sys.executable, "-m", "hybridcore", "--workspace", self.space.root, "build", "--env", "dev"]
        run_quietly([*argv, *next(self.batches)], cwd=self.space.root, env=self.env)

    def playbook(self) -> None:
        """The same by our playbook."""
        values = {"env": "dev", "targets": next(self.batches), "pipeline_workspace": str(self.space.root)}
        run_quietly(
            [
                self.ansible.program("ansible-playbook"),
                *("hybridcore.packer.build_images", "-e", json.dumps(values)),
            ],
            cwd=self.space.root,
            env=compiled(self.ansible.environment()),
        )


def main() -> None:
    """Both comparisons, and a look into the simulator that all images were made."""
    with tempfile.TemporaryDirectory() as name, start_vcsim(build_tools().vcsim) as vcsim:
        bench = Bench(Path(name), vcsim)
        bench.command_line()
        rows = [
            ("packer-hybrid build", bench.command_line, "<= 1.1"),
            ("build-images.yml", bench.playbook, "<= 1.5"),
        ]
        for title, ours, budget in rows:
            took = in_turn(ours, bench.xargs, rounds=ROUNDS)
            emit(f"{IMAGES} vSphere images by {title} / xargs -P2 packer build", *took, budget)
        made = sum(name.startswith("batch") for name in vcsim.templates())
        if made != (4 * ROUNDS + 1) * IMAGES:
            raise SystemExit(f"{made} templates in the simulator, so not every build did its work")


if __name__ == "__main__":
    main()
