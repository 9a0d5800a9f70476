"""Running git: in a built environment, from several threads, within limits of time, without any question."""

from __future__ import annotations

import os
import re
import selectors
import shutil
import threading
import time
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING

from .. import process
from ..errors import SourcesError
from ..process.environment import child_environment
from ..process.kill import RUN_MARK, kill_group
from . import unfinished
from .addresses import masked

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from ..source_settings import SourceSetting

# Seconds that a command may take that asks nobody; SourceSetting bounds the others.
LOCAL_TIMEOUT_S = 3600.0
NO_MIRRORS: Mapping[str, Path] = MappingProxyType({})
NO_MORE: Mapping[str, str] = MappingProxyType({})
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
# Commands that lock what they write; a killed one leaves its locks behind.
_WRITING = frozenset({"fetch", "checkout", "read-tree"})
_CHUNK = 1 << 16
_TELL_EVERY_S = 5.0
_FIRST_PAUSE_S = 1.0
# What git, curl and ssh say of a network or a server that may be well again in a moment.
_PASSING = re.compile(
    r"could not resolve|unable to look up|temporary failure|failed to connect|couldn't connect"
    r"|connection (refused|reset|timed out|closed)|operation (timed out|too slow)|no route to host"
    r"|network is unreachable|early EOF|hung up unexpectedly|unexpected disconnect|RPC failed|empty reply"
    r"|kex_exchange_identification|non-properly terminated|returned error: (408|429|5\d\d)",
    re.IGNORECASE,
)
# How git ends when it may not write on: by the signal, with the program that reads the pack gone, or by the
# error of write(2).
_TOO_LARGE = re.compile(r"died of signal 25|invalid index-pack output|File too large")
# Lines that tell why; the others are progress, advice, and what a server greets with.
_TELLING = re.compile(
    r"(fatal|error|ERROR|ssh|remote: error|remote: fatal): |.*(Permission denied|Host key verification failed"
    r"|IDENTIFICATION HAS CHANGED|Too many authentication failures)"
)


class Unreachable(SourcesError):
    """A remote could not be reached, and may be in a moment."""


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
    env["LC_ALL"] = "C"  # what git says is read
    env["GIT_LFS_FORCE_PROGRESS"] = "1"
    env["GIT_TERMINAL_PROMPT"] = "0"
    env["GIT_OPTIONAL_LOCKS"] = "0"
    env["GIT_ALLOW_PROTOCOL"] = "file:git:http:https:ssh"
    env["SSH_ASKPASS_REQUIRE"] = "never"
    return env


def _mirror_environment(mirrors: Mapping[str, Path], env: Mapping[str, str]) -> dict[str, str]:
    """What has git take mirrors in place of URLs, and use no other transport than files.

    Args:
        mirrors: repositories of this machine by URL.
        env: the environment that git gets otherwise.

    Returns:
        The variables to add: git-config(1), ``GIT_CONFIG_COUNT`` and ``url.<base>.insteadOf``.
    """
    count = int(env.get("GIT_CONFIG_COUNT") or 0)
    added = {"GIT_ALLOW_PROTOCOL": "file", "GIT_CONFIG_COUNT": str(count + len(mirrors))}
    for number, (url, path) in enumerate(mirrors.items(), count):
        added[f"GIT_CONFIG_KEY_{number}"] = f"url.{path}.insteadOf"
        added[f"GIT_CONFIG_VALUE_{number}"] = url
    return added


