"""Which values of a build are secret, and which are missing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hybridcore import templates
from hybridcore.packer.job import secret_values
from hybridcore.packer.plan import missing_secrets
from hybridcore.packer.preflight import values
from hybridcore.templates import Template
from tests.support.workspaces import WorkspaceFolder

VARIABLES = """\
variable "password" {
  sensitive = true
}

variable "token" {
  default   = "token-default"
  sensitive = true
}

variable "short" {
  default   = "abc"
  sensitive = true
}

variable "public" {
  default = "public-default"
}

variable "open" {}

variable "hybridcore_ssh_private_key_file" {
  sensitive = true
}
"""


@pytest.fixture
def template(make_workspace: Callable[..., WorkspaceFolder]) -> Template:
    space = make_workspace()
    space.write("templates/linux/null/demo/variables.pkr.hcl", VARIABLES)
    return templates.load(space.null(), space.open())


def test_values_that_must_not_be_shown(template: Template) -> None:
    found = secret_values(
        template,
        {"password": "given-one"},
        {"PKR_VAR_token": "inherited", "PKR_VAR_open": "not secret", "OTHER": "not secret"},
    )
    assert sorted(found) == ["given-one", "inherited", "token-default"]


@pytest.mark.parametrize(
    ("text", "leaves"),
    [
        ('["first-one", "abc", 123456, true]', ["123456", "first-one"]),
        (
            '{user = "root-user", "key" = {deep = ["deep-one"]}, n = 1234.5}',
            ["1234.5", "deep-one", "root-user"],
        ),
        ('{"a": "with\\/slash \\ud83d\\ude00"}', ["with/slash \U0001f600"]),
        ("plain words", []),
        ('["unterminated', []),
        ("[" * 5000, []),
    ],
)
def test_each_part_of_a_sensitive_collection_is_a_secret(
    template: Template, text: str, leaves: list[str]
) -> None:
    expected = sorted([text, *leaves, "token-default"])
    assert sorted(secret_values(template, {"password": text}, {})) == expected
    assert sorted(secret_values(template, {}, {"PKR_VAR_password": text})) == expected


@pytest.mark.parametrize(
    ("default", "found"),
    [
        ('["first-one", "abc", ["deep-one"]]', ["deep-one", "first-one"]),
        ('{ a = "first-one", b = 12345, c = null }', ["12345", "first-one"]),
        ("98765", ["98765"]),
        ("true", []),
        ("null", []),
        ("var.other", []),
    ],
)
def test_each_part_of_a_sensitive_default_is_a_secret(
    make_workspace: Callable[..., WorkspaceFolder], default: str, found: list[str]
) -> None:
    space = make_workspace()
    text = f'variable "x" {{\n  sensitive = true\n  default = {default}\n}}\n'
    space.write("templates/linux/null/demo/x.pkr.hcl", text)
    assert sorted(secret_values(templates.load(space.null(), space.open()), {}, {})) == found


def test_a_variable_without_a_name_is_left_to_packer(make_workspace: Callable[..., WorkspaceFolder]) -> None:
    space = make_workspace()
    space.write("templates/linux/null/demo/nameless.pkr.hcl", "variable {\n  sensitive = true\n}\n")
    template = templates.load(space.null(), space.open())
    assert template.variable_names() == {"message"}
    assert template.sensitive_names() == set()
    assert secret_values(template, {}, {}) == []
    assert missing_secrets(template, {}, {}) == []
    assert values(template, "") == {"message": "hello"}


def test_sensitive_variables_need_a_value_from_somewhere(template: Template) -> None:
    (fault,) = missing_secrets(template, {}, {})
    assert "'password' has no value" in fault.message
    assert (str(fault.file).rpartition("/")[2], fault.line) == ("variables.pkr.hcl", 1)
    assert "PKR_VAR_password" in fault.hint
    assert missing_secrets(template, {"password": "x"}, {}) == []
    assert missing_secrets(template, {}, {"PKR_VAR_password": "x"}) == []
