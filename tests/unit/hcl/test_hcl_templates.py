"""The inside of strings: escapes, markers that strip, the indentation of heredocs."""

from __future__ import annotations

import pytest

from hybridcore import hcl
from hybridcore.hcl.nodes import Conditional, For, Join, Literal, Template, Variable
from hybridcore.hcl.templates import Interpolation, Text, assemble, heredoc_texts, quoted_text

SCOPE = {"a": "A", "n": 5, "yes": True, "no": False, "l": ["x", "y"], "m": {"k": "v"}}


def text(expression: str) -> object:
    return hcl.evaluate(expression, SCOPE)


@pytest.mark.parametrize(
    ("raw", "decoded", "end"),
    [
        ('x"', "x", 1),
        (r"\n\r\t\"\\" + '"', '\n\r\t"\\', 10),
        (r"\u00e9\U0001F600" + '"', "é😀", 16),
        ("$${a} %%{b}" + '"', "${a} %{b}", 11),
        ("$ % {", "$ % {", 5),
        ("$$$${x", "$$${x", 6),
        ("a${b", "a", 1),  # up to the next sequence
        ("a%{b", "a", 1),
        ("", "", 0),
    ],
)
def test_quoted_text(raw: str, decoded: str, end: int) -> None:
    assert quoted_text(raw, 0) == (decoded, end)


def test_the_text_of_a_heredoc_comes_in_runs_of_first_middle_and_last_lines() -> None:
    source = "a\nb\nc\n  d"
    assert heredoc_texts(source, 0, len(source)) == [(0, "a\n"), (2, "b\nc\n"), (6, "  d")]
    assert heredoc_texts("only", 1, 4) == [(1, "nly")]
    assert heredoc_texts("x $${y}", 0, 7) == [(0, "x ${y}")]
    assert heredoc_texts("x", 1, 1) == []


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('"x ${~ a ~} y"', "xAy"),
        ('"x ${~ a } y"', "xA y"),
        ('"%{ if yes ~}  x  %{~ else ~} y %{ endif }"', "x"),
        ('"%{ if no }x%{ endif }."', "."),
        ('"%{ for i, v in l }${i}${v}%{ endfor }"', "0x1y"),
        ('"%{ for k, v in m }${k}=${v}%{ endfor }"', "k=v"),
        ('"%{ for v in l }%{ if v == "x" }1%{ else }2%{ endif }%{ endfor }"', "12"),
        ('"${n}"', 5),  # alone, a value keeps its type
        ('"${n} "', "5 "),
        # As Terraform's and Packer's documentation of "<<-" has it: what all lines share goes.
        ("<<-E\n    a\n      b\n    E\n", "a\n  b\n"),
        ("<<-E\n  a\n b\n  E\n", " a\nb\n"),
        ("<<-E\n    a\n\n    b\n    E\n", "a\n\nb\n"),  # blank lines do not count
        ("<<-E\n    ${a}\n      x\n  E\n", "A\n  x\n"),
        ("<<-E\n  ${a}  b\n    ${n}\n  E\n", "A  b\n  5\n"),
        ("<<-E\n${a}\n  x\n  E\n", "A\n  x\n"),
        ("<<E\n  a\nE\n", "  a\n"),
        ("<<E\nE\n", ""),
        # "~" takes the white space up to and with one line end, and nothing of the next line.
        ("<<E\na ${~ n ~}\n  b\nE\n", "a5  b\n"),
        ("<<E\n%{ for v in l ~}\n${v}\n%{ endfor ~}\nE\n", "x\ny\n"),
    ],
)
def test_strings(expression: str, expected: object) -> None:
    assert text(expression) == expected


def test_a_string_without_sequences_is_a_literal() -> None:
    node = assemble([Text(1, 1, "a"), Text(1, 2, "b")], (1, 1), flush=False)
    assert node == Literal(1, 1, "ab")
    assert assemble([], (1, 1), flush=True) == Literal(1, 1, "")


def test_an_interpolation_alone_is_what_it_holds() -> None:
    inner = Variable(1, 4, "a")
    piece = Interpolation(inner, strip_left=False, strip_right=False)
    assert assemble([piece], (1, 1), flush=False) is inner
    assert isinstance(assemble([piece, Text(1, 9, " ")], (1, 1), flush=False), Template)


def test_directives_become_nodes() -> None:
    node = hcl.parse_expression('"%{ for k, v in l }x%{ endfor }%{ if yes }1%{ endif }"')
    assert isinstance(node, Template)
    loop, choice = node.parts
    assert isinstance(loop, Join)
    assert isinstance(loop.items, For)
    assert (loop.items.key_name, loop.items.value_name) == ("k", "v")
    assert isinstance(choice, Conditional)
    assert choice.no == Template(1, 32, ())
