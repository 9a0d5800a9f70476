"""What follows the end of a Packer: the truth about the outcome, and the artifacts put where they stay."""

from __future__ import annotations

import os
import shutil
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import ImagesError
from ...images import contents, folders, packages
from ..passing import removed
from ..planning.fingerprint import IGNORED, Digests
from ..planning.layout import own_manifests
from ..results import Artifact, ArtifactFile, BuildResult, Status
from ..stream import manifest as manifests
from ..stream.retry import classify
from .observation import listed
from .remains import left_behind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...images.types import ContentsOf
    from ...workspace import Workspace
    from ..stream.outcome import SeenArtifact
    from .job import Attempt, Batch, Ended, Job

CRASH_LOG = "crash.log"


def conclude(ended: Ended, batch: Batch) -> BuildResult:
    """Say how an attempt ended; bring the files of a success to ``images/<env>/<target>/<run>/``.

    Args:
        ended: the attempt.
        batch: what it shares with the others.

    Returns:
        The result. A success needs exit code 0, artifacts, and files that are really there.

    Raises:
        OSError: the artifacts cannot be moved or read.
    """
    job, attempt, end = ended
    code = end["code"]
    exit_code = code if code is not None and code >= 0 else None
    why = end["why"]
    mask = attempt.masker.text
    failures = attempt.outcome.failures(exit_code)
    may_pass = classify(failure.text(str) for failure in failures)
    errors = [attempt.mirror.shown(failure.text(mask)) for failure in failures]
    status = Status.BUILT
    if "not_started" in end:
        status, errors = Status.FAILED, [f"Packer cannot be started: {end['not_started']}"]
    elif job.timed_out:
        status = Status.TIMED_OUT
        errors = [f"no end after {batch.options.timeout:g} s, the timeout", *errors]
    elif why:
        status, errors = Status.CANCELLED, [f"cancelled: {why}", *errors]
    elif errors:
        status = Status.FAILED
        errors += removed(job.planned.template, attempt.env, errors)
    if end.get("killed") or (exit_code is None and code is not None):  # without a clean-up
        left = left_behind(job.planned.template, job.planned.rendered)
        errors = [mask(left), *errors] if left else errors
    _keep_crash_log(job, attempt)
    artifacts: tuple[Artifact, ...] = ()
    warnings: tuple[str, ...] = ()
    manifest_path = None
    found = None
    if status is Status.BUILT:
        errors = [mask(sentence) for sentence in _lost(attempt)]
        if errors:
            status = Status.FAILED
        else:
            found, unknown = _contents(attempt, batch)
            artifacts, manifest_path, odd = _keep(job, attempt, batch)
            odd = (*odd, *unknown)
            warnings = tuple(map(mask, odd))
    result = job.result(status, batch)
    return replace(
        result,
        command=attempt.shown_command,
        exit_code=exit_code,
        manifest_path=manifest_path,
        artifacts=artifacts,
        contents=found,
        errors=tuple(errors),
        retryable=status is Status.FAILED and may_pass,
        warnings=(*warnings, *result.warnings),
    )


def _keep_crash_log(job: Job, attempt: Attempt) -> None:
    """Add what Packer writes when it crashes, ``crash.log`` in its current folder, to the build's log."""
    crash = attempt.mirror.cwd / CRASH_LOG
    if crash.is_file() and not crash.is_symlink():
        job.log.crash(attempt.masker.text(crash.read_text(encoding="utf-8", errors="replace")))


def _lost(attempt: Attempt) -> list[str]:
    """The files that Packer named and that are not there, a sentence each."""
    return [
        f"Packer names the file {name}, which is not there"
        for artifact in attempt.outcome.artifacts
        for name in artifact.files
        if not (attempt.mirror.cwd / name).is_file()
    ]


def _contents(attempt: Attempt, batch: Batch) -> tuple[ContentsOf | None, tuple[str, ...]]:
    """Take the lists of packages that the image gave, so that they are not kept as files of the image.

    Returns:
        What its record is to say of them, if there are any; and what is odd. An image is as good without.

    Raises:
        OSError: they cannot be kept.
    """
    made = _made(attempt)
    if not any(name in contents.LISTS for name in made):
        return None, ()
    folder = attempt.mirror.cwd / contents.FOLDER
    try:
        return packages.keep(batch.workspace, contents.gather(folder)), ()
    except ImagesError as error:
        return None, (str(error),)
    finally:
        for name, path in made.items():
            if contents.is_list(name):
                path.unlink()


def _keep(job: Job, attempt: Attempt, batch: Batch) -> tuple[tuple[Artifact, ...], str, tuple[str, ...]]:
    """Bring the files of an attempt to where they stay, all of it or nothing.

    Returns:
        The artifacts, the manifest's path, and what is odd.
    """
    destination = folders.target_folder(batch.workspace, batch.env, job.target) / batch.run_id
    destination.mkdir(parents=True)
    try:
        return _bring(job, attempt, batch, destination)
    except BaseException:
        # No result names this half image, and yet it would count among those that are kept.
        shutil.rmtree(destination, ignore_errors=True)
        raise


