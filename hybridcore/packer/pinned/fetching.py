"""Getting the program of a plugin out of a folder, an archive or from a URL, and checking it."""

from __future__ import annotations

import json
import os
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ... import process, state
from ...errors import ProcessError, SourcesError
from ...process.environment import child_environment
from ...sources import addresses
from ...sources.trees import differences
from ..program.plugins import FILE, machine
from .checks import sha256_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO

    from ...monitor import Monitor
    from ...plugin_settings import PluginSetting
    from ...workspace import Workspace

# More than any plugin has; bounds what an archive or a server can put on the disk.
_MOST_BYTES = 2_000_000_000
_TIMEOUT_S = 60.0
_ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.xz", ".tar.bz2")


class Fetched(NamedTuple):
    """A program that was checked, and is not yet in its place.

    Attributes:
        file: where it is; its name is the one that Packer wants.
        place: where it belongs.
        sha256: its digest.
        warning: why a newer Packer would not load it; empty when it would.
    """

    file: Path
    place: Path
    sha256: str
    warning: str


def fetch(
    setting: PluginSetting, pin: str, space: Workspace, new: Path, monitor: Monitor, *, offline: bool = False
) -> Fetched:
    """Get the program of a plugin, and check it.

    Args:
        setting: the plugin.
        pin: the digest that its program must have; not checked when empty.
        space: the workspace.
        new: a folder for it, on the file system of its place.
        monitor: who sees how far a download is.
        offline: whether the mirror of the workspace comes first.

    Raises:
        SourcesError: it is not there, or is not what was pinned.
        OSError: it cannot be read or written.
    """
    folder = new / setting.source
    folder.mkdir(parents=True)
    origin = _filled(setting)
    bundled = in_mirror(setting, space) if offline else None
    if bundled is not None:
        given = bundled
    elif re.match(r"https?://", origin):
        _check_url(origin)
        given = folder / (origin.rpartition("/")[2] or "download")
        # Its modules cost a sync more than all else where nothing is fetched.
        from .download import download

        download(origin, given, most_bytes=_MOST_BYTES, monitor=monitor, name=setting.source)
    else:
        given = _path(origin, space)
        _check_source(given, space)
        if given.is_dir():
            given = _in_folder(setting, given)
    if setting.archive_sha256 and bundled is None and (found := sha256_of(given)) != setting.archive_sha256:
        message = (
            f"{addresses.shown(origin)} has the digest {found}, archive_sha256 is {setting.archive_sha256}"
        )
        raise SourcesError(message, hint="do not use it, and find out who changed what")
    program = _program(setting, given, folder / "program")
    sha256 = _checked_digest(pin, given, program)
    warning = _describe(program)
    return Fetched(program, space.plugins / setting.source / program.name, sha256, warning)


def in_mirror(setting: PluginSetting, space: Workspace) -> Path | None:
    """The program of a plugin in the mirror of a workspace; None where it has none."""
    if space.mirror is None:
        return None
    folder = space.mirror / "plugins" / setting.source
    if not folder.is_dir():
        return None
    return next((path for path in sorted(folder.iterdir()) if _is_program(setting, path.name)), None)


def _filled(setting: PluginSetting) -> str:
    system, __, kind = machine().partition("_")
    values = {"{version}": setting.version, "{os}": system, "{arch}": kind}
    return re.sub(r"\{\w+\}", lambda found: values.get(found[0], found[0]), setting.origin)


def _check_url(url: str) -> None:
    if wrong := addresses.wrong(url):
        raise SourcesError(wrong[0], hint="a server that wants no password, a folder, or file:///PATH")


def _path(origin: str, space: Workspace) -> Path:
    """The file or folder that is meant, which must be there."""
    text = origin
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", origin):
        from urllib.parse import unquote

        scheme, __, rest = origin.partition("://")
        host, slash, path = rest.partition("/")
        if scheme != "file" or host not in ("", "localhost") or not slash:
            hint = "https://, http://, file:///PATH, or a path"
            raise SourcesError(f"{addresses.shown(origin)!r} is no place to fetch from", hint=hint)
        text = "/" + unquote(path)
    path_of = space.root / text
    if not os.path.isabs(text) and not space.holds(path_of):
        raise SourcesError(f"from = {text!r} leaves the workspace", hint="write an absolute path")
    if not path_of.exists():
        raise SourcesError(f"{path_of} is not there")
    return path_of


def _check_source(path: Path, space: Workspace) -> None:
    """Of repositories only those for plugins may give programs, and only as they were synced."""
    real = Path(os.path.realpath(path))
    for name, source in space.settings.sources.items():
        if not real.is_relative_to(os.path.realpath(space.sources / name)):
            continue
        if source.kind != "plugin":
            hint = f'kind = "plugin" in [sources.{name}] allows it'
            raise SourcesError(f"the source {name!r} is of kind {source.kind!r}", hint=hint)
        entry = state.peek(workspace=space)["sources"].get(name)
        commit = (entry and entry.get("sha")) or ""
        for fault in differences({name: commit}, space):
            raise SourcesError(fault.message, hint=fault.hint)


