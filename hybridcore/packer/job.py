"""One target of a running batch: its folder, its command, its log, and the attempts so far."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path

from .. import process, state
from ..errors import PackerError
from ..host import accelerator
from ..runs import TEMPORARY_PREFIX
from .commands import build_command
from .compose import compose
from .mask import Masker
from .outcome import Outcome
from .pump import Pump

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from io import FileIO

    from ..monitor import Monitor
    from ..state.lock import Lock
    from ..templates import Template
    from ..workspace import Workspace
    from .capabilities import Capabilities
    from .plan import Planned
    from .results import BuildOptions

KEY_FILE = "hybridcore_ssh_private_key_file"
PUBLIC_KEY = "hybridcore_ssh_public_key"


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
        self.folder = batch.folder / f"{self.target.replace('/', '_')}.{self.attempts}"
        template = self.planned.template
        make_folder(self.folder)
        self.temporary = make_temporary(self.folder)
        self.cwd = compose(
            template, self.folder / "ws", batch.workspace, with_plugins=batch.capabilities.has_init
        )
        if not self.started_at:
            self.started_at = state.timestamp()
            self.begun = time.monotonic()
        self.env = process.child_environment(
            {
                **batch.options.extra_env,
                **{f"PKR_VAR_{name}": value for name, value in batch.options.secrets.items()},
                **{f"PKR_VAR_{name}": value for name, value in self._runtime_variables(batch).items()},
                "PATH": tools_path(os.environ.get("PATH", os.defpath)),
                "PACKER_CACHE_DIR": os.environ.get("PACKER_CACHE_DIR")
                or str(batch.workspace.images / ".packer_cache"),
                "TMPDIR": str(self.temporary),
            }
        )
        self.secrets = (
            *secret_values(template, batch.options.secrets, self.env),
            *process.environment_secrets(self.env),
        )
        self.argv = build_command(
            batch.capabilities, batch.options, self.cwd, var_files=[self.planned.config]
        )
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
            line=lambda text, kind: batch.monitor.line(self.target, text, kind),
        )
        head = f"hybridcore: attempt {self.attempts}, run {batch.run_id}: {' '.join(self.shown_command)}\n"
        self.log.write(head.encode())

    def _runtime_variables(self, batch: Batch) -> dict[str, str]:
        """The variables that the build gives, as far as the template declares them."""
        declared = self.planned.template.variable_names()
        values = {
            "hybridcore_target": self.target,
            "hybridcore_environment": batch.env,
            "hybridcore_fingerprint": self.planned.fingerprint,
            "hybridcore_build_time": self.started_at,
            "hybridcore_accelerator": accelerator(),
        }
        if KEY_FILE in declared or PUBLIC_KEY in declared:
            values |= make_key(self.folder)
        return {name: value for name, value in values.items() if name in declared}

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

    made = tempfile.mkdtemp(prefix=TEMPORARY_PREFIX)
    (folder / "tmp").symlink_to(made)
    return Path(made)


def make_key(folder: Path) -> dict[str, str]:
    """Make the SSH key of one build; it goes with the folder when the build ends.

    Args:
        folder: of the build, for its owner only.

    Returns:
        The path of the private key and the text of the public one, by the names of their variables.

    Raises:
        PackerError: ``ssh-keygen`` failed.
        ProcessError: there is no ``ssh-keygen``.
    """
    path = folder / "build_key"
    done = process.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "hybridcore-build", "-f", str(path)]
    )
    if done.returncode:
        raise PackerError(f"ssh-keygen could not make the key of the build: {done.stderr.strip()}")
    return {KEY_FILE: str(path), PUBLIC_KEY: path.with_suffix(".pub").read_text().strip()}


def secret_values(template: Template, secrets: Mapping[str, str], env: Mapping[str, str]) -> list[str]:
    """Every value that must not be shown: what the caller gave, and sensitive variables from elsewhere.

    Args:
        template: declares which variables are sensitive, perhaps with a default.
        secrets: what the caller gave, by name.
        env: the environment of the build.

    Returns:
        Values of at least 4 characters, in no particular order.
    """
    found = list(secrets.values())
    for name in template.sensitive_names():
        found.append(env.get(f"PKR_VAR_{name}", ""))
    for _, block in template.blocks("variable"):
        default = block.body.attributes.get("default")
        if block.labels[0] in template.sensitive_names() and default is not None and default.constant:
            found.append(default.value if isinstance(default.value, str) else "")
    return [value for value in found if len(value) >= 4]


def tools_path(path: str) -> str:
    """The ``PATH`` of a build: this interpreter's own programs come first.

    Packer's Ansible provisioner looks for ``ansible-playbook``. In a virtual environment it lies beside the
    interpreter, and the image should be provisioned by the same Ansible that runs the build.
    """
    import sys

    own = os.path.dirname(sys.executable)
    return path if own in path.split(os.pathsep) else f"{own}{os.pathsep}{path}"
