"""What the attributes of a template refer to: files of the workspace, local disks, machines on a platform.

An attribute counts as far as its value can be computed from the text, ``path.root``, ``path.cwd`` and the
rendered configuration. What only Packer can know (locals, data sources, the variables of the build) is not
followed.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from ...hcl import HclError, NotEvaluable, evaluate
from ...hcl.functions import FUNCTIONS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ...hcl import Attribute, Body
    from ...templates import Template
    from ...workspace import Workspace
    from .rendered import Rendered

# Where a build writes; what is there is no input of it.
_WRITTEN = frozenset({"output", "output_directory", "output_dir", "target", "destination", "log_file"})
_DISKS = frozenset({"iso_url", "iso_urls"})
# A playbook or a manifest takes in roles, tasks and modules from the folder around it.
_PLAYS = frozenset({"playbook_file", "playbook_files", "manifest_file"})
_VARIABLE = re.compile(r"\bvar\.([A-Za-z_][\w-]*)").findall


def workspace_files(template: Template, rendered: Rendered, workspace: Workspace) -> list[Path]:
    """The files and folders that a template names, besides those of its own folder.

    Args:
        template: what its files say.
        rendered: its configuration.
        workspace: where to look.

    Returns:
        Sorted: files and folders of the workspace that exist, but for what a run writes (``configs/``,
        ``logs/``, ``state/``, folders of ``images/``); and local disks that ``iso_url`` names without a
        checksum, wherever they are. A playbook or a manifest counts with the folder that it lies in.
    """
    values = rendered.values if "/" in rendered.text else {}
    with_slash = {name for name, value in values.items() if "/" in str(value)}
    scope = {"path": dict.fromkeys(("root", "cwd"), str(template.folder)), "var": values}
    found: set[Path] = set()
    for _, body in template.bodies:
        for owner, attribute in body.walk():
            expression = attribute.expression
            if "/" not in expression and not with_slash.intersection(_VARIABLE(expression)):
                continue
            if attribute.name in _WRITTEN or (attribute.name in _DISKS and _has_checksum(owner, scope)):
                continue
            for value in _texts(attribute, scope):
                path = _existing(value, template, workspace, anywhere=attribute.name in _DISKS)
                if path is not None:
                    found.add(
                        _with_its_roles(path, template, workspace) if attribute.name in _PLAYS else path
                    )
    return sorted(found)


def _has_checksum(body: Body, scope: Mapping[str, object]) -> bool:
    checksum = body.attributes.get("iso_checksum")
    if checksum is None:
        return False
    try:
        return evaluate(checksum, scope) not in ("none", "", None)
    except (NotEvaluable, HclError):
        return True


def _texts(attribute: Attribute, scope: Mapping[str, object]) -> Iterator[str]:
    """The texts in the value of an attribute, and what it reads by ``file()`` and the like."""
    read: list[object] = []

    def reads(path: object, *_: object) -> str:
        read.append(path)
        return ""

    functions = {**FUNCTIONS, **dict.fromkeys(("file", "filebase64", "templatefile"), reads)}
    try:
        value: object = evaluate(attribute, scope, functions)
    except (NotEvaluable, HclError):
        value = None
    yield from _flat([read, value])


def _flat(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from _flat(item)
    elif isinstance(value, dict):
        yield from _flat(list(value.values()))


def _with_its_roles(path: Path, template: Template, workspace: Workspace) -> Path:
    """The folder of a playbook; the playbook alone where that is the workspace, or holds templates."""
    folder = path.parent
    alone = folder == workspace.root or template.folder.is_relative_to(folder)
    return path if alone or not folder.is_relative_to(workspace.root) else folder


def _existing(text: str, template: Template, workspace: Workspace, *, anywhere: bool) -> Path | None:
    """The file or folder that a text names, if it counts."""
    text = text.removeprefix("file://")
    if "/" not in text or "\n" in text or "\0" in text or len(text) > 4000:
        return None
    path = Path(os.path.normpath(template.folder / text))
    if path.is_relative_to(template.folder) or template.folder.is_relative_to(path):
        return None
    if not path.is_relative_to(workspace.root):
        return path if anywhere and path.is_file() else None
    if any(path.is_relative_to(one) for one in (workspace.configs, workspace.logs, workspace.state_dir)):
        return None
    if path.is_relative_to(workspace.images):
        return path if path.is_file() else None
    return path if path.exists() else None