def _is_program(setting: PluginSetting, name: str) -> bool:
    found = FILE.fullmatch(name)
    return bool(found and (found[1], found[2], found[4]) == (setting.name, setting.version, machine()))


def _in_folder(setting: PluginSetting, folder: Path) -> Path:
    """The program or the archive of it in a folder, which may have Packer's own layout."""
    found = [
        path
        for place in (folder, folder / setting.source)
        if place.is_dir()
        for path in sorted(place.iterdir())
        if path.is_file()
        and (_is_program(setting, path.name) or _is_program(setting, _without_ending(path.name)))
    ]
    if not found:
        raise SourcesError(
            f"{folder} has no {_expected(setting)}", hint="it may lie there as a zip or tar archive too"
        )
    return found[0]


def _expected(setting: PluginSetting) -> str:
    return f"packer-plugin-{setting.name}_v{setting.version}_x5.0_{machine()}"


def _without_ending(name: str) -> str:
    return next((name.removesuffix(ending) for ending in _ARCHIVES if name.endswith(ending)), "")


def _program(setting: PluginSetting, given: Path, folder: Path) -> Path:
    """Copy the program out of what was given."""
    import tarfile
    import zipfile

    folder.mkdir()
    if _is_program(setting, given.name):
        with open(given, "rb") as plain:
            return _copied(plain, folder / given.name)
    names = []
    try:
        for name, source in _members(given):
            names.append(name)
            base = name.rpartition("/")[2]
            if _is_program(setting, base):
                return _copied(source, folder / base)
    except (zipfile.BadZipFile, tarfile.TarError, EOFError) as error:
        raise SourcesError(f"{given.name} is damaged: {error}") from error
    listed = addresses.masked(", ".join(names[:5])) or "nothing"
    raise SourcesError(f"{given.name} has no {_expected(setting)}, but {listed}")


def _members(given: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """The plain files of an archive."""
    import tarfile
    import zipfile

    if zipfile.is_zipfile(given):
        with zipfile.ZipFile(given) as archive:
            for entry in archive.infolist():
                kind = stat.S_IFMT(entry.external_attr >> 16)
                if not entry.is_dir() and kind in (0, stat.S_IFREG):
                    with archive.open(entry) as content:
                        yield entry.filename, content
    elif tarfile.is_tarfile(given):
        with tarfile.open(given) as tar:
            for member in tar:
                plain = tar.extractfile(member) if member.isfile() else None
                if plain is not None:
                    yield member.name, plain
    else:
        raise SourcesError(
            f"{given.name} is neither a zip nor a tar archive, nor a program with Packer's name"
        )


def _copied(source: IO[bytes], path: Path) -> Path:
    left = _MOST_BYTES
    with open(path, "xb") as file:
        while block := source.read(1 << 20):
            left -= len(block)
            if left < 0:
                raise SourcesError(f"{path.name} has more than {_MOST_BYTES // 1_000_000} MB")
            file.write(block)
        os.fsync(file.fileno())
    path.chmod(0o755)
    return path


def _checked_digest(pin: str, given: Path, program: Path) -> str:
    """The digest of a program, which is the pinned one where one is pinned."""
    found = sha256_of(program)
    if not pin or found == pin:
        return found
    if given.name != program.name and sha256_of(given) == pin:
        raise SourcesError(
            "sha256 is that of the archive",
            hint=f'write it as archive_sha256, and sha256 = "{found}" for the program',
        )
    raise SourcesError(
        f"its program has the digest {found}, pinned is {pin}",
        hint="do not use it, and find out who changed what",
    )


def _describe(program: Path) -> str:
    """Have a plugin say what it is; gives why a newer Packer would not load it.

    From 1.11 on Packer loads a plugin only where its name and what it says agree: see docs/packers.md.
    """
    try:
        answer = process.run([str(program), "describe"], env=child_environment({}), timeout=_TIMEOUT_S)
        told = json.loads(answer.stdout)
        version, api = str(told["version"]), str(told["api_version"])
    except ProcessError as error:
        raise SourcesError(f"its program cannot be run: {error.message}") from error
    except (ValueError, KeyError, TypeError):
        raise SourcesError("its program does not answer to describe: it is no plugin of Packer") from None
    match = FILE.fullmatch(program.name)
    if match is None:
        raise AssertionError("only files of this name are asked")
    wanted = f"{match[2]} of protocol x{match[3]}"
    if (version, api) == (match[2], f"x{match[3]}"):
        return ""
    return (
        f"it says that it is {version} of protocol {api}, not {wanted}: Packer from 1.11 on does not load it"
    )
