"""What may be open while an expression is read, and the patterns of what may come next in it."""

from __future__ import annotations

import re

from .lexer import ASCII_NAME, DOLLAR, ESCAPE, NUMBER, PATH, PLAIN, SIMPLE_STRING, SIMPLE_VALUE, SURROGATES

_OPERAND = (
    rf"(?:(?P<simple>{SIMPLE_STRING}|{PATH}(?![ \t\r\n]*+[(/#]|[^\x00-\x7f]))"
    rf"|(?P<call>{ASCII_NAME}[ \t]*+\()|(?P<number>{NUMBER})"
    r'|(?P<open>[\[({])|(?P<unary>-|!(?!=))|(?P<quote>")|(?P<heredoc><<-?))'
)
_OPERATOR = (
    rf"(?:(?P<path>(?:\.{ASCII_NAME}){{1,50}}(?![^\x00-\x7f]))|(?P<comma>,)|(?P<close>~?\}}|[\])])"
    r"|(?P<binary>==|!=|<=|>=|&&|\|\||[<>+*%-]|/(?![/*]))|(?P<index>\[)|(?P<question>\?)|(?P<colon>:)"
    r"|(?P<arrow>=>)|(?P<equal>=)|(?P<more>\.\.\.)|(?P<dot>\.)|(?P<newline>\n))"
)
# Each in two forms: where a line end is white space, and where it is not.
OPERANDS = (re.compile(r"[ \t\r]*+" + _OPERAND).match, re.compile(r"[ \t\r\n]*+" + _OPERAND).match)
OPERATORS = (re.compile(r"[ \t\r]*+" + _OPERATOR).match, re.compile(r"[ \t\r\n]*+" + _OPERATOR).match)
# Runs of simple elements of a list, and of simple lines of an object.
ELEMENTS = re.compile(rf"(?:[ \t\r\n]*+{SIMPLE_VALUE}[ \t\r\n]*+,){{1,200}}").match
ITEMS = re.compile(
    rf"(?:[ \t\r\n]*+(?:{ASCII_NAME}|{SIMPLE_STRING})[ \t]*+[=:][ \t]*+{SIMPLE_VALUE}"
    r"[ \t\r]*+(?:,|(?:(?:\#|//)[^\n]*+)?\n)){1,200}"
).match
NUMBER_AT = re.compile(NUMBER).match
QUOTED = re.compile(rf"(?:{PLAIN}|{ESCAPE}|{DOLLAR}){{1,200}}").match
# Where text of a heredoc ends before its closing line: "${" and "%{", which doubled "$" and "%" do not begin.
SEQUENCE = re.compile(rf"(?<!\$)\$\{{|(?<!%)%\{{|[{SURROGATES}]").search

_CLOSER = {"(": ")", "call": ")", "[": "]", "index": "]", "{": "}", "${": "}", "%{": "}"}
EXPECTED = {
    "(": '")"',
    "call": '"," or ")"',
    "[": '"," or "]"',
    "index": '"]"',
    "{": '"=" or ":" after the key',
    "value": 'a line end, "," or "}" after the value',
    "${": '"}" to close "${"',
    "%{": '"}" to close "%{"',
    "?": '":" and the value for the other case',
    "in": '":" after the collection of "for"',
    "yield": 'the end of "for"',
    "result": 'the end of "for"',
    "filter": 'the end of "for"',
}


class Frame:
    """An open construct: what it is, where it began, and whether line ends are white space in it."""

    __slots__ = ("at", "closer", "closing", "directives", "kind", "loose", "marker", "unary")

    def __init__(self, kind: str, at: int, loose: bool) -> None:
        self.kind = kind
        self.at = at
        self.loose = loose
        self.closer = _CLOSER.get(kind, "")
        self.marker = ""
        self.closing = (-1, -1)
        self.unary = 0
        self.directives: list[str] = []
