"""Types, conversions and validations against Packer itself: we take what it takes, and nothing else."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from hybridcore import hcl
from hybridcore.config import generate_env_config, validate_schema
from hybridcore.errors import ConfigError
from tests.support.commands import to_its_end
from tests.support.tools import Tools
from tests.support.workspaces import WorkspaceFolder

pytestmark = pytest.mark.integration

BUILD = """
source "null" "demo" {
  communicator = "none"
}

build {
  sources = ["source.null.demo"]
}
"""
NUMBER = "type = number"
VALIDATED = """type = string
  default = null
  validation {{
    condition     = {condition}
    error_message = "Not like this, please."
  }}"""

# The inside of a variable block, and the value in a file of values; None for no value.
CASES = [
    *(
        (NUMBER, value)
        for value in (
            "5", '"5"', '"0x5"', "true", '"5x"', '" 5"', '"1e3"', '""', '"+5"', '"-5"', '"5."', '".5"', '"."',
            '"1_0"', '"inf"', '"Inf"', '"-inf"', '"infinity"', '"nan"', '"5e"', '"1p3"', '"1P3"', '"-0x1F"',
            '"0b1"', '"0o7"', '"007"', "null", "[]", "{}", '"1e+3"', '"1e999"', '"٥"', "2 + 3", '"5\\n"',
        )
    ),
    *(
        ("type = bool", value)
        for value in ("true", '"true"', '"false"', '"1"', '"0"', "1", "0", '"True"', '"yes"', '""', "null")
    ),
    *(("type = string", value) for value in ('"a"', "5", "1.5", "true", "null", "[]", "{}", '"${5}"')),
    *(
        ("type = list(string)", value)
        for value in ("[]", "[1, true, null]", "[[1]]", "{ a = 1 }", '"a"', "null", "[{}]")
    ),
    *(("type = set(number)", value) for value in ('["1", 1, 2]', '"a"', '["x"]', "{}")),
    *(
        ("type = map(number)", value)
        for value in ("{}", '{ a = "7" }', '{ a = "x" }', "{ a = {} }", "[1]", "{ a = null }", "{ a : 1 }")
    ),
    *(("type = tuple([string, number])", value) for value in ("[1, 2]", "[1]", "[1, 2, 3]", '["a", "b"]')),
    *(
        ("type = object({ a = string, b = number })", value)
        for value in (
            '{ a = 5, b = "6" }', "{ a = 5 }", "{ a = 5, b = 6, c = 7 }", "[5, 6]", "{ a = null, b = null }",
        )
    ),
    ("type = list(object({ a = string, b = bool }))", '[{ a = 1, b = "0" }, { a = 2, b = true, c = 1 }]'),
    ("type = list(object({ a = string, b = bool }))", "[{ a = 1 }]"),
    ("type = map(object({ a = string }))", "{ x = {} }"),
    ("type = list(list(number))", '[["1"], [2, 3]]'),
    ("type = list(list(number))", "[1]"),
    # Without a type, the default gives it.
    ("", "[1, {}]"),
    ("", None),
    ('default = ["a"]', '["b"]'),
    ('default = ["a"]', '["a", "b"]'),
    ('default = { a = "x" }', '{ a = "z", b = "y" }'),
    ('default = { a = "x" }', '{ b = "y" }'),
    ("default = null", "[1]"),
    ("default = 5", '"x"'),
    ("default = 5", '"7"'),
    ("default = false", '"1"'),
    ('default = env("HOME")', '"x"'),
    # The declaration itself.
    (NUMBER, None),
    ("type = number\n  default = 5", None),
    ('type = number\n  default = "abc"', None),
    ("type = string\n  default = 1 + 1", None),
    ('type = "string"', '"x"'),
    ("type = list", "[]"),
    ("type = map", "{}"),
    ("type = (string)", '"x"'),
    ("type = string()", '"x"'),
    ("type = list(string, number)", "[]"),
    ("type = tuple(string)", "[]"),
    ("type = tuple([\n    string,\n  ])", '["x"]'),
    ('type = object({ "a" = string })', "{ a = 1 }"),
    ("type = object({\n    a = string # one\n    b = number\n  })", "{ a = 1, b = 2 }"),
    ("type = strnig", '"x"'),
    # Files of values.
    (NUMBER, "var.x"),
    ("type = string", '"${var.x}"'),
]  # fmt: skip
VALIDATIONS = [
    *(
        (VALIDATED.format(condition=condition), value)
        for condition, values in {
            "length(var.x) > 2": ('"abc"', '"ab"', "123", '"äöü"'),
            'can(regex("^[a-z]+$", var.x))': ('"abc"', '"Abc"', '""', '"a\\nb"'),
            'contains(["a", "b"], var.x)': ('"a"', '"c"'),
            'var.x == "a" || var.x != "b" && true': ('"a"', '"b"', '"c"'),
            'var.x == null ? true : length(var.x) > 0': ("null", '""', '"a"'),
            'substr(var.x, 0, 2) == "ok"': ('"okay"', '"no"'),
            "length(var.x)": ('"abc"', '""'),
        }.items()
        for value in values
    ),
]  # fmt: skip


def packer_takes(packer: Path, *arguments: str | Path, cwd: Path) -> bool:
    done = to_its_end(
        [packer, "validate", *arguments, "."],
        cwd=cwd,
    )
    assert "panic" not in done.stdout
    return done.returncode == 0


def verdicts(packer: Path, inside: str, value: str | None, folder: WorkspaceFolder) -> tuple[bool, bool]:
    """What we say and what Packer says to a variable block and a value."""
    template = folder.write("t/t.pkr.hcl", f'variable "x" {{\n  {inside}\n}}\n{BUILD}')
    values = folder.write("t/v.pkrvars.hcl", "" if value is None else f"x = {value}\n")
    try:
        validate_schema([template, values], workspace=folder.open())
        ours = True
    except ConfigError:
        ours = False
    return ours, packer_takes(packer, f"-var-file={values}", cwd=template.parent)


@pytest.mark.parametrize(("inside", "value"), CASES)
def test_the_same_verdict_as_packer(
    inside: str, value: str | None, packer_debian: Path, make_workspace: Callable[..., WorkspaceFolder]
) -> None:
    ours, theirs = verdicts(packer_debian, inside, value, make_workspace())
    assert ours == theirs


# Packer 1.6.6 has no function regex.
@pytest.mark.parametrize(("inside", "value"), VALIDATIONS)
def test_validations_have_packers_meaning(
    inside: str, value: str, tools: Tools, make_workspace: Callable[..., WorkspaceFolder]
) -> None:
    ours, theirs = verdicts(tools.packer, inside, value, make_workspace())
    assert ours == theirs


# Packer 1.6.6 and 1.9.4 refuse these types ("an exact type is required"); newer ones, and our users, may not.
@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("any", "[1, {}]", None),
        ("list(any)", '[1, "a"]', '"a"'),
        ("object({ a = optional(number) })", "{}", '{ a = "x" }'),
    ],
)
def test_types_of_the_language_that_packer_does_not_know_yet(
    kind: str, good: str, bad: str | None, make_workspace: Callable[..., WorkspaceFolder], tmp_path: Path
) -> None:
    folder = make_workspace()
    template = tmp_path / "t.pkr.hcl"
    template.write_text(f'variable "x" {{\n  type = {kind}\n}}\n')
    values = tmp_path / "v.pkrvars.hcl"
    values.write_text(f"x = {good}\n")
    validate_schema([template, values], workspace=folder.open())
    if bad is not None:
        values.write_text(f"x = {bad}\n")
        with pytest.raises(ConfigError):
            validate_schema([template, values], workspace=folder.open())


def test_real_values_have_packers_verdict(
    corpus: Path, tools: Tools, make_workspace: Callable[..., WorkspaceFolder]
) -> None:
    """Every real template, alone and with a file of values beside it: what does not fit, bad declarations.

    `packer inspect` needs no plugins; it does not look for missing values, and secrets are our own rule.
    """
    workspace = make_workspace().open()
    ours_alone = ("found no value for", "a sensitive variable must not be given here")
    different = []
    for folder in sorted({path.parent for path in corpus.rglob("*.pkr.hcl")}):
        templates = sorted(folder.glob("*.pkr.hcl"))
        for values in [None, *sorted(folder.glob("*.pkrvars.hcl"))[:1]]:
            faults: list[str] = []
            try:
                validate_schema([*templates, *([values] if values else [])], workspace=workspace)
            except ConfigError as error:
                faults = [str(fault) for fault in error.faults]
            done = subprocess.run(
                [tools.packer, "inspect", *([f"-var-file={values}"] if values else []), folder],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
            said = done.stdout + done.stderr
            theirs = any(words in said for words in ("Invalid value for", "Invalid default", "Invalid type"))
            ours = any(not any(words in fault for words in ours_alone) for fault in faults)
            if ours != theirs:
                different.append((folder, values, faults, said))
    assert different == []


RICH = """
variable "text" {
  type = string
}
variable "map" {
  type = map(list(string))
}
variable "object" {
  type = object({ a = string, b = number, c = list(object({ d = bool })) })
}
variable "number" {
  type = number
}
variable "odd_number" {
  type = number
}
variable "token" {
  type      = string
  sensitive = true
}
variable "with_default" {
  default = ["a", 1]
}
"""
RICH_VALUES = r"""
text = "quote \" back \\ dollar $${x} percent %%{y} tab \t nul \u0000 ä 日本 \n line"
map = { "a b" = ["1", 2], "" = [], k = ["${"x"}"] }
object = { a = 5, b = "1e3", c = [{ d = "1" }] }
number = "12345678901234567890123456789012345678901234567890"
odd_number = "1p3"
for_others = 1
"""


def test_packer_takes_what_is_rendered_and_sees_the_same_values(
    any_packer: Path, make_workspace: Callable[..., WorkspaceFolder], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_workspace()
    folder.template("linux/null/demo", RICH + BUILD)
    overlay = folder.write("environments/dev/a.pkrvars.hcl", RICH_VALUES)
    result = generate_env_config({"env": "dev", "targets": ["linux/null/demo"]}, workspace=folder.open())
    path = Path(result["files"][0]["path"])
    assert hcl.loads(path.read_text(encoding="utf-8")).attributes["object"].value == {
        "a": "5",
        "b": 1000,
        "c": [{"d": True}],
    }
    monkeypatch.setenv("PKR_VAR_token", "secret")
    cwd = folder.root / "templates/linux/null/demo"

    def packer(*arguments: str | Path) -> str:
        done = to_its_end(
            [any_packer, *arguments],
            cwd=cwd,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    packer("fmt", "-check", "-diff", path)
    assert "Undefined variable" not in packer("validate", f"-var-file={path}", ".")
    overlay.write_text(RICH_VALUES.replace("for_others = 1\n", ""), encoding="utf-8")
    seen_from_overlay = packer("inspect", f"-var-file={overlay}", ".")
    assert packer("inspect", f"-var-file={path}", ".") == seen_from_overlay
