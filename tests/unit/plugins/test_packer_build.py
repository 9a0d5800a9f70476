"""packer_build: its options from the table, values from Ansible as texts, the answer."""

from __future__ import annotations

from types import ModuleType, SimpleNamespace

import pytest

from hybridcore.packer import options
from tests.support.programs import FakePacker


class Encrypted(str):
    """A text as Ansible's vault gives it."""


@pytest.fixture
def packer_build(plugin) -> ModuleType:
    return plugin("module_utils.packer_build")


def params(root: object, **more: object) -> dict[str, object]:
    given = {option.name: option.default for option in options.table()}
    shared = {"workspace": str(root), "env": "dev", "targets": [], "vars": {}, "provisioners": {}}
    return {**given, "secrets": {}, "extra_env": {}, **shared, **more}


def test_the_argument_spec_has_every_option_and_hides_the_secret_ones(packer_build: ModuleType) -> None:
    for option in options.table():
        argument = packer_build.SPEC[option.name]
        assert argument.get("no_log", False) == option.secret, option.name
        assert argument.get("choices", []) == list(option.choices or []), option.name
        if option.kind is tuple:
            assert (argument["type"], argument["elements"], argument["default"]) == ("list", "str", [])
    assert packer_build.SPEC["env"] == {"type": "str", "required": True}


def test_every_value_that_is_wrong_is_told_at_once(packer_build: ModuleType, plugin, make_workspace) -> None:
    errors = plugin("module_utils.hybridcore.errors")
    wrong = params(
        make_workspace().root,
        secrets={"none": None, "short": "abc", "fine": "long enough"},
        extra_env={"LIST": [1], "NONE": None, "FINE": 7},
    )
    with pytest.raises(errors.ConfigError) as caught:
        packer_build.run(wrong, check_mode=True, diff=False, monitor=None)
    told = sorted(str(fault) for fault in caught.value.faults)
    assert len(told) == 4
    assert told[0] == "the environment variable 'LIST' is a list or a map (give a text or a number)"
    assert told[1] == "the environment variable 'NONE' is nothing (give a text or a number)"
    assert told[2] == "the secret 'none' has no value"
    assert "short" in told[3]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain text", "plain text"),
        (Encrypted("of the vault"), "of the vault"),
        (12345, "12345"),
        (["one", Encrypted("two")], '["one", "two"]'),
        (("one", 2), '["one", 2]'),
        ({"key": [True, None]}, "{\n  key = [true, null]\n}"),
    ],
)
def test_a_secret_is_itself_or_hcl(packer_build: ModuleType, value: object, text: str) -> None:
    faults: list[object] = []
    found = packer_build._secret("name", value, faults)
    assert faults == []
    assert found.split() == text.split()
    assert type(found) is str


@pytest.mark.parametrize("value", ["7", 7, True])
def test_a_variable_of_the_environment_is_a_text(packer_build: ModuleType, value: object) -> None:
    faults: list[object] = []
    assert packer_build._variable("name", value, faults) == str(value)
    assert faults == []


def test_a_difference_is_why_each_image_is_built(packer_build: ModuleType) -> None:
    results = [
        SimpleNamespace(target="linux/null/a", reasons=("never built", "forced")),
        SimpleNamespace(target="linux/null/b", reasons=()),
    ]
    assert packer_build._diff(SimpleNamespace(results=results)) == [
        {
            "before_header": "linux/null/a",
            "after_header": "linux/null/a",
            "before": "",
            "after": "never built\nforced\n",
        }
    ]


def test_the_answer_of_check_mode_names_each_target(
    packer_build: ModuleType, plugin, make_workspace, fake_packer: FakePacker
) -> None:
    space = make_workspace()
    targets = [space.null("linux/null/a"), space.null("linux/null/b")]
    monitor = plugin("module_utils.hybridcore.monitor").NullMonitor()
    given = params(space.root, targets=targets)
    answer = packer_build.run(given, check_mode=True, diff=True, monitor=monitor)
    assert answer["changed"] is True
    assert answer["index"] == {"linux/null/a": 0, "linux/null/b": 1}
    assert [entry["reasons"] for entry in answer["results"]] == [["never built"], ["never built"]]
    assert all(entry["summary"] for entry in answer["results"])
    assert [one["after_header"] for one in answer["diff"]] == targets
    assert "failed" not in answer
    assert not (space.root / "state/packer-hybrid.json").exists()
