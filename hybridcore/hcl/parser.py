"""Reads the structure of a file: attributes and blocks, in one pass and without recursion."""

from __future__ import annotations

import re
from pathlib import Path

from ..errors import HclError
from .lexer import ASCII_NAME, MAX_BYTES, MAX_DEPTH, SIMPLE_VALUE, Document, end_of_line, name_at, skip
from .structure import Attribute, Block, Body
from .syntax import Skimmer
from .templates import quoted_text

_LABEL = rf'(?:"[^"\\$%\r\n\ud800-\udfff]*+"|{ASCII_NAME})'
_ITEM = re.compile(
    rf"[ \t\r\n]*+(?:(?P<name>{ASCII_NAME})[ \t]*+(?:"
    rf"=[ \t]*+(?:(?P<simple>{SIMPLE_VALUE})[ \t\r]*+(?:(?:\#|//)[^\n]*+)?(?:\n|\Z)|(?P<equal>(?![=>])))"
    rf"|(?P<labels>(?:{_LABEL}[ \t]*+){{0,20}})(?P<block>\{{)[ \t\r]*+\n)"
    r"|(?P<close>\})[ \t\r]*+\n)"
).match
_LABELS = re.compile(rf'"([^"]*)"|({ASCII_NAME})').findall


def loads(text: str, *, filename: str = "<string>") -> Body:
    """Reads HCL2 as Packer uses it.

    Nothing in the text is executed or looked up. The syntax of the whole text is checked; values are worked
    out when they are asked for.

    Args:
        text: the text, with or without byte-order mark, lines ending in LF or CRLF.
        filename: its name in error messages.

    Returns:
        The attributes and blocks of the text.

    Raises:
        HclError: the text is not HCL2, is larger than ``MAX_BYTES`` or nests deeper than ``MAX_DEPTH``.
    """
    document = Document(text, filename)
    if len(document.text) > MAX_BYTES:
        raise document.error(0, f"the text is larger than {MAX_BYTES} bytes")
    return _Parser(document).parse()


def load(path: str | Path) -> Body:
    """Reads a file of HCL2; see ``loads``.

    Args:
        path: the file, in UTF-8. As in Packer, comments may hold other bytes.

    Raises:
        HclError: the file is not HCL2, not UTF-8 or larger than ``MAX_BYTES``.
        OSError: the file cannot be read.
    """
    with open(path, "rb") as file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise HclError(f"the file is larger than {MAX_BYTES} bytes", filename=str(path), line=1, column=1)
    return loads(data.decode("utf-8", "surrogateescape"), filename=str(path))


