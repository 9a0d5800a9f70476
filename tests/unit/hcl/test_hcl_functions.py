"""Packer's functions at their edges; random calls against Packer itself are in tests/fuzz/."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridcore.hcl.functions import FUNCTIONS
from hybridcore.hcl.values import NotEvaluable, Refused, SetOf

words = st.text(alphabet="ab-_ ", max_size=8)


def call(name: str, *arguments: object) -> object:
    return FUNCTIONS[name](*arguments)


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("abs", ("-5",), 5),
        ("ceil", ("1.2",), 2),
        ("floor", (Decimal("-1.2"),), -2),
        ("coalesce", (None, "", "a", "b"), "a"),
        ("coalesce", (0, 1), 0),  # only null and the empty text are passed over
        ("concat", ([1], [], [2]), [1, 2]),
        ("contains", ([1, "1"], "1"), True),
        ("contains", ([1], "1"), False),
        ("contains", (SetOf((1, 2)), 2), True),
        ("distinct", ([1, 1, 2],), [1, 2]),
        ("element", ([1, 2, 3], 4), 2),
        ("flatten", ([[1, [2]], [], 3],), [1, 2, 3]),
        ("format", ("%s-%d-%v%%", "a", "7", True), "a-7-true%"),
        ("format", ("%v %v %v", 0, 999999, Decimal("0.0001")), "0 999999 0.0001"),
        ("format", ("%v %s", 1000000, 1000000), "1e+06 1000000"),
        ("format", ("%v", Decimal("-12345678.5")), "-1.23456785e+07"),
        ("format", ("%v", Decimal("-1e-400")), "-1e-400"),
        ("format", ("%v", "1000000"), "1000000"),
        ("join", (",", ["a", 1], [True]), "a,1,true"),
        ("keys", ({"b": 1, "a": 2},), ["a", "b"]),
        ("values", ({"b": 1, "a": 2},), [2, 1]),
        ("length", ("",), 0),
        ("length", ("äö",), 2),
        ("length", (SetOf((1,)),), 1),
        ("lookup", ({"a": 1}, "a"), 1),
        ("lookup", ({}, "a", "d"), "d"),
        ("merge", ({"a": 1}, None, {"a": 2}), {"a": 2}),
        ("merge", (), {}),
        ("max", (1, "3", 2), 3),
        ("min", (Decimal("0.5"), 1), Decimal("0.5")),
        ("replace", ("a.b.c", ".", ""), "abc"),
        ("replace", ("a/b", "/", "-"), "a-b"),  # one slash is no pattern
        ("split", ("", "abc"), ["a", "b", "c"]),
        ("split", (",", ""), [""]),
        ("substr", ("hello", 1, -1), "ello"),
        ("substr", ("hello", -2, 5), "lo"),
        ("substr", ("hello", 9, 1), ""),
        ("trim", ("xaxbx", "x"), "axb"),
        ("trim", ("  a", ""), "  a"),
        ("trimprefix", ("aab", "a"), "ab"),
        ("trimsuffix", ("abb", "b"), "ab"),
        ("trimspace", ("\u2003 a\r\n",), "a"),
        ("upper", ("ǆß",), "Ǆß"),  # ß would be two letters
        ("base64encode", ("",), ""),
        ("regex", ("(a)(?P<n>b)?", "a"), Refused),
        ("regexall", ("a", "aXa"), ["a", "a"]),
        ("regexall", ("a", "aab"), ["a", "a"]),
        ("regexall", ("", "ab"), ["", "", ""]),
        ("regexall", ("x*", "axb"), ["", "x", ""]),
    ],
)
def test_results(name: str, arguments: tuple[object, ...], expected: object) -> None:
    if expected is Refused:
        with pytest.raises(Refused):
            call(name, *arguments)
    else:
        found = call(name, *arguments)
        assert found == expected
        assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("name", "arguments", "says"),
    [
        ("abs", ("x",), "a number is required"),
        ("coalesce", (None, ""), "no value is set"),
        ("concat", ("a",), "a list is required"),
        ("contains", ([1], None), "a value is required, not null"),
        ("element", ([], 0), "there is no such element"),
        ("element", ([1], -1), "there is no such element"),
        ("element", ([1], Decimal("0.5")), "a whole number is required"),
        ("format", ("%s",), "too few values"),
        ("format", ("x", 1), "too many values"),
        ("format", ("%d", "x"), "a number is required"),
        ("keys", ([],), "a map is required"),
        ("length", (5,), "a string, list or map is required"),
        ("lookup", ({}, "a"), 'there is no "a"'),
        ("max", (), "a number is required"),
        ("regex", ("b", "a"), "does not match"),
        ("substr", ("a", -2, 1), "before the text"),
        ("upper", ([],), "a string is required"),
    ],
)
def test_what_is_wrong_in_packer_too_is_refused(name: str, arguments: tuple[object, ...], says: str) -> None:
    with pytest.raises(Refused, match=says):
        call(name, *arguments)


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("join", (",", SetOf(("a", "b")))),
        ("flatten", ([SetOf((1,))],)),
        ("distinct", ([1, "1"],)),
        ("distinct", (list(range(1002)),)),
        ("coalesce", ("a", 1)),
        ("ceil", (2**53 + 1,)),
        ("floor", (Decimal("1e-200"),)),
        ("format", ("%x", 1)),
        ("format", ("%5s", "a")),
        ("format", ("%s", [1])),
        ("format", ("%d", Decimal("1.5"))),
        ("format", ("%v", 2**600)),
        ("length", ("e\u0301\u0308",)),
        ("length", ("👨‍👩‍👧",)),
        ("length", ("\r\n",)),
        ("length", ("🇩🇪",)),
        ("split", ("", "n\u0303")),
        ("replace", ("abc", "/b/", "x")),
        ("replace", ("abc", "", "x")),
        ("regex", ("(?=a)", "a")),
    ],
)
def test_what_packer_may_give_otherwise_is_left_to_it(name: str, arguments: tuple[object, ...]) -> None:
    with pytest.raises(NotEvaluable):
        call(name, *arguments)


@given(words, st.sampled_from("ab-_ "))
def test_join_takes_back_what_split_did(text: str, separator: str) -> None:
    assert call("join", separator, call("split", separator, text)) == text


@given(words, words)
def test_a_prefix_that_was_put_before_is_taken_away(text: str, prefix: str) -> None:
    assert call("trimprefix", prefix + text, prefix) == text
    assert call("trimsuffix", text + prefix, prefix) == text


@given(st.lists(st.integers(), max_size=6), st.integers(0, 20))
def test_elements_go_round(items: list[int], index: int) -> None:
    if items:
        assert call("element", items, index) == (items * (index + 1))[index]
    assert call("distinct", items) == list(dict.fromkeys(items))
