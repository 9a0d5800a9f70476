"""From an earlier schema version to the present one, a step at a time."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from .damage import DamagedStateError, NewerStateError
from .schema import SCHEMA_VERSION

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from typing import Any

    Migration = Callable[[dict[str, Any]], dict[str, Any]]


def _with_versions(data: dict[str, Any]) -> dict[str, Any]:
    """Version 2 numbers the versions of an image: what is there becomes version 1 of it.

    Its record is not written here, since reading changes nothing: the entry says that it has none yet.
    """
    images = data.get("images")
    if not isinstance(images, dict):
        return data  # the check of the schema says so
    return {
        **data,
        "images": {
            key: {**entry, "newest": 1, "version": 1, "unrecorded": True}
            if isinstance(entry, dict) and entry.get("run")
            else entry
            for key, entry in images.items()
        },
    }


MIGRATIONS: Mapping[int, Migration] = MappingProxyType({1: _with_versions})
"""From a version to the next one: ``MIGRATIONS[n]`` takes a state of version n and gives one of
version n + 1. A test checks that none is missing."""


def migrate(
    data: dict[str, Any],
    *,
    file: Path | str,
    migrations: Mapping[int, Migration] = MIGRATIONS,
    current: int = SCHEMA_VERSION,
) -> dict[str, Any]:
    """Bring a state to the present schema version.

    Args:
        data: the state as it was read, of any version.
        file: where it was read from, for errors.
        migrations: the steps, by the version that they start from.
        current: the version to reach.

    Returns:
        The state with ``schema_version`` equal to ``current``.

    Raises:
        NewerStateError: the version is newer than ``current``.
        DamagedStateError: it is none that ever was.
    """
    version = data.get("schema_version")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise DamagedStateError(f"its schema_version is {version!r:.60}", file=file)
    if version > current:
        raise NewerStateError(
            f"the state is of schema version {version}, and this release knows versions up to {current}",
            file=file,
        )
    while version < current:
        data = {**migrations[version](data), "schema_version": version + 1}
        version += 1
    return data
