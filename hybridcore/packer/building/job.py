"""One target of a running batch: its folder, its command, its log, and the attempts so far."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from ... import state
from ...process.environment import child_environment, environment_secrets
from ...process.mask import Masker
from ...temporary import PREFIX, write
from ..imagefiles import packer_cache
from ..mirror import fill
from ..program.commands import build_command
from ..runtime import runtime_variables, tools_path
from ..secrets import secret_values
from ..stream.outcome import Outcome
from ..stream.pump import Pump

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from io import FileIO

    from ...monitor import Monitor
    from ...state.lock import Lock
    from ...workspace import Workspace
    from ..options import BuildOptions
    from ..planning.plan import Planned
    from ..program.capabilities import Capabilities
    from ..results import BuildResult


@dataclass(frozen=True)
class Batch:
    """What all targets of a call share.

    Attributes:
        workspace: where everything lies.
        env: name of the environment.
        options: how to build.
        capabilities: of the Packer that builds.
        run_id: names the run.
        folder: of this run alone.
        monitor: who watches.
    """

    workspace: Workspace
    env: str
    options: BuildOptions
    capabilities: Capabilities
    run_id: str
    folder: Path
    monitor: Monitor

    @property
    def mirror(self) -> Path:
        """The workspace as the builds of this run see it."""
        return self.folder / "ws"

    def shown(self, text: str) -> str:
        """A text with the paths that people know: the mirror is gone when they read it."""
        return text.replace(self._prefix, "")

    @cached_property
    def _prefix(self) -> str:
        return f"{self.mirror}{os.sep}"


@dataclass
class Job:
    """A target that is to be built: run time, in contrast to ``Planned``, which is intent.

    Attributes:
        planned: what is to be built, and why.
        log_path: the build's log, all attempts in one file.
        attempts: how often Packer was started.
        started_at: RFC 3339, UTC; empty before the first start.
        begun: moment of the first start, of the monotonic clock.
        not_before: moment before which it must not be started again.
        failed: the result of the attempt before, when it is to be tried again.
        asked_at: moment of the first try for a lock that somebody else holds.
        lock: held from the first start to the end.
        fd: read end of the running Packer's pipe, or -1.
        exit: the supervisor's message about its end, when it has ended.
        timed_out: the whole build took too long and was told to stop.
    """

    planned: Planned
    log_path: Path
    attempts: int = 0
    started_at: str = ""
    begun: float = 0.0
    not_before: float = 0.0
    failed: BuildResult | None = None
    asked_at: float = 0.0
    lock: Lock | None = None
    fd: int = -1
    exit: Mapping[str, object] | None = None
    timed_out: bool = False
    folder: Path = Path()
    temporary: Path = Path()
    cwd: Path = Path()
    argv: tuple[str, ...] = ()
    shown_command: tuple[str, ...] = ()
    env: dict[str, str] = field(default_factory=dict, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    outcome: Outcome = field(default_factory=Outcome)
    pump: Pump | None = None
    log: FileIO | None = None

    @property
    def target(self) -> str:
        """``<os>/<platform>/<name>``."""
        return self.planned.template.target

    def prepare(self, batch: Batch) -> None:
        """Make the folder, the environment and the command of the next attempt.

        Args:
            batch: what it shares with the others.

        Raises:
            PackerError: the build's key cannot be made.
            OSError: the folder or the log cannot be made.
        """
        self.attempts += 1
        self.folder = batch.folder / f"{self.target.replace('/', '@')}.{self.attempts}"
        template = self.planned.template
        make_folder(self.folder)
        self.temporary = make_temporary(self.folder)
        self.cwd = fill(template, batch.mirror, with_plugins=batch.capabilities.has_init)
        if not self.started_at:
            self.started_at = state.timestamp()
            self.begun = time.monotonic()
        ours = {**os.environ, **batch.options.extra_env}
        self.env = child_environment(
            {
                **batch.options.extra_env,
                **{f"PKR_VAR_{name}": value for name, value in batch.options.secrets.items()},
                **runtime_variables(
                    template,
                    env=batch.env,
                    fingerprint=self.planned.fingerprint,
                    build_time=self.started_at,
                    folder=self.folder,
                ),
                "PATH": tools_path(ours.get("PATH", os.defpath)),
                "PACKER_CACHE_DIR": ours.get("PACKER_CACHE_DIR") or str(packer_cache(batch.workspace)),
                "TMPDIR": str(self.temporary),
            }
        )
        self.secrets = (
            *secret_values(template, batch.options.secrets, self.env),
            *environment_secrets(self.env),
        )
        # A copy of what the fingerprint was taken of: the file in configs/ may be rendered anew meanwhile.
        values = self.folder / "values.pkrvars.hcl"
        write(values, self.planned.rendered.text.encode())
        self.argv = build_command(batch.capabilities, batch.options, self.cwd, var_files=[values])
        masker = Masker(self.secrets)
        self.shown_command = tuple(masker.text(argument) for argument in self.argv)
        if self.log is None:
            self.log_path.parent.mkdir(parents=True, exist_ok=True)
            self.log = open(self.log_path, "ab", buffering=0)  # noqa: SIM115 -- closed by finish()
        self.outcome = Outcome()
        self.pump = Pump(
            masker,
            log=self.log.write,
            outcome=self.outcome,
            line=self._show(batch) if batch.monitor.wants_lines else None,
        )
        head = f"hybridcore: attempt {self.attempts}, run {batch.run_id}: {' '.join(self.shown_command)}\n"
        self.log.write(head.encode())

    def _show(self, batch: Batch) -> Callable[[str, str], None]:
        return lambda text, kind: batch.monitor.line(self.target, batch.shown(text), kind)

    def close(self) -> None:
        """Let go of the log, the pipe and the lock."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1
        if self.log is not None:
            self.log.close()
            self.log = None
        if self.lock is not None:
            self.lock.release()
            self.lock = None


def make_folder(folder: Path) -> None:
    """Make a folder of a run, for its owner only, with its parents."""
    os.makedirs(folder.parent, mode=0o700, exist_ok=True)
    os.mkdir(folder, 0o700)


def make_temporary(folder: Path) -> Path:
    """Make the folder for temporary files of one attempt, and remember it in the run's own folder.

    It lies in the system's folder for such files, since Packer's plugins make sockets in it, whose whole path
    must be shorter than 108 bytes.
    """
    import tempfile

    # The link comes first: whatever kills us, a folder that is there is remembered.
    made = Path(tempfile.gettempdir()) / f"{PREFIX}{os.urandom(8).hex()}"
    (folder / "tmp").symlink_to(made)
    made.mkdir(mode=0o700)
    return made
