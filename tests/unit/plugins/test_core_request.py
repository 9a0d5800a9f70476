"""The options that rendering and building share, and the request made of them."""

from __future__ import annotations

from hybridcore.provisioners import stacks


def test_there_is_a_switch_for_each_stack(plugin) -> None:
    switches = plugin("module_utils.core_request").SPEC["provisioners"]["options"]
    assert switches == {stack.name: {"type": "bool", "default": stack.on} for stack in stacks.STACKS}


def test_a_request_has_what_was_given_and_no_switch_that_was_not(plugin) -> None:
    params = {
        "env": "dev",
        "targets": ["linux/null/a"],
        "vars": {"cpus": 2},
        "provisioners": {"ansible": False, "puppet": None},
    }
    made = plugin("module_utils.core_request").request(params, command="a test")
    assert (made.env, made.targets, made.vars, made.command) == (
        "dev",
        ["linux/null/a"],
        {"cpus": 2},
        "a test",
    )
    assert made.provisioners == {"ansible": False}
    assert plugin("module_utils.core_request").request({**params, "provisioners": None}).provisioners == {}
