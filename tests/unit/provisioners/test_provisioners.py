"""The switches of the provisioner stacks, their variables and their assets."""

from __future__ import annotations

import contextvars
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hybridcore import provisioners, templates
from hybridcore.errors import ProvisionersError
from tests.support.workspaces import WorkspaceFolder

ANSIBLE, PUPPET = "templates/ansible/site.yml", "templates/puppet/manifests/site.pp"


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder]) -> WorkspaceFolder:
    return make_workspace()


@pytest.fixture(autouse=True)
def defaults() -> None:
    provisioners.enable_ansible(True)
    provisioners.enable_puppet(False)


def test_ansible_alone_by_default(space: WorkspaceFolder) -> None:
    space.write(ANSIBLE, "[]\n")
    assert provisioners.emit_vars(workspace=space.open()) == {"enable_ansible": True}


def test_a_missing_asset_of_ansible_fails(space: WorkspaceFolder) -> None:
    with pytest.raises(ProvisionersError) as caught:
        provisioners.emit_vars(workspace=space.open())
    assert [fault.file for fault in caught.value.faults] == [ANSIBLE]
    assert "switch ansible off" in caught.value.faults[0].hint


def test_puppet_adds_its_variable_after_its_asset_was_found(space: WorkspaceFolder) -> None:
    space.write(ANSIBLE, "[]\n")
    provisioners.enable_puppet(True)
    with pytest.raises(ProvisionersError, match=r"manifests/site\.pp"):
        provisioners.emit_vars(workspace=space.open())
    space.write(PUPPET, "include site\n")
    assert provisioners.emit_vars(workspace=space.open()) == {"enable_ansible": True, "enable_puppet": True}


def test_assets_missing_from_both_are_reported_together(space: WorkspaceFolder) -> None:
    provisioners.enable_puppet(True)
    with pytest.raises(ProvisionersError) as caught:
        provisioners.emit_vars(workspace=space.open())
    assert [fault.file for fault in caught.value.faults] == [ANSIBLE, PUPPET]


def test_a_stack_that_is_off_needs_no_asset(space: WorkspaceFolder) -> None:
    provisioners.enable_ansible(False)
    assert provisioners.emit_vars(workspace=space.open()) == {"enable_ansible": False}


def test_switches_stay_in_their_context(space: WorkspaceFolder) -> None:
    space.write(ANSIBLE, "[]\n")
    contextvars.copy_context().run(provisioners.enable_ansible, False)
    assert provisioners.emit_vars(workspace=space.open()) == {"enable_ansible": True}


def test_a_stack_that_no_template_uses_needs_no_asset(space: WorkspaceFolder) -> None:
    here = space.open()
    plain = templates.load(space.null("linux/null/plain"), here)
    assert provisioners.emit_vars_for([plain], workspace=here) == {
        "enable_ansible": True,
        "enable_puppet": None,
    }
    space.write("templates/linux/null/plain/more.pkr.hcl", 'variable "enable_ansible" {}\n')
    using = templates.load("linux/null/plain", here)
    with pytest.raises(ProvisionersError, match="assets of the provisioners are missing"):
        provisioners.emit_vars_for([plain, using], workspace=here)


@pytest.mark.parametrize("flag", ["false", "true", "", 0, 1, None])
def test_a_switch_is_a_bool(space: WorkspaceFolder, flag: Any) -> None:
    space.write(ANSIBLE, "[]\n")
    for switch in (provisioners.enable_ansible, provisioners.enable_puppet):
        with pytest.raises(ProvisionersError, match="a switch is true or false"):
            switch(flag)
    assert provisioners.emit_vars(workspace=space.open()) == {"enable_ansible": True}


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        (b"", "is empty"),
        (b" \n# only a comment\n---\n%YAML 1.2\n---  # x\n", "is empty"),
        (b"hosts: all\n", "is no playbook"),
        (b"Not YAML\n", "is no playbook"),
        (b"\t- hosts: all\n", "is no playbook"),
        (b"-hosts: all\n", "is no playbook"),
        (b"{}\n", "is no playbook"),
        (b"\xff\xfe-\x00", "is not UTF-8 at byte 0"),
    ],
)
def test_an_asset_that_is_no_playbook_fails(space: WorkspaceFolder, text: bytes, wrong: str) -> None:
    space.write(ANSIBLE, "")
    (space.root / ANSIBLE).write_bytes(text)
    with pytest.raises(ProvisionersError) as caught:
        provisioners.emit_vars(workspace=space.open())
    (fault,) = caught.value.faults
    assert fault.file == ANSIBLE
    assert f"the ansible stack is on and its asset {wrong}" in fault.message
    assert "mend it, or switch ansible off" in fault.hint


@pytest.mark.parametrize(
    "text",
    [
        "- hosts: all\n",
        "\ufeff# why\n%YAML 1.2\n--- # a document\n\n  - hosts: all\n",
        "--- [{hosts: all}]\n",
        "-\n  hosts: all\n",
        "$ANSIBLE_VAULT;1.1;AES256\n6236\n",
    ],
)
def test_a_playbook_passes(space: WorkspaceFolder, text: str) -> None:
    space.write(ANSIBLE, text)
    assert provisioners.emit_vars(workspace=space.open()) == {"enable_ansible": True}


@pytest.mark.parametrize("part", ["templates/ansible", ANSIBLE])
def test_an_asset_outside_the_workspace_fails(space: WorkspaceFolder, tmp_path: Path, part: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "site.yml").write_text("- hosts: all\n")
    place = space.root / part
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(outside if part == "templates/ansible" else outside / "site.yml")
    with pytest.raises(ProvisionersError, match="its asset leads out of the workspace"):
        provisioners.emit_vars(workspace=space.open())
    place.unlink()
    space.write("shared/site.yml", "- hosts: all\n")
    place.symlink_to(space.root / ("shared" if part == "templates/ansible" else "shared/site.yml"))
    assert provisioners.emit_vars(workspace=space.open()) == {"enable_ansible": True}


def test_an_asset_that_is_no_plain_file_fails(space: WorkspaceFolder) -> None:
    path = space.root / ANSIBLE
    path.parent.mkdir(parents=True)
    os.mkfifo(path)
    with pytest.raises(ProvisionersError, match="its asset cannot be read: it is no plain file"):
        provisioners.emit_vars(workspace=space.open())
    path.unlink()
    path.symlink_to(path)
    with pytest.raises(ProvisionersError, match="its asset cannot be read: Too many levels"):
        provisioners.emit_vars(workspace=space.open())
    path.unlink()
    path.mkdir()
    with pytest.raises(ProvisionersError, match="its asset cannot be read"):
        provisioners.emit_vars(workspace=space.open())


def test_the_environment_does_not_switch_a_stack_on(
    space: WorkspaceFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    space.null("linux/null/plain")
    space.write(
        "templates/linux/null/plain/more.pkr.hcl", 'variable "enable_puppet" {\n  default = false\n}\n'
    )
    here = space.open()
    using = [templates.load("linux/null/plain", here)]
    for value in ("false", "0"):
        monkeypatch.setenv("PKR_VAR_enable_puppet", value)
        assert provisioners.emit_vars_for(using, workspace=here)["enable_puppet"] is None
    monkeypatch.setenv("PKR_VAR_enable_puppet", "true")
    with pytest.raises(ProvisionersError, match="PKR_VAR_enable_puppet in the environment is not false"):
        provisioners.emit_vars_for(using, workspace=here)
    assert provisioners.emit_vars_for([], workspace=here)["enable_puppet"] is None
