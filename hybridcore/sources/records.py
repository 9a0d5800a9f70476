"""What a sync was asked for, what is to be done with one repository, and what came of it."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from .submodules import Changes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from ..source_settings import SourceSetting
    from ..state.types import SourceEntry
    from ..workspace import Workspace
    from .git import Commit
    from .lockfile import Locked

SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


@dataclass(frozen=True)
class SourceResult:
    """One repository after a sync.

    Attributes:
        name: its name in the settings, and its folder below ``sources/``.
        url: where it comes from.
        ref: branch, tag or commit asked for; empty for the default branch.
        sha: commit that is checked out now.
        before: commit that was checked out before; empty when there was no clone.
        path: the folder, absolute.
        changed: whether it was cloned or moved.
        action: ``cloned``, ``updated`` or ``unchanged``.
        warning: that a tag has moved, or that history was rewritten; empty when not.
        kind: ``example``, or ``plugin`` where it may give programs of plugins.
    """

    name: str
    url: str
    ref: str
    sha: str
    before: str
    path: str
    changed: bool
    action: str
    warning: str = ""
    kind: str = "example"

    def to_dict(self) -> dict[str, Any]:
        """The result as data, for ``--json`` and for Ansible."""
        return asdict(self)


@dataclass(frozen=True)
class LockResult:
    """One repository in the lock file.

    Attributes:
        name: its name in the settings.
        sha: the commit.
        tree: digest of its files.
        before: the commit that was in the lock file; empty when there was none.
        changed: whether its entry is another than before.
    """

    name: str
    sha: str
    tree: str
    before: str
    changed: bool

    def to_dict(self) -> dict[str, Any]:
        """The result as data, for ``--json`` and for Ansible."""
        return asdict(self)


@dataclass(frozen=True)
class SourceDiff:
    """What a sync would bring to one repository.

    Attributes:
        name: its name in the settings.
        before: the commit of the lock file; without one that of the last sync, empty without that.
        after: the commit that a sync would bring it to.
        commits: those that would come, the newest first.
        withdrawn: those that would go, since the remote has them no more on this way.
    """

    name: str
    before: str
    after: str
    commits: tuple[Commit, ...]
    withdrawn: tuple[Commit, ...]

    def to_dict(self) -> dict[str, Any]:
        """The result as data, for ``--json``."""
        lists = {"commits": self.commits, "withdrawn": self.withdrawn}
        return {
            "name": self.name,
            "before": self.before,
            "after": self.after,
            **{key: [commit._asdict() for commit in value] for key, value in lists.items()},
        }


@dataclass(frozen=True)
class Asked:
    """What one sync was asked for.

    Attributes:
        space: the workspace.
        recorded: what the state says of the sources, by name.
        frozen: nothing may move.
        offline: nothing may use the network.
        check: nothing may be written.
        locked: what the lock file says, by name; None without such a file.
    """

    space: Workspace
    recorded: Mapping[str, SourceEntry]
    frozen: bool
    offline: bool
    check: bool
    locked: Mapping[str, Locked] | None = None


@dataclass(frozen=True)
class Prepared:
    """A repository that can be brought to where it should be.

    Attributes:
        setting: what the settings say of it.
        folder: its place.
        before: commit that is checked out; empty without a clone.
        sha: commit that should be.
        clone: a new clone of it, to be put in place; None where there is one.
        finish: commit that an interrupted move got half of the work tree to; empty when it is whole.
        reshape: whether other files of the commit are wanted than before.
        warning: as in the result.
        inner: what is to be done with its submodules.
    """

    setting: SourceSetting
    folder: Path
    before: str
    sha: str
    clone: Path | None = None
    finish: str = ""
    reshape: bool = False
    warning: str = ""
    inner: Changes = field(default_factory=Changes)

    @property
    def action(self) -> str:
        """``cloned``, ``updated`` or ``unchanged``."""
        if not self.before:
            return "cloned"
        changes = self.finish or self.reshape or self.inner.nested or self.inner.gone
        return "updated" if changes or self.sha != self.before else "unchanged"

    def result(self) -> SourceResult:
        """What a sync makes of it."""
        return SourceResult(
            name=self.setting.name,
            url=self.setting.url,
            ref=self.setting.ref,
            sha=self.sha,
            before=self.before,
            path=str(self.folder),
            changed=self.action != "unchanged",
            action=self.action,
            warning=self.warning,
            kind=self.setting.kind,
        )
