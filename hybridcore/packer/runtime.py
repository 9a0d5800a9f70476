"""What a build gives to Packer at run time: variables and a key of its own, through the environment alone."""

from __future__ import annotations

import json
import os
import sys
from decimal import Decimal

from .. import process
from ..errors import HclError, PackerError
from ..hcl import NotEvaluable, evaluate
from ..host import accelerator
from .forms import MIN_LENGTH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from ..templates import Template

KEY_FILE = "hybridcore_ssh_private_key_file"
PUBLIC_KEY = "hybridcore_ssh_public_key"


def runtime_variables(
    template: Template, *, env: str, fingerprint: str, build_time: str, folder: Path
) -> dict[str, str]:
    """The variables that the build gives, as far as the template declares them.

    Args:
        template: the target.
        env: name of the environment.
        fingerprint: of the image.
        build_time: RFC 3339, UTC.
        folder: of this build, for its owner only; its key goes there.

    Returns:
        Values by environment variable, ``PKR_VAR_hybridcore_target`` and so on.

    Raises:
        PackerError, ProcessError: the build's key cannot be made.
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
    return {f"PKR_VAR_{name}": value for name, value in values.items() if name in declared}


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


def secret_values(template: Template, secrets: Mapping[str, str], env: Mapping[str, str]) -> list[str]:
    """Every value that must not be shown: what the caller gave, and sensitive variables from elsewhere.

    Args:
        template: declares which variables are sensitive, perhaps with a default.
        secrets: what the caller gave, by name.
        env: the environment of the build.

    Returns:
        Values of at least 4 characters, in no particular order: each text as a whole, and the texts and
        numbers in it where it is a list, a map or an object.
    """
    sensitive = template.sensitive_names()
    found: set[str] = set()
    for text in (*secrets.values(), *(env.get(f"PKR_VAR_{name}", "") for name in sensitive)):
        found |= {text, *_leaves(_parsed(text))}
    for name, _, block in template.variables():
        default = block.body.attributes.get("default")
        if name in sensitive and default is not None and default.constant:
            found.update(_leaves(default.value))
    return [value for value in found if len(value) >= MIN_LENGTH]


def _parsed(text: str) -> object:
    """What Packer makes of the text of a variable that is no string: an HCL value; None where it is none."""
    try:
        return evaluate(text, {}, {})
    except (HclError, NotEvaluable):
        pass
    try:
        # JSON has escapes that HCL lacks; what Packer then prints of such a text is still the secret.
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _leaves(value: object) -> Iterator[str]:
    """The texts and numbers within a value, as Packer prints them."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _leaves(item)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield format(Decimal(repr(value) if isinstance(value, float) else value), "f")


def tools_path(path: str) -> str:
    """The ``PATH`` of a build: this interpreter's own programs come first.

    Packer's Ansible provisioner looks for ``ansible-playbook``. In a virtual environment it lies beside the
    interpreter, and the image should be provisioned by the same Ansible that runs the build.
    """
    own = os.path.dirname(sys.executable)
    return path if own in path.split(os.pathsep) else f"{own}{os.pathsep}{path}"
