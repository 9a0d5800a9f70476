"""Letters, words and places of a text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridcore.hcl.lexer import Document, end_of_line, is_number_text, name_at, skip


@given(st.text(alphabet="ab\n\r\ufeffé", max_size=30), st.integers(0, 30))
def test_positions_are_counted_as_a_reader_counts(text: str, offset: int) -> None:
    document = Document(text, "f")
    before = document.text[: min(offset, len(document.text))]
    line, column = document.position(len(before))
    assert line == before.count("\n") + 1
    assert column == len(before.rpartition("\n")[2]) + 1


def test_a_byte_order_mark_is_no_character_of_the_text() -> None:
    assert Document("\ufeffa", "f").text == "a"
    assert Document("a\ufeff", "f").text == "a\ufeff"


@pytest.mark.parametrize(
    ("text", "offset", "words"),
    [
        ("abc", 3, "the end of the file"),
        ("a\nb", 1, "the end of the line"),
        ("a\r\nb", 1, "the end of the line"),
        ("a\rb", 1, "a carriage return without line feed"),
        ("\udc80", 0, "bytes that are not UTF-8"),
        ("x-1 y", 0, '"x-1"'),
        ("x" * 99, 0, f'"{"x" * 40}"'),
        ("größe", 0, '"größe"'),
        ("+", 0, '"+"'),
        ("\x00", 0, "the character U+0000"),
        ("\u200b", 0, "the character U+200B"),
    ],
)
def test_a_character_in_words(text: str, offset: int, words: str) -> None:
    assert Document(text, "f").found(offset) == words


@pytest.mark.parametrize(
    ("text", "offset", "line", "column", "source"),
    [
        ("ab\ncd\n", 4, 2, 2, "cd"),
        ("ab", 99, 1, 3, "ab"),
        ("a\r\nb", 0, 1, 1, "a"),
        ("a\udc80", 0, 1, 1, "a\\udc80"),  # printable whatever it is
        ("x" * 500, 300, 1, 301, "x" * 120),
    ],
)
def test_an_error_points_into_the_text(text: str, offset: int, line: int, column: int, source: str) -> None:
    error = Document(text, "f.hcl").error(offset, "wrong")
    assert (error.filename, error.line, error.column, error.source_line) == ("f.hcl", line, column, source)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("abc", "abc"),
        ("a-b_1.c", "a-b_1"),
        ("_a", "_a"),
        ("1a", ""),
        ("-a", ""),
        ("", ""),
        ("größe=", "größe"),
        ("名前-1 x", "名前-1"),
        ("a\u200bb", "a"),
        ("a€b", "a"),
        ("€", ""),
        ("a\udc80", "a"),
    ],
)
def test_names(text: str, name: str) -> None:
    assert name_at(text, 0) == name


@pytest.mark.parametrize(
    "text", ["0", "10", "1.5", "1.", "1e6", "1E+6", "1.5e-3", "0e999999999999999999", "1e2147483646"]
)
def test_texts_that_are_numbers(text: str) -> None:
    assert is_number_text(text)


@pytest.mark.parametrize(
    "text",
    ["", "1.2.3", ".5", "-1", "1e", "e5", "1x", "1e2147483647", "1e99999999999", "0e9999999999999999999"],
)
def test_texts_that_are_none(text: str) -> None:
    assert not is_number_text(text)


@pytest.mark.parametrize(
    ("text", "inline", "over_lines"),
    [
        ("  x", 2, 2),
        ("\t\n x", 1, 3),
        ("/* a\n */ x", 9, 9),
        ("/* open", 0, 0),
        ("# c\nx", 0, 4),
        ("// c\n# d\n/* e */x", 0, 16),
        ("/*/ */x", 6, 6),
        ("", 0, 0),
    ],
)
def test_white_space_and_comments(text: str, inline: int, over_lines: int) -> None:
    assert skip(text, 0, newlines=False) == inline
    assert skip(text, 0, newlines=True) == over_lines


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("\nx", 1),
        (" # c\nx", 5),
        ("// c", 4),
        ("", 0),
        ("  ", 2),
        ("\r\nx", 2),
        ("/* */ \n", 7),
        (" x", -1),
        ("/*", -1),
    ],
)
def test_the_end_of_a_line(text: str, end: int) -> None:
    assert end_of_line(text, 0) == end


@pytest.mark.parametrize(
    ("text", "marker", "found"),
    [
        ("a\nE\n", "E", (2, 3)),
        ("a\n  E \t\n", "E", (2, 7)),
        ("a\nE\r\n", "E", (2, 3)),
        ("aE\nE x\nE\n", "E", (7, 8)),
        ("a\nEE\nE\n", "E", (5, 6)),
        ("a\nE", "E", (-1, -1)),  # the line must end
        ("a\n", "E", (-1, -1)),
    ],
)
def test_the_closing_line_of_a_heredoc(text: str, marker: str, found: tuple[int, int]) -> None:
    assert Document(text, "f").closing_line(0, marker) == found


def test_closing_lines_are_found_from_where_the_search_begins() -> None:
    document = Document("E\nE\nF\nE\n", "f")
    assert [document.closing_line(at, "E")[0] for at in (0, 2, 4, 2, 0)] == [0, 2, 6, 2, 0]
    assert [document.closing_line(at, "F")[0] for at in (0, 6, 0)] == [4, -1, 4]
