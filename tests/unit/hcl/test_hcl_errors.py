"""Wrong, hostile and huge texts: an error that points at the place, at once."""

from __future__ import annotations

import tracemalloc

import pytest

from hybridcore import hcl
from hybridcore.hcl.lexer import MAX_BYTES, MAX_DEPTH


@pytest.mark.parametrize(
    ("text", "line", "column", "expected"),
    [
        ("a = \n", 1, 5, "a value"),
        ("a = 1 2\n", 1, 7, "an operator or a line end"),
        ("a = [1\n2]\n", 2, 1, '"," or "]"'),
        ("x = 1\na = {\n  b = 1 c = 2\n}\n", 3, 9, 'a line end, "," or "}"'),
        ("a = {\n  b\n}\n", 2, 4, '"=" or ":"'),
        ("a = (1\n", 2, 1, '")"'),
        ("a = f(1 2)\n", 1, 9, '"," or ")"'),
        ("a = b[1\n", 2, 1, '"]"'),
        ("a = b ? 1\n", 1, 10, '":"'),
        ("a = b.1.2\n", 1, 7, "[0][1]"),
        ("a = b.*.*\n", 1, 9, "name of an attribute"),
        ("a = 1.2.3\n", 1, 5, "a number"),
        ("a = [for x y]\n", 1, 12, '"in"'),
        ("a = {for x in y: x}\n", 1, 19, '"=>"'),
        ('a = "x\n', 1, 7, "closing quote"),
        ('a = "\\x"\n', 1, 6, "an escape"),
        ('a = "\\ud800"\n', 1, 6, "an escape"),
        ('a = "${b"\n', 1, 9, '"}" to close "${"'),
        ('a = "%{ if b }"\n', 1, 15, "%{ endif }"),
        ('a = "%{ else }"\n', 1, 9, "a directive"),
        ("a = <<E\nx\n E x\n", 4, 1, 'only "E"'),
        ("a = 'x'\n", 1, 5, "a value"),
        ("a = 1;\n", 1, 6, "line end"),
        ("b {\n  a = 1\n", 3, 1, '"}" to close the block that line 1 opens'),
        ("}\n", 1, 1, "closes nothing"),
        ("b { a = 1\n}\n", 1, 10, 'expected "}"'),
        ("b {} c = 1\n", 1, 6, "line end"),
        ('b "${x}" {}\n', 1, 4, "closing quote of a label"),
        ("b\n{}\n", 1, 2, 'a label, or "{"'),
        ('"a" = 1\n', 1, 1, "an attribute or a block"),
        ("a = 1\nb = 2\na = 3\n", 3, 1, "already set in line 1"),
        ("a = 1 & 2\n", 1, 7, "an operator"),
        ("/* x\n", 1, 1, "an attribute or a block"),
        ("a = 1\r b = 2\n", 1, 6, "a carriage return"),
    ],
)
def test_an_error_says_where_and_what_was_expected(text: str, line: int, column: int, expected: str) -> None:
    with pytest.raises(hcl.HclError) as caught:
        hcl.loads(text, filename="f.hcl")
    error = caught.value
    assert (error.filename, error.line, error.column) == ("f.hcl", line, column)
    assert expected in error.message
    lines = text.split("\n")
    assert error.source_line == lines[line - 1].split("\r")[0]
    assert f"f.hcl:{line}:{column}: " in str(error)


def test_the_line_of_an_error_is_shortened() -> None:
    with pytest.raises(hcl.HclError) as caught:
        hcl.loads('a = "' + "x" * 100_000 + "\n")
    assert len(caught.value.source_line) <= 120
    assert len(str(caught.value)) < 300


DEEP = 100_000
LONG = 10_000


@pytest.mark.parametrize(
    "text",
    [
        *(f"a = {part * DEEP}\n" for part in ("[", "(", "{a=", '"${', "-", "!", "b[", "f(", "x ? ")),
        "a = " + "[for x in " * DEEP,
        "a = " + "[" * DEEP + "]" * DEEP + "\n",
        "a {\n" * DEEP,
        'a = "' + "%{ if x }" * DEEP + '"\n',
        "a = " + "<<E\n${" * DEEP + "\nE\n",
    ],
    ids=lambda text: text[4:14].replace("\n", " "),
)
def test_bottomless_nesting_is_an_error(text: str) -> None:
    with pytest.raises(hcl.HclError, match="levels deep"):
        hcl.loads(text)


@pytest.mark.parametrize(
    ("opened", "closed"), [("[", "]"), ("(", ")"), ('"${', '}"'), ("{ a = ", "}"), ("-", "")]
)
def test_the_deepest_allowed_nesting_is_read_and_computed(opened: str, closed: str) -> None:
    depth = (MAX_DEPTH - 1) // (2 if "$" in opened else 1)
    attribute = hcl.loads(f"a = {opened * depth}1{closed * depth}\n").attributes["a"]
    assert attribute.constant
    assert attribute.references == ()


@pytest.mark.parametrize(
    "text",
    [
        "a = 1" + " + 1" * LONG + "\n",
        "a = b" + "[0]" * LONG + "\n",
        "a = b" + "[*]" * LONG + "\n",
        "a = " + "b ? c : " * LONG + "d\n",
        'a = "' + "${b}" * LONG + '"\n',
        'a = "' + "$" * LONG + '"\n',
        'a = "' + "\\n" * LONG + '"\n',
        "a = <<E\n" + "x\n" * LONG + "E\n",
        "a = [" + "1," * LONG + "]\n",
        "#\n" * LONG + "a = 1\n",
        "/**/" * LONG + "a = 1\n",
        "a = 1e-999999999\n",
        "a = 1e999999999\n",
    ],
    ids=lambda text: text[:14].replace("\n", " "),
)
def test_long_texts_are_read_without_recursion(text: str) -> None:
    attribute = hcl.loads(text).attributes["a"]
    assert attribute.constant in (True, False)
    assert set(attribute.references) <= {"b", "c", "d"}


def test_a_text_has_a_largest_size() -> None:
    with pytest.raises(hcl.HclError, match="larger than"):
        hcl.loads('a = "' + "x" * (100 * 1024 * 1024) + '"\n')


def test_a_file_has_a_largest_size(tmp_path) -> None:
    path = tmp_path / "large.hcl"
    with open(path, "wb") as file:
        file.truncate(MAX_BYTES + 1)
    with pytest.raises(hcl.HclError, match="larger than"):
        hcl.load(path)


def test_memory_stays_within_twenty_times_the_text() -> None:
    text = "".join(f'variable "name_{i}" {{\n  type = string\n  default = "x{i}"\n}}\n' for i in range(2_000))
    tracemalloc.start()
    try:
        body = hcl.loads(text)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert len(body.blocks) == 2_000
    assert peak < 20 * len(text)
