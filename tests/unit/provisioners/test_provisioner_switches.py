"""The switches of the provisioner stacks, their variables and their assets."""

from __future__ import annotations

import contextvars
from collections.abc import Callable

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
    space.write(PUPPET, "")
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
        "enable_puppet": False,
    }
    space.write("templates/linux/null/plain/more.pkr.hcl", 'variable "enable_ansible" {}\n')
    using = templates.load("linux/null/plain", here)
    with pytest.raises(ProvisionersError, match="assets of the provisioners are missing"):
        provisioners.emit_vars_for([plain, using], workspace=here)
