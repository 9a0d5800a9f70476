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
    """Workspaces made ahead of the clock, one for each run, since an image is built only once in each."""

    def __init__(self, folder: Path, vcsim: Vcsim) -> None:
        self.ansible = Ansible(folder / "collections", home=folder / "ansible-home")
        link = folder / "collections" / "ansible_collections" / "hybridcore" / "packer"
        link.parent.mkdir(parents=True)
        link.symlink_to(ROOT)
        self.env = compiled(os.environ) | {"CHECKPOINT_DISABLE": "1", "PYTHONPATH": str(ROOT)}
        # Two comparisons, two sides each.
        self.spaces = iter([self._space(folder, number, vcsim) for number in range(4 * ROUNDS)])

    def _space(self, folder: Path, number: int, vcsim: Vcsim) -> WorkspaceFolder:
        space = WorkspaceFolder.create(folder / f"space{number}")
        # What a workspace in use knows, such as what this Packer can do, is known before the clock starts.
        self._build(space, [space.null("linux/null/first")])
        for image in range(IMAGES):
            space.vsphere_clone(f"linux/vsphere/space{number}-image{image:02}", vcsim)
        return space

    def _build(self, space: WorkspaceFolder, targets: list[str]) -> None:
        argv = [sys.executable, "-m", "hybridcore", "--workspace", space.root, "build", "--env", "dev"]
        run_quietly([*argv, *targets], cwd=space.root, env=self.env)

    @staticmethod
    def targets(space: WorkspaceFolder) -> list[str]:
        """The 20 of a workspace."""
        folder = space.root / "templates"
        return sorted(str(path.relative_to(folder)) for path in folder.glob("linux/vsphere/*"))

    def xargs(self) -> None:
        """What a careful shell user does."""
        space = next(self.spaces)
        subprocess.run(
            ["xargs", "-P2", "-n1", "packer", "build"],
            input="\n".join(self.targets(space)),
            cwd=space.root / "templates",
            env=self.env,
            stdout=subprocess.DEVNULL,
            check=True,
            text=True,
        )

    def command_line(self) -> None:
        """The same by our command line."""
        space = next(self.spaces)
        self._build(space, self.targets(space))

    def playbook(self) -> None:
        """The same by our playbook."""
        space = next(self.spaces)
        values = {"env": "dev", "targets": self.targets(space), "pipeline_workspace": str(space.root)}
        run_quietly(
            [
                self.ansible.program("ansible-playbook"),
                *("hybridcore.packer.build_images", "-e", json.dumps(values)),
            ],
            cwd=space.root,
            env=compiled(self.ansible.environment()),
        )


def main() -> None:
    """Both comparisons, and a look into the simulator that all images were made."""
    with tempfile.TemporaryDirectory() as name, start_vcsim(build_tools().vcsim) as vcsim:
        bench = Bench(Path(name), vcsim)
        rows = [
            ("packer-hybrid build", bench.command_line, "<= 1.1"),
            ("build-images.yml", bench.playbook, "<= 1.5"),
        ]
        for title, ours, budget in rows:
            took = in_turn(ours, bench.xargs, rounds=ROUNDS)
            emit(f"{IMAGES} vSphere images by {title} / xargs -P2 packer build", *took, budget)
        made = sum(name.startswith("space") for name in vcsim.templates())
        if made != 4 * ROUNDS * IMAGES:
            raise SystemExit(f"{made} templates in the simulator, so not every build did its work")


if __name__ == "__main__":
    main()
