"""Overlay templates: what a placeholder becomes, and that a value cannot change the structure of a file."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridcore.config.entries import parse_hcl
from hybridcore.config.placeholders import Placeholders, as_hcl, facts
from hybridcore.errors import Fault

NO_NAME = "a placeholder is a plain name (write $${ for a literal ${)"
EVIL = 'a"\nb = "c ${var.x} %{ if true } \\ <<EOT\n# '


def fill(template: str, values: dict[str, Any], faults: list[Fault]) -> dict[str, Any]:
    text = as_hcl(template, "t.tmpl", faults)
    assert text.count("\n") == template.count("\n")
    entries = parse_hcl(text, "t.tmpl", faults, Placeholders(values, "t.tmpl", faults).value)
    return {name: entry.value for name, entry in (entries or {}).items()}


def read(template: str, **values: Any) -> dict[str, Any]:
    faults: list[Fault] = []
    found = fill(template, values, faults)
    assert faults == []
    return found


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


EDGES = [
    ('x = "${v}{5}"\n', "$", "${5}"),
    ('x = "${v}{5}"\n', "%", "%{5}"),
    ('x = "${v}{ if true }"\n', "%", "%{ if true }"),
    ('x = "${v}${v}"\n', "$", "$$"),
    ('x = "${v}${w}"\n', "$", "${5}"),
    ('x = "${v}$${5}"\n', "$", "$${5}"),
    ('x = "%${w}"\n', "", "%{5}"),
    ("x = <<E\n${v}{5}\nE\n", "$", "${5}\n"),
    ("x = <<E\n%${w}\nE\n", "", "%{5}\n"),
    ("x = <<E\n${v}\nE\n", "E", "E\n"),
    ("x = <<E\nE${v}\nE\n", "", "E\n"),
    ("x = <<E\n${v}\nE\n", "a\nE\nb = 1", "a\nE\nb = 1\n"),
    ("x = <<E\n${v}\nE\n", "a\r", "a\r\n"),
    ("x = <<E\n${v}\nE \n", "a", "a\n"),
    ("x = <<-E\n  ${v}\n    b\n  E\n", "  a", "  a\n  b\n"),
]


@pytest.mark.parametrize(("template", "value", "expected"), EDGES)
def test_a_value_and_the_text_beside_it_do_not_become_one(template: str, value: str, expected: str) -> None:
    assert read(template, v=value, w="{5}") == {"x": expected}


@pytest.mark.parametrize(
    "template",
    ["x = 1${v}\n", "x = ${v}${w}\n", "x = f${v}\n", "x = <<${v}\ntrue\n", "x = ${v}.a\n", "x = ${v}[0]\n",
     "${v} = 1\n", "${v} {\n}\n", 'x = "\\${v}"\n', "/* ${v}\nx = 1\n", "x = <<E\n${v}\n", 'x = "${v}\n'],
)  # fmt: skip
def test_what_is_wrong_without_values_is_wrong_with_every_value(template: str) -> None:
    values = [1, True, None, [], {"a": 1}, "a", '"', "E", "*/ y = 1 /*", '" y = 1 #', "\n", "n"]
    found = []
    for value in values:
        faults: list[Fault] = []
        entries = fill(template, {"v": value, "w": 2}, faults)
        assert faults, value
        found.append(sorted(entries))
    assert found == [found[0]] * len(values)


TEMPLATES = [
    'a = "${v}{1}%${v}$${v}"\nb = ${v}\n',
    'a = <<E\n${v}{1}\n  ${v}\nE\nb = [${v}, { ${v} = 1, "${v}" = ${v} }]\n',
    'a = "${v}" # ${v}\n/* ${v} */ b = <<-E\n  E${v}\n  E\n',
]


@given(st.sampled_from(TEMPLATES), st.text(st.sampled_from('$%{}"\\E\n\r *#/=[]aé'), max_size=8))
def test_no_value_changes_the_structure(template: str, value: str) -> None:
    assert list(read(template, v=value)) == ["a", "b"]


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
        (
            "x = <<E\n${v}\nE\n",
            {"v": {}},
            "t.tmpl:2: ${v}: expected a string, number or bool inside a string",
        ),
        (
            'x = "${var.v}"\n',
            {},
            "t.tmpl:1: ${var.v}: " + NO_NAME,
        ),
        (
            "x = [\n-${v}]\n",
            {"v": 1},
            "t.tmpl:2: x: " + NO_NAME,
        ),
        (
            'x = "${"${v}"}"\n',
            {"v": 1},
            "t.tmpl:1: x: " + NO_NAME,
        ),
        (
            "x = ${var.v}\n",
            {},
            "t.tmpl:1: ${var.v}: " + NO_NAME,
        ),
    ],
)
def test_faults_have_their_line(template: str, values: dict[str, Any], says: str) -> None:
    faults: list[Fault] = []
    fill(template, values, faults)
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
    fill('"' + "${" * 50_000, {}, [])
    fill("<<A\n" * 2_000, {}, [])


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_is_inert_in_a_string(value: str) -> None:
    assert read('x = "${v}"\n', v=value)["x"] == value
