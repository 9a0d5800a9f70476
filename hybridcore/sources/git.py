"""Git, as this package runs it: nothing asked, nothing executed that a repository brought along.

Every command names its ``.git`` folder instead of letting git look for one, so that a damaged clone is an
error and never the repository around the workspace. Hooks, file system monitors, submodules, background
maintenance and every transport but the plain ones are off.
"""

from __future__ import annotations

import os
import re
import signal
import threading
from dataclasses import dataclass
from pathlib import Path

from .. import process
from ..errors import SourcesError
from ..process.environment import child_environment

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping, Sequence

# A stalled connection ends after a minute of less than 1 kB/s; this bounds everything else, in seconds.
TIMEOUT = 3600.0
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
    "http.lowSpeedTime": "60",
}
_PREFIX = ["git", *(part for key, value in _OPTIONS.items() for part in ("-c", f"{key}={value}"))]
# How a user's own git is set up for credentials, certificates and SSH: git needs these, others do not.
_PASSED_NAMES = frozenset({"GIT_ASKPASS", "GIT_SSH", "GIT_SSH_COMMAND", "GIT_SSH_VARIANT"})
_PASSED_PREFIXES = ("GIT_CONFIG_", "GIT_SSL_", "GIT_HTTP_")
# Sections and keys of .git/config that run nothing, include nothing and redirect nothing.
_INERT = re.compile(
    r"(core\.(repositoryformatversion|filemode|bare|logallrefupdates|symlinks|ignorecase|precomposeunicode"
    r"|autocrlf|eol)|remote\.[^\n]*\.(url|fetch|tagopt|prune)|branch\.[^\n]*\.(remote|merge|rebase)"
    r"|user\.(name|email)|(pull|push|gc|advice|color|init)\.[^\n]*|extensions\.(objectformat|refstorage))",
    re.DOTALL,
)
# A line of .git/config as git itself writes it, with nothing quoted, escaped, continued or commented.
_SECTION = re.compile(r'\[([a-z]+)(?: "([^"\\]*)")?\]')
_KEY = re.compile(r'\t([A-Za-z]+) = ([^\s"\\#;]+)')
_USERINFO = re.compile(r"(https?://)[^/@\s]+@")


@dataclass(frozen=True)
class Status:
    """A checkout as it lies there.

    Attributes:
        head: commit id that is checked out; empty before the first commit.
        dirty: one text for each path that is modified, added, deleted or untracked.
    """

    head: str
    dirty: tuple[str, ...]


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


def masked(text: str) -> str:
    """A text without the user names and passwords of web addresses, and without control characters."""
    return "".join(
        char if char.isprintable() or char == "\n" else "?" for char in _USERINFO.sub(r"\1***@", text)
    )


