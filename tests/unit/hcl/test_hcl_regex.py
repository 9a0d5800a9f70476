"""Patterns of RE2 as Python reads them, in bounded time, and those that are left to Packer."""

from __future__ import annotations

import contextlib
from unittest.mock import ANY

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridcore import hcl
from hybridcore.hcl.regex import UnknownPattern, translate


@pytest.mark.parametrize(
    "pattern",
    [
        "x**", "x*+", "(?=x)", "(x", "x)", "[x", "*x", "(?i)é", "(?:x(?m))", "[b-a]", "x{2,1}", "x{1001}",
        "x{99999}", "(|x)*", "(?P=x)", r"(x)\1", r"\x41", r"\Qx", "[[:nothing:]]", r"[\S]", "(?#x)",
    ],
)  # fmt: skip
def test_patterns_that_python_reads_otherwise_are_left_to_packer(pattern: str) -> None:
    with pytest.raises(hcl.NotEvaluable, match="the pattern is left to Packer"):
        hcl.evaluate("can(regex(var.pattern, var.s))", {"var": {"pattern": pattern, "s": "x"}})


@pytest.mark.parametrize(
    ("pattern", "length"),
    [
        ("(a+)+$", 200),
        ("(a|a)*b", 200),
        ("(.*)*(.*)*x", 200),
        ("(a|aa)+$", 100),
        ("a*a*a*a*a*a*b", 100),
        ("(a?a?a?){20}b", 60),
        ("(a{1,30}){1,30}b", 900),
        ("(x|a){1,40}(x|a){1,40}b", 80),
        ("((((a+b?)+)+)+)+c", 40),
        ("(a{1,31}){1,33}", 0),
    ],
)
def test_a_pattern_that_could_take_too_long_is_left_to_packer(pattern: str, length: int) -> None:
    # A backtracking matcher would still be busy when the universe ends.
    with pytest.raises(hcl.NotEvaluable, match="the pattern is left to Packer"):
        hcl.evaluate(f'regex("{pattern}", var.s)', {"var": {"s": "a" * length + "!"}})


@pytest.mark.parametrize(
    ("pattern", "length"),
    [("a*b", 280), ("a*a*b", 65), ("(a|a){1,11}b", 60), ("(?:a|a|a)*b", 9), ("a{3,}b", 280)],
)
def test_a_pattern_that_takes_much_work_but_not_too_much_is_matched(pattern: str, length: int) -> None:
    scope = {"var": {"s": "a" * length}}
    assert hcl.evaluate(f'can(regex("{pattern}", var.s))', scope) is False
    assert hcl.evaluate(f'regexall("{pattern}", var.s)', scope) == []


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("", "x", ""),
        ("a|b|", "c", ""),
        ("(?:ab)+", "xababx", "abab"),
        ("^b", "a\nb", None),
        ("(?m)^b$", "a\nb\n", "b"),
        ("(?m:^b)", "a\nb", "b"),
        ("a$", "a\n", None),  # Python's own $ matches before a line end at the end
        (r"a\z", "a", "a"),
        (r"\Aa", "ba", None),
        (".", "\n", None),
        ("(?s).", "\n", "\n"),
        ("(?i)A", "a", "a"),
        (r"\s", "\v", None),  # RE2's \s has no vertical tab
        (r"\S", "\v", "\v"),
        (r"\d", "٣", None),  # ASCII alone
        (r"\w", "é", None),
        ("[[:punct:]]", "a~", "~"),
        ("[[:word:]]+", "-a_1-", "a_1"),
        ("[^a-c]", "abcd", "d"),
        (r"[\n\-]", "-", "-"),
        ("[]a]", "]", "]"),
        ("a{2,3}?", "aaa", "aa"),
        ("{", "{", "{"),
        ("x{a}", "x{a}", "x{a}"),
        ("(?P<n>a)(?P<m>b)", "ab", "ab"),
    ],
)
def test_patterns_find_what_re2_finds(pattern: str, text: str, found: str | None) -> None:
    match = translate(pattern, text).search(text)
    assert (match and match[0]) == found


def test_the_work_is_counted_on_the_text_that_is_given() -> None:
    assert translate("a*a*b", "a" * 10)
    with pytest.raises(UnknownPattern, match="could take too long"):
        translate("a*a*b", "a" * 1000)


def test_deep_patterns_are_refused_and_do_not_crash() -> None:
    with pytest.raises(UnknownPattern, match="nested too deep"):
        translate("(" * 10_000, "")


@settings(max_examples=150, deadline=None)
@given(st.text(alphabet=r"ab()[]{}*+?|^$.\dsWzAb:?PimsM<>-1,2", max_size=20), st.text("ab\n -1", max_size=8))
def test_any_pattern_is_translated_or_refused_by_name(pattern: str, text: str) -> None:
    with contextlib.suppress(UnknownPattern):
        assert translate(pattern, text).search(text) in (None, ANY)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=12), st.text(max_size=3))
def test_an_escaped_text_finds_itself(text: str, before: str) -> None:
    pattern = "".join(f"\\{c}" if c.isascii() and c.isprintable() and not c.isalnum() else c for c in text)
    assert translate(pattern, before + text).search(before + text)[0] == text  # type: ignore[index]
