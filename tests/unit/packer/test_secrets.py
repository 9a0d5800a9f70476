"""Which values of a build are secret, and which are missing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from hybridcore import templates
from hybridcore.errors import ConfigError, Fault
from hybridcore.packer.options import BuildOptions
from hybridcore.packer.planning.plan import plan
from hybridcore.packer.planning.rendered import Rendered
from hybridcore.packer.program.capabilities import Capabilities
from hybridcore.packer.secrets import missing_secrets, secret_values, unknown_values
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

variable "public" {
  default = "public-default"
}

variable "open" {}

variable "hybridcore_ssh_private_key_file" {
  sensitive = true
}
"""


@pytest.fixture
def space(make_workspace: Callable[..., WorkspaceFolder]) -> WorkspaceFolder:
    return make_workspace()


@pytest.fixture
def template(space: WorkspaceFolder) -> Template:
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
        ("[0.00000125, 1e5]", ["0.00000125", "100000"]),
        ("9" * 5000, []),
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
    space: WorkspaceFolder, default: str, found: list[str]
) -> None:
    text = f'variable "x" {{\n  sensitive = true\n  default = {default}\n}}\n'
    space.write("templates/linux/null/demo/x.pkr.hcl", text)
    assert sorted(secret_values(templates.load(space.null(), space.open()), {}, {})) == found


def test_a_variable_without_a_name_is_left_to_packer(space: WorkspaceFolder) -> None:
    space.write("templates/linux/null/demo/nameless.pkr.hcl", "variable {\n  sensitive = true\n}\n")
    template = templates.load(space.null(), space.open())
    assert template.variable_names() == {"message"}
    assert template.sensitive_names() == set()
    assert secret_values(template, {}, {}) == []
    assert missing_secrets(template, {}, {}) == []
    assert Rendered("").values_for(template) == {"message": "hello"}


def test_sensitive_variables_need_a_value_from_somewhere(space: WorkspaceFolder, template: Template) -> None:
    def missing(secrets: dict[str, str], environ: dict[str, str]) -> list[Fault]:
        return missing_secrets(template, secrets, environ)

    (fault,) = missing({}, {})
    assert "'password' has no value" in fault.message
    assert (fault.file, fault.line) == ("templates/linux/null/demo/variables.pkr.hcl", 1)
    assert "PKR_VAR_password" in fault.hint
    assert missing({"password": "given"}, {}) == []
    assert missing({}, {"PKR_VAR_password": "given"}) == []


def test_a_short_value_is_refused_wherever_it_comes_from(space: WorkspaceFolder, template: Template) -> None:
    def missing(environ: dict[str, str]) -> list[Fault]:
        return missing_secrets(template, {}, {"PKR_VAR_password": "given", **environ})

    (fault,) = missing({"PKR_VAR_password": "abc"})
    assert "'password' has 3 characters" in fault.message
    assert (fault.file, fault.line) == ("templates/linux/null/demo/variables.pkr.hcl", 1)
    assert "abc" not in str(fault)
    # What is not sensitive may be short; an empty value hides nothing; the build gives its own ones itself.
    for name, value in (("open", "abc"), ("password", ""), ("hybridcore_ssh_private_key_file", "abc")):
        assert missing({f"PKR_VAR_{name}": value}) == []
    short = 'variable "short" {\n  default   = "xyz"\n  sensitive = true\n}\n'
    space.write("templates/linux/null/demo/short.pkr.hcl", short)
    (fault,) = missing_secrets(
        templates.load("linux/null/demo", space.open()), {}, {"PKR_VAR_password": "given"}
    )
    assert "'short' has 3 characters" in fault.message
    assert (fault.file, fault.line) == ("templates/linux/null/demo/short.pkr.hcl", 1)


