"""Where an expression ends, and that what is skimmed over is what the tree is made of."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridcore.errors import HclError
from hybridcore.hcl.expressions import build
from hybridcore.hcl.lexer import MAX_DEPTH, Document
from hybridcore.hcl.nodes import walk
from hybridcore.hcl.syntax import Skimmer


def end(text: str, offset: int = 0) -> int:
    return Skimmer(Document(text, "f")).skim(offset)


# Expressions of every kind; each is whole, wherever it stands.
WHOLE = [
    "a",
    "-1.5e3",
    '"x"',
    '"${a}%{ if b }c%{ else }d%{ endif }%{~ for e in f ~}g%{ endfor }"',
    "<<E\nx ${a} $${b}\nE",
    "<<-E\n  x\n  E",
    "a.b[0].*.c[*].d.0",
    "f(a, b...)",
    "f([a], (b), c)",
    "[1, a, [b],]",
    "{ a = 1, b : 2\n c = 3 }",
    "[for a, b in c : d if e]",
    "{for a in b : c => d...}",
    "a ? b : c",
    "(\n a\n+\nb )",
    "a && !b || c >= -d % 2",
    "{}",
    "[]",
    "größe",
    "f (a)",
]


@pytest.mark.parametrize("expression", WHOLE)
@pytest.mark.parametrize("after", ["\n", " # c\n", " }", ", 1", "]", ""])
def test_an_expression_ends_before_what_does_not_belong_to_it(expression: str, after: str) -> None:
    if expression.startswith("<<"):
        after = f"\n{after}"  # the closing word stands alone in its line
    assert end(expression + after) == len(expression)


@settings(max_examples=100, deadline=None)
@given(st.recursive(
    st.sampled_from(["a", "1", '"s"', "a.b[0]", '"${a}"']),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "&&", "==", "<", "%"]), inner).map(" ".join),
        st.lists(inner, max_size=3).map(lambda parts: f"[{', '.join(parts)}]"),
        st.lists(inner, max_size=2).map(lambda parts: f"f({', '.join(parts)})"),
        inner.map(lambda part: f"{{ k = {part} }}"),
        inner.map(lambda part: f'"x${{{part}}}y"'),
        inner.map(lambda part: f"(\n{part}\n)"),
        st.tuples(inner, inner, inner).map(lambda parts: "{} ? {} : {}".format(*parts)),
        inner.map(lambda part: f"[for k, v in {part} : v if k]"),
        inner.map(lambda part: f"!{part}"),
    ),
    max_leaves=8,
))  # fmt: skip
def test_what_is_skimmed_over_makes_a_tree(expression: str) -> None:
    text = f"{expression}\nrest"
    document = Document(text, "f")
    assert Skimmer(document).skim(0) == len(expression)
    nodes = list(walk(build(document, 0, len(expression))))
    assert all((node.line, node.column) <= document.position(len(expression)) for node in nodes)


@pytest.mark.parametrize(
    ("text", "line", "column", "says"),
    [
        ("", 1, 1, "expected a value, found the end of the file"),
        (")", 1, 1, 'expected a value, found ")"'),
        ("a +", 1, 4, "expected a value"),
        ("(a\nb)", 2, 1, 'expected ")", found "b"'),
        ("[a b]", 1, 4, 'expected "," or "]", found "b"'),
        ("[a\n", 2, 1, "line 1 opens what is not closed"),
        ("f(a... b)", 1, 8, 'expected ")" after "..."'),
        ("{ a 1 }", 1, 5, 'expected "=" or ":" after the key'),
        ("{ a = 1 b = 2 }", 1, 9, 'expected a line end, "," or "}" after the value'),
        ("[for in b : c]", 1, 9, '"in" and the collection'),
        ("[for a in b c]", 1, 13, 'expected ":" after the collection'),
        ("[for a in b : c => d]", 1, 17, 'expected the end of "for"'),
        ("{for a in b : c}", 1, 16, 'expected "=>" and a value'),
        ("a[*", 1, 4, 'expected "]" after "[*"'),
        ("a.", 1, 3, "expected the name of an attribute after the dot"),
        ("a.b.*.", 1, 7, "expected the name of an attribute after the dot"),
        ('"a\n"', 1, 3, "expected the closing quote of the string on the same line"),
        ('"\\q"', 1, 2, "expected an escape"),
        ('"%{ endif }"', 1, 5, "a directive that fits here"),
        ('"%{ for a in b }"', 1, 17, 'expected "%{ endfor }" before the end of the string'),
        ('"%{ if a b }"', 1, 10, 'expected "}" to close "%{"'),
        ("<<E x\nE\n", 1, 1, "a heredoc begins with"),
        ("<<E\nx\n", 3, 1, 'expected a line with only "E" to close the heredoc of line 1'),
        ("<<E\n\udc80\nE\n", 2, 1, "expected text, found bytes that are not UTF-8"),
    ],
)
def test_faults_have_their_place(text: str, line: int, column: int, says: str) -> None:
    with pytest.raises(HclError) as caught:
        end(text)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert says in caught.value.message


def test_blocks_around_an_expression_count_for_its_depth() -> None:
    skimmer = Skimmer(Document("[[1]]", "f"))
    assert skimmer.skim(0, MAX_DEPTH - 3) == 5
    with pytest.raises(HclError, match="levels deep"):
        skimmer.skim(0, MAX_DEPTH - 2)


def test_what_is_closed_counts_no_more() -> None:
    text = "[" + "[-(1), f(1)], " * MAX_DEPTH + "]"
    assert end(text) == len(text)


def test_a_fault_leaves_nothing_behind_for_the_next_expression() -> None:
    skimmer = Skimmer(Document("---\n[1]", "f"))
    with pytest.raises(HclError):
        skimmer.skim(0)
    assert skimmer.skim(4, MAX_DEPTH - 2) == 7