class Git:
    """Runs git from several threads, and can end all of it at once.

    Each git is the leader of its own process group, out of reach of Ctrl-C and of a terminal that ssh could
    ask questions on; so whoever is interrupted calls ``stop``.
    """

    def __init__(self) -> None:
        self._env = environment()
        self._lock = threading.Lock()
        self._running: set[subprocess.Popen[bytes]] = set()
        self._stopped = False

    def stop(self) -> None:
        """Kill what runs, and refuse to start anything more."""
        with self._lock:
            self._stopped = True
            for child in self._running:
                os.killpg(child.pid, signal.SIGKILL)

    def run(self, arguments: Sequence[str], *, folder: Path | None = None) -> process.Completed:
        """Run one git command.

        Args:
            arguments: what follows ``git`` and its safety options.
            folder: the checkout it works on; none for commands that need no repository.

        Returns:
            How it ended.

        Raises:
            ProcessError: git cannot be started.
            SourcesError: it ran out of time, or ``stop`` was called.
        """
        import subprocess

        where = [] if folder is None else [f"--git-dir={folder / '.git'}", f"--work-tree={folder}"]
        argv = [*_PREFIX, *where, *arguments]
        with self._lock:
            if self._stopped:
                raise SourcesError("cancelled")
            # Not in the workspace: git would read the configuration of a repository around it.
            child = process.start(
                argv, env=self._env, cwd=folder or "/", stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
            self._running.add(child)
        with child:
            try:
                out, err = child.communicate(timeout=TIMEOUT)
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                raise SourcesError(f"git {arguments[0]} did not end within {TIMEOUT:g} s") from None
            finally:
                with self._lock:
                    self._running.discard(child)
        return process.Completed(
            argv, child.returncode, out.decode("utf-8", "replace"), err.decode("utf-8", "replace")
        )

    def check(self, arguments: Sequence[str], *, folder: Path | None = None, doing: str) -> str:
        """Run one git command that must succeed.

        Args:
            arguments: as for ``run``.
            folder: as for ``run``.
            doing: what fails if it fails, for the error.

        Returns:
            What it printed.

        Raises:
            SourcesError: it failed; has git's own words.
        """
        ended = self.run(arguments, folder=folder)
        if ended.returncode:
            raise SourcesError(f"{doing}: {_reason(ended)}")
        return ended.stdout

    def remote_refs(self, url: str, ref: str) -> dict[str, str]:
        """Ask a remote for the refs that a name could mean.

        Args:
            url: the remote.
            ref: branch, tag or full name; empty for the default branch.

        Returns:
            Full ref name to commit id; a tag that is an object of its own has a second entry ``NAME^{}``.
        """
        patterns = (
            ["HEAD"]
            if not ref
            else [
                pattern
                for name in ([ref] if ref.startswith("refs/") else [f"refs/heads/{ref}", f"refs/tags/{ref}"])
                for pattern in (name, name + "^{}")
            ]
        )
        text = self.check(["ls-remote", "--", url, *patterns], doing=f"cannot ask {masked(url)}")
        return _refs(text)

    def local_refs(self, folder: Path) -> dict[str, str]:
        """The remote's refs as the last clone or fetch saw them, under the names they have there."""
        text = self.run(["show-ref", "--dereference"], folder=folder).stdout
        found = {}
        for name, sha in _refs(text).items():
            if name == "refs/remotes/origin/HEAD":
                found["HEAD"] = sha
            elif name.startswith("refs/remotes/origin/"):
                found["refs/heads/" + name.removeprefix("refs/remotes/origin/")] = sha
            elif name.startswith("refs/tags/"):
                found[name] = sha
        return found

    def clone(self, url: str, folder: Path) -> None:
        """Clone into a folder, and check nothing out yet."""
        arguments = ["clone", "--quiet", "--no-checkout", "--no-recurse-submodules", "--origin=origin"]
        self.check([*arguments, "--template=", "--", url, str(folder)], doing=f"cannot clone {masked(url)}")

    def fetch(self, url: str, folder: Path) -> None:
        """Fetch every branch and tag, and forget branches that went; tags of the user's own stay."""
        arguments = ["fetch", "--quiet", "--prune", "--tags", "--force", "--no-recurse-submodules"]
        refspec = "+refs/heads/*:refs/remotes/origin/*"
        self.check(
            [*arguments, "--no-write-fetch-head", "--", url, refspec],
            folder=folder,
            doing=f"cannot fetch {masked(url)}",
        )

    def fetch_commit(self, url: str, folder: Path, sha: str) -> None:
        """Fetch one commit that no branch and no tag leads to, where the remote allows it."""
        arguments = ["fetch", "--quiet", "--no-recurse-submodules", "--no-write-fetch-head", "--no-tags"]
        self.check(
            [*arguments, "--", url, sha], folder=folder, doing=f"{masked(url)} does not give commit {sha}"
        )

    def has_commit(self, folder: Path, sha: str) -> bool:
        """Whether a commit is in the clone."""
        return self.run(["cat-file", "-e", sha + "^{commit}"], folder=folder).returncode == 0

    def checkout(self, folder: Path, sha: str) -> None:
        """Check a commit out, detached; files that are in the way, ignored ones too, are an error."""
        self.check(
            ["checkout", "--quiet", "--detach", "--no-overwrite-ignore", sha, "--"],
            folder=folder,
            doing=f"cannot check out {sha}",
        )

    def status(self, folder: Path) -> Status:
        """What is checked out, and what differs from it."""
        options = [
            "--porcelain=v2",
            "--branch",
            "--no-ahead-behind",
            "--untracked-files=normal",
            "--ignore-submodules=dirty",
        ]
        head, dirty = "", []
        text = self.check(["status", "-z", *options], folder=folder, doing="cannot read the working tree")
        records = iter(text.split("\0"))
        for record in records:
            if record.startswith("# branch.oid "):
                head = record.removeprefix("# branch.oid ").replace("(initial)", "")
            elif record[:2] == "? ":
                dirty.append(f"untracked {record[2:]}")
            elif record[:1] in ("1", "u"):
                dirty.append(f"modified {record.split(' ', 8 if record[0] == '1' else 10)[-1]}")
            elif record[:1] == "2":
                dirty.append(f"renamed {record.split(' ', 9)[-1]}")
                next(records, None)  # the old name, a record of its own
        return Status(head, tuple(dirty))

    def unpublished(self, folder: Path, known: str) -> str:
        """A commit that leads to HEAD and is neither the remote's nor the last one synced; empty if none."""
        arguments = ["rev-list", "--max-count=1", "--ignore-missing", "HEAD", "--not", "--remotes", "--tags"]
        text = self.check(
            [*arguments, *([known] if known else [])], folder=folder, doing="cannot read the history"
        )
        return text.strip()

    def settings(self, folder: Path) -> dict[str, str]:
        """The clone's own settings, read as data.

        Raises:
            SourcesError: they could make git run or read something else.
        """
        file = folder / ".git" / "config"
        found = _plain_settings(file.read_bytes().decode("utf-8", "replace"))
        if found is None:
            text = self.check(
                ["config", "--file", str(file), "--null", "--list"], doing=f"{file} cannot be read"
            )
            found = [
                (key, value) for key, _, value in (part.partition("\n") for part in text.split("\0")[:-1])
            ]
        for key, _ in found:
            if not _INERT.fullmatch(key):
                raise SourcesError(
                    f"{file} sets {masked(key)}, which could run other programs",
                    hint=f"git config --file {file} --unset-all {masked(key)}; ~/.gitconfig may have it",
                )
        return dict(found)


def _plain_settings(text: str) -> list[tuple[str, str]] | None:
    """Keys and values of a ``.git/config`` that has only lines as git writes them; None for any other."""
    found = []
    section = ""
    for line in text.split("\n"):
        if header := _SECTION.fullmatch(line):
            section = header[1] + ("" if header[2] is None else "." + header[2])
        elif (setting := _KEY.fullmatch(line)) and section:
            found.append((f"{section}.{setting[1].lower()}", setting[2]))
        elif line:
            return None
    return found


def resolve(refs: Mapping[str, str], ref: str) -> str:
    """Find the commit that a branch, a tag or a full ref name stands for.

    Args:
        refs: full names to commit ids, as ``remote_refs`` and ``local_refs`` return them.
        ref: what to look for; empty for the default branch.

    Returns:
        The commit id; empty when there is no such ref.

    Raises:
        SourcesError: a branch and a tag of this name are different commits.
    """
    names = (
        ["HEAD"]
        if not ref
        else [ref]
        if ref.startswith("refs/")
        else ["refs/heads/" + ref, "refs/tags/" + ref]
    )
    found = {name: refs.get(name + "^{}", refs[name]) for name in names if name in refs}
    if len(set(found.values())) > 1:
        raise SourcesError(
            f"{ref!r} is a branch at {found[names[0]]} and a tag at {found[names[1]]}",
            hint=f"write ref = {names[0]!r} or {names[1]!r}",
        )
    return next(iter(found.values()), "")


def _refs(text: str) -> dict[str, str]:
    """Lines of ``ls-remote`` (tab) and ``show-ref`` (space): commit id, then name."""
    lines = (line.split(None, 1) for line in text.splitlines())
    return {parts[1]: parts[0] for parts in lines if len(parts) == 2}


def _reason(ended: process.Completed) -> str:
    lines = [line.strip() for line in masked(ended.stderr).splitlines() if line.strip()]
    telling = [line for line in lines if line.startswith(("fatal:", "error:", "ERROR:", "ssh:"))]
    return "; ".join((telling or lines)[-4:]) or f"git exited with {ended.returncode}"
