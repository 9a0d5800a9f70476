"""The form of a variable block; the faults that a user gets of it are in test_config_values.py."""

from __future__ import annotations

import pytest

from hybridcore import hcl
from hybridcore.templates.variable_blocks import comes_from_env, default_faults, faults_of


def faults(*lines: str, name: str = "x") -> list[str]:
    text = f'variable "{name}" {{\n' + "".join(f"{line}\n" for line in lines) + "}\n"
    return [str(fault) for fault in faults_of(hcl.loads(text).blocks[0], "f.pkr.hcl")]


def default(expression: str) -> hcl.Attribute:
    return hcl.loads(f"\n\nx = {expression}\n").attributes["x"]


@pytest.mark.parametrize("name", ["x", "größe", "a-b_1", "_a"])
def test_names_of_variables(name: str) -> None:
    assert faults("default = 1", name=name) == []


@pytest.mark.parametrize("name", ["1x", "a b", "a.b", "-a", ""])
def test_names_that_no_variable_has(name: str) -> None:
    (fault,) = faults("default = 1", name=name)
    assert fault.startswith(f"f.pkr.hcl:1: {name!r} cannot be the name of a variable")


def test_all_faults_of_a_block_are_found_with_their_lines() -> None:
    found = faults(
        "typ = string",
        "description = [1]",
        'sensitive = "maybe"',
        "default = upper(var.y)",
        "other {}",
        "validation {",
        "condition = var.y > 1",
        'error_message = "no"',
        "inner {}",
        "}",
    )
    assert [fault.split(":")[1] for fault in found] == ["2", "3", "4", "5", "6", "10", "8", "9"]
    assert found[0].endswith("there is no argument 'typ' (did you mean type?)")


@pytest.mark.parametrize(
    ("expression", "wrong"),
    [
        ("1", ""),
        ("null", ""),
        ("1 + 1", ""),
        ('env("A")', ""),
        ('"${env("A")}/b"', ""),
        ('[env("A"), { b = env("C") }]', ""),
        ('env("A") == "x" ? upper(var.y) : 1', ""),  # an error in what is not chosen is none
        ("env()", "cannot use env()"),
        ('env("A", "B")', "cannot use env()"),
        ("env(var.names...)", "cannot use env()"),
        ('lower(env("A"))', "cannot use lower()"),
        ("[var.y]", "cannot use var.y"),
        ("local.y", "cannot use local.y"),
        ("1 + true", "cannot be computed: a number is required"),
        ("[1][2]", "cannot be computed: there is no element 2"),
    ],
)
def test_what_a_default_may_use(expression: str, wrong: str) -> None:
    found = [str(fault) for fault in default_faults("x", default(expression), "f")]
    assert [text.startswith(f"f:3: x: the default {wrong}") for text in found] == ([True] if wrong else [])


@pytest.mark.parametrize(
    ("expression", "all_of_it"),
    [
        ('env("A")', True),
        ('"a"', True),
        ('"a-${env("A")}-${env("B")}"', True),
        ('[env("A")]', False),
        ('env("A") + 1', False),
        ('lower(env("A"))', False),
        ("env(var.x)", False),
    ],
)
def test_defaults_that_are_text_of_the_environment(expression: str, all_of_it: bool) -> None:
    assert comes_from_env(default(expression)) is all_of_it


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("A name.", True),
        ("Why? ", True),
        ("1 is no name!", True),
        ("Ärgerlich.", True),
        ("a name.", False),
        ("A name", False),
        (" ", False),
        ("ß.", False),
    ],
)
def test_sentences(text: str, sentence: bool) -> None:
    found = faults("validation {", "condition = var.x > 1", f'error_message = "{text}"', "}")
    assert [": x: error_message must be a sentence" in fault for fault in found] == (
        [] if sentence else [True]
    )
