"""What of our environment reaches the Packer of one target, and what of that is masked."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hybridcore import templates
from hybridcore.packer import passing
from hybridcore.packer.options import BuildOptions
from hybridcore.templates import Template
from tests.support.workspaces import WorkspaceFolder

TEXT = (
    'variable "a" {\n  default = env("READ_TOKEN")\n}\nvariable "b" {\n  default = env("READ_PLAIN")\n}\n'
    'source "null" "demo" {\n  communicator = "none"\n}\nbuild {\n  sources = ["source.null.demo"]\n}\n'
)
OURS = {
    "READ_TOKEN": "canary-read",
    "READ_PLAIN": "plain",
    "OS_CLOUD": "cloud",
    "OS_PASS": "canary-pass",
    "VAULT_TOKEN": "canary-vault",
    "NULL_TOKEN": "canary-null",
    "STRAY": "stray",
}


@pytest.fixture
def load(
    make_workspace: Callable[..., WorkspaceFolder], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Template]:
    for name, value in OURS.items():
        monkeypatch.setenv(name, value)

    def load(settings: str = "", text: str = TEXT) -> Template:
        made = make_workspace()
        made.settings(settings)
        return templates.load(made.template("linux/null/demo", text), made.open())

    return load


def test_what_the_template_reads_passes_without_settings(load: Callable[..., Template]) -> None:
    env = passing.environment(load(), BuildOptions())
    assert OURS.keys() & env.keys() == {"READ_TOKEN", "READ_PLAIN"}


def test_what_the_settings_name_passes_and_their_secrets_are_masked(load: Callable[..., Template]) -> None:
    template = load('[environment]\npass = ["OS_C*"]\nsecrets = ["OS_P*", "STRAY"]\n')
    env = passing.environment(template, BuildOptions())
    assert OURS.keys() - env.keys() == {"VAULT_TOKEN", "NULL_TOKEN"}
    assert dict(passing.own_secrets(template, env)) == {"OS_PASS": "canary-pass", "STRAY": "stray"}
    assert set(passing.masked(template, env)) >= {"canary-pass", "stray", "canary-read"}
    assert "plain" not in passing.masked(template, env)
    assert [passing.is_secret(name, template) for name in ("STRAY", "READ_TOKEN", "OS_CLOUD")] == [
        True,
        True,
        False,
    ]


def test_vault_is_asked_with_its_token_where_the_template_calls_it(load: Callable[..., Template]) -> None:
    template = load(text=TEXT + 'locals {\n  x = vault("a", "b")\n}\n')
    env = passing.environment(template, BuildOptions())
    assert passing.own_secrets(template, env) == [("VAULT_TOKEN", "canary-vault")]
    assert "canary-vault" in passing.masked(template, env)


def test_what_the_caller_adds_wins(load: Callable[..., Template]) -> None:
    template = load()
    options = BuildOptions(extra_env={"READ_PLAIN": "of the caller", "MORE": "1"})
    env = passing.environment(template, options, {"MORE": "2"})
    assert (env["READ_PLAIN"], env["MORE"]) == ("of the caller", "2")


def test_what_a_failure_names_or_the_plugin_is_called_is_said_to_be_left_out(
    load: Callable[..., Template],
) -> None:
    template = load()
    env = passing.environment(template, BuildOptions())
    said = passing.removed(template, env, ["STRAY must be set", "READ_PLAIN is odd, and so is HOME"])
    assert [sentence.split()[0] for sentence in said] == ["NULL_TOKEN", "STRAY"]
    assert not any(value in sentence for sentence in said for value in ("canary-null", "stray "))
