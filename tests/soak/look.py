"""What is looked at after every step of the soak test: processes, folders, locks, state, logs, images."""

from __future__ import annotations

import collections
import fcntl
import hashlib
import os
import re
import shutil
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from targets import LINES, PADDING

from hybridcore import state
from hybridcore.state import schema
from tests.support.builds import environ_of, is_alive, processes

if TYPE_CHECKING:
    from tests.support.simulators import Vcsim
    from tests.support.workspaces import WorkspaceFolder

_LINE = re.compile(rb"soak ([a-z0-9-]+) line (\d+) of (\d+) (=*)\.")
_RECORD = re.compile(rb"\[\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\] [A-Z]+ [a-z]+: .+\n\Z")
_OURS = re.compile(r"\d{8}T\d{6}\.\d{3}Z-[0-9a-f]{6}")
_MARK = "PACKER_SOAK"  # passes to everything that a build starts


class Look:
    """Finds faults, and remembers what was true before.

    Args:
        space: the workspace.
        temporary: the folder for temporary files, of this soak test alone.
        vcsim: the simulator that builds leave templates in.
    """

    def __init__(self, space: WorkspaceFolder, temporary: Path, vcsim: Vcsim) -> None:
        temporary.mkdir()
        self._space, self.temporary, self._vcsim = space, temporary, vcsim
        self._mark = f"{_MARK}={os.getpid()}"
        self.environment = {_MARK: str(os.getpid()), "TMPDIR": str(temporary), "PATH": os.environ["PATH"]}
        self.faults: list[str] = []
        self._pending: list[str] = []
        self._promised: dict[str, tuple[str, str]] = {}
        self._runs: dict[str, str] = {}
        self._logs_seen: dict[Path, int] = {}
        self._unfinished: set[Path] = set()

    def fault(self, text: str) -> None:
        """Something is wrong in this step."""
        self._pending.append(text)

    def living(self) -> list[int]:
        """Every process that a build of ours started, and the command lines and supervisors themselves."""
        mark = self._mark.encode()
        return [pid for pid in processes() if mark in environ_of(pid).split(b"\0") and is_alive(pid)]

    @staticmethod
    def is_supervisor(pid: int) -> bool:
        """Whether it is a supervisor."""
        return b".caretaker import main" in _read(Path(f"/proc/{pid}/cmdline"))

    @staticmethod
    def is_packer(pid: int) -> bool:
        """Whether it is a Packer, or a plugin of it."""
        return os.path.basename(_read(Path(f"/proc/{pid}/cmdline")).split(b"\0")[0]) == b"packer"

    def at_results(self, said: dict[str, Any]) -> None:
        """What a command said was built must be in the state."""
        for one in said["results"]:
            if one["status"] == "built":
                before = self._promised.get(one["target"], ("", ""))
                self._promised[one["target"]] = max(before, (one["finished_at"], one["fingerprint"]))

    def at_everything(self, step: str) -> None:
        """Look at everything, and count the faults of the step."""
        left = self.living()
        if left:
            self.fault(f"processes left: {[_read(Path(f'/proc/{pid}/cmdline'))[:200] for pid in left]}")
        data = self._state()
        if data is not None:
            self._folders()
            self._locks()
            self._history(data)
            self._images(data)
            self._simulator(data)
        self._logs()
        for text in self._pending:
            self.faults.append(f"{step}: {text}")
            print(f"FAULT {step}: {text}", file=sys.stderr, flush=True)
        self._pending.clear()

    def summary(self) -> dict[str, int]:
        """How the runs in the state ended."""
        return dict(collections.Counter(self._runs.values()))

    def _state(self) -> dict[str, Any] | None:
        path = self._space.root / "state" / "packer-hybrid.json"
        if not path.exists():
            return None
        data = state.read(workspace=self._space.open())
        for wrong in schema.check(data):
            self.fault(f"the state does not fit its schema: {wrong}")
        if data["running"]:
            self.fault(f"the state calls running what is over: {data['running']}")
        return data

    def _folders(self) -> None:
        runs = self._space.root / "images" / ".runs"
        left = [*(sorted(runs.iterdir()) if runs.is_dir() else []), *sorted(self.temporary.iterdir())]
        # A writer that was killed leaves one in state/, which the next one removes.
        unfinished = set((self._space.root / "state").rglob("*.tmp"))
        left += sorted(unfinished & self._unfinished)
        self._unfinished = unfinished
        if left:
            self.fault(f"left behind: {[str(path) for path in left]}")
            for path in left:  # told once
                shutil.rmtree(path) if path.is_dir() else path.unlink()

    def _locks(self) -> None:
        for lock in (self._space.root / "state").rglob("*.lock"):
            with lock.open("rb") as file:
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    self.fault(f"{lock.name} is held")

    def _history(self, data: dict[str, Any]) -> None:
        """Every run is there once, for ever, and its end does not change."""
        ids = [run["id"] for run in data["history"]]
        if len(ids) != len(set(ids)):
            self.fault("a run is in the history twice")
        now = {run["id"]: run["status"] for run in data["history"]}
        for run_id, status in self._runs.items():
            if now.get(run_id) != status:
                self.fault(f"run {run_id} ended as {status}, and now the state says {now.get(run_id)}")
        self._runs = now
        for run in data["history"]:
            if not run.get("finished_at") or run["finished_at"] < run["started_at"]:
                self.fault(f"run {run['id']} has no good time of its end")

    def _images(self, data: dict[str, Any]) -> None:
        """No image is lost: what was promised is in the state, and its files are what was built."""
        history = {
            run["id"]: {one["target"]: one["status"] for one in run["results"]} for run in data["history"]
        }
        for target, (built_at, fingerprint) in self._promised.items():
            image = data["images"].get(f"dev/{target}", {})
            if image.get("built_at", "") < built_at:
                self.fault(f"{target} was built at {built_at}, and the state does not know it: {image}")
            elif image["built_at"] == built_at and image["fingerprint"] != fingerprint:
                self.fault(f"{target}: another fingerprint than was said")
        for key, image in data["images"].items():
            if "fingerprint" not in image:
                continue
            if history[image["run"]].get(image["target"]) != "built":
                self.fault(f"{key}: the history does not say that {image['run']} built it")
            for artifact in image["artifacts"]:
                for file in artifact["files"]:
                    self._file(key, file)
            manifest = data["manifests"][key]
            content = _read(self._space.root / manifest["path"])
            if hashlib.sha256(content).hexdigest() != manifest["sha256"]:
                self.fault(f"{key}: its manifest is not what the state says")
            folder = self._space.root / "images" / key
            if not (folder / "latest").is_dir():
                self.fault(f"{key}: latest leads nowhere")
            for run in (path.name for path in folder.iterdir() if not path.is_symlink()):
                if history.get(run, {}).get(image["target"]) != "built":
                    self.fault(f"{key}: {run} is no image, and lies among them")

    def _file(self, key: str, file: dict[str, Any]) -> None:
        path = self._space.root / file["path"]
        content = _read(path)
        if not content:
            self.fault(f"{key}: the file {file['path']} is gone")
        elif len(content) != file["size"] or hashlib.sha256(content).hexdigest() != file["sha256"]:
            self.fault(f"{key}: the file {file['path']} is not what was built")

    def _simulator(self, data: dict[str, Any]) -> None:
        """The template of every image is there; what is there besides was named, or is of an older image."""
        names = self._machines()
        images = {
            artifact["id"]: key
            for key, image in data["images"].items()
            for artifact in image.get("artifacts") or []
            if "/vsphere/" in key
        }
        for name in images.keys() - names:
            self.fault(f"{images[name]}: its template {name} is gone")

    def _machines(self) -> set[str]:
        """Names of the machines of our builds."""
        with self._vcsim.machines() as machines:
            return {machine.name for machine in machines if machine.name.startswith("vsphere-")}

    def _records(self) -> None:
        """Every line of the shared log is one record."""
        for path in (self._space.root / "logs").glob("packer-hybrid.log*"):
            content = path.read_bytes()
            if torn := [line for line in content.splitlines(keepends=True) if not _RECORD.match(line)]:
                self.fault(f"{path}: no record: {torn[:3]}")

    def _logs(self) -> None:
        """Every line of every log is whole, and none is missing."""
        self._records()
        for path in (self._space.root / "logs" / "builds").rglob("*.log"):
            size = path.stat().st_size
            if self._logs_seen.get(path, 0) > size:
                self.fault(f"{path} became shorter")
            if self._logs_seen.get(path) == size:
                continue
            self._logs_seen[path] = size
            content = path.read_bytes()
            name = path.parent.name
            if content and not content.endswith(b"\n"):
                self.fault(f"{path}: its last line has no end: {content[-100:]!r}")
            numbers = []
            for line in content.splitlines():
                if b"echo soak" in line or b"soak " not in line:
                    continue
                found = _LINE.search(line)
                if not found or found[1].decode() != name or len(found[4]) != len(PADDING):
                    self.fault(f"{path}: a torn line: {line!r}")
                else:
                    numbers.append(int(found[2]))
            # A supervisor that goes on with a log leaves out one line, and says so.
            missing = set(range(1, max(numbers, default=0) + 1)) - set(numbers)
            most = content.count(b"hybridcore: the caller ended; the line that it was reading is left out")
            if numbers != sorted(set(numbers)) or max(numbers, default=0) > LINES or len(missing) > most:
                self.fault(f"{path}: lines {numbers}")
            if stat.S_IMODE(path.stat().st_mode) & 0o022:
                self.fault(f"{path} can be written by others")
            if not _OURS.search(path.name):
                self.fault(f"{path}: what is this?")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
