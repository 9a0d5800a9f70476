"""Why an image has to be built: what changed since the last build, what is lost, too old or revoked."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING

from ...image_settings import age_s
from ...images.names import Image
from ...state.inputs import read_files
from .fingerprint import changed_inputs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ...images.known import Known
    from ...state.types import ImageEntry
    from ...templates import Template
    from ...workspace import Workspace
    from ..options import BuildOptions
    from .fingerprint import Digests


def reasons(
    template: Template,
    env: str,
    known: Known,
    *,
    mark: str,
    inputs: Mapping[str, str],
    files: Mapping[str, Mapping[str, str]],
    digests: Digests,
    options: BuildOptions,
) -> list[str]:
    """Why the image of a target must be built, whatever becomes of the one that it starts from.

    Args:
        template: the target.
        env: name of the environment.
        known: the images that there are.
        mark: the fingerprint of the inputs now.
        inputs: digest or version of each input now, by name.
        files: digests of the files of each folder among them, and of each value of the configuration.
        digests: of files.
        options: how it would be built.

    Returns:
        A few words each; nothing when the image is there and nothing changed.
    """
    image = Image(env, template.target)
    entry = known.data["images"].get(image.key)
    if found := _changed(entry, image, mark, inputs, files, known.workspace, digests):
        return found
    if word := _revoked(known, image, options):
        return [word]
    limit = _max_age(template, env, options)
    if limit and _is_older(entry, age_s(limit)):
        return [f"older than {limit}"]
    return []


def _changed(
    entry: ImageEntry | None,
    image: Image,
    mark: str,
    inputs: Mapping[str, str],
    files: Mapping[str, Mapping[str, str]],
    workspace: Workspace,
    digests: Digests,
) -> list[str]:
    if entry and entry.get("run") and not entry.get("fingerprint"):
        return [f"its inputs changed while it was built, in run {entry['run']}"]
    if entry is None or not entry.get("fingerprint"):
        attempt = entry.get("last_attempt") if entry else None
        return [f"never built: the last attempt was {attempt['status']}" if attempt else "never built"]
    if entry["fingerprint"] != mark:
        before = read_files(workspace, image.key)
        return changed_inputs(entry.get("inputs") or {}, inputs, before, files) or ["the inputs changed"]
    return lost_files(entry, workspace, digests)


def _revoked(known: Known, image: Image, options: BuildOptions) -> str:
    """That the image which the last build made is not to be used any more; empty where it is not so.

    Where it is revoked only with its parent, and that was allowed, a new one would be no better.
    """
    entry = known.data["images"].get(image.key)
    number = entry.get("version") if entry else None
    word = known.revoked(image, number) if number else None
    if word is None or (word.inherited_from and options.allow_revoked):
        return ""
    return f"its version {number} is {word}"


def lost_files(image: ImageEntry, workspace: Workspace, digests: Digests) -> list[str]:
    """The files of an image that are gone, or are not what was built.

    Args:
        image: what the state remembers; an artifact without files, as in a cloud, is taken to be there.
        workspace: the paths are relative to it.
        digests: of files; one whose times and size are the same is not read again.

    Returns:
        A sentence each.
    """
    found = []
    for artifact in image.get("artifacts") or []:
        for file in artifact.get("files") or []:
            path = workspace.root / file["path"]
            try:
                same = file.get("size") in (None, path.stat().st_size) and (
                    not file.get("sha256") or digests.file(path) == file["sha256"]
                )
            except OSError:
                found.append(f"{file['path']} is gone")
                continue
            if not same:
                found.append(f"{file['path']} is not what was built")
    return found


def _max_age(template: Template, env: str, options: BuildOptions) -> str:
    """The age above which an image is built again: of the call, else the target, else the environment."""
    own = template.setting.max_age if template.setting else ""
    return options.max_age or own or template.workspace.settings.max_ages.get(env, "")


def _is_older(image: ImageEntry | None, seconds: int) -> bool:
    """Whether an image was built longer ago than so many seconds."""
    built = image.get("built_at") if image else None
    return bool(built) and time.time() - datetime.fromisoformat(str(built)).timestamp() > seconds
