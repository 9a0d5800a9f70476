"""The lookup `targets`: an entry of each target that lists and texts name."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible.errors import AnsibleLookupError

A, B = "linux/null/a", "linux/null/b"


@pytest.fixture
def look_up(plugin, make_workspace, monkeypatch: pytest.MonkeyPatch):
    """`look_up(*terms)` in a workspace of two targets, seen from a playbook in its folder."""
    space = make_workspace()
    for target in (A, B):
        space.null(target)
    lookup = plugin("lookup.targets").LookupModule(
        loader=SimpleNamespace(get_basedir=lambda: str(space.root))
    )
    monkeypatch.setattr(lookup, "set_options", lambda **_: None)
    monkeypatch.setattr(lookup, "get_option", lambda name: "")
    return lambda *terms: lookup.run(list(terms))


@pytest.mark.parametrize(
    ("terms", "names"),
    [
        ([f"{A}, {B}"], [A, B]),
        ([[A], B], [A, B]),
        (["all"], [A, B]),
        (["linux/null/no-such"], ["linux/null/no-such"]),
    ],
)
def test_texts_and_lists_name_targets(look_up, terms, names) -> None:
    assert look_up(*terms) == [{"target": name, "vars": {}} for name in names]


def test_a_dictionary_keeps_its_variables(look_up) -> None:
    found = look_up([{"target": A, "vars": {"cpus": 2}}, {"target": B}])
    assert found == [{"target": A, "vars": {"cpus": 2}}, {"target": B, "vars": {}}]


@pytest.mark.parametrize("terms", [[], [""], ["  ,\n"], [[]]])
def test_nothing_asked_for_is_an_error_and_not_everything(look_up, terms) -> None:
    with pytest.raises(AnsibleLookupError):
        look_up(*terms)
