"""A real image by build-images.yml against `packer build` in the same mirror; a quarter of an hour.

The base disk is there before the clock starts, and neither side boots the result to verify it.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from measure import compiled, emit, in_turn, run_quietly

from hybridcore import host, templates, workspace
from hybridcore.images import look_up
from hybridcore.packer.mirror import make_mirror
from hybridcore.packer.planning.rendered import Rendered
from hybridcore.packer.runtime import make_key, told, tools_path
from tests.support.playbooks import Ansible

ROOT = Path(__file__).resolve().parents[2]
TARGET, DISK = "linux/qemu/debian-12", "linux/null/debian-12-base"
ROUNDS = 3


_TIMED = """\
#!/bin/sh
test "$1" = build || exec {packer} "$@"
date +%s.%N > {times}
{packer} "$@"
code=$?
date +%s.%N >> {times}
exit $code
"""


class Bench:
    """A workspace with the templates of the checkout, on the same disk as the checkout."""

    def __init__(self, folder: Path) -> None:
        link = folder / "collections" / "ansible_collections" / "hybridcore" / "packer"
        link.parent.mkdir(parents=True)
        link.symlink_to(ROOT)
        self.ansible = Ansible(folder / "collections", home=folder / "ansible-home")
        self.root = folder / "space"
        for name in ("templates", "environments"):
            shutil.copytree(ROOT / name, self.root / name)
        # Packer behind a script that writes down when it begins and ends.
        self.times = folder / "times"
        program = folder / "packer"
        program.write_text(_TIMED.format(packer=shutil.which("packer"), times=self.times))
        program.chmod(0o755)
        settings = (ROOT / "packer-hybrid.toml").read_text()
        (self.root / "packer-hybrid.toml").write_text(f'{settings}\n[packer]\npath = "{program}"\n')
        self.folder = folder
        self.number = 0
        self.alone: list[tuple[float, float]] = []

    def playbook(self, *, force: bool = True) -> None:
        """What a user runs."""
        values = {
            "targets": [TARGET],
            "force": force,
            "pipeline_workspace": str(self.root),
            "pipeline_verify": False,
        }
        program = self.ansible.program("ansible-playbook")
        begun = time.perf_counter()
        run_quietly(
            [program, "hybridcore.packer.build_images", "-e", json.dumps(values)],
            cwd=self.root,
            env=compiled(self.ansible.environment()),
        )
        took = time.perf_counter() - begun
        first, last = map(float, self.times.read_text().split())
        self.alone.append((took, last - first))

    def plain(self) -> None:
        """Packer alone on what the wrapper gives it: the mirror, the configuration, a key."""
        self.number += 1
        where = workspace.open_workspace(self.root)
        (template,) = templates.load_all([TARGET], where)
        folder = self.folder / f"plain-{self.number}"
        keys = self.folder / f"keys-{self.number}"
        keys.mkdir(mode=0o700)
        config = where.config_file("dev", TARGET)
        rendered = Rendered(config.read_text())
        here = make_mirror(template, rendered, folder, where, environ=os.environ, with_plugins=False).cwd
        values = make_key(keys) | {
            "hybridcore_target": TARGET,
            "hybridcore_environment": "dev",
            "hybridcore_fingerprint": "0" * 64,
            "hybridcore_build_time": datetime.now(UTC).isoformat(timespec="seconds"),
            "hybridcore_accelerator": host.accelerator(),
        }
        env = os.environ | {f"PKR_VAR_{name}": value for name, value in values.items()}
        env |= told(template, look_up(f"dev:{DISK}", workspace=where))
        env |= {"PATH": tools_path(os.environ["PATH"]), "CHECKPOINT_DISABLE": "1"}
        env["PACKER_CACHE_DIR"] = str(where.images / ".packer_cache")
        run_quietly(["packer", "build", f"-var-file={config}", here], cwd=here, env=env)
        if not list(here.glob("output/*.qcow2")):
            raise SystemExit("packer build left no image, so this measured nothing")
        shutil.rmtree(folder)


def main() -> None:
    """Make the base disk and the configuration, then measure."""
    cache = ROOT / ".cache"
    cache.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache, prefix="bench-image-") as name:
        bench = Bench(Path(name))
        bench.playbook(force=False)
        bench.alone.clear()
        took = in_turn(bench.playbook, bench.plain, rounds=ROUNDS)
        emit("a real image by build-images.yml / packer build of the same folder", *took, "<= 1.03")
        # The machine takes 4 to 9 seconds to shut down, whoever builds it, so this row says what we add.
        took = sorted(bench.alone, key=lambda one: one[0] / one[1])[len(bench.alone) // 2]
        emit("a real image by build-images.yml / the Packer within that run", *took, "<= 1.03")


if __name__ == "__main__":
    main()
