"""100 images that need nothing, by build-images.yml on an inventory, against `debug` over 100 hosts."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from measure import compiled, emit, in_turn, run_quietly

from tests.support.playbooks import Ansible
from tests.support.workspaces import WorkspaceFolder

ROOT = Path(__file__).resolve().parents[2]
IMAGES = 100
ROUNDS = 5
DEBUG = """\
- name: One task
  hosts: all
  connection: local
  gather_facts: false
  tasks:
    - name: Say something
      ansible.builtin.debug:
        msg: "{{ packer_target }}"
"""


def main() -> None:
    """Build all once, then look at them again and again."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        link = folder / "collections" / "ansible_collections" / "hybridcore" / "packer"
        link.parent.mkdir(parents=True)
        link.symlink_to(ROOT)
        ansible = Ansible(folder / "collections", home=folder / "ansible-home")
        space = WorkspaceFolder.create(folder / "space")
        hosts = {}
        for number in range(IMAGES):
            hosts[f"image{number:03}"] = {"packer_target": space.null(f"linux/null/image{number:03}")}
        inventory = space.write("inventory.json", json.dumps({"all": {"hosts": hosts}}))
        debug = space.write("debug.yml", DEBUG)

        def play(playbook: str | Path, *arguments: str) -> None:
            argv = [ansible.program("ansible-playbook"), "-i", inventory, playbook, *arguments]
            run_quietly(argv, cwd=space.root, env=compiled(ansible.environment()))

        def ours() -> None:
            play("hybridcore.packer.build_images", "-e", f"pipeline_workspace={space.root}")

        ours()
        runs = state_of(space)
        took = in_turn(ours, lambda: play(debug), rounds=ROUNDS)
        if state_of(space) != runs:
            raise SystemExit("something was built again, so this measured nothing")
        emit(f"{IMAGES} unchanged images by build-images.yml / debug on {IMAGES} hosts", *took, "<= 2.5")


def state_of(space: WorkspaceFolder) -> tuple[int, object]:
    """How many images there are, and which run was the last that built."""
    state = json.loads((space.root / "state" / "packer-hybrid.json").read_text(encoding="utf-8"))
    return len(state["images"]), state["last_run"]


if __name__ == "__main__":
    main()
