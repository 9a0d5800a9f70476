#!/usr/bin/env python3
"""Syncs against what Git itself takes for the same repositories, eight at a time.

`packer_sources` with 20 repositories, as a playbook, against `xargs -P8 git clone` and `git ls-remote`, each
plus a playbook with one `debug`, so that the start of Ansible counts on both sides. By the command line a
repository of 50,000 files, and 200 repositories that have not changed, with the start of the command line on
both sides. The median of the runs is taken (`--runs`, 5 by default); `--only` measures one of the three.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import compiled, emit, in_turn, run_quietly

REPOSITORY = Path(__file__).resolve().parents[2]
FILES = 50_000
OURS = """\
- hosts: localhost
  gather_facts: false
  tasks:
    - hybridcore.packer.packer_sources:
"""
BARE = """\
- hosts: localhost
  gather_facts: false
  tasks:
    - ansible.builtin.debug:
"""
ENVIRONMENT = compiled({**os.environ, "PYTHONPATH": str(REPOSITORY), "GIT_CONFIG_GLOBAL": os.devnull})


def git(folder: Path, *arguments: str, given: str = "") -> None:
    """Run git, with a name."""
    command = ["git", "-c", "user.name=b", "-c", "user.email=b@example.org", *arguments]
    subprocess.run(command, cwd=folder, check=True, env=ENVIRONMENT, input=given, text=True)


def remote(folder: Path, files: int) -> None:
    """Make a repository of one commit; its files by `fast-import`, which takes a second for 50,000."""
    folder.mkdir(parents=True)
    git(folder, "init", "--quiet", "--bare", "--initial-branch=main")
    contents = [(f"d{number // 100}/f{number}.txt", f"{folder.name} {number}\n") for number in range(files)]
    parts = ["commit refs/heads/main\ncommitter b <b@example.org> 0 +0000\ndata 0\n"]
    parts += [f"M 100644 inline {path}\ndata {len(text)}\n{text}" for path, text in contents]
    git(folder, "fast-import", "--quiet", given="".join(parts))


class Space:
    """A workspace with repositories, and the commands that are compared."""

    def __init__(self, root: Path, count: int, files: int) -> None:
        self.root = root
        self.names = [f"repo{number}" for number in range(count)]
        for name in self.names:
            remote(root / "remotes" / name, files)
        tables = (
            f'[sources.{name}]\nurl = "file://{root}/remotes/{name}"\nref = "main"\n' for name in self.names
        )
        (root / "packer-hybrid.toml").write_text("".join(tables))
        (root / "ansible.cfg").touch()
        (root / "ours.yml").write_text(OURS)
        (root / "bare.yml").write_text(BARE)
        collection = root / "collections" / "ansible_collections" / "hybridcore" / "packer"
        collection.parent.mkdir(parents=True)
        collection.symlink_to(REPOSITORY)

    def forget(self) -> None:
        """Be new again."""
        for name in ("sources", "theirs", "state"):
            shutil.rmtree(self.root / name, ignore_errors=True)
        (self.root / "theirs").mkdir()

    def play(self, playbook: str) -> None:
        """Run a playbook."""
        env = {
            **ENVIRONMENT,
            "ANSIBLE_COLLECTIONS_PATH": str(self.root / "collections"),
            "ANSIBLE_CONFIG": str(self.root / "ansible.cfg"),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        }
        run_quietly([Path(sys.executable).parent / "ansible-playbook", playbook], cwd=self.root, env=env)

    def sync(self) -> None:
        """Sync by the command line."""
        run_quietly([sys.executable, "-m", "hybridcore", "sources", "sync"], cwd=self.root, env=ENVIRONMENT)

    def start(self) -> None:
        """Start the command line, and do nothing."""
        run_quietly([sys.executable, "-m", "hybridcore", "--version"], cwd=self.root, env=ENVIRONMENT)

    def each(self, command: str) -> None:
        """Run a command of git for each repository, eight at a time; `{}` is its name."""
        line = f"printf '%s\\n' {' '.join(self.names)} | xargs -P8 -I{{}} {command}"
        run_quietly(["sh", "-c", line], cwd=self.root, env=ENVIRONMENT)

    def clone(self) -> None:
        """Clone all."""
        shutil.rmtree(self.root / "theirs", ignore_errors=True)
        self.each("git clone --quiet file://$PWD/remotes/{} theirs/{}")

    def ask(self) -> None:
        """Ask all remotes."""
        self.each("git ls-remote --quiet file://$PWD/remotes/{} main")


def by_ansible(root: Path, runs: int) -> None:
    """20 repositories as a playbook."""
    space = Space(root, 20, 10)

    def first() -> None:
        for name in ("sources", "state"):
            shutil.rmtree(root / name, ignore_errors=True)
        space.play("ours.yml")

    def clone() -> None:
        space.play("bare.yml")
        space.clone()

    def ask() -> None:
        space.play("bare.yml")
        space.ask()

    space.forget()
    emit("packer_sources, 20 repositories, first", *in_turn(first, clone, rounds=runs), "<= 1.3")
    again = in_turn(lambda: space.play("ours.yml"), ask, rounds=runs)
    emit("packer_sources, 20 repositories, unchanged", *again, "<= 1.3")


def large(root: Path, runs: int) -> None:
    """One repository of 50,000 files by the command line."""
    space = Space(root, 1, FILES)

    def first() -> None:
        for name in ("sources", "state"):
            shutil.rmtree(root / name, ignore_errors=True)
        space.sync()

    def look() -> None:
        space.start()
        space.ask()
        run_quietly(["git", "status", "--short"], cwd=root / "sources" / "repo0", env=ENVIRONMENT)

    space.forget()
    emit(
        "sources sync, 50,000 files, first, against git clone",
        *in_turn(first, space.clone, rounds=runs),
        "<= 1.3",
    )
    again = in_turn(space.sync, look, rounds=runs)
    emit("sources sync, 50,000 files, unchanged, against git ls-remote and status", *again, "<= 1.5")


def many(root: Path, runs: int) -> None:
    """200 repositories that have not changed, by the command line."""
    space = Space(root, 200, 10)
    space.forget()
    space.sync()

    def look() -> None:
        space.start()
        space.ask()
        space.each("git -C sources/{} status --short")

    again = in_turn(space.sync, look, rounds=runs)
    emit("sources sync, 200 repositories, unchanged, against git ls-remote and status", *again, "<= 1.5")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", choices=["by_ansible", "large", "many"])
    args = parser.parse_args()
    runs = args.runs
    for measure in (by_ansible, large, many):
        if args.only not in (None, measure.__name__):
            continue
        with tempfile.TemporaryDirectory(prefix="bench-sources-") as name:
            measure(Path(name).resolve(), runs)


if __name__ == "__main__":
    main()
