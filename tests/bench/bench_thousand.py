"""1,000 targets: listed against reading and parsing their files; unchanged against `os.stat` of these."""

from __future__ import annotations

import copy
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from measure import compiled, emit, in_turn, run_quietly

from hybridcore import pipeline, state
from tests.support.builds import hybrid_command, hybrid_environment
from tests.support.workspaces import WorkspaceFolder

TARGETS = 1000
ROUNDS = 7
MEMORY_MB = 200
PARSED = """\
import sys
from pathlib import Path
from hybridcore import hcl
for path in sorted(Path(sys.argv[1]).glob("templates/*/*/*/*.pkr.hcl")):
    hcl.load(path)
"""
STATED = """\
import os, sys
for top in ("templates", "configs"):
    for folder, _, names in os.walk(os.path.join(sys.argv[1], top)):
        for name in names:
            os.stat(os.path.join(folder, name))
"""


def main() -> None:
    """Make the targets; one is built, and what the state says of it is said of all."""
    with tempfile.TemporaryDirectory() as name:
        space = WorkspaceFolder.create(Path(name) / "space")
        for number in range(TARGETS):
            space.null(f"linux/null/image{number:04}")
        env = compiled(hybrid_environment())

        def ours(*arguments: str) -> None:
            run_quietly(hybrid_command(space, *arguments), env=env)

        def theirs(program: str) -> None:
            run_quietly([sys.executable, "-c", program, space.root], env=env)

        took = in_turn(lambda: ours("builders", "list"), lambda: theirs(PARSED), rounds=ROUNDS)
        emit(f"list {TARGETS} targets / read and parse their files", *took, "<= 1.5")

        ours("build", "--env", "dev", "linux/null/image0000")
        ours("config", "render", "--env", "dev")
        remember(space)
        before = state_of(space)
        took = in_turn(lambda: ours("build", "--env", "dev"), lambda: theirs(STATED), rounds=ROUNDS)
        if state_of(space) != before:
            raise SystemExit("something was built, so this measured nothing")
        emit(f"{TARGETS} unchanged targets in one call / a Python that stats their files", *took, "<= 20")
        emit(f"memory of that call / {MEMORY_MB} MB", peak_mb(space, env), MEMORY_MB, "<= 1")


def remember(space: WorkspaceFolder) -> None:
    """Have the state say of every target what it says of the one that was built, with its own inputs."""
    workspace = space.open()
    told = {one["target"]: one for one in pipeline.inputs(pipeline.Request(env="dev"), workspace)}
    with state.transaction(workspace=workspace) as data:
        (built,) = data["images"].values()
        for target, one in told.items():
            entry = copy.deepcopy(built)
            entry["fingerprint"] = one["fingerprint"]
            entry["inputs"] = {given["name"]: given["digest"] for given in one["inputs"]}
            data["images"][f"dev/{target}"] = entry


def state_of(space: WorkspaceFolder) -> Any:
    """The run that was the last that built."""
    return json.loads((space.root / "state" / "packer-hybrid.json").read_text(encoding="utf-8"))["last_run"]


def peak_mb(space: WorkspaceFolder, env: dict[str, str]) -> float:
    """The peak of the resident memory of one call, in MB."""
    program = (
        "import resource as r, subprocess as s, sys; s.run(sys.argv[1:], check=True, stdout=s.DEVNULL);"
        "print(r.getrusage(r.RUSAGE_CHILDREN).ru_maxrss)"
    )
    command = [sys.executable, "-c", program, *hybrid_command(space, "build", "--env", "dev")]
    done = subprocess.run(command, env=env, check=True, capture_output=True, text=True)
    return int(done.stdout) / 1024  # it is given in KiB


if __name__ == "__main__":
    main()