class _Parser:
    """Reads one document; ``_stack`` holds the blocks that are open."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._text = document.text
        self._skimmer = Skimmer(document)
        self._body = Body()
        self._stack: list[tuple[Body, int]] = []

    def parse(self) -> Body:
        document, text = self._document, self._text
        root = self._body
        attributes = root.attributes
        offset = 0
        while True:
            found = _ITEM(text, offset)
            if found is None:
                offset = skip(text, offset, newlines=True)
                if offset >= len(text):
                    break
                found = _ITEM(text, offset)
            kind = found.lastgroup if found else None
            if found is None or kind is None:
                offset = self._uncommon(offset)
                attributes = self._body.attributes
            elif kind == "simple":
                name = found["name"]
                start = found.start("name")
                if name in attributes:
                    raise self._redefined(name, start)
                attributes[name] = Attribute(document, name, start, *found.span("simple"))
                offset = found.end()
            elif kind == "equal":
                offset = self._attribute(found["name"], found.start("name"), found.end())
            elif kind == "block":
                labels = tuple(quoted or name for quoted, name in _LABELS(found["labels"]))
                self._open(found["name"], labels, found.start("name"), found.start("block"))
                attributes = self._body.attributes
                offset = found.end()
            else:
                self._close(found.start("close"))
                attributes = self._body.attributes
                offset = found.end()
        if self._stack:
            opened = self._document.position(self._stack[-1][1])[0]
            raise self._fail(offset, f'expected "}}" to close the block that line {opened} opens')
        return root

    def _fail(self, offset: int, expected: str) -> HclError:
        return self._document.error(offset, f"{expected}, found {self._document.found(offset)}")

    def _redefined(self, name: str, offset: int) -> HclError:
        first = self._body.attributes[name].line
        return self._document.error(offset, f'"{name}" is already set in line {first}; each may be set once')

    def _open(self, name: str, labels: tuple[str, ...], at: int, brace: int) -> Body:
        if len(self._stack) >= MAX_DEPTH:
            raise self._document.error(at, f"nested more than {MAX_DEPTH} levels deep")
        block = Block(self._document, name, labels, at)
        self._body.blocks.append(block)
        self._stack.append((self._body, brace))
        self._body = block.body
        return block.body

    def _close(self, offset: int) -> None:
        if not self._stack:
            message = 'expected an attribute or a block, found "}" that closes nothing'
            raise self._document.error(offset, message)
        self._body = self._stack.pop()[0]
        self._body.blocks[-1].end = offset

    def _attribute(self, name: str, at: int, start: int) -> int:
        """Reads an attribute from after its equals sign to the end of its line."""
        end = self._value(name, at, start)
        after = end_of_line(self._text, end)
        if after < 0:
            end = skip(self._text, end, newlines=False)
            raise self._fail(end, f'expected an operator or a line end after the value of "{name}"')
        return after

    def _value(self, name: str, at: int, start: int) -> int:
        end = self._skimmer.skim(start, len(self._stack))
        if name in self._body.attributes:
            raise self._redefined(name, at)
        start = skip(self._text, start, newlines=False)
        self._body.attributes[name] = Attribute(self._document, name, at, start, end)
        return end

    def _uncommon(self, offset: int) -> int:
        """Reads an item that the pattern of common ones does not know, or says what is wrong with it."""
        text = self._text
        if text.startswith("}", offset):
            self._close(offset)
            return self._end_of_block(offset + 1)
        name = name_at(text, offset)
        if not name:
            raise self._fail(offset, "expected an attribute or a block")
        after = skip(text, offset + len(name), newlines=False)
        if self._is_equal(after):
            return self._attribute(name, offset, after + 1)
        labels: list[str] = []
        while not text.startswith("{", after):
            label, after = self._label(after)
            labels.append(label)
            after = skip(text, after, newlines=False)
        self._open(name, tuple(labels), offset, after)
        return self._one_line(after + 1)

    def _is_equal(self, offset: int) -> bool:
        return self._text.startswith("=", offset) and not self._text.startswith(("==", "=>"), offset)

    def _label(self, offset: int) -> tuple[str, int]:
        """A label, and the offset after it."""
        if name := name_at(self._text, offset):
            return name, offset + len(name)
        if not self._text.startswith('"', offset):
            raise self._fail(offset, 'expected "=" and a value, a label, or "{" on the same line')
        label, end = quoted_text(self._text, offset + 1)
        if not self._text.startswith('"', end):
            raise self._fail(end, "expected the closing quote of a label; labels hold no templates")
        return label, end + 1

    def _one_line(self, offset: int) -> int:
        """Goes on after an opening brace: a block in one line holds at most one attribute."""
        text = self._text
        after = skip(text, offset, newlines=False)
        if text.startswith("}", after):
            self._close(after)
            return self._end_of_block(after + 1)
        if after >= len(text) or text[after] in "\n#" or text.startswith("//", after):
            return offset
        name = name_at(text, after)
        equal = skip(text, after + len(name), newlines=False)
        if not name or not self._is_equal(equal):
            raise self._fail(equal, 'expected one attribute, "}" or a line end after "{"')
        end = skip(text, self._value(name, after, equal + 1), newlines=False)
        if not text.startswith("}", end):
            raise self._fail(end, 'expected "}": a block in one line holds one attribute')
        self._close(end)
        return self._end_of_block(end + 1)

    def _end_of_block(self, offset: int) -> int:
        after = end_of_line(self._text, offset)
        if after < 0:
            raise self._fail(skip(self._text, offset, newlines=False), 'expected a line end after "}"')
        return after
