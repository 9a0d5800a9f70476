"""What comes of the commands for plugins."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any


@dataclass(frozen=True)
class PluginResult:
    """One plugin after a sync.

    Attributes:
        source: its address.
        version: the version that is pinned.
        sha256: of its program; empty where a check cannot know it.
        before: the versions that were installed before, the newest last; empty when there was none.
        path: the program, absolute; empty where a check would fetch it.
        changed: whether it was installed or replaced.
        action: ``installed``, ``updated`` or ``unchanged``.
        warning: why a newer Packer would not load it; empty when it would.
    """

    source: str
    version: str
    sha256: str
    before: str
    path: str
    changed: bool
    action: str
    warning: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The result as data, for ``--json`` and for Ansible."""
        return asdict(self)


@dataclass(frozen=True)
class PluginStatus:
    """One version of a plugin, installed or wanted.

    Attributes:
        source: its address.
        version: installed, or pinned and missing.
        sha256: of its program; empty where there is none.
        path: the program, absolute; empty where there is none.
        pinned: where its digest is pinned: ``settings``, ``lock``, or empty.
        problem: what is wrong with it; empty when it is what was pinned.
        hint: what to do about that.
    """

    source: str
    version: str
    sha256: str
    path: str
    pinned: str
    problem: str
    hint: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The status as data, for ``--json``."""
        return asdict(self)


@dataclass(frozen=True)
class LockedResult:
    """One plugin in the lock file.

    Attributes:
        source: its address.
        version: the version.
        sha256: of its program for this machine.
        changed: whether its entry is another than before.
    """

    source: str
    version: str
    sha256: str
    changed: bool

    def to_dict(self) -> dict[str, Any]:
        """The result as data, for ``--json``."""
        return asdict(self)
