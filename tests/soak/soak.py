#!/usr/bin/env python3
"""Builds that are killed, repeated and run side by side, at random, for as long as one likes.

    python tests/soak/soak.py --minutes 30 --seed 1

50 targets (null, file, vsphere-clone on a simulator) are built by `packer-hybrid` in steps. A step builds
some of them, or kills something in the middle of that: the command line, its group, its supervisor, a
Packer, or all of it at once, as when a container is killed. Or it changes an input, loses an image, makes a
build fail, or starts two batches, or 200 builds, at once. Root also builds on a full disk under `logs/`, and
as two users. After every step everything is looked at without the help of who built it (see `look.py`); after
a kill of everything first a rerun has to clean up. The seed decides the steps; when a signal hits is up to
the clock. The workspace is kept when there was a fault.

Prints each step, and at the end how many there were, the kills, and the faults found. Exit code 1 on a fault.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent.parent
sys.path[:0] = [str(REPOSITORY), str(Path(__file__).resolve().parent)]

from look import Look  # noqa: E402
from targets import Targets  # noqa: E402

from tests.support.builds import hybrid_command, hybrid_environment, is_alive, state_of  # noqa: E402
from tests.support.signals import ignored_of, let_children_hear  # noqa: E402
from tests.support.simulators import start_vcsim  # noqa: E402
from tests.support.tools import build_tools  # noqa: E402
from tests.support.workspaces import WorkspaceFolder  # noqa: E402

END_S = 15  # within which nothing of a killed build may be left
LONG_S = 240  # a batch that takes longer hangs
EXPECTED_CODES = {0, 3, 4, 130}
OTHER_USER = 65_534


class Soak:
    """One run of the soak test in a workspace of its own."""

    def __init__(self, space: WorkspaceFolder, targets: Targets, look: Look, rng: random.Random) -> None:
        self.space, self.targets, self.look, self.rng = space, targets, look, rng
        self.steps: collections.Counter[str] = collections.Counter()
        self.kills: collections.Counter[str] = collections.Counter()
        self.ends: collections.Counter[str] = collections.Counter()
        self.number = 0

    def run(self, seconds: float, most: int) -> None:
        """Take steps until the time is over, or so many were taken."""
        end = time.monotonic() + seconds
        choices = {
            self.build: 3,
            self.kill: 8,
            self.kill_everything: 2,
            self.two_at_once: 2,
            self.change: 3,
            self.lose: 1,
            self.fail: 1,
            self.force: 1,
            self.many_at_once: 1,
            self.edit_while_queued: 2,
        }
        if os.geteuid() == 0:
            choices |= {self.full_disk: 1, self.two_users: 2}
        while time.monotonic() < end and self.number < most:
            (step,) = self.rng.choices(list(choices), list(choices.values()))
            self.number += 1
            self.steps[step.__name__] += 1
            started = time.monotonic()
            said = step()
            self.look.at_everything(f"step {self.number}, {said}")
            print(f"{self.number:5} {time.monotonic() - started:6.1f} s  {said}", flush=True)

    # What a step is made of.

    def start(
        self, targets: list[str], *more: str, before: Sequence[str] = (), user: int | None = None
    ) -> subprocess.Popen[str]:
        """Start `packer-hybrid --json build`; in a session of its own, as a job has one.

        Args:
            targets: what to build.
            more: options.
            before: a command that starts it in turn.
            user: who it runs as.
        """
        arguments = ("--json", "build", "--env", "dev", "--quiet", *more, *targets)
        home = {} if user is None else {"HOME": str(self.look.temporary)}
        return subprocess.Popen(
            [*before, *hybrid_command(self.space, *arguments)],
            env=hybrid_environment(**self.look.environment, **home),
            user=user,
            group=user,
            extra_groups=None if user is None else [],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
        )

    def finish(self, child: subprocess.Popen[str], *, killed: bool = False) -> dict[str, Any]:
        """Wait for its end, and hold what it says against the state."""
        try:
            out, err = child.communicate(timeout=LONG_S)
        except subprocess.TimeoutExpired:
            self.look.fault(f"the build did not end within {LONG_S} s")
            os.killpg(child.pid, signal.SIGKILL)
            out, err = child.communicate()
        self.ends[str(child.returncode)] += 1
        expected = child.returncode in EXPECTED_CODES or (killed and child.returncode < 0)
        if "Traceback" in err or not expected:
            self.look.fault(f"exit code {child.returncode}: {err[-2000:]} {out[-300:]}")
        if not out.strip():
            return {"results": []}
        said: dict[str, Any] = json.loads(out)
        if "results" not in said:  # it was cancelled, or what it asked Packer for was killed
            return {"results": []}
        self.look.at_results(said)
        return said

    def some(self, most: int = 12) -> list[str]:
        return self.rng.sample(self.targets.names, self.rng.randint(2, most))

    def parallel(self) -> tuple[str, str]:
        return "--parallel-builds", str(self.rng.randint(1, 4))

    def build_truly(self, targets: list[str], *more: str) -> str:
        """Build to the end; check mode must have said before what is built."""
        predicted = self.finish_check(targets, more)
        said = self.finish(self.start(targets, *more, *self.parallel()))
        got = {one["target"]: one["status"] for one in said["results"]}
        expected = {
            name: "failed" if status == "built" and self.targets.fails(name) else status
            for name, status in predicted.items()
        }
        if got != expected:
            self.look.fault(f"check mode promised {expected}, and the build gave {got}")
        return " ".join(
            f"{count} {word}" for word, count in sorted(collections.Counter(got.values()).items())
        )

    def finish_check(self, targets: list[str], more: tuple[str, ...] = ()) -> dict[str, str]:
        child = self.start(targets, "--check", *more)
        out, err = child.communicate(timeout=LONG_S)
        if child.returncode not in (0, 5):
            self.look.fault(f"--check: exit code {child.returncode}: {err[-2000:]}")
            return {}
        return {one["target"]: one["status"] for one in json.loads(out)["results"]}

    # The steps.

    def build(self) -> str:
        return f"build: {self.build_truly(self.some())}"

    def force(self) -> str:
        return f"force: {self.build_truly(self.some(4), '--force')}"

    def change(self) -> str:
        """Change inputs; what uses them, and nothing else, is built."""
        self.build_truly(names := self.some(6))
        before = {name for name, status in self.finish_check(names).items() if status == "built"}
        changed = {name for name in names if self.rng.random() < 0.4}
        for name in sorted(changed):
            self.targets.change(name)
        due = {name for name, status in self.finish_check(names).items() if status == "built"}
        if due != before | changed:
            self.look.fault(f"due was {sorted(before)}, changed {sorted(changed)}, now due {sorted(due)}")
        return f"change {len(changed)}: {self.build_truly(names)}"

    def lose(self) -> str:
        """Remove, or write over, the file of an image."""
        images = state_of(self.space).get("images", {})
        files = sorted(
            file["path"]
            for image in images.values()
            if not self.targets.fails(image["target"])  # it could not be built again
            for artifact in image.get("artifacts", [])
            for file in artifact["files"]
        )
        if not files:
            return "lose: there is no file yet"
        path = self.space.root / self.rng.choice(files)
        if self.rng.random() < 0.5:
            path.unlink()
        else:
            path.write_text("somebody else's\n")
        name = "/".join(path.relative_to(self.space.root / "images" / "dev").parts[:3])
        if self.finish_check([name]) != {name: "built"}:
            self.look.fault(f"{path} was lost, and check mode does not want to build {name}")
        return f"lose {name}: {self.build_truly([name])}"

    def fail(self) -> str:
        """Make targets fail, or succeed again."""
        for name in self.some(4):
            self.targets.toggle_failure(name)
        return f"fail: {self.build_truly(self.some(6))}"

    def two_at_once(self) -> str:
        """Two batches with targets in common: each waits or is refused, and none is built twice at once."""
        names = self.some(6)
        more = self.rng.choice([("--lock-timeout", "120"), ()])
        changed = [name for name in names if self.rng.random() < 0.5]
        for name in changed:
            self.targets.change(name)
        children = [self.start(self.rng.sample(names, len(names)), *more, *self.parallel()) for _ in range(2)]
        said = [self.finish(child) for child in children]
        for name in changed:
            statuses = sorted(
                one["status"] for results in said for one in results["results"] if one["target"] == name
            )
            allowed = [["built", "unchanged"], ["built", "failed"]]
            if not self.targets.fails(name) and (
                statuses not in allowed or (more and statuses != allowed[0])
            ):
                self.look.fault(f"two batches at once, {more}: {name} was {statuses}")
        return f"two at once {' '.join(more)}: codes {[one.returncode for one in children]}"

    def many_at_once(self) -> str:
        """Build 200 targets at once, with a variable of 40 KB; cancel some of these batches."""
        cancelled = self.rng.random() < 0.3
        large = f"--var=message={self.number} {'word ' * 8_000}"
        child = self.start(self.targets.many, large, "--parallel-builds", str(len(self.targets.many)))
        if cancelled:
            time.sleep(self.rng.uniform(1, 15))
            with contextlib.suppress(ProcessLookupError):
                child.send_signal(signal.SIGTERM)
            self.kills["SIGTERM to the command line"] += 1
        statuses = [one["status"] for one in self.finish(child)["results"]]
        if cancelled:
            self.nothing_lives()
        elif statuses != ["built"] * len(self.targets.many):
            self.look.fault(f"{len(self.targets.many)} at once: {counted(statuses)}")
        return f"many at once{', cancelled' if cancelled else ''}: {counted(statuses)}"

    def edit_while_queued(self) -> str:
        """Edit what builds read while they wait and run; no image counts for what it is not."""
        names = list(self.targets.reading)
        child = self.start(names, "--force", "--parallel-builds", "1")
        edited = self.rng.choices(names, k=self.rng.randint(1, 4))
        for name in edited:
            time.sleep(self.rng.uniform(0.1, 2))
            self.targets.write_text(name)
        statuses = [one["status"] for one in self.finish(child)["results"]]
        if statuses != ["built"] * len(names):
            self.look.fault(f"edited while queued: {counted(statuses)}")
        due = {name for name, status in self.finish_check(names).items() if status == "built"}
        wrong = [name for name in names if name not in due and not self.targets.has_its_text(name)]
        if wrong:
            self.look.fault(f"these are called unchanged, and are not of their files: {wrong}")
        self.finish(self.start(names, *self.parallel()))
        if wrong := [name for name in names if not self.targets.has_its_text(name)]:
            self.look.fault(f"these were built again, and are not of their files: {wrong}")
        return f"{len(edited)} edits while queued: {len(due)} of {len(names)} due again"

    def full_disk(self) -> str:
        """Build on a disk with room for one small log, which goes with the command; it costs logs alone."""
        names = [name for name in self.some(6) if not self.targets.fails(name)]
        if len(names) < 2:
            return "full disk: what was chosen fails"
        logs = self.space.root / "logs"
        logs.mkdir(exist_ok=True)
        mounted = f'mount -t tmpfs -o size=4k tmpfs "{logs}" && exec "$@"'
        child = self.start(
            names, "--force", *self.parallel(), before=("unshare", "--mount", "sh", "-c", mounted, "sh")
        )
        said = self.finish(child)["results"]
        if [one["status"] for one in said] != ["built"] * len(names):
            self.look.fault(f"full disk: {[(one['target'], one['status'], one['errors']) for one in said]}")
        if not any("the log is not complete" in text for one in said for text in one["warnings"]):
            self.look.fault("full disk: no result warns of its log")
        return f"full disk: {counted(one['status'] for one in said)}"

    def two_users(self) -> str:
        """Two users build at once, with targets in common; all that one of them started may be killed."""
        names = self.some(6)
        users = [None, OTHER_USER]
        children = {
            user: self.start(
                self.rng.sample(names, len(names)),
                "--force",
                *("--lock-timeout", "120"),
                *self.parallel(),
                user=user,
            )
            for user in users
        }
        killed = self.rng.choice([None, OTHER_USER]) if self.rng.random() < 0.6 else "nobody"
        if killed != "nobody":
            time.sleep(self.rng.uniform(0.3, 3.5))
            victim = children[killed]
            mine = [pid for pid in self.look.living() if os.stat(f"/proc/{pid}").st_uid == (killed or 0)]
            for number in (signal.SIGSTOP, signal.SIGKILL):
                for pid in mine:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, number)
            self.kills["SIGKILL to everything of one of two users"] += 1
            self.finish(victim, killed=True)
        said = {user: self.finish(child) for user, child in children.items() if user != killed}
        for user, results in said.items():
            for one in results["results"]:
                if one["status"] != ("failed" if self.targets.fails(one["target"]) else "built"):
                    self.look.fault(f"user {user}: {one['target']} was {one['status']}: {one['errors']}")
        # What root's died run left another user must leave; a run of root removes everybody's.
        self.finish(self.start(names, *self.parallel()))
        self.nothing_lives()
        who = {None: "root", OTHER_USER: "the other"}.get(killed, killed)
        return f"two users, {who} killed: codes {[child.returncode for child in children.values()]}"

    def kill(self) -> str:
        """Kill something in the middle of a batch; nothing may be left, without any help."""
        victims = {
            "the command line": (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL),
            "its group": (signal.SIGINT, signal.SIGTERM, signal.SIGKILL),
            "the supervisor": (signal.SIGTERM, signal.SIGKILL),
            "a Packer": (signal.SIGINT, signal.SIGTERM, signal.SIGKILL),
            "a process of a build": (signal.SIGKILL,),
        }
        victim = self.rng.choice(list(victims))
        number = self.rng.choice(victims[victim])
        child = self.start(self.some(), "--force", *self.parallel())
        time.sleep(self.rng.uniform(0.1, 3.5))
        hit = self.hit(child, victim, number)
        if hit:
            self.kills[f"{number.name} to {victim}"] += 1
        self.finish(child, killed=True)
        self.nothing_lives()
        return f"kill: {number.name} to {victim}{'' if hit else ' (too late)'}: code {child.returncode}"

    def hit(self, child: subprocess.Popen[str], victim: str, number: signal.Signals) -> bool:
        """Send the signal, if the victim lives."""
        if child.poll() is not None:
            return False
        with contextlib.suppress(ProcessLookupError):
            if victim == "its group":
                os.killpg(child.pid, number)
                return True
            mine = [pid for pid in self.look.living() if pid != child.pid]
            supervisors = [pid for pid in mine if self.look.is_supervisor(pid)]
            packers = [pid for pid in mine if self.look.is_packer(pid)]
            among = {
                "the command line": [child.pid],
                "the supervisor": supervisors,
                "a Packer": packers,
                "a process of a build": [pid for pid in mine if pid not in supervisors],
            }[victim]
            if among:
                os.kill(self.rng.choice(among), number)
                return True
        return False

    def kill_everything(self) -> str:
        """Kill everything but what Packer started, or everything; the next run has to clean up."""
        names = self.some()
        child = self.start(names, "--force", *self.parallel())
        time.sleep(self.rng.uniform(0.3, 3.5))
        all_of_it = self.rng.random() < 0.5
        mine = self.look.living()
        if not all_of_it:
            mine = [pid for pid in mine if pid == child.pid or self.look.is_supervisor(pid)]
        for pid in mine:  # stopped first, so that none of them can do anything about it
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        for pid in mine:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        what = "everything" if all_of_it else "the command line and the supervisor at once"
        if mine:
            self.kills[f"SIGKILL to {what}"] += 1
        self.finish(child, killed=True)
        again = self.finish(self.start(names, *self.parallel()))
        self.nothing_lives()
        counts = collections.Counter(one["status"] for one in again["results"])
        return (
            f"kill {what}, then build again: {' '.join(f'{n} {word}' for word, n in sorted(counts.items()))}"
        )

    def nothing_lives(self) -> None:
        """Every process of ours ends within the time."""
        end = time.monotonic() + END_S
        while left := self.look.living():
            if time.monotonic() > end:
                what = [Path(f"/proc/{pid}/cmdline").read_bytes()[:200] for pid in left if is_alive(pid)]
                self.look.fault(f"{END_S} s later there are still processes: {what}")
                for pid in left:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                return
            time.sleep(0.05)


def counted(words: Iterable[str]) -> str:
    """How often there is each, as in `2 built 1 failed`."""
    return " ".join(f"{count} {word}" for word, count in sorted(collections.Counter(words).items()))


def share(folder: Path) -> None:
    """Have all that is made in a folder belong to a group that the other user is in, and may write to."""
    if os.geteuid() == 0:
        os.umask(0o002)
        os.chown(folder, -1, OTHER_USER)
        folder.chmod(0o2775)


def main() -> int:
    """Run, and say what was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--steps", type=int, default=1_000_000, help="stop after so many steps")
    parser.add_argument("--seed", type=int, default=None, help="a number; a new one when not given")
    parser.add_argument("--keep", action="store_true", help="keep the workspace")
    arguments = parser.parse_args()
    let_children_hear(ignored_of(os.getpid()))
    seed = arguments.seed if arguments.seed is not None else int.from_bytes(os.urandom(3))
    tools = build_tools()
    folder = Path(tempfile.mkdtemp(prefix="soak-"))
    print(f"soak: seed {seed}, {arguments.minutes:g} minutes, in {folder}", flush=True)
    started = time.monotonic()
    with start_vcsim(tools.vcsim) as vcsim:
        share(folder)
        space = WorkspaceFolder.create(folder / "ws", Targets.SETTINGS)
        rng = random.Random(seed)
        targets = Targets(space, vcsim, rng)
        look = Look(space, folder / "tmp", vcsim)
        soak = Soak(space, targets, look, rng)
        try:
            soak.run(arguments.minutes * 60, arguments.steps)
        finally:
            for pid in look.living():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            print(f"\nsoak: seed {seed}, {time.monotonic() - started:.0f} s, {len(targets.names)} targets")
            print(f"steps: {soak.number}  {dict(soak.steps)}")
            print(f"kills: {soak.kills.total()}")
            for name, count in sorted(soak.kills.items()):
                print(f"  {count:4}  {name}")
            print(f"exit codes: {dict(soak.ends)}")
            print(f"builds in the state: {look.summary()}")
            print(f"faults: {len(look.faults)}")
            for fault in look.faults:
                print(f"  {fault}")
    if not arguments.keep and not look.faults:
        subprocess.run(["rm", "-rf", str(folder)], check=False)
    return 1 if look.faults else 0


if __name__ == "__main__":
    sys.exit(main())
