"""What lookups share: the workspace that they are asked about, and errors that Ansible shows."""

from __future__ import annotations

from types import ModuleType, SimpleNamespace

import pytest
from ansible.errors import AnsibleLookupError


@pytest.fixture
def shared(plugin) -> ModuleType:
    return plugin("plugin_utils.core_lookup")


@pytest.fixture
def lookup(shared: ModuleType, monkeypatch: pytest.MonkeyPatch):
    """`lookup(folder)`: one that gives its terms and its workspace, seen from a playbook in a folder."""

    class Lookup(shared.CoreLookup):
        def look_up(self, terms, where):
            return [*terms, str(where.root)]

    def make(folder: object = None):
        loader = SimpleNamespace(get_basedir=lambda: str(folder)) if folder else None
        made = Lookup(loader=loader)
        monkeypatch.setattr(made, "set_options", lambda **_: None)
        monkeypatch.setattr(made, "get_option", lambda name: "")
        return made

    return make


def test_the_workspace_is_the_one_of_the_playbook(lookup, make_workspace) -> None:
    root = make_workspace().root
    (root / "playbooks").mkdir()
    assert lookup(root / "playbooks").run(["a", "b"]) == ["a", "b", str(root)]


def test_an_error_of_the_core_is_one_of_the_lookup(lookup, make_workspace) -> None:
    space = make_workspace()
    space.write("packer-hybrid.toml", "no settings")
    with pytest.raises(AnsibleLookupError, match=r"packer-hybrid\.toml"):
        lookup(space.root).run([])


def test_without_a_play_it_says_so(lookup) -> None:
    with pytest.raises(AnsibleLookupError, match="outside of a play"):
        lookup().run([])


def test_a_python_that_is_too_old_is_refused(lookup, shared: ModuleType, monkeypatch) -> None:
    monkeypatch.setattr(shared._gate, "refusal", lambda: "too old")
    with pytest.raises(AnsibleLookupError, match="too old"):
        lookup().run([])
