"""Everything that a workspace needs in a place without network: made into a folder, and built from there."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from . import sources
from .errors import SourcesError
from .packer import pinned
from .packer.pinned.checks import sha256_of
from .packer.program.capabilities import path_of, probe_workspace
from .packer.program.plugins import CHECKSUM
from .sources.mirrors import MANIFEST, REPOSITORIES, manifest

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from .monitor import Monitor
    from .workspace import Workspace

_VERSION = 1


@dataclass(frozen=True)
class Bundled:
    """One thing in a bundle.

    Attributes:
        kind: ``repository``, ``plugin``, ``packer``, ``base image`` or ``collection``.
        name: URL, address, version, or path.
        path: in the bundle.
    """

    kind: str
    name: str
    path: str

    def to_dict(self) -> dict[str, Any]:
        """As data, for ``--json``."""
        return asdict(self)


def bundle(folder: Path, *, workspace: Workspace, monitor: Monitor) -> list[Bundled]:
    """Make a bundle of what the workspace has; nothing is fetched.

    Args:
        folder: where it is made; an older bundle there is replaced once the new one is whole.
        workspace: the workspace.
        monitor: who sees what is done.

    Returns:
        What is in it.

    Raises:
        SourcesError: something is missing or not as it was synced, or the folder holds something else.
        PackerError: there is no Packer.
    """
    if folder.exists() and not (folder / MANIFEST).is_file() and any(folder.iterdir()):
        raise SourcesError(f"{folder} is no bundle and not empty", hint="name a new folder")
    found_plugins = pinned.verify(workspace=workspace)
    wrong = [one for one in found_plugins if one.problem and (one.pinned or not one.path)]
    if wrong:
        raise SourcesError(f"the plugin {wrong[0].source}: {wrong[0].problem}", hint=wrong[0].hint)
    new = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    try:
        repositories = sources.export(new / REPOSITORIES, workspace=workspace)
        found = [Bundled("repository", url, _within(path, new)) for url, path in repositories.items()]
        found += _copy_all(new, workspace, monitor)
        files = sorted(
            path for path in new.rglob("*") if path.is_file() and new / REPOSITORIES not in path.parents
        )
        text = {
            "version": _VERSION,
            REPOSITORIES: {url: _within(path, new) for url, path in repositories.items()},
            "files": {_within(path, new): sha256_of(path) for path in files},
        }
        (new / MANIFEST).write_text(json.dumps(text, indent=1) + "\n", encoding="utf-8")
        old = folder.with_name(f".{folder.name}.old")
        shutil.rmtree(old, ignore_errors=True)
        if folder.exists():
            folder.rename(old)
        new.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return found


def _copy_all(new: Path, space: Workspace, monitor: Monitor) -> Iterable[Bundled]:
    for one in pinned.listed(workspace=space):
        if one.path:
            program = Path(one.path)
            place = new / "plugins" / program.relative_to(space.plugins)
            _copy(program, place)
            _copy(program.with_name(program.name + CHECKSUM), place.with_name(place.name + CHECKSUM))
            yield Bundled("plugin", f"{one.source} {one.version}", _within(place, new))
    packer = probe_workspace(space)
    place = new / "packer" / "packer"
    _copy(Path(os.path.realpath(packer.path)), place)
    place.chmod(0o755)
    yield Bundled("packer", packer.version, _within(place, new))
    folders = _folders(space)
    for place in _copy_files(folders["base"], new / "base"):
        yield Bundled("base image", place.name, _within(place, new))
    _copy_files(folders["collections"], new / "collections")
    if folders["collections"].is_dir():
        yield Bundled("collection", "collections", "collections")
    monitor.note(f"copied Packer {packer.version}, plugins, base images and collections")


def _folders(space: Workspace) -> dict[str, Path]:
    """The folders of a workspace that a bundle has too, by their names there."""
    return {"base": space.images / "base", "collections": space.root / "collections"}


def _copy_files(source: Path, folder: Path) -> list[Path]:
    """Copy every file of a folder, at any depth; where the copies are."""
    files = [path for path in sorted(source.rglob("*")) if path.is_file()]
    places = [folder / path.relative_to(source) for path in files]
    for path, place in zip(files, places, strict=True):
        _copy(path, place)
    return places


def bring(*, workspace: Workspace, monitor: Monitor) -> None:
    """Bring a workspace to what a build needs, out of its mirror and what it has, without any network.

    Args:
        workspace: the workspace; ``[offline] mirror`` names the bundle, or a folder of repositories.
        monitor: who sees what is done.

    Raises:
        SourcesError: something is missing in both, or the bundle was changed.
        PackerError: there is no Packer in either.
    """
    files = manifest(workspace)["files"]
    mirror, folders = workspace.mirror, _folders(workspace)
    for path, sha256 in files.items():
        head, __, rest = path.partition("/")
        root = folders.get(head)
        if mirror is not None and root is not None and not (root / rest).exists():
            _copy(mirror / path, root / rest, sha256)
    if mirror is not None and path_of(workspace) == str(mirror / "packer" / "packer"):
        _check(mirror / "packer" / "packer", files.get("packer/packer", ""), "packer")
    sources.sync(offline=True, monitor=monitor, workspace=workspace)
    pinned.sync(offline=True, monitor=monitor, workspace=workspace)


def _copy(source: Path, place: Path, sha256: str = "") -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    half = place.with_name(f".{place.name}.half")
    shutil.copy2(source, half)
    if sha256:
        try:
            _check(half, sha256, place.name)
        except SourcesError:
            half.unlink()
            raise
    half.rename(place)


def _check(path: Path, sha256: str, name: str) -> None:
    if sha256_of(path) != sha256:
        raise SourcesError(f"{name} of the bundle is not what was bundled", hint="make the bundle anew")


def _within(path: Path, folder: Path) -> str:
    return path.relative_to(folder).as_posix()