class Runner:
    """Runs git from several threads, and can end all of it at once.

    Each git is the leader of its own process group, out of reach of Ctrl-C and of a terminal that ssh could
    ask questions on; so whoever is interrupted calls ``stop``.

    Args:
        mark: what every git carries in ``HYBRIDCORE_RUN``, so that those of a killed sync can be found.
        tell: called now and then from any thread, with the name of a source and what git does for it.
        offline: allow no transport, not even for what a clone left out.
        mirrors: offline, repositories of this machine that stand for URLs.
    """

    def __init__(
        self,
        mark: str = "",
        tell: Callable[[str, str], None] = lambda name, text: None,
        *,
        offline: bool = False,
        mirrors: Mapping[str, Path] = NO_MIRRORS,
    ) -> None:
        self._tell = tell
        self._env = environment()
        if mark:
            self._env[RUN_MARK] = mark
        if offline:
            self._env["GIT_ALLOW_PROTOCOL"] = "none"
            if mirrors:
                self._env |= _mirror_environment(mirrors, self._env)
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Kill what runs, and refuse to start anything more."""
        with self._lock:
            self._stopped.set()
            for child in self._running:
                kill_group(child.pid)

    def run(
        self,
        arguments: Sequence[str],
        *,
        folder: Path | None = None,
        extra: Mapping[str, str] = NO_MORE,
        remote: SourceSetting | None = None,
        given: bytes = b"",
    ) -> tuple[int, bytes, str]:
        """Run one git command.

        Args:
            arguments: what follows ``git`` and its safety options.
            folder: the checkout it works on; none for commands that need no repository.
            extra: variables that are added to its environment.
            remote: whose limits of time hold, for a command that asks a remote.
            given: what it reads on standard input.

        Returns:
            Its exit code, what it printed, and its complaints without secrets.

        Raises:
            ProcessError: git cannot be started.
            SourcesError: it ran out of time, or ``stop`` was called.
        """
        limits = ["-c", f"http.lowSpeedTime={remote.stall}"] if remote else []
        where = [] if folder is None else [f"--git-dir={folder / '.git'}", f"--work-tree={folder}"]
        env = {**self._env, **extra}
        with _file_with(given) as stdin:
            child = self._start([*_PREFIX, *limits, *where, *arguments], env, folder, stdin)
        with child:
            try:
                if remote and remote.max_mb:
                    _limit_files(child.pid, remote.max_mb)
                out, err = self._read(child, arguments[0], remote)
            except BaseException:
                kill_group(child.pid)
                raise
            finally:
                if child.wait() < 0 and folder and _WRITING.intersection(arguments):
                    unfinished.unlock(folder)
                with self._lock:
                    self._running.discard(child)
        # Progress lines end in a carriage return.
        return child.returncode, out, masked(err.decode("utf-8", "replace").replace("\r", "\n"))

    def _start(
        self, command: Sequence[str], env: Mapping[str, str], folder: Path | None, stdin: int | None
    ) -> subprocess.Popen[bytes]:
        """Start a git that ``stop`` finds among those that run; none after ``stop``."""
        import subprocess

        with self._lock:
            if self._stopped.is_set():
                raise SourcesError("cancelled")
            # Not in the workspace: git would read the configuration of a repository around it.
            child = process.start(
                command,
                env=env,
                cwd=folder or "/",
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                stdin=stdin,
            )
            self._running.add(child)
        return child

    def check(
        self,
        arguments: Sequence[str],
        *,
        folder: Path | None = None,
        extra: Mapping[str, str] = NO_MORE,
        remote: SourceSetting | None = None,
        doing: str,
    ) -> str:
        """Run one git command that must succeed.

        Args:
            arguments: as for ``run``.
            folder: as for ``run``.
            extra: as for ``run``.
            remote: as for ``run``.
            doing: what fails if it fails, for the error.

        Returns:
            What it printed; bytes that are not UTF-8 as ``os.fsdecode`` keeps them.

        Raises:
            Unreachable: the remote cannot be reached now.
            SourcesError: it failed; has git's own words.
        """
        code, out, err = self.run(arguments, folder=folder, extra=extra, remote=remote)
        if code:
            if remote and remote.max_mb and _TOO_LARGE.search(err):
                raise SourcesError(
                    f"{doing}: it has more than {remote.max_mb} MB", hint="max_mb of the source allows more"
                )
            kind = Unreachable if remote and _PASSING.search(err) else SourcesError
            raise kind(f"{doing}: {_reason(code, err)}")
        return out.decode("utf-8", "surrogateescape")

    def ask(
        self,
        remote: SourceSetting,
        arguments: Sequence[str],
        *,
        folder: Path | None = None,
        made: Path | None = None,
        doing: str,
    ) -> str:
        """Run a command that asks a remote, again after a while where it cannot be reached.

        Args:
            remote: the source; says how often, and how long to wait for an answer.
            arguments: as for ``run``.
            folder: as for ``run``.
            made: the folder that the command makes; what is in it goes before another try.
            doing: as for ``check``.

        Returns:
            What it printed.

        Raises:
            SourcesError: it failed.
        """
        pause = _FIRST_PAUSE_S
        for left in range(remote.retries, -1, -1):
            try:
                return self.check(arguments, folder=folder, remote=remote, doing=doing)
            except Unreachable as error:
                if not left or self._stopped.is_set():
                    times = f", {remote.retries + 1} times" if remote.retries else ""
                    raise SourcesError(error.message + times, hint=error.hint) from None
                self._tell(remote.name, f"{error.message}; asking again in {pause:g} s")
            if made:
                shutil.rmtree(made, ignore_errors=True)
            self._stopped.wait(pause)
            pause *= 2
        raise AssertionError("unreachable")

    def _read(
        self, child: subprocess.Popen[bytes], command: str, remote: SourceSetting | None
    ) -> tuple[bytes, bytes]:
        """Read what a git prints, to its end, and tell of it now and then.

        With ``--progress`` git tells on standard error of all that comes and of all that it does, so whoever
        is silent for long waits for a remote that is silent too. That holds for every transport.
        """
        limit = remote.timeout if remote else LOCAL_TIMEOUT_S
        began = told = time.monotonic()
        if child.stdout is None or child.stderr is None:
            raise AssertionError("git was started with pipes")
        texts: dict[int, list[bytes]] = {child.stdout.fileno(): [], child.stderr.fileno(): []}
        with selectors.DefaultSelector() as selector:
            for fd in texts:
                selector.register(fd, selectors.EVENT_READ)
            while selector.get_map():
                left = began + limit - time.monotonic()
                if left <= 0:
                    raise SourcesError(
                        f"git {command} did not end within {limit:g} s",
                        hint="timeout of the source allows more",
                    )
                ready = selector.select(min(left, remote.stall) if remote else left)
                if not ready and remote and remote.stall < left:
                    raise Unreachable(
                        f"git {command}: nothing came for {remote.stall:g} s",
                        hint="look whether the remote is well; stall of the source allows more",
                    )
                for key, __ in ready:
                    if data := os.read(key.fd, _CHUNK):
                        texts[key.fd].append(data)
                    else:
                        selector.unregister(key.fd)
                if remote and time.monotonic() - told >= _TELL_EVERY_S:
                    told = time.monotonic()
                    self._tell(remote.name, _last_line(b"".join(texts[child.stderr.fileno()][-2:])))
        out, err = (b"".join(parts) for parts in texts.values())
        return out, err


@contextmanager
def _file_with(content: bytes) -> Iterator[int | None]:
    """A descriptor to read a content from; none where there is nothing."""
    if not content:
        yield None
        return
    import tempfile

    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.seek(0)
        yield file.fileno()


def _last_line(data: bytes) -> str:
    """The last line that git has said to its end, which is how far it is."""
    lines = masked(data.decode("utf-8", "replace").replace("\r", "\n")).split("\n")
    return next((line.strip() for line in reversed(lines[:-1]) if line.strip()), "waiting for the remote")


def _limit_files(pid: int, megabytes: int) -> None:
    """Have a git, and what it starts, write no file that is larger: a download is one file."""
    import resource

    size = megabytes * 1_000_000
    try:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, size))
    except ProcessLookupError:
        pass  # it has ended already


def _reason(code: int, err: str) -> str:
    lines = [line.strip() for line in err.splitlines() if line.strip()]
    telling = [line for line in lines if _TELLING.match(line)]
    ended = f"git was ended by signal {-code}" if code < 0 else f"git exited with {code}"
    return "; ".join((telling or lines)[-4:]) or ended
