"""The manifest of a run: what Packer's ``manifest`` post-processor writes, or we in its place.

Packer appends to the file, so it may mix runs; only the builds of ``last_run_uuid`` are of the last one.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from ... import atomic
from ...errors import PackerError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path
    from typing import Any

    from .outcome import SeenArtifact


@dataclass(frozen=True)
class ManifestBuild:
    """One entry: a build of some run.

    Attributes:
        name: of the source, without its type.
        builder_type: for example ``qemu``.
        build_time: seconds since 1970, when it ended.
        files: path or name, and size in bytes, of each file.
        artifact_id: the builder's name for what it made.
        run_uuid: the run that it belongs to.
    """

    name: str
    builder_type: str
    build_time: int
    files: tuple[tuple[str, int], ...]
    artifact_id: str
    run_uuid: str

    def to_dict(self) -> dict[str, Any]:
        """The entry in Packer's own form."""
        return {
            "name": self.name,
            "builder_type": self.builder_type,
            "build_time": self.build_time,
            "files": [{"name": name, "size": size} for name, size in self.files] or None,
            "artifact_id": self.artifact_id,
            "packer_run_uuid": self.run_uuid,
            "custom_data": None,
        }


@dataclass(frozen=True)
class Manifest:
    """A manifest file.

    Attributes:
        builds: of all the runs that wrote into it, in its order.
        last_run_uuid: the run that wrote last.
    """

    builds: tuple[ManifestBuild, ...]
    last_run_uuid: str


def parse(text: str, *, filename: str = "<manifest>") -> Manifest:
    """Read a manifest.

    Args:
        text: the content of the file.
        filename: the name used in errors.

    Returns:
        The manifest.

    Raises:
        PackerError: it is not one, for example because its end is missing.
    """
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise PackerError(
            f"the manifest is not JSON: {error.msg}", file=filename, line=error.lineno
        ) from error
    except RecursionError:
        raise PackerError("this is not a manifest of Packer: it is nested too deep", file=filename) from None
    except ValueError as error:  # of Python: a number of more than 4300 digits
        raise PackerError(f"this is not a manifest of Packer: {error}", file=filename) from error
    builds = data.get("builds") if isinstance(data, dict) else None
    if not isinstance(builds, list) or not all(isinstance(build, dict) for build in builds):
        raise PackerError("this is not a manifest of Packer: it has no list of builds", file=filename)
    return Manifest(
        tuple(_build(build, number, filename) for number, build in enumerate(builds)),
        _text(data.get("last_run_uuid")),
    )


def _build(entry: Mapping[str, Any], number: int, filename: str) -> ManifestBuild:
    files = entry.get("files") or []
    try:
        return ManifestBuild(
            name=_text(entry.get("name")),
            builder_type=_text(entry.get("builder_type")),
            build_time=int(entry.get("build_time") or 0),
            files=tuple((_text(file["name"]), int(file["size"])) for file in files),
            artifact_id=_text(entry.get("artifact_id")),
            run_uuid=_text(entry.get("packer_run_uuid")),
        )
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise PackerError(f"build {number} of the manifest has an odd shape", file=filename) from error


