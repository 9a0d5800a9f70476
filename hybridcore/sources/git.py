"""Git, as this package runs it: nothing asked, nothing executed that a repository brought along.

Every command names its ``.git`` folder instead of letting git look for one, so that a damaged clone is an
error and never the repository around the workspace. Hooks, file system monitors, submodules, background
maintenance and every transport but the plain ones are off.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..errors import SourcesError
from . import clone_config
from .addresses import masked
from .runner import Runner

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..source_settings import SourceSetting


@dataclass(frozen=True)
class Status:
    """A checkout as it lies there.

    Attributes:
        head: commit id that is checked out; empty before the first commit.
        dirty: one text for each path that is modified, added, deleted or untracked.
    """

    head: str
    dirty: tuple[str, ...]


class Entry(NamedTuple):
    """A path of a commit.

    Attributes:
        path: relative to the repository.
        mode: six octal digits: ``100644``, ``100755``, ``120000`` a link, ``160000`` a submodule.
        sha: id of its content; of a submodule, its commit.
    """

    path: str
    mode: str
    sha: str

    @property
    def is_submodule(self) -> bool:
        """Whether it is the commit of another repository."""
        return self.mode == "160000"


class Commit(NamedTuple):
    """A commit, as a list of them shows it.

    Attributes:
        sha: its id.
        time: when it was committed, ISO 8601.
        subject: the first line of its message, without control characters.
    """

    sha: str
    time: str
    subject: str


class Git(Runner):
    """The commands of git that a sync needs."""

    def remote_refs(self, setting: SourceSetting) -> dict[str, str]:
        """Ask a remote for the refs that the ``ref`` of a source could mean.

        Args:
            setting: the source.

        Returns:
            Full ref name to commit id; a tag that is an object of its own has a second entry ``NAME^{}``.
        """
        patterns = [pattern for name in ref_names(setting.ref) for pattern in (name, name + "^{}")]
        arguments = ["ls-remote", "--", setting.url, *patterns]
        text = self.ask(setting, arguments, doing=f"cannot ask {masked(setting.url)}")
        return _refs(text)

    def local_refs(self, folder: Path) -> dict[str, str]:
        """The remote's refs as the last clone or fetch saw them, under the names they have there."""
        text = self.run(["show-ref", "--dereference"], folder=folder)[1].decode("utf-8", "replace")
        found = {}
        for name, sha in _refs(text).items():
            if name == "refs/remotes/origin/HEAD":
                found["HEAD"] = sha
            elif name.startswith("refs/remotes/origin/"):
                found["refs/heads/" + name.removeprefix("refs/remotes/origin/")] = sha
            elif name.startswith("refs/tags/"):
                found[name] = sha
        return found

    def clone(self, setting: SourceSetting, folder: Path) -> None:
        """Clone into a folder, and check nothing out yet."""
        arguments = ["clone", "--progress", "--no-checkout", "--no-recurse-submodules", "--origin=origin"]
        if setting.depth or setting.filter:
            # A path would be copied whole; and the other branches and the tags are wanted all the same.
            arguments += ["--no-local", "--no-single-branch", *_amount(setting)]
        arguments += ["--template=", "--", setting.url, str(folder)]
        self.ask(setting, arguments, made=folder, doing=f"cannot clone {masked(setting.url)}")

    def fetch(self, setting: SourceSetting, folder: Path) -> None:
        """Fetch every branch and tag, and forget branches that went; tags of the user's own stay."""
        arguments = ["fetch", "--progress", "--prune", "--tags", "--force", "--no-recurse-submodules"]
        arguments += ["--no-write-fetch-head", *_amount(setting)]
        if not setting.depth and (folder / ".git" / "shallow").exists():
            arguments.append("--unshallow")
        arguments += ["--", _origin(setting), "+refs/heads/*:refs/remotes/origin/*"]
        self.ask(setting, arguments, folder=folder, doing=f"cannot fetch {masked(setting.url)}")

    def fetch_commit(self, setting: SourceSetting, folder: Path, sha: str) -> None:
        """Fetch one commit that no branch and no tag leads to, where the remote allows it."""
        arguments = ["fetch", "--progress", "--no-recurse-submodules", "--no-write-fetch-head", "--no-tags"]
        doing = f"{masked(setting.url)} does not give commit {sha}"
        arguments += [*_amount(setting), "--", _origin(setting), sha]
        self.ask(setting, arguments, folder=folder, doing=doing)

    def fetch_lfs(self, setting: SourceSetting, folder: Path, sha: str) -> None:
        """Fetch the files of Git LFS that a commit has."""
        doing = f"cannot fetch the files of Git LFS of commit {sha}"
        self.ask(setting, ["lfs", "fetch", "origin", sha], folder=folder, doing=doing)

    def missing_lfs(self, folder: Path, sha: str) -> list[str]:
        """The files of Git LFS of a commit that were not fetched yet."""
        text = self.check(
            ["lfs", "ls-files", "--long", sha], folder=folder, doing="cannot list files of Git LFS"
        )
        found = [line.split(None, 2) for line in text.splitlines()]
        objects = folder / ".git" / "lfs" / "objects"
        return [path for oid, __, path in found if not (objects / oid[:2] / oid[2:4] / oid).exists()]

    def commit(self, folder: Path, sha: str) -> str:
        """The commit that an id stands for: itself, or what a tag of this id names; empty if not there."""
        arguments = ["rev-parse", "--verify", "--quiet", "--end-of-options", sha + "^{commit}"]
        return self.run(arguments, folder=folder)[1].decode("ascii", "replace").strip()

    def reshape(self, setting: SourceSetting, folder: Path) -> None:
        """Write the files anew that the settings of the clone want otherwise than before."""
        doing = "cannot write the files that are wanted now"
        self.check(["read-tree", "-m", "-u", "HEAD"], folder=folder, remote=_lazy(setting), doing=doing)
        if setting.lfs:
            self.check(["lfs", "checkout"], folder=folder, doing=doing)

    def checkout(self, setting: SourceSetting, folder: Path, sha: str, *, finish: bool = False) -> None:
        """Check a commit out, detached; files that are in the way, ignored ones too, are an error.

        Args:
            setting: the source.
            folder: the checkout.
            sha: the commit.
            finish: overwrite what is in the way, since all of it is known to be ours.

        Raises:
            SourcesError: it did not work.
        """
        self.check(
            [
                *("checkout", "--progress" if setting.filter else "--quiet", "--detach"),
                *(["--force"] if finish else ["--no-overwrite-ignore"]),
                *(sha, "--"),
            ],
            folder=folder,
            remote=_lazy(setting),
            doing=f"cannot check out {sha}",
        )

    def differing(self, folder: Path, index: Path, sha: str) -> dict[str, str]:
        """What differs between a work tree and a commit, whatever the checkout's own index says.

        Args:
            folder: the checkout.
            index: where an index of that commit is made.
            sha: the commit.

        Returns:
            Path to ``R`` where it is missing, ``C`` where it is another, ``?`` where the commit has none.
        """
        extra = {"GIT_INDEX_FILE": str(index)}
        self.check(["read-tree", sha], folder=folder, extra=extra, doing=f"cannot read commit {sha}")
        arguments = ["ls-files", "-z", "-t", "--modified", "--deleted", "--others", "--exclude-standard"]
        text = self.check(arguments, folder=folder, extra=extra, doing="cannot read the working tree")
        # A missing file is listed as changed, too.
        return {part[2:]: part[0] for part in sorted(text.split("\0")[:-1])}

    def added(self, folder: Path, old: str, new: str) -> list[str]:
        """The paths that a commit has and another has not."""
        arguments = ["diff-tree", "-r", "-z", "--name-only", "--no-renames", "--diff-filter=A", old, new]
        text = self.check(arguments, folder=folder, doing=f"cannot read commit {new}")
        return text.split("\0")[:-1]

    def files(self, folder: Path, sha: str) -> set[str]:
        """The paths of a commit."""
        arguments = ["ls-tree", "-r", "-z", "--name-only", "--full-tree", sha]
        text = self.check(arguments, folder=folder, doing=f"cannot read commit {sha}")
        return set(text.split("\0")[:-1])

    def entries(self, folder: Path, sha: str) -> list[Entry]:
        """The files, links and submodules of a commit."""
        arguments = ["ls-tree", "-r", "-z", "--full-tree", sha]
        text = self.check(arguments, folder=folder, doing=f"cannot read commit {sha}")
        records = (record.partition("\t") for record in text.split("\0")[:-1])
        return [Entry(path, *head.split()[::2]) for head, __, path in records]

    def blobs(self, folder: Path, ids: Sequence[str]) -> list[bytes]:
        """The contents of several objects, in their order."""
        if not ids:
            return []
        given = "".join(f"{each}\n" for each in ids).encode("ascii")
        code, out, err = self.run(["cat-file", "--batch"], folder=folder, given=given)
        if code:
            raise SourcesError(f"cannot read objects: {err.strip()}")
        found = []
        at = 0
        for __ in ids:
            end = out.index(b"\n", at)
            size = int(out[at:end].split()[2])
            found.append(out[end + 1 : end + 1 + size])
            at = end + size + 2
        return found

    def size(self, folder: Path, sha: str) -> int:
        """How many bytes the files of a commit have."""
        arguments = ["ls-tree", "-r", "-z", "-l", "--full-tree", sha]
        text = self.check(arguments, folder=folder, doing=f"cannot read commit {sha}")
        sizes = (record.partition("\t")[0].split()[3] for record in text.split("\0")[:-1])
        return sum(int(size) for size in sizes if size != "-")  # of another repository's commit

    def content(self, folder: Path, sha: str, path: str) -> bytes:
        """A file of a commit, as a checkout writes it."""
        return self.run(["cat-file", "--filters", f"{sha}:{path}"], folder=folder)[1]

    def modules(self, folder: Path, sha: str) -> dict[str, str]:
        """The URLs of ``.gitmodules`` of a commit, by the path of the submodule."""
        arguments = ["config", "--blob", f"{sha}:.gitmodules", "--null", "--list"]
        text = self.check(arguments, folder=folder, doing=f"cannot read .gitmodules of commit {sha}")
        found: dict[str, dict[str, str]] = {}
        for part in text.split("\0")[:-1]:
            key, __, value = part.partition("\n")
            name, __, last = key.removeprefix("submodule.").rpartition(".")
            if key.startswith("submodule.") and last in ("path", "url"):
                found.setdefault(name, {})[last] = value
        return {one["path"]: one["url"] for one in found.values() if one.keys() == {"path", "url"}}

    def status(self, folder: Path, *, submodules: str = "dirty") -> Status:
        """What is checked out, and what differs from it.

        Args:
            folder: the checkout.
            submodules: what of submodules is no difference, as ``--ignore-submodules`` has it.
        """
        options = [
            "--porcelain=v2",
            "--branch",
            "--no-ahead-behind",
            "--untracked-files=normal",
            f"--ignore-submodules={submodules}",
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

    def log(self, folder: Path, old: str, new: str) -> list[Commit]:
        """The commits that lead to one and not to another, the newest first."""
        arguments = ["log", "-z", "--format=%H%x00%cI%x00%s", new, *([f"^{old}"] if old else []), "--"]
        text = self.check(arguments, folder=folder, doing="cannot read the history")
        parts = masked(text.replace("\0", "\n")).split("\n") if text else []
        return [Commit(*parts[at : at + 3]) for at in range(0, len(parts) - 2, 3)]

    def is_rewritten(self, folder: Path, old: str, new: str) -> bool:
        """Whether a history that had a commit has it no more, as far as the clone goes back."""
        shallow = (folder / ".git" / "shallow").exists()
        code = self.run(["merge-base", "--is-ancestor", old, new], folder=folder)[0]
        return code == 1 and not shallow

    def unpublished(self, folder: Path, known: Sequence[str]) -> str:
        """A commit that leads to HEAD and is neither the remote's nor one of a sync; empty if none."""
        arguments = ["rev-list", "--max-count=1", "--ignore-missing", "HEAD", "--not", "--remotes", "--tags"]
        text = self.check([*arguments, *known], folder=folder, doing="cannot read the history")
        return text.strip()

    def settings(self, folder: Path) -> dict[str, str]:
        """The clone's own settings, read as data.

        Raises:
            SourcesError: they could make git run or read something else.
        """
        file = folder / ".git" / "config"
        found = clone_config.plain(file.read_bytes().decode("utf-8", "replace"))
        if found is None:
            text = self.check(
                ["config", "--file", str(file), "--null", "--list"], doing=f"{file} cannot be read"
            )
            found = [
                (key, value) for key, __, value in (part.partition("\n") for part in text.split("\0")[:-1])
            ]
        if key := clone_config.active(found):
            raise SourcesError(
                f"{file} sets {key}, which could run other programs",
                hint=f"git config --file {file} --unset-all {key}; ~/.gitconfig may have it",
            )
        return dict(found)


def commit_of(refs: Mapping[str, str], ref: str) -> str:
    """Find the commit that a branch, a tag or a full ref name stands for.

    Args:
        refs: full names to commit ids, as ``remote_refs`` and ``local_refs`` return them.
        ref: what to look for; empty for the default branch.

    Returns:
        The commit id; empty when there is no such ref.

    Raises:
        SourcesError: a branch and a tag of this name are different commits.
    """
    names = ref_names(ref)
    found = {name: refs.get(name + "^{}", refs[name]) for name in names if name in refs}
    if len(set(found.values())) > 1:
        raise SourcesError(
            f"{ref!r} is a branch at {found[names[0]]} and a tag at {found[names[1]]}",
            hint=f"write ref = {names[0]!r} or {names[1]!r}",
        )
    return next(iter(found.values()), "")


def _amount(setting: SourceSetting) -> list[str]:
    """The options of clone and fetch that say how much comes."""
    options = [f"--depth={setting.depth}"] if setting.depth else []
    return options + ([f"--filter={setting.filter}"] if setting.filter else [])


def _origin(setting: SourceSetting) -> str:
    """Where to fetch from: the name where the rest is fetched later, which Git knows for names only."""
    return "origin" if setting.filter else setting.url


def _lazy(setting: SourceSetting) -> SourceSetting | None:
    """Whose limits hold for a command that fetches what was left out."""
    return setting if setting.filter else None


def ref_names(ref: str) -> list[str]:
    """The full names that a ``ref`` of the settings could mean."""
    if not ref:
        return ["HEAD"]
    return [ref] if ref.startswith("refs/") else [f"refs/heads/{ref}", f"refs/tags/{ref}"]


def _refs(text: str) -> dict[str, str]:
    """Lines of ``ls-remote`` (tab) and ``show-ref`` (space): commit id, then name."""
    lines = (line.split(None, 1) for line in text.splitlines())
    return {parts[1]: parts[0] for parts in lines if len(parts) == 2}
