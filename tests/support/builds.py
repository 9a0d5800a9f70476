"""Running builds from the outside: start them, wait for what they do, kill them, and look at what is left."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from .workspaces import WorkspaceFolder

if TYPE_CHECKING:
    from hybridcore.monitor import Monitor
    from hybridcore.packer.results import BuildReport

REPOSITORY = Path(__file__).resolve().parent.parent.parent
CANCEL_SECONDS = 15  # within which nothing of a cancelled build may be left
_PAUSE = 0.02

T = TypeVar("T")


def hybrid_command(space: WorkspaceFolder, *arguments: str) -> list[str]:
    """The command line of `packer-hybrid` on a workspace."""
    return [sys.executable, "-m", "hybridcore", "--workspace", str(space.root), *arguments]


def hybrid_environment(packer: Path | None = None, **extra: str) -> dict[str, str]:
    """The environment of `packer-hybrid`: with the checkout's core, and a given Packer first on PATH."""
    path = os.environ["PATH"] if packer is None else f"{packer.parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PYTHONPATH": str(REPOSITORY), "PATH": path, **extra}


def hybrid(
    space: WorkspaceFolder, *arguments: str, packer: Path | None = None, **extra: str
) -> subprocess.CompletedProcess[str]:
    """Run `packer-hybrid` to its end."""
    return subprocess.run(
        hybrid_command(space, *arguments),
        env=hybrid_environment(packer, **extra),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )


def build_json(space: WorkspaceFolder, *arguments: str, code: int = 0, **more: Any) -> dict[str, Any]:
    """Run `packer-hybrid --json build --env dev`, insist on its exit code, and give what it prints."""
    done = hybrid(space, "--json", "build", "--env", "dev", *arguments, **more)
    assert done.returncode == code, done.stdout + done.stderr
    said: dict[str, Any] = json.loads(done.stdout)
    said["stderr"] = done.stderr
    return said


class Recorder:
    """A monitor that remembers what it was shown."""

    wants_lines = True

    def __init__(self) -> None:
        self.lines: list[tuple[str, str, str]] = []
        self.notes: list[str] = []

    def line(self, target: str, text: str, kind: str) -> None:
        self.lines.append((target, text, kind))

    def note(self, text: str) -> None:
        self.notes.append(text)

    def tick(self, running: dict[str, float]) -> None:
        pass

    @property
    def text(self) -> str:
        """Every line that was shown, without its target."""
        return "".join(f"{text}\n" for _, text, _ in self.lines)


def build(
    space: WorkspaceFolder,
    *targets: str,
    monitor: Monitor | None = None,
    values: Mapping[str, Any] | None = None,
    check: bool = False,
    **options: Any,
) -> BuildReport:
    """Build in this process; the options are those of `BuildOptions`."""
    from hybridcore import pipeline
    from hybridcore.packer.options import BuildOptions

    request = pipeline.Request(
        env="dev", targets=targets, vars=values or {}, options=BuildOptions(**options), command="a test"
    )
    return pipeline.build(
        request, workspace=space.open(), monitor=monitor if monitor is not None else Recorder(), check=check
    )


def statuses(report: BuildReport) -> dict[str, str]:
    """How each target ended."""
    return {result.target: result.status.value for result in report.results}


def long_null(space: WorkspaceFolder, target: str = "linux/null/long") -> str:
    """A target that says it has begun, by a file, and then sleeps until the file `go` is there."""
    name = target.rsplit("/", 1)[-1]
    began, go = space.root / f"began-{name}", space.root / "go"
    return space.null(target, inline=(f"test -e {go} || {{ touch {began}; sleep 300; }}",))


def wait_for(condition: Callable[[], T], what: str, seconds: float = 60) -> T:
    """Wait until a condition holds, and give what it gave; fail when it never does."""
    end = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(_PAUSE)


