"""The catalogue of build templates: which targets there are, their builders, and the files of each.

A target is a folder ``templates/<os>/<platform>/<name>/`` with exactly one ``source`` block, whose type
belongs to the platform and whose name is the folder's: ``linux/proxmox/debian-12`` holds
``source "proxmox-iso" "debian-12"``, and its canonical identifier is ``source.proxmox-iso.debian-12``.
"""

from .catalogue import (
    compose_files,
    list_builders,
    list_targets,
    load,
    load_all,
    load_catalogue,
    load_each,
    target_folder,
    target_names,
    target_of,
)
from .template import Template

__all__ = [
    "Template",
    "compose_files",
    "list_builders",
    "list_targets",
    "load",
    "load_all",
    "load_catalogue",
    "load_each",
    "target_folder",
    "target_names",
    "target_of",
]
