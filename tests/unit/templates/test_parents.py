"""The graph of parents, computed: order, loops, and which targets join a batch."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridcore.errors import TemplatesError
from hybridcore.templates.parents import edges, joining, loops, parents_first
from tests.support.workspaces import WorkspaceFolder

NAMES = st.sampled_from("abcdefgh")


def test_a_target_comes_after_its_parent_in_whatever_order_they_were_written() -> None:
    assert parents_first({"app": "web", "web": "base", "other": "", "base": ""}) == [
        "base",
        "web",
        "app",
        "other",
    ]
    assert parents_first({"app": "not in the batch", "a": ""}) == ["app", "a"]


@given(st.dictionaries(NAMES, NAMES | st.just("")))
def test_the_order_holds_every_target_once_and_parents_come_first_but_in_a_loop(
    parents: dict[str, str],
) -> None:
    order = parents_first(parents)
    assert sorted(order) == sorted(parents)
    in_a_loop = {target for loop in loops(parents) for target in loop}
    for target, parent in parents.items():
        if parent in parents and target not in in_a_loop:
            assert order.index(parent) < order.index(target)


@given(st.dictionaries(NAMES, NAMES | st.just("")))
def test_a_loop_is_found_once_and_leads_back_to_its_start(parents: dict[str, str]) -> None:
    found = loops(parents)
    for loop in found:
        assert [parents[target] for target in loop] == [*loop[1:], loop[0]]
        assert loop[0] == min(loop)
    members = [target for loop in found for target in loop]
    assert len(members) == len(set(members))
    # Who never comes to an end upwards reaches one of them.
    for target in parents:
        at, steps = target, 0
        while at in parents and steps <= len(parents):
            at, steps = parents[at], steps + 1
        assert (at in parents) == (at in members)


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder]) -> WorkspaceFolder:
    made = make_workspace()
    for name in ("base", "web", "app", "other"):
        made.null(f"linux/null/{name}")
    return made


def test_parents_join_up_to_a_channel(space: WorkspaceFolder) -> None:
    space.settings(
        '[images."linux/null/app"]\nparent = "linux/null/web"\n'
        '[images."linux/null/web"]\nparent = {target = "linux/null/base", channel = "stable"}\n'
        '[images."linux/null/base"]\nparent = "linux/null/other"\n'
    )
    where = space.open()
    assert joining(["linux/null/app"], where) == ["linux/null/web"]
    assert joining(["linux/null/app", "linux/null/web"], where) == []
    assert joining(["linux/null/base", "linux/null/app"], where) == ["linux/null/other", "linux/null/web"]
    assert joining(["linux/null/none"], where) == []
    found = edges(["linux/null/app"], where)
    assert list(found) == ["linux/null/app", "linux/null/base", "linux/null/other", "linux/null/web"]
    assert {target: one.target if one else None for target, one in found.items()} == {
        "linux/null/app": "linux/null/web",
        "linux/null/web": "linux/null/base",
        "linux/null/base": "linux/null/other",
        "linux/null/other": None,
    }


def test_with_each_a_parent_can_have_the_name_of_the_file(space: WorkspaceFolder) -> None:
    space.write("os/web.pkrvars.hcl", "")
    space.write("os/base.pkrvars.hcl", "")
    space.settings(
        '[images."linux/null/{name}-app"]\ntemplate = "templates/linux/null/app"\neach = "os/*.pkrvars.hcl"\n'
        'parent = "linux/null/{name}"\n'
    )
    assert joining(["linux/null/web-app"], space.open()) == ["linux/null/web"]
    assert joining(["linux/null/base-app"], space.open()) == ["linux/null/base"]


def test_every_loop_and_every_parent_that_is_not_there_is_told_at_once(space: WorkspaceFolder) -> None:
    space.settings(
        '[images."linux/null/app"]\nparent = "linux/null/web"\n\n'
        '[images."linux/null/web"]\nparent = {target = "linux/null/app", channel = "stable"}\n\n'
        '[images."linux/null/other"]\nparent = "linux/null/gone"\n'
    )
    with pytest.raises(TemplatesError) as caught:
        joining(["linux/null/app", "linux/null/other"], space.open())
    assert [str(fault) for fault in caught.value.faults] == [
        "packer-hybrid.toml:1: targets start from each other in a loop: "
        "linux/null/app -> linux/null/web -> linux/null/app "
        "(take one of the parents out; the others stand in packer-hybrid.toml:4)",
        "packer-hybrid.toml:7: linux/null/other: its parent linux/null/gone does not exist "
        "(packer-hybrid graph lists the targets that do)",
    ]


def test_a_folder_of_json_can_be_a_parent_too(space: WorkspaceFolder) -> None:
    space.write("templates/linux/null/old/build.pkr.json", "{}")
    space.settings('[images."linux/null/app"]\nparent = "linux/null/old"\n')
    assert joining(["linux/null/app"], space.open()) == ["linux/null/old"]
