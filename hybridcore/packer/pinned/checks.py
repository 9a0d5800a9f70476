"""Whether the plugins in a workspace's folder are those that are pinned."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

from ...errors import Fault, SourcesError
from ...sources import lockfile
from ..program.plugins import CHECKSUM, machine, within
from .results import PluginStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from ...plugin_settings import PluginSetting
    from ...workspace import Workspace

_SYNC = "packer-hybrid plugins sync"


class Problem(NamedTuple):
    """What is wrong with an installed plugin.

    Attributes:
        text: one sentence; empty when nothing is.
        hint: what to do.
        sha256: of its program; empty where there is none.
        broken: whether it has to be installed again; not where it is only not pinned.
    """

    text: str = ""
    hint: str = ""
    sha256: str = ""
    broken: bool = False


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def pin_of(setting: PluginSetting, locked: Mapping[str, lockfile.LockedPlugin]) -> str:
    """The digest that the program of a plugin must have on this machine.

    Args:
        setting: the plugin.
        locked: what the lock file says, by address.

    Returns:
        That of the settings, else of the lock file; empty where neither has one.

    Raises:
        SourcesError: they differ, or the lock file has another version.
    """
    entry = locked.get(setting.source)
    if entry is None:
        return setting.sha256
    hint = f"packer-hybrid plugins lock {setting.source}, after a look at what it is"
    if entry.version != setting.version:
        message = f"{lockfile.LOCK_FILE} has version {entry.version}, the settings say {setting.version}"
        raise SourcesError(message, hint=hint)
    sha256 = entry.programs.get(machine(), "")
    if sha256 and setting.sha256 and sha256 != setting.sha256:
        raise SourcesError(f"{lockfile.LOCK_FILE} and the settings have different digests of it", hint=hint)
    return setting.sha256 or sha256


def problem(
    setting: PluginSetting,
    program: Path | None,
    locked: Mapping[str, lockfile.LockedPlugin],
    digest: Callable[[Path], str] = sha256_of,
) -> Problem:
    """What is wrong with an installed plugin.

    Args:
        setting: what is wanted.
        program: what is installed in that version; None where nothing is.
        locked: what the lock file says, by address.
        digest: gives the SHA-256 of a file.

    Raises:
        SourcesError: settings and lock file differ.
    """
    pin = pin_of(setting, locked)
    if program is None:
        return Problem(
            f"version {setting.version} is not installed", f"{_SYNC} {setting.source}", broken=True
        )
    found = digest(program)
    again = f"find out who changed it; {_SYNC} {setting.source} installs it again"
    if pin and found != pin:
        return Problem(f"its program has the digest {found}, pinned is {pin}", again, found, broken=True)
    told = program.with_name(program.name + CHECKSUM).read_text(encoding="ascii", errors="replace").strip()
    if found != told:
        return Problem(
            f"its program has the digest {found}, {CHECKSUM} says {told}", again, found, broken=True
        )
    if not pin:
        hint = f"packer-hybrid plugins lock {setting.source}, or set sha256 to its digest"
        return Problem("it is not pinned by a digest", hint, found)
    return Problem(sha256=found)


def seen(space: Workspace, digest: Callable[[Path], str] = sha256_of) -> list[PluginStatus]:
    """What is in the workspace's folder of plugins, and what is missing there.

    Args:
        space: the workspace.
        digest: gives the SHA-256 of a file.

    Raises:
        SourcesError: the lock file is damaged.
    """
    content = lockfile.read(space)
    locked = content.plugins if content else {}
    there = within([space.plugins])
    settings = space.settings.plugins
    found = []
    for source in sorted({*settings, *there}):
        setting = settings.get(source)
        versions = there.get(source, {})
        for version, program in versions.items():
            if setting is None or setting.version != version:
                text = "it is not in the settings" if setting is None else f"pinned is {setting.version}"
                hint = f'[plugins."{source}"] pins it; remove {program} if nobody needs it'
                found.append(PluginStatus(source, version, digest(program), str(program), "", text, hint))
        if setting is not None:
            program_of = versions.get(setting.version)
            try:
                wrong = problem(setting, program_of, locked, digest)
            except SourcesError as error:
                wrong = Problem(error.message, error.hint)
            by_lock = machine() in locked[source].programs if source in locked else False
            pinned = "settings" if setting.sha256 else "lock" if by_lock else ""
            path = str(program_of or "")
            found.append(
                PluginStatus(source, setting.version, wrong.sha256, path, pinned, wrong.text, wrong.hint)
            )
    return found


def refusals(space: Workspace, digest: Callable[[Path], str] = sha256_of) -> list[Fault]:
    """Why no Packer may be started under ``strict``.

    All that lies in the folder counts, since newer Packers start every plugin there to ask what it can do.
    What is missing there Packer says itself, where a template needs it.

    Args:
        space: the workspace.
        digest: gives the SHA-256 of a file.

    Returns:
        A fault for each program that is not pinned, or is not what was pinned.

    Raises:
        SourcesError: the lock file is damaged.
    """
    if not space.settings.strict:
        return []
    loose = [
        Fault(
            "a program that no plugin of the settings explains", file=space.relative(path), hint="remove it"
        )
        for path in sorted(space.plugins.glob("packer-*"))
    ]
    return loose + [
        Fault(
            f"strict: the plugin {one.source} {one.version}: {one.problem}",
            file=space.relative(space.plugins / one.source),
            hint=one.hint,
        )
        for one in seen(space, digest)
        if one.problem and one.path
    ]
