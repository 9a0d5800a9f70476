"""What the build itself gives to Packer: variables that the template declares, in whatever form."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hybridcore import templates
from hybridcore.packer.runtime import runtime_variables, tools_path
from tests.support.workspaces import WorkspaceFolder


@pytest.mark.parametrize(
    "declared",
    [
        'variable "hybridcore_target" {\n  type = string\n}\n',
        'variables {\n  hybridcore_target = ""\n}\n',
    ],
)
def test_only_declared_variables_are_given_in_whatever_form_they_are_declared(
    make_workspace: Callable[..., WorkspaceFolder], tmp_path: Path, declared: str
) -> None:
    space = make_workspace()
    space.write(f"templates/{space.null()}/runtime.pkr.hcl", declared)
    template = templates.load("linux/null/demo", space.open())
    given = runtime_variables(template, env="dev", fingerprint="f", build_time="now", folder=tmp_path)
    assert given == {"PKR_VAR_hybridcore_target": "linux/null/demo"}


def test_a_key_is_made_only_for_a_template_that_asks_for_it(
    make_workspace: Callable[..., WorkspaceFolder], tmp_path: Path
) -> None:
    space = make_workspace()
    space.write(
        f"templates/{space.null()}/runtime.pkr.hcl", 'variables {\n  hybridcore_ssh_public_key = ""\n}\n'
    )
    template = templates.load("linux/null/demo", space.open())
    given = runtime_variables(template, env="dev", fingerprint="f", build_time="now", folder=tmp_path)
    assert given["PKR_VAR_hybridcore_ssh_public_key"].startswith("ssh-ed25519 ")
    assert (tmp_path / "build_key").stat().st_mode & 0o777 == 0o600


def test_our_own_programs_come_first_and_once() -> None:
    own = os.path.dirname(sys.executable)
    assert tools_path("/bin") == f"{own}:/bin"
    assert tools_path(f"/bin:{own}") == f"/bin:{own}"
