"""Where forms lie in a text: every place, however white space was changed, in linear time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridcore.process.search import Search, Span, merge


def spans(data: bytes, *texts: bytes, runs: tuple[bytes, ...] = ()) -> list[Span]:
    return sorted(set(Search(texts, runs).spans(data)))


def test_nothing_is_found_without_a_form() -> None:
    search = Search([], [])
    assert not search.may_be_in(b"anything at all")
    assert list(search.spans(b"anything at all")) == []
    assert search.longest == 0


@given(st.lists(st.text("abc", min_size=4, max_size=9), min_size=1, max_size=9), st.text("abc ", max_size=60))
def test_every_place_is_found_of_words_that_overlap(words: list[str], text: str) -> None:
    forms, data = [word.encode() for word in words], text.encode()
    wanted = {(at, at + len(form)) for form in forms for at in range(len(data)) if data.startswith(form, at)}
    search = Search(forms, [])
    assert set(search.spans(data)) == wanted
    assert search.may_be_in(data) or not wanted


@pytest.mark.parametrize("blank", [b" ", b"\n", b"\t", b"  \r\n ", b"\\n", b"\\r\\n  ", b" " * 64])
def test_white_space_between_words_may_be_any(blank: bytes) -> None:
    data = b"a correct" + blank + b"horse b"
    assert spans(data, b"correct horse") == [(2, len(data) - 2)]


@pytest.mark.parametrize("between", [b"", b"-", b" " * 65, b"\\t" * 33])
def test_what_stands_between_words_must_be_white_space_and_not_endless(between: bytes) -> None:
    assert spans(b"a correct" + between + b"horse b", b"correct horse") == []


def test_the_key_may_lie_in_any_word() -> None:
    # The rare letters are in the last word, so that the others are compared backwards.
    assert spans(b"to a see\n on  ZQXJ!", b"a see on ZQXJ") == [(3, 18)]
    assert spans(b"to a sea\n on  ZQXJ!", b"a see on ZQXJ") == []
    assert spans(b"see on ZQXJ!", b"a see on ZQXJ") == []


def test_the_blanks_of_a_secret_are_masked_with_it_but_no_more_and_no_end_of_a_line() -> None:
    assert spans(b"x    word    y", b"  word ") == [(3, 10)]
    assert spans(b"x\n\nword\ny", b"  word ") == [(3, 7)]
    assert spans(b"x\\nword\\ny", b"  word  ") == [(1, 9)]


def test_of_two_forms_that_differ_in_their_blanks_the_wider_counts() -> None:
    assert spans(b"x  word  y", b" word", b"word  ") == [(2, 9)]


def test_a_form_of_hardly_any_words_counts_with_its_white_space() -> None:
    assert spans(b"a b  c; a b c", b"a b  c") == [(0, 6)]


@pytest.mark.parametrize(
    ("data", "span"),
    [
        (b"..abcdefgh..", (2, 10)),
        (b"zzabcdefghzz", (1, 11)),
        (b"abcdefgh==", (0, 10)),
        (b"'abcdefghX='", (1, 11)),
    ],
)
def test_the_neighbours_of_a_run_of_base64_hold_bits_of_it_too(data: bytes, span: Span) -> None:
    assert spans(data, runs=(b"abcdefgh",)) == [span]


@pytest.mark.parametrize(
    ("shown", "start"),
    [
        (b"see correct hor", 4),
        (b"see correct", 4),
        (b"see corr", 4),
        (b"see cor", None),
        (b"see correct cow", None),
    ],
)
def test_the_start_of_a_form_that_was_cut_off(shown: bytes, start: int | None) -> None:
    found = list(Search([b"correct horse battery"], []).starts(shown + b" ... more", len(shown)))
    assert found == ([] if start is None else [(start, len(shown))])


@pytest.mark.parametrize(
    ("found", "joined"),
    [
        ([], []),
        ([(5, 7), (0, 2)], [(0, 2), (5, 7)]),
        ([(0, 2), (2, 4)], [(0, 4)]),
        ([(0, 9), (2, 4), (3, 5)], [(0, 9)]),
        ([(0, 3), (2, 5), (4, 6)], [(0, 6)]),
    ],
)
def test_spans_that_overlap_or_touch_are_one(found: list[Span], joined: list[Span]) -> None:
    assert merge(found) == joined


def test_the_longest_counts_the_white_space_that_may_stand_between() -> None:
    assert Search([b"abcd", b"two words"], []).longest == len(b"twowords") + 64


def test_a_form_of_nothing_but_frequent_words_is_found_too() -> None:
    assert spans(b"x <sensitive> y", b"<sensitive>") == [(2, 13)]


def test_a_start_of_fewer_than_four_bytes_tells_too_little() -> None:
    search = Search([b"co ho ba"], [])
    assert list(search.starts(b"see co", 6)) == []
    assert list(search.starts(b"see co h", 8)) == [(4, 8)]