def _text(value: object) -> str:
    """A text that can be printed: half a surrogate pair, which JSON may hold, becomes ``?``."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else ""


def of_run(manifest: Manifest, run_uuid: str = "") -> tuple[ManifestBuild, ...]:
    """The builds of one run.

    Args:
        manifest: the whole file.
        run_uuid: the run; the one that wrote last when not given.

    Returns:
        Its builds, in the order of the file.
    """
    wanted = run_uuid or manifest.last_run_uuid
    return tuple(build for build in manifest.builds if build.run_uuid == wanted)


class Found(NamedTuple):
    """What ``find`` found.

    Attributes:
        path: the manifest of this build; None when there is none.
        builds: those of its last run.
        foreign: names of manifests that lie there and are of another run.
    """

    path: Path | None
    builds: tuple[ManifestBuild, ...]
    foreign: tuple[str, ...]


def find(folder: Path, written: Collection[str], others: Iterable[str], since: int) -> Found:
    """Find the manifest that Packer wrote in the build that has just ended.

    Packer appends its run to what is there, so its manifest ends with builds of this run. Another one, for
    example one that a provisioner copied into the folder, ends with builds that are older.

    Args:
        folder: the one that Packer ran in. Symbolic links in it lead to files of the template.
        written: the manifests that the template is known to write, relative to the folder; looked at first.
        others: other files of the build that may be one, relative to the folder, in the order to look.
        since: seconds since 1970, when the build began.

    Returns:
        The first one that is of this build, with what else was seen on the way. A file that cannot be read,
        or is no manifest, is passed over.
    """
    home = folder.resolve()
    foreign: list[str] = []
    for name in dict.fromkeys([*sorted(written), *others]):
        path = home / name
        try:
            if not path.is_file() or path.resolve() != path:
                continue
            manifest = parse(path.read_text(encoding="utf-8"), filename=name)
        except (PackerError, OSError, UnicodeDecodeError):
            continue
        if not manifest.last_run_uuid:
            continue
        builds = of_run(manifest)
        # With `strip_time` a build has no time: only a manifest that the template writes may lack it.
        times = [build.build_time for build in builds if build.build_time or name not in written]
        if builds and all(time >= since for time in times):
            return Found(path, builds, tuple(foreign))
        foreign.append(name)
    return Found(None, (), tuple(foreign))


def of_artifacts(
    artifacts: Iterable[SeenArtifact], sizes: Mapping[str, int], *, run_uuid: str, build_time: int
) -> Manifest:
    """The manifest that Packer would have written, for a template without that post-processor.

    Args:
        artifacts: what the stream told.
        sizes: bytes of each file, by the path that the stream told.
        run_uuid: names the run.
        build_time: seconds since 1970.

    Returns:
        A manifest of this run alone.
    """
    builds = []
    for artifact in artifacts:
        kind, name = split_build(artifact.build)
        files = tuple((path, sizes.get(path, 0)) for path in artifact.files)
        builds.append(ManifestBuild(name, kind, build_time, files, artifact.id, run_uuid))
    return Manifest(tuple(builds), run_uuid)


def split_build(build: str) -> tuple[str, str]:
    """The type and the name of a source, from Packer's name for its build.

    Args:
        build: ``qemu.debian``, or ``label.qemu.debian`` where the build block has a name.

    Returns:
        ``("qemu", "debian")``; an empty type where there is none.
    """
    first, __, name = build.rpartition(".")
    return first.rpartition(".")[2], name


def dumps(manifest: Manifest) -> str:
    """The manifest as Packer writes it."""
    data = {
        "builds": [build.to_dict() for build in manifest.builds],
        "last_run_uuid": manifest.last_run_uuid,
    }
    return json.dumps(data, indent=2, ensure_ascii=False)


def write(path: Path, manifest: Manifest) -> None:
    """Write a manifest atomically and durably: a reader sees all of it or nothing.

    Args:
        path: the file; its folder exists.
        manifest: what to write.

    Raises:
        OSError: it cannot be written; what was there is unchanged.
    """
    atomic.replace(path, dumps(manifest).encode(), durable=True)


def discrepancies(
    artifacts: Iterable[SeenArtifact],
    builds: Iterable[ManifestBuild],
    sizes: Mapping[str, int] | None = None,
) -> tuple[str, ...]:
    """Where the stream, the manifest and the files of the same run do not say the same.

    The manifest may know fewer artifacts, since the post-processor sees one of them; none that the stream
    does not know, and at least one for each build.

    Args:
        artifacts: what the stream told.
        builds: the builds of this run in the manifest.
        sizes: bytes of each file, by the path that the stream told; not compared when not given.

    Returns:
        Sentences; none when all is well.
    """
    seen: dict[tuple[str, str], list[SeenArtifact]] = {}
    for artifact in artifacts:
        seen.setdefault(split_build(artifact.build), []).append(artifact)
    found = []
    noted = set()
    for build in builds:
        key = (build.builder_type, build.name)
        noted.add(key)
        label = f"{build.builder_type}.{build.name}"
        if key not in seen:
            found.append(f"{label}: in the manifest, but the output tells of no artifact")
            continue
        same_id = [one for one in seen[key] if one.id == build.artifact_id]
        if not same_id:
            told = ", ".join(sorted({one.id for one in seen[key]}))
            found.append(f"{label}: the manifest says {build.artifact_id!r}, the output {told!r}")
            continue
        names = sorted(os.path.basename(path) for path, __ in build.files)
        same_files = [one for one in same_id if sorted(map(os.path.basename, one.files)) == names]
        if not same_files:
            listed = ", ".join(names) or "none"
            found.append(f"{label}: the files in the manifest ({listed}) are not those in the output")
        elif sizes is not None:
            odd = [_other_sizes(label, build, one, sizes) for one in same_files]
            closest = min(odd, key=len)
            found += closest
    for kind, name in sorted(set(seen) - noted):
        found.append(f"{kind}.{name}: left an artifact that is not in the manifest")
    return tuple(found)


def _other_sizes(
    label: str, build: ManifestBuild, artifact: SeenArtifact, sizes: Mapping[str, int]
) -> list[str]:
    """Which of the files, whose names are the same, have another size in the manifest."""
    noted = sorted((os.path.basename(path), size) for path, size in build.files)
    real = sorted((os.path.basename(path), sizes[path]) for path in artifact.files)
    return [
        f"{label}: {name} has {size} bytes in the manifest, and {actual} on the disk"
        for (name, size), (__, actual) in zip(noted, real, strict=True)
        if size and size != actual  # Packer writes 0 where it could not look
    ]
