"""Overlay templates: what a placeholder becomes, and that a value cannot change the structure of a file."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridcore import hcl
from hybridcore.config.placeholders import facts, fill
from hybridcore.errors import Fault

EVIL = 'a"\nb = "c ${var.x} %{ if true } \\ <<EOT\n# '


def read(template: str, **values: Any) -> dict[str, Any]:
    faults: list[Fault] = []
    text, _ = fill(template, values, "t.tmpl", faults)
    assert faults == []
    assert text.count("\n") == template.count("\n")
    return {name: attribute.value for name, attribute in hcl.loads(text).attributes.items()}


@pytest.mark.parametrize(
    "value",
    [
        "plain", EVIL, "", 5, 1.5, True, None, [], {}, [1, "a", None, [True]],
        {"a": {"b c": [EVIL]}}, "ä\u2028\x00\x1f", 10**40,
    ],
)  # fmt: skip
def test_outside_of_a_string_any_value_comes_back_as_it_was(value: Any) -> None:
    assert read("x = ${v}\ny = 1\n", v=value) == {"x": value, "y": 1}


@pytest.mark.parametrize("value", ["plain", EVIL, "", "ä"])
def test_inside_a_string_a_text_comes_back_as_it_was(value: str) -> None:
    assert read('x = "<${v}>"\n', v=value) == {"x": f"<{value}>"}


@pytest.mark.parametrize(("value", "text"), [(5, "5"), (True, "true"), (1.5, "1.5")])
def test_inside_a_string_numbers_and_bools_become_text(value: Any, text: str) -> None:
    assert read('x = "<${ v }>"\n', v=value) == {"x": f"<{text}>"}


def test_in_a_heredoc() -> None:
    assert read('x = <<EOT\nhost "${v}"\nEOT\n', v='a"${b}\\') == {"x": 'host "a"${b}\\"\n'}


def test_what_is_no_placeholder_stays() -> None:
    assert read('# ${no} "\nx = "$${v} # ${v}" // ${no}\n/* ${no}\n*/ y = "\\"${v}"\n', v="1") == {
        "x": "${v} # 1",
        "y": '"1',
    }


@pytest.mark.parametrize(
    ("template", "values", "says"),
    [
        (
            "\nx = ${v}\n",
            {"w": 1},
            "t.tmpl:2: ${v}: there is no value for it (give it in vars; there are: w)",
        ),
        ('x = "${v}"\n', {"v": [1]}, "t.tmpl:1: ${v}: expected a string, number or bool inside a string"),
        ("x = <<E\n${v}\nE\n", {"v": "a\nE\n"}, "t.tmpl:2: ${v}: expected one line of text inside a heredoc"),
        (
            "x = ${var.v}\n",
            {},
            "t.tmpl:1: ${var.v}: a placeholder is a plain name (write $${ for a literal ${)",
        ),
    ],
)
def test_faults_have_their_line(template: str, values: dict[str, Any], says: str) -> None:
    faults: list[Fault] = []
    fill(template, values, "t.tmpl", faults)
    assert [str(fault) for fault in faults] == [says]


def test_the_facts_that_every_template_may_use() -> None:
    assert facts("linux/qemu/debian-12", "dev") == {
        "target": "linux/qemu/debian-12",
        "os": "linux",
        "platform": "qemu",
        "name": "debian-12",
        "env": "dev",
    }


def test_hostile_text_takes_no_exponential_time() -> None:
    fill('"' + "${" * 50_000, {}, "t", [])
    fill("<<A\n" * 2_000, {}, "t", [])


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_is_inert_in_a_string(value: str) -> None:
    assert read('x = "${v}"\n', v=value)["x"] == value
