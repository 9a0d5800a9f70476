"""Where each input of a target comes from, in words."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from hybridcore.errors import Fault
from hybridcore.packer.planning.origins import origins
from hybridcore.provisioners.stacks import STACKS
from tests.support.workspaces import WorkspaceFolder

TARGET = "linux/null/a"


@pytest.fixture
def explained(make_workspace: Callable[..., WorkspaceFolder]) -> Callable[..., dict[str, Any]]:
    """What is said of inputs of a target; `more` are fields of the plan."""
    where = make_workspace().open()

    def explain(*names: str, **more: Any) -> dict[str, Any]:
        plan = {
            "template": SimpleNamespace(target=TARGET, folder=where.templates / TARGET, parent=None),
            "fingerprint": "f" * 64,
            "inputs": {name: f"digest of {name}" for name in names},
            "observed": (),
            "places": {},
            "unfollowed": (),
            "run_before": "r1",
        }
        return origins(SimpleNamespace(**{**plan, **more}), where)

    return explain


@pytest.mark.parametrize(
    ("name", "origin"),
    [
        ("configuration", "the rendered values"),
        ("packer", "the Packer that builds"),
        ("only", "of the call"),
        ("except", "of the call"),
        ("source examples", "a repository that the template names, by its commit"),
        ("plugin github.com/hashicorp/qemu", "required by the template"),
        ("program qemu", "the plugin that Packer takes"),
        ("parent linux/null/b", "the image that it starts from, by its version"),
        ("env HOME", "of the environment"),
        ("PKR_VAR_x", "of the environment"),
        (f"templates/{TARGET}", "the template's folder"),
        *[(f"templates/{stack.name}", f"assets of {stack.title}") for stack in STACKS],
        ("source", "read by an expression of the template"),
        ("files/a b", "read by an expression of the template"),
    ],
)
def test_an_input_by_its_name(explained: Any, name: str, origin: str) -> None:
    (entry,) = explained(name)["inputs"]
    assert entry == {"name": name, "digest": f"digest of {name}", "origin": origin, "observed": False}


def test_what_was_observed_and_what_is_named_at_a_place_go_before_all_else(explained: Any) -> None:
    places = {"packer": "a.pkr.hcl:3 (script)", "seen": "a.pkr.hcl:4"}
    found = explained("packer", "seen", observed=("seen",), places=places)
    assert [(one["origin"], one["observed"]) for one in found["inputs"]] == [
        ("named in a.pkr.hcl:3 (script)", False),
        ("was read in run r1", True),
    ]


def test_inputs_are_sorted_and_what_cannot_be_followed_is_told(explained: Any) -> None:
    found = explained("b", "a", "c", unfollowed=(Fault("who knows", file="a.pkr.hcl", line=3),))
    assert [one["name"] for one in found["inputs"]] == ["a", "b", "c"]
    assert found["unfollowed"] == ["a.pkr.hcl:3: who knows"]
    assert (found["target"], found["fingerprint"]) == (TARGET, "f" * 64)