@pytest.mark.parametrize("place", ["environment", "extra_env"])
def test_a_short_secret_of_the_whole_batch_is_refused(
    space: WorkspaceFolder, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    environ = {
        "PROXMOX_TOKEN": "abc",
        "VSPHERE_PASSWORD": "",  # empty: nothing to keep secret
        "ARM_CLIENT_SECRET": "long enough",
        "PROXMOX_USERNAME": "me",
        "https_proxy": "http://user:%40@proxy",  # one character, though it is written with three
    }
    if place == "environment":
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
    secrets = {"pin": "123", "password": "long enough"}
    options = BuildOptions(secrets=secrets, extra_env=environ if place == "extra_env" else {})
    with pytest.raises(ConfigError) as caught:
        plan(
            [templates.load(space.null(), space.open())],
            env="dev",
            workspace=space.open(),
            capabilities=Capabilities(path="/packer", version="1.6.6"),
            options=options,
            rendered={"linux/null/demo": ""},
        )
    proxy, pin, token = sorted(caught.value.faults, key=lambda fault: fault.message.lower())
    assert "'pin' has 3 characters" in pin.message
    assert "'PROXMOX_TOKEN' has 3 characters" in token.message
    assert "take the variable out of the environment" in token.hint
    assert "'https_proxy' has 1 characters" in proxy.message
    assert "abc" not in str(caught.value)


def test_what_a_target_lacks_is_the_users_mistake(space: WorkspaceFolder, template: Template) -> None:
    space.null("linux/null/other")
    with pytest.raises(ConfigError) as caught:
        plan(
            templates.load_all(["linux/null/demo", "linux/null/other"], space.open()),
            env="dev",
            workspace=space.open(),
            capabilities=Capabilities(path="/packer", version="1.6.6"),
            options=BuildOptions(),
            rendered={"linux/null/demo": ""},
        )
    missing, secret = caught.value.faults
    assert missing.message == "linux/null/other has no configuration"
    assert missing.file == space.open().relative(space.open().config_file("dev", "linux/null/other"))
    assert secret.message == "the sensitive variable 'password' has no value"


ENV = 'variable "from_env" {\n  default   = env("GIVEN_NAME")\n  sensitive = true\n}\n'


def test_a_default_of_the_environment_is_a_secret(space: WorkspaceFolder) -> None:
    space.write("templates/linux/null/demo/env.pkr.hcl", ENV)
    template = templates.load(space.null(), space.open())
    assert secret_values(template, {}, {"GIVEN_NAME": "from-the-environment"}) == ["from-the-environment"]
    assert secret_values(template, {}, {}) == []
    assert missing_secrets(template, {}, {}) == []
    (fault,) = missing_secrets(template, {}, {"GIVEN_NAME": "abc"})
    assert "'from_env' has 3 characters" in fault.message
    assert (fault.file, fault.line) == ("templates/linux/null/demo/env.pkr.hcl", 1)


def test_what_packer_has_to_be_asked_for(space: WorkspaceFolder) -> None:
    space.write("templates/linux/null/demo/env.pkr.hcl", ENV)
    space.write(
        "templates/linux/null/demo/more.pkr.hcl",
        'variable "odd" {\n  default   = [env("A"), unknown_function()]\n  sensitive = true\n}\n'
        'local "pw" {\n  expression = file("x")\n  sensitive  = true\n}\n'
        'local "marked" {\n  expression = "y"\n  sensitive  = var.from_env\n}\n'
        'local "open" {\n  expression = "x"\n  sensitive  = false\n}\nlocals {\n  other = local.pw\n}\n',
    )
    template = templates.load(space.null(), space.open())
    assert unknown_values(template, {}, {}) == ["local.pw", "local.marked", "var.odd"]
    assert unknown_values(template, {}, {"PKR_VAR_odd": "x"}) == ["local.pw", "local.marked"]
    assert unknown_values(template, {"odd": "given"}, {}) == ["local.pw", "local.marked"]


@pytest.mark.parametrize(
    ("expression", "made_of"),
    [
        ('"x-${uuidv4()}"', ["uuidv4()"]),
        ("[for x in [1] : bcrypt(timestamp())]", ["bcrypt()", "timestamp()"]),
        ("local.other", ["legacy_isotime()"]),
        ("var.hybridcore_build_time", ["var.hybridcore_build_time"]),
        ('upper(file("x"))', []),
    ],
)
def test_a_sensitive_local_that_changes_each_time_is_refused(
    space: WorkspaceFolder, expression: str, made_of: list[str]
) -> None:
    space.write(
        "templates/linux/null/demo/local.pkr.hcl",
        f'local "pw" {{\n  expression = {expression}\n  sensitive  = true\n}}\n'
        'locals {\n  other = local.more\n  more = [legacy_isotime("2006"), local.other]\n}\n',
    )
    faults = missing_secrets(templates.load(space.null(), space.open()), {}, {})
    assert [fault.message for fault in faults] == [
        f"the sensitive local 'pw' is made of {what}, so that nobody knows what to mask" for what in made_of
    ]
    assert all(fault.line == 1 and fault.hint for fault in faults)
