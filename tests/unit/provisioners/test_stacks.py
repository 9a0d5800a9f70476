"""The rows of the provisioner stacks: what follows from them, and that people read the same."""

from __future__ import annotations

import contextvars
import importlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from hybridcore import cli, pipeline, provisioners
from hybridcore.cli.config import request as requested
from hybridcore.errors import ProvisionersError
from hybridcore.provisioners import stacks
from hybridcore.provisioners.stacks import STACKS, Stack
from tests.support.documents import code, module_options, table_rows
from tests.support.workspaces import WorkspaceFolder

ADAPTER = "ansible_collections.hybridcore.packer.plugins.module_utils._core_request"
CHEF = Stack("chef", title="Chef", entry="recipes/default.rb")
MODULES = ("plugins/modules/packer_build.py", "plugins/modules/packer_config.py")


@pytest.fixture
def adapter(collections_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """What the modules share, imported as Ansible does it."""
    monkeypatch.syspath_prepend(str(collections_path))
    return importlib.import_module(ADAPTER)


def wrong() -> Iterator[str]:
    """What the documents lack or say otherwise than the rows."""
    for file in MODULES:
        documented = module_options(file)["provisioners"]["suboptions"]
        for stack in stacks.STACKS:
            there = documented.get(stack.name, {})
            if (there.get("type"), there.get("default")) != ("bool", stack.on) or not there.get(
                "description"
            ):
                yield f"{file}: {stack.name}"
        yield from (f"{file}: {name}" for name in documented.keys() - {one.name for one in stacks.STACKS})
    rows = [
        (
            stack.title,
            "on" if stack.on else "off",
            code((f"--{stack.name}", f"--no-{stack.name}")),
            code([stack.variable]),
            code([f"templates/{stack.name}/{stack.entry}"]),
        )
        for stack in stacks.STACKS
    ]
    read = table_rows("docs/configuration.md", "Provisioner stacks")
    yield from (f"docs/configuration.md: {row[0]}" for row in rows if row not in read)
    yield from (f"docs/configuration.md: {row[0]}" for row in read if row not in rows)


def test_what_people_read_agrees_with_the_rows(adapter: ModuleType) -> None:
    assert list(wrong()) == []
    assert adapter.spec()["provisioners"]["options"] == {
        stack.name: {"type": "bool", "default": stack.on} for stack in STACKS
    }


def test_a_new_stack_is_one_row_and_three_files_that_are_named(
    make_workspace: Callable[..., WorkspaceFolder], adapter: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (stacks, adapter.stacks):
        monkeypatch.setattr(module, "STACKS", (*STACKS, CHEF))
    space = make_workspace()
    target = space.null()
    space.write(f"templates/{target}/chef.pkr.hcl", 'variable "enable_chef" {\n  default = false\n}\n')

    args = cli.parser().parse_args(["build", "--env", "dev", "--chef"])
    assert requested(args).provisioners == {"ansible": True, "puppet": False, "chef": True}
    assert adapter.spec()["provisioners"]["options"]["chef"] == {"type": "bool", "default": False}
    given = {"env": "dev", "targets": [], "vars": {}, "provisioners": {"chef": True, "puppet": None}}
    assert adapter.request(given).provisioners == {"chef": True}

    request = requested(args)
    with pytest.raises(ProvisionersError, match="the chef stack is on and its asset is missing") as caught:
        pipeline.render(request, space.open(), write=True)
    assert [fault.file for fault in caught.value.faults] == ["templates/chef/recipes/default.rb"]
    space.write("templates/chef/recipes/default.rb", "package 'htop'\n")
    (file,) = pipeline.render(request, space.open(), write=True)["files"]
    assert "enable_chef = true" in file["after"]
    assert provisioners.enabled_stacks({"enable_chef": True}) == [CHEF]
    (file,) = pipeline.render(pipeline.Request(env="dev"), space.open(), write=True)["files"]
    assert "enable_chef" not in file["after"].replace("# ", "")

    assert [*wrong()] == [*(f"{name}: chef" for name in MODULES), "docs/configuration.md: Chef"]


def test_a_stack_that_does_not_exist() -> None:
    with pytest.raises(ProvisionersError, match="no provisioner stack 'chef'") as caught:
        contextvars.copy_context().run(provisioners.switch, {"chef": True})
    assert caught.value.hint == "there are: ansible, puppet"


def test_what_is_not_switched_is_as_its_row_says(make_workspace: Callable[..., WorkspaceFolder]) -> None:
    space = make_workspace()
    space.write("templates/ansible/site.yml", "- hosts: all\n")

    def emitted() -> dict[str, bool]:
        provisioners.enable("puppet", True)
        provisioners.switch({})
        return provisioners.emit_vars(workspace=space.open())

    assert contextvars.copy_context().run(emitted) == {"enable_ansible": True}
