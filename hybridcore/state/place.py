"""Whether the place of the state outlives the container that Ansible may run in."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..workspace import Workspace

# File systems that go with a container: its own layers, and memory.
_VOLATILE = frozenset({"overlay", "fuse.fuse-overlayfs", "aufs", "tmpfs", "ramfs"})
# Files that container engines put into a container (Podman, Docker).
_ENGINE_FILES = ("/run/.containerenv", "/.dockerenv")


def durability_warning(workspace: Workspace) -> str:
    """What to say when the state goes with the container that this process runs in.

    An execution environment of AWX or ansible-navigator is such a container. Outside of one a state
    on tmpfs is taken to be meant so.

    Args:
        workspace: whose state.

    Returns:
        A sentence with what to mount; empty when the state stays.
    """
    if not in_container(os.environ, any(os.path.exists(file) for file in _ENGINE_FILES)):
        return ""
    folder = os.path.realpath(workspace.state_dir)
    try:
        with open("/proc/self/mountinfo", encoding="utf-8", errors="surrogateescape") as file:
            kind = mount_type(file.read(), folder)
    except OSError:
        return ""
    job = os.environ.get("AWX_ISOLATED_DATA_DIR", "") if "JOB_ID" in os.environ else ""
    if kind in _VOLATILE:
        reason = f"lies on {kind}, which goes with this container"
    elif job and is_below(folder, os.path.dirname(os.path.dirname(job))):
        # ansible-runner sets it to <private folder>/artifacts/<job>; AWX removes that folder.
        reason = "lies in the private folder of this job, which AWX removes with it"
    else:
        return ""
    return (
        f"the state {reason}: the next run will not know what this one built. "
        f"Mount a persistent volume at {folder} (and at {workspace.logs} and {workspace.images})"
    )


def in_container(environ: Mapping[str, str], engine_file: bool) -> bool:
    """Whether a process runs in a container.

    Args:
        environ: its environment; engines and systemd set ``container``, Kubernetes its service host.
        engine_file: whether a file is there that an engine puts into a container.
    """
    return engine_file or bool(environ.get("container")) or "KUBERNETES_SERVICE_HOST" in environ


def mount_type(mountinfo: str, folder: str) -> str:
    """The type of the file system that a folder lies on.

    Args:
        mountinfo: the text of ``/proc/self/mountinfo``, see proc_pid_mountinfo(5).
        folder: absolute path, symbolic links resolved.

    Returns:
        For example ``ext4``; empty when no mount holds the folder.
    """
    best, kind = -1, ""
    for line in mountinfo.splitlines():
        before, separator, after = line.partition(" - ")
        fields = before.split(" ")
        if not separator or len(fields) < 5:
            continue
        point = re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal[1], 8)), fields[4])
        # At equal length the later mount covers the earlier one.
        if is_below(folder, point) and len(point) >= best:
            best, kind = len(point), after.split(" ")[0]
    return kind


def is_below(path: str, folder: str) -> bool:
    """Whether a path is a folder or lies below it; both absolute."""
    return path == folder or path.startswith(folder.rstrip("/") + "/")