def _bring(
    job: Job, attempt: Attempt, batch: Batch, destination: Path
) -> tuple[tuple[Artifact, ...], str, tuple[str, ...]]:
    """Move the files into an empty folder, and write or take over the manifest."""
    workspace = batch.workspace
    seen = attempt.outcome.artifacts
    warnings = list(attempt.outcome.missing())
    began = int(datetime.fromisoformat(job.started_at).timestamp())
    made = _made(attempt)
    jsons = sorted(
        (name for name in made if name.endswith(".json")), key=lambda name: (name.count("/"), name)
    )
    written = own_manifests(job.planned.template, job.planned.rendered, attempt.env)
    own = manifests.find(attempt.mirror.cwd, written, jsons, began)
    warnings += [f"the manifest {name!r} is not of this build: it is not kept" for name in own.foreign]
    manifest_path = destination / folders.MANIFEST
    if own.path is not None:
        shutil.copyfile(own.path, manifest_path)  # not moved: it may be an artifact too
    moved, home = _move(seen, attempt, destination)
    known = {own.path, *(made.get(name) for name in own.foreign)}
    others = {name: path for name, path in made.items() if path not in known}
    warnings += _keep_others(others, home, destination, workspace)
    digests = Digests(workspace)
    sizes = {name: path.stat().st_size for name, path in moved.items()}
    artifacts = tuple(
        Artifact(
            one.id,
            one.builder_id,
            tuple(
                ArtifactFile(workspace.relative(moved[name]), sizes[name], digests.file(moved[name]))
                for name in one.files
            ),
        )
        for one in seen
    )
    digests.save()
    if own.path is not None:
        warnings += manifests.discrepancies(seen, own.builds, sizes)
    else:
        ours = manifests.of_artifacts(
            [one._replace(files=tuple(str(moved[name]) for name in one.files)) for one in seen],
            {str(moved[name]): size for name, size in sizes.items()},
            run_uuid=batch.run_id,
            build_time=int(time.time()),
        )
        manifests.write(manifest_path, ours)
    return artifacts, workspace.relative(manifest_path), tuple(warnings)


def _made(attempt: Attempt) -> dict[str, Path]:
    """The files that a build made in its mirror, by their names as seen from Packer's folder.

    Those that programs leave behind, and that nobody wants, are not among them.
    """
    mirror = attempt.mirror
    root = mirror.root.resolve()
    return {
        os.path.relpath(mirror.root / name, mirror.cwd): root / name
        for name in mirror.made()
        if not IGNORED.intersection(name.split("/")) and not name.endswith((".retry", f"/{CRASH_LOG}"))
    }


def _move(
    seen: tuple[SeenArtifact, ...], attempt: Attempt, destination: Path
) -> tuple[dict[str, Path], Path | None]:
    """Move the files that lie in the folder of the run; what lies elsewhere was put there by the template.

    Returns:
        Where each file is now, by the name that Packer gave, and the folder that they were moved from.
    """
    home = attempt.folder.resolve()
    found: dict[str, Path] = {}
    inside: dict[str, Path] = {}
    for artifact in seen:
        for name in artifact.files:
            path = Path(os.path.realpath(attempt.mirror.cwd / name))
            found[name] = path
            if path.is_relative_to(home):
                inside[name] = path
    if not inside:
        return found, None
    common = Path(os.path.commonpath([path.parent for path in inside.values()]))
    for name, path in inside.items():
        target = destination / path.relative_to(common)
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(path, target)
        found[name] = target
    return found, common


def _keep_others(
    others: Mapping[str, Path], home: Path | None, destination: Path, workspace: Workspace
) -> list[str]:
    """Keep what a build made beside its artifacts and no artifact names; say so, and what is not kept.

    Args:
        others: the files, by their names as seen from Packer's folder.
        home: the folder that the artifacts were moved from, if they are files.
        destination: where they are now.
        workspace: to show paths.
    """
    kept, lost = [], []
    for name, path in sorted(others.items()):
        if not path.exists():
            continue  # it was an artifact, and is where it stays
        target = destination / path.relative_to(home) if home and path.is_relative_to(home) else None
        if target is None or target.exists():
            lost.append(name)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.move(path, target)
            kept.append(name)
    remedy = 'name them in "files" of the post-processor "artifice", so that they become part of the image'
    said = []
    if kept:
        where = workspace.relative(destination)
        said.append(f"no artifact names {listed(kept)}: kept in {where}, unchecked; {remedy}")
    if lost:
        said.append(f"no artifact names {listed(lost)}: not kept; {remedy}")
    return said
