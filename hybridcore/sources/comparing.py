"""One repository and the lock file: what is written there, and what a sync would bring since."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import SourcesError
from . import lockfile, submodules, unfinished
from .addresses import masked
from .lockfile import Locked
from .records import SourceDiff
from .repository import inspect, known, prepare

if TYPE_CHECKING:
    from ..source_settings import SourceSetting
    from .git import Git
    from .records import Asked


def lock(asked: Asked, setting: SourceSetting, git: Git) -> Locked:
    """What the lock file is to say of one repository: where the last sync left it.

    Raises:
        SourcesError: it is not there, or not where the last sync left it, or has changes of its own.
    """
    folder = asked.space.sources / setting.name
    found = inspect(folder, setting, git, "")
    head = found.head if found else ""
    if not head or head != known(asked, setting) or unfinished.begun(folder):
        at = f"is at {head}" if head else "is not there"
        raise SourcesError(f"{folder} {at}, which is not what the last sync left", hint="sync it first")
    if setting.submodules and (text := submodules.difference(git, folder, head)):
        raise SourcesError(text, hint="sync it first")
    return Locked(setting.url, setting.ref, head, lockfile.digest(git, folder, head, setting.sparse))


def diff(asked: Asked, setting: SourceSetting, git: Git) -> SourceDiff:
    """What a sync would bring to one repository, compared with the lock file, or else with the last sync.

    Raises:
        SourcesError: a sync would not work, or the commit to compare with has gone.
    """
    prepared = prepare(asked, setting, git)
    folder, after = prepared.clone or prepared.folder, prepared.sha
    locked = (asked.locked or {}).get(setting.name)
    before = locked.sha if locked else known(asked, setting) or prepared.before
    if before and not git.commit(folder, before):
        raise SourcesError(f"commit {before}, which was used, is not at {masked(setting.url)} any more")
    return SourceDiff(
        name=setting.name,
        before=before,
        after=after,
        commits=tuple(git.log(folder, before, after)),
        withdrawn=tuple(git.log(folder, after, before)) if before else (),
    )
