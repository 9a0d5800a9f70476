#!/usr/bin/env python3
"""`packer_sources` with 20 repositories, against a loop of `ansible.builtin.git` over the same 20.

Both run as a playbook, start of `ansible-playbook` included, in turn: first, then with nothing changed.
The median of the runs is taken (`--runs`, 3 by default). Prints one JSON object a line; its `floor` is what
`ansible-playbook` takes for one `debug` task, so no ratio can be better than `theirs / floor`.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
COUNT = 20
BUDGETS = {"first": ">= 20", "unchanged": ">= 8"}
OURS = """\
- hosts: localhost
  gather_facts: false
  tasks:
    - hybridcore.packer.packer_sources:
"""
FLOOR = """\
- hosts: localhost
  gather_facts: false
  tasks:
    - ansible.builtin.debug:
"""
THEIRS = """\
- hosts: localhost
  gather_facts: false
  tasks:
    - ansible.builtin.git:
        repo: "file://{root}/remotes/{{{{ item }}}}"
        dest: "{root}/theirs/{{{{ item }}}}"
        version: main
      loop: "{{{{ range({count}) | map('string') | map('regex_replace', '^', 'repo') }}}}"
"""


def git(folder: Path, *arguments: str) -> None:
    """Run git, with a name."""
    subprocess.run(
        ["git", "-c", "user.name=b", "-c", "user.email=b@example.org", *arguments], cwd=folder, check=True
    )


def prepare(root: Path) -> None:
    """Make the remotes, the workspace, and the two playbooks."""
    for number in range(COUNT):
        remote = root / "remotes" / f"repo{number}"
        remote.mkdir(parents=True)
        git(remote, "init", "--quiet", "--initial-branch=main")
        for file in range(10):
            (remote / f"file{file}.txt").write_text(f"{number} {file}\n" * 100)
        git(remote, "add", "--all")
        git(remote, "commit", "--quiet", "--message", "first")
    tables = (
        f'[sources.repo{n}]\nurl = "file://{root}/remotes/repo{n}"\nref = "main"\n' for n in range(COUNT)
    )
    (root / "packer-hybrid.toml").write_text("".join(tables))
    (root / "ansible.cfg").touch()
    (root / "floor.yml").write_text(FLOOR)
    (root / "ours.yml").write_text(OURS)
    (root / "theirs.yml").write_text(THEIRS.format(root=root, count=COUNT))
    collection = root / "collections" / "ansible_collections" / "hybridcore" / "packer"
    collection.parent.mkdir(parents=True)
    collection.symlink_to(REPOSITORY)


def play(root: Path, playbook: str) -> float:
    """Seconds that a playbook takes."""
    env = {
        **os.environ,
        "ANSIBLE_COLLECTIONS_PATH": str(root / "collections"),
        "ANSIBLE_CONFIG": str(root / "ansible.cfg"),
    }
    env["ANSIBLE_LOCALHOST_WARNING"] = env["ANSIBLE_INVENTORY_UNPARSED_WARNING"] = "false"
    start = time.monotonic()
    done = subprocess.run(
        [str(Path(sys.executable).parent / "ansible-playbook"), playbook],
        cwd=root,
        env=env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.monotonic() - start
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3)
    runs = parser.parse_args().runs
    times: dict[tuple[str, str], list[float]] = {}
    with tempfile.TemporaryDirectory(prefix="bench-sources-") as name:
        root = Path(name)
        prepare(root)
        floor = []
        for _ in range(runs):
            floor.append(play(root, "floor.yml"))
            for side, folder in (("ours", "sources"), ("theirs", "theirs")):
                shutil.rmtree(root / folder, ignore_errors=True)
                shutil.rmtree(root / "state", ignore_errors=True)
                for row in BUDGETS:
                    times.setdefault((row, side), []).append(play(root, f"{side}.yml"))
                assert len(list((root / folder).glob("repo*"))) == COUNT
    for row, budget in BUDGETS.items():
        ours, theirs = (statistics.median(times[row, side]) for side in ("ours", "theirs"))
        line = {
            "row": f"packer_sources, {COUNT} repositories, {row}, against ansible.builtin.git",
            "ours": round(ours, 3),
            "theirs": round(theirs, 3),
            "ratio": round(theirs / ours, 1),
            "budget": budget,
            "floor": round(statistics.median(floor), 3),
        }
        print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
