"""Running git: in a built environment, from several threads, within limits of time, without any question."""

from __future__ import annotations

import os
import selectors
import threading
import time

from .. import process
from ..errors import SourcesError
from ..process.environment import child_environment
from ..process.kill import RUN_MARK, kill_group
from .addresses import masked

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess
    from collections.abc import Sequence
    from pathlib import Path

    from ..workspace import SourceSetting

# Seconds that a command may take that asks nobody; SourceSetting bounds the others.
LOCAL_TIMEOUT_S = 3600.0
_OPTIONS = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "core.quotePath": "false",
    "protocol.ext.allow": "never",
    "submodule.recurse": "false",
    "advice.detachedHead": "false",
    "gc.auto": "0",
    "maintenance.auto": "false",
    "http.lowSpeedLimit": "1000",
}
_PREFIX = ["git", *(part for key, value in _OPTIONS.items() for part in ("-c", f"{key}={value}"))]
# How a user's own git is set up for credentials, certificates and SSH: git needs these, others do not.
_PASSED_NAMES = frozenset({"GIT_ASKPASS", "GIT_SSH", "GIT_SSH_COMMAND", "GIT_SSH_VARIANT"})
_PASSED_PREFIXES = ("GIT_CONFIG_", "GIT_SSL_", "GIT_HTTP_")
_CHUNK = 1 << 16


def environment() -> dict[str, str]:
    """The environment git gets: no prompt, no variable that points it elsewhere, none of Packer's secrets."""
    env = {
        name: value
        for name, value in child_environment().items()
        if not name.startswith(("PKR_VAR_", "PACKER_"))
    }
    for name, value in os.environ.items():
        if name in _PASSED_NAMES or name.startswith(_PASSED_PREFIXES):
            env[name] = value
    env["GIT_TERMINAL_PROMPT"] = "0"
    env["GIT_OPTIONAL_LOCKS"] = "0"
    env["GIT_ALLOW_PROTOCOL"] = "file:git:http:https:ssh"
    env["SSH_ASKPASS_REQUIRE"] = "never"
    return env


class Runner:
    """Runs git from several threads, and can end all of it at once.

    Each git is the leader of its own process group, out of reach of Ctrl-C and of a terminal that ssh could
    ask questions on; so whoever is interrupted calls ``stop``.

    Args:
        mark: what every git carries in ``HYBRIDCORE_RUN``, so that those of a killed sync can be found.
    """

    def __init__(self, mark: str = "") -> None:
        self._env = environment()
        if mark:
            self._env[RUN_MARK] = mark
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopped = False

    def stop(self) -> None:
        """Kill what runs, and refuse to start anything more."""
        with self._lock:
            self._stopped = True
            for child in self._running:
                kill_group(child.pid)

    def run(
        self,
        arguments: Sequence[str],
        *,
        folder: Path | None = None,
        index: Path | None = None,
        remote: SourceSetting | None = None,
    ) -> tuple[int, bytes, str]:
        """Run one git command.

        Args:
            arguments: what follows ``git`` and its safety options.
            folder: the checkout it works on; none for commands that need no repository.
            index: the index it works on instead of the checkout's own.
            remote: whose limits of time hold, for a command that asks a remote.

        Returns:
            Its exit code, what it printed, and its complaints without secrets.

        Raises:
            ProcessError: git cannot be started.
            SourcesError: it ran out of time, or ``stop`` was called.
        """
        import subprocess

        limits = ["-c", f"http.lowSpeedTime={remote.stall}"] if remote else []
        where = [] if folder is None else [f"--git-dir={folder / '.git'}", f"--work-tree={folder}"]
        env = self._env if index is None else {**self._env, "GIT_INDEX_FILE": str(index)}
        with self._lock:
            if self._stopped:
                raise SourcesError("cancelled")
            # Not in the workspace: git would read the configuration of a repository around it.
            child = process.start(
                [*_PREFIX, *limits, *where, *arguments],
                env=env,
                cwd=folder or "/",
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            self._running.add(child)
        with child:
            try:
                out, err = _read(child, remote)
            except BaseException as error:
                kill_group(child.pid)
                if isinstance(error, SourcesError):
                    raise SourcesError(f"git {arguments[0]}: {error.message}", hint=error.hint) from None
                raise
            finally:
                child.wait()
                with self._lock:
                    self._running.discard(child)
        return child.returncode, out, masked(err.decode("utf-8", "replace"))

    def check(
        self,
        arguments: Sequence[str],
        *,
        folder: Path | None = None,
        index: Path | None = None,
        remote: SourceSetting | None = None,
        doing: str,
    ) -> str:
        """Run one git command that must succeed.

        Args:
            arguments: as for ``run``.
            folder: as for ``run``.
            index: as for ``run``.
            remote: as for ``run``.
            doing: what fails if it fails, for the error.

        Returns:
            What it printed; bytes that are not UTF-8 as ``os.fsdecode`` keeps them.

        Raises:
            SourcesError: it failed; has git's own words.
        """
        code, out, err = self.run(arguments, folder=folder, index=index, remote=remote)
        if code:
            raise SourcesError(f"{doing}: {_reason(code, err)}")
        return out.decode("utf-8", "surrogateescape")


def _read(child: subprocess.Popen[bytes], remote: SourceSetting | None) -> tuple[bytes, bytes]:
    """Read what a git prints, to its end.

    With ``--progress`` git tells on standard error of all that comes and of all that it does, so whoever is
    silent for long waits for a remote that is silent too. That holds for every transport.
    """
    limit = remote.timeout if remote else LOCAL_TIMEOUT_S
    until = time.monotonic() + limit
    texts: dict[int, list[bytes]] = {}
    with selectors.DefaultSelector() as selector:
        for stream in (child.stdout, child.stderr):
            assert stream is not None
            texts[stream.fileno()] = []
            selector.register(stream, selectors.EVENT_READ)
        while selector.get_map():
            left = until - time.monotonic()
            if left <= 0:
                raise SourcesError(
                    f"did not end within {limit:g} s", hint="timeout of the source allows more"
                )
            ready = selector.select(min(left, remote.stall) if remote else left)
            if not ready and remote and remote.stall < left:
                raise SourcesError(
                    f"nothing came for {remote.stall:g} s",
                    hint="look whether the remote is well; stall of the source allows more",
                )
            for key, _ in ready:
                if data := os.read(key.fd, _CHUNK):
                    texts[key.fd].append(data)
                else:
                    selector.unregister(key.fileobj)
    out, err = (b"".join(parts) for parts in texts.values())
    return out, err


def _reason(code: int, err: str) -> str:
    lines = [line.strip() for part in err.splitlines() for line in part.split("\r") if line.strip()]
    telling = [line for line in lines if line.startswith(("fatal:", "error:", "ERROR:", "ssh:"))]
    ended = f"git was ended by signal {-code}" if code < 0 else f"git exited with {code}"
    return "; ".join((telling or lines)[-4:]) or ended
