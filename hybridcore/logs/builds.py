"""The log of each build: where it lies, which one is the last, and when old ones go."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from ..errors import LogsError
from ..settings import is_name
from .format import escape

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ..workspace import Workspace

FOLDER = "builds"
_FILE = re.compile(r"\d{8}T\d{6}\.\d{3}Z-[A-Za-z0-9._-]+\.log")
_DAY_S = 86_400


def build_log_path(workspace: Workspace, env: str, target: str, run_id: str) -> Path:
    """Where the log of a build goes.

    Args:
        workspace: whose logs.
        env: environment.
        target: ``<os>/<platform>/<name>``.
        run_id: id of the run, which begins with its time.

    Returns:
        ``logs/builds/<env>/<target>/<run>.log``; names sort by time.

    Raises:
        LogsError: one of the names is none.
    """
    folder = _folder(workspace, env, target)
    if not is_name(run_id) or not _FILE.fullmatch(f"{run_id}.log"):
        raise LogsError(f"{run_id!r} is not the id of a run")
    return folder / f"{run_id}.log"


def prune_builds(workspace: Workspace, env: str, target: str) -> list[Path]:
    """Remove old build logs of a target, by count and by age; the last one always stays.

    Args:
        workspace: whose logs; ``[logs] keep_builds`` and ``keep_days`` say what stays.
        env: environment.
        target: ``<os>/<platform>/<name>``.

    Returns:
        The files that were removed, oldest first.

    Raises:
        LogsError: one of the names is none, or a file cannot be removed.
    """
    settings = workspace.settings
    older = build_logs(workspace, env, target)[:-1]
    kept = max(settings.logs_keep_builds - 1, 0)
    surplus = older[: len(older) - kept] if len(older) > kept else []
    removed = []
    for file in older:
        try:
            age_s = time.time() - file.lstat().st_mtime
            if file in surplus or (settings.logs_keep_days and age_s > settings.logs_keep_days * _DAY_S):
                file.unlink()
                removed.append(file)
        except FileNotFoundError:
            continue  # another build of the same target removed it
        except OSError as error:
            raise LogsError(f"cannot remove an old build log: {error.strerror}", file=file) from error
    return removed


def build_logs(workspace: Workspace, env: str, target: str) -> list[Path]:
    """The build logs of a target in an environment, oldest first.

    Raises:
        LogsError: one of the names is none.
    """
    folder = _folder(workspace, env, target)
    if not folder.is_dir():
        return []
    return sorted(file for file in folder.iterdir() if _FILE.fullmatch(file.name))


def last_build_log(workspace: Workspace, *, target: str = "", env: str = "") -> Path | None:
    """The log of the build that started last.

    Args:
        workspace: whose logs.
        target: ``<os>/<platform>/<name>``; of all targets when empty.
        env: environment; of all environments when empty.

    Returns:
        The file, ``None`` when there is none.

    Raises:
        LogsError: one of the names is none.
    """
    files = [
        file
        for each_env, each_target in _built(workspace)
        if each_env == (env or each_env) and each_target == (target or each_target)
        for file in build_logs(workspace, each_env, each_target)[-1:]
    ]
    return max(files, key=lambda file: file.name, default=None)


def _built(workspace: Workspace) -> Iterator[tuple[str, str]]:
    root = workspace.logs / FOLDER
    for folder in sorted(root.glob("*/*/*/*/")):
        env, *target = folder.relative_to(root).parts
        if all(is_name(part) for part in (env, *target)):
            yield env, "/".join(target)


def _folder(workspace: Workspace, env: str, target: str) -> Path:
    parts = target.split("/")
    if len(parts) != 3 or not all(is_name(part) for part in (env, *parts)):
        raise LogsError(f"{env}/{target} is not <environment>/<os>/<platform>/<name>")
    return workspace.logs.joinpath(FOLDER, env, *parts)


def follow(file: Path, *, running: Callable[[], bool], pause_s: float = 0.2) -> Iterator[str]:
    """The lines of a build's log, and those that are still being written.

    Args:
        file: the log.
        running: whether its build still runs; once it says no, what is there is given to its end.
        pause_s: seconds between two looks at the file.

    Yields:
        Each line without its end; tabs stay, other control characters are made visible.

    Raises:
        LogsError: the file cannot be read.
    """
    try:
        with open(file, "rb") as log:
            started = b""
            while True:
                last = not running()
                while line := log.readline():
                    started += line
                    if line.endswith(b"\n"):
                        yield _shown(started[:-1])
                        started = b""
                if last:
                    break
                time.sleep(pause_s)
            if started:
                yield _shown(started)
    except OSError as error:
        raise LogsError(f"cannot read the build log: {error.strerror}", file=file) from error


def _shown(line: bytes) -> str:
    text = line.decode("utf-8", "backslashreplace").removesuffix("\r")
    return "\t".join(escape(part) for part in text.split("\t"))