def state_of(space: WorkspaceFolder) -> dict[str, Any]:
    """The state as it lies on the disk; empty when nothing was written yet."""
    try:
        loaded: dict[str, Any] = json.loads((space.root / "state" / "packer-hybrid.json").read_bytes())
    except FileNotFoundError:
        return {}
    return loaded


def environ_of(pid: int) -> bytes:
    """The environment that a process was started with; empty when it has ended."""
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return b""


def parent_of(pid: int) -> int:
    """The parent of a process."""
    return int(Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[1])


def children_of(parent: int) -> list[int]:
    """The processes that a process started and that are there."""
    found = []
    for pid in processes():
        try:
            if parent_of(pid) == parent:
                found.append(pid)
        except OSError:
            continue  # it has ended
    return found


def is_free(lock: Path) -> bool:
    """Whether nobody holds a lock; who looks after a dead run takes it for a moment."""
    with lock.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def is_alive(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def processes() -> list[int]:
    """Every process of this machine."""
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def processes_of(run_id: str) -> list[int]:
    """The processes that carry the mark of a run, wherever they went."""
    mark = f"HYBRIDCORE_RUN={run_id}/".encode()
    return [pid for pid in processes() if mark in environ_of(pid)]


def programs_of(run_id: str) -> set[str]:
    """The names of the processes of a run, as the kernel has them (15 characters)."""
    found = set()
    for pid in processes_of(run_id):
        try:
            found.add(Path(f"/proc/{pid}/comm").read_text().strip())
        except OSError:
            continue  # it has ended
    return found


class Running:
    """A run that is under way in a workspace, known by what it wrote; it is looked at without the core.

    Args:
        space: where it runs.
        began: files that its builds make when they have begun.
        seconds: to wait for that.
    """

    def __init__(self, space: WorkspaceFolder, began: Sequence[str] = ("began-long",), seconds: float = 60):
        self.space = space
        wait_for(lambda: all((space.root / name).exists() for name in began), f"{began} begin", seconds)
        ((self.run_id, entry),) = state_of(space)["running"].items()
        self.supervisor: int = entry["pid"]
        self.caller = parent_of(self.supervisor)
        self.folder = space.root / "images" / ".runs" / self.run_id
        self.temporary = [Path(os.readlink(link)) for link in self.folder.glob("*/tmp")]
        assert self.temporary
        assert all(folder.is_dir() for folder in self.temporary)
        assert self.processes(), "the build has no process of its own?"

    def processes(self) -> list[int]:
        """The processes that carry the mark of this run, wherever they went."""
        return processes_of(self.run_id)

    def assert_nothing_left(self, statuses: Mapping[str, str], seconds: float = CANCEL_SECONDS) -> None:
        """Processes, folders and locks are gone, and the state says how each target ended, and when.

        Args:
            statuses: how each target must have ended, by its name.
            seconds: to wait for that.
        """
        wait_for(lambda: not self.processes(), "no process of the run is left", seconds)
        wait_for(lambda: not is_alive(self.supervisor), "the supervisor ends", seconds)
        wait_for(lambda: not state_of(self.space)["running"], "the state is settled", seconds)
        assert not self.folder.exists()
        assert [folder for folder in self.temporary if folder.exists()] == []
        for lock in (self.space.root / "state").glob("**/*.lock"):
            wait_for(lambda lock=lock: is_free(lock), f"the lock {lock.name} is free", seconds)
        state = state_of(self.space)
        run = state["history"][-1]
        assert run["id"] == self.run_id == state["last_run"]["id"]
        assert run["finished_at"] >= run["started_at"]
        assert [entry["id"] for entry in state["history"]].count(self.run_id) == 1
        assert {entry["target"]: entry["status"] for entry in run["results"]} == dict(statuses)
        for target, status in statuses.items():
            attempt = state["images"][f"dev/{target}"]["last_attempt"]
            assert (attempt["status"], attempt["run"]) == (status, self.run_id)
            assert attempt["at"] >= run["started_at"]
