"""What a build gives to Packer at run time: variables and a key of its own, through the environment alone."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from .. import process
from ..errors import Fault, PackerError
from ..host import accelerator
from .passing import environment
from .program.plugins import path_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ..images.lookup import Found
    from ..templates import Template
    from .options import BuildOptions

KEY_FILE = "hybridcore_ssh_private_key_file"
PUBLIC_KEY = "hybridcore_ssh_public_key"


def runtime_variables(
    template: Template,
    *,
    env: str,
    fingerprint: str,
    build_time: str,
    folder: Path,
    parent: Found | None = None,
) -> dict[str, str]:
    """The variables that the build gives, as far as the template declares them.

    Args:
        template: the target.
        env: name of the environment.
        fingerprint: of the image.
        build_time: RFC 3339, UTC.
        folder: of this build, for its owner only; its key goes there.
        parent: the image that it starts from, if any.

    Returns:
        Values by environment variable, ``PKR_VAR_hybridcore_target`` and so on.

    Raises:
        PackerError, ProcessError: the build's key cannot be made, or the parent lacks what is asked of it.
    """
    declared = template.variable_names()
    values = {
        "hybridcore_target": template.target,
        "hybridcore_environment": env,
        "hybridcore_fingerprint": fingerprint,
        "hybridcore_build_time": build_time,
        "hybridcore_accelerator": accelerator(),
    }
    if KEY_FILE in declared or PUBLIC_KEY in declared:
        values |= make_key(folder)
    given = {f"PKR_VAR_{name}": value for name, value in values.items() if name in declared}
    return given | told(template, parent)


def told(template: Template, image: Found | None) -> dict[str, str]:
    """What a template is told of its parent: values by environment variable, ``PKR_VAR_base`` and so on.

    Args:
        template: the target.
        image: its parent, None where it has none or that was never built.

    Raises:
        PackerError: the image has no such value; has faults, all of them.
    """
    parent, setting = template.parent, template.setting
    if parent is None or setting is None or image is None:
        return {}
    faults = []
    found = {}
    for name, what in parent.variables.items():
        value = str(getattr(image, what))
        if not value:
            has = ", ".join(one for one in ("path", "checksum", "id", "name") if getattr(image, one))
            faults.append(
                Fault(
                    f"{template.target}: {name}: the image of its parent {image.image.target} has no {what}",
                    file=setting.file,
                    line=setting.line,
                    hint=f"it has {has or 'nothing but a version'}",
                )
            )
        found[f"PKR_VAR_{name}"] = value
    if faults:
        raise PackerError("a parent does not have what is asked of it", faults=faults)
    return found


def packer_environment(
    template: Template, options: BuildOptions, variables: Mapping[str, str], temporary: Path
) -> dict[str, str]:
    """The whole environment of a Packer that builds or looks at a target.

    Args:
        template: the target.
        options: ``extra_env`` and ``secrets`` count.
        variables: what ``runtime_variables`` and ``secrets.file_variables`` gave.
        temporary: the folder for its temporary files.
    """
    ours = {**os.environ, **options.extra_env}
    return environment(
        template,
        options,
        {
            **{f"PKR_VAR_{name}": value for name, value in options.secrets.items()},
            **variables,
            **path_of(template.workspace),
            "PATH": tools_path(ours.get("PATH", os.defpath)),
            "TMPDIR": str(temporary),
        },
    )


def make_key(folder: Path) -> dict[str, str]:
    """Make the SSH key of one build; it goes with the folder when the build ends.

    Args:
        folder: of the build, for its owner only.

    Returns:
        The path of the private key and the text of the public one, by the names of their variables.

    Raises:
        PackerError: ``ssh-keygen`` failed.
        ProcessError: there is no ``ssh-keygen``.
    """
    path = folder / "build_key"
    done = process.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "hybridcore-build", "-f", str(path)]
    )
    if done.returncode:
        raise PackerError(f"ssh-keygen could not make the key of the build: {done.stderr.strip()}")
    return {KEY_FILE: str(path), PUBLIC_KEY: path.with_suffix(".pub").read_text().strip()}


def tools_path(path: str) -> str:
    """The ``PATH`` of a build: this interpreter's own programs come first.

    Packer's Ansible provisioner looks for ``ansible-playbook``. In a virtual environment it lies beside the
    interpreter, and the image should be provisioned by the same Ansible that runs the build.
    """
    own = os.path.dirname(sys.executable)
    return path if own in path.split(os.pathsep) else f"{own}{os.pathsep}{path}"
