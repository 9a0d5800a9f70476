"""Checks the syntax of expressions and finds where they end, without recursion and without building anything.

The grammar is that of HashiCorp's HCL2 (hclsyntax/spec.md). Who only wants the names in a large file pays for
nothing else; the tree of an expression is built when somebody asks for it (module ``expressions``).
"""

from __future__ import annotations

from ..errors import HclError
from .constructs import ELEMENTS, EXPECTED, ITEMS, NUMBER_AT, OPERANDS, OPERATORS, QUOTED, SEQUENCE, Frame
from .lexer import MAX_DEPTH, Document, is_number_text, name_at, skip


class Skimmer:
    """Walks over the expressions of one document.

    Args:
        document: the text they stand in.
    """

    __slots__ = ("_depth", "_document", "_done", "_stack", "_text", "_unary", "_want")

    def __init__(self, document: Document) -> None:
        self._document = document
        self._text = document.text
        self._stack: list[Frame] = []
        self._want = True  # whether a value comes next, or what may follow one
        self._done = False
        self._unary = 0
        self._depth = 0

    def skim(self, offset: int, depth: int = 0) -> int:
        """The end of the expression that begins at an offset.

        Args:
            offset: the first character, or white space before it.
            depth: how many blocks are open around it.

        Raises:
            HclError: what stands there is not an expression.
        """
        self._stack, self._unary, self._depth, self._done = [], 0, depth, False
        self._push("", offset, loose=False)
        while not self._done:
            offset = self._value(offset) if self._want else self._after(offset)
        return offset

    def _push(self, kind: str, at: int, *, loose: bool) -> Frame:
        frame = Frame(kind, at, loose)
        frame.unary = self._unary
        self._depth += 1 + self._unary
        self._unary = 0
        if self._depth > MAX_DEPTH:
            raise self._document.error(at, f"nested more than {MAX_DEPTH} levels deep")
        self._stack.append(frame)
        self._want = True
        return frame

    def _pop(self, offset: int) -> int:
        """Closes the innermost construct; goes on in the string around it, if it stood in one."""
        closed = self._stack.pop()
        kind = closed.kind
        self._depth -= 1 + closed.unary
        self._want = False
        if kind in ("${", "%{"):
            frame = self._stack[-1]
            return self._quoted(frame, offset) if frame.kind == '"' else self._heredoc(frame, offset, False)
        return offset

    def _error(self, offset: int, expected: str) -> HclError:
        message = f"expected {expected}, found {self._document.found(offset)}"
        opened = self._stack[-1].at
        if len(self._stack) > 1 and offset >= len(self._text):
            message += f"; line {self._document.position(opened)[0]} opens what is not closed"
        return self._document.error(offset, message)

    # ---- where a value is expected

    def _value(self, offset: int) -> int:
        """Reads a term, or the beginning of one that has parts of its own."""
        text, loose = self._text, self._stack[-1].loose
        found = OPERANDS[loose](text, offset)
        if found is None:
            offset = skip(text, offset, newlines=loose)
            found = OPERANDS[loose](text, offset)
        kind = found.lastgroup if found else "name"
        if found is None:
            name = name_at(text, offset)
            if not name:
                raise self._error(offset, "a value")
            return self._name(offset + len(name))
        if kind == "unary":
            self._unary += 1
            if self._depth + self._unary > MAX_DEPTH:
                raise self._document.error(offset, f"nested more than {MAX_DEPTH} levels deep")
            return found.end()
        offset = found.start(found.lastgroup or 0)
        if kind == "open":
            return self._open(found["open"], offset)
        if kind == "call":
            self._push("call", offset, loose=True)
            return self._elements(found.end())
        if kind == "quote":
            return self._quoted(self._push('"', offset, loose=True), offset + 1)
        if kind == "heredoc":
            return self._open_heredoc(offset, found.end())
        if kind == "number" and not is_number_text(found["number"]):
            raise self._error(offset, "a number such as 10, 1.5 or 1e6")
        self._want, self._unary = False, 0
        return found.end()

    def _name(self, offset: int) -> int:
        """Goes on after a name that may be the name of a function."""
        after = skip(self._text, offset, newlines=self._stack[-1].loose)
        if self._text.startswith("(", after):
            self._push("call", after, loose=True)
            return self._elements(after + 1)
        self._want, self._unary = False, 0
        return offset

    def _open(self, bracket: str, offset: int) -> int:
        frame = self._push(bracket, offset, loose=bracket != "{")
        if bracket == "(":
            return offset + 1
        after = skip(self._text, offset + 1, newlines=True)
        if self._text.startswith("for", after) and name_at(self._text, after) == "for":
            frame.kind, frame.loose = "in", True
            return self._for(after + 3)
        return self._elements(offset + 1) if bracket == "[" else self._keys(offset + 1)

    def _elements(self, offset: int) -> int:
        """Reads elements up to one that is not simple, or the end."""
        if run := ELEMENTS(self._text, offset):
            offset = run.end()
        offset = skip(self._text, offset, newlines=True)
        if self._text.startswith(self._stack[-1].closer, offset):
            return self._pop(offset + 1)
        self._want = True
        return offset

    def _keys(self, offset: int) -> int:
        """Reads items of an object up to one that is not simple, or the end."""
        if run := ITEMS(self._text, offset):
            offset = run.end()
        offset = skip(self._text, offset, newlines=True)
        if self._text.startswith("}", offset):
            return self._pop(offset + 1)
        self._stack[-1].kind = "{"
        self._want = True
        return offset

    def _for(self, offset: int) -> int:
        """Reads the names after "for", and "in"."""
        text = self._text
        for separator in (",", ""):
            offset = skip(text, offset, newlines=True)
            name = name_at(text, offset)
            if not name:
                raise self._error(offset, 'a name after "for"')
            offset = skip(text, offset + len(name), newlines=True)
            if not separator or not text.startswith(separator, offset):
                break
            offset += 1
        if name_at(text, offset) != "in":
            raise self._error(offset, '"in" and the collection of "for"')
        self._want = True
        return offset + 2

    # ---- after a value

    def _after(self, offset: int) -> int:
        """Reads what goes on after a complete term, or closes what ends here."""
        frame = self._stack[-1]
        found = OPERATORS[frame.loose](self._text, offset)
        if found is None:
            after = skip(self._text, offset, newlines=frame.loose)
            found = OPERATORS[frame.loose](self._text, after)
            if found is None:
                return self._after_other(frame, offset, after)
        kind = found.lastgroup or ""
        end = found.end()
        if kind == "path":
            return end
        if kind == "binary":
            self._want = True
            return end
        if kind == "dot":
            return self._dot(end)
        if kind == "index":
            return self._index(end - 1)
        if kind == "question":
            self._push("?", end - 1, loose=frame.loose)
            return end
        if not frame.kind:
            self._done = True
            return offset
        if kind == "close":
            return self._close(frame, found["close"], found.start("close"))
        return self._separator(frame, kind, found.start(kind), end)

    def _after_other(self, frame: Frame, offset: int, at: int) -> int:
        """Handles what is no operator: a comment that ends the line, "if", or something wrong."""
        if not frame.kind:
            self._done = True
            return offset
        if frame.kind == "value" and self._text.startswith(("#", "//"), at):
            return self._keys(at)
        if self._may_filter(frame) and name_at(self._text, at) == "if":
            frame.kind, self._want = "filter", True
            return at + 2
        raise self._error(at, EXPECTED[frame.kind])

    @staticmethod
    def _may_filter(frame: Frame) -> bool:
        return frame.kind == "result" or (frame.kind == "yield" and frame.closer == "]")

    def _close(self, frame: Frame, bracket: str, offset: int) -> int:
        complete = frame.kind in ("(", "[", "call", "index", "value", "${", "%{", "filter") or (
            self._may_filter(frame)
        )
        strip = bracket == "~}" and frame.kind in ("${", "%{")
        if not complete or (bracket != frame.closer and not strip):
            expected = '"=>" and a value' if frame.kind == "yield" and frame.closer == "}" else ""
            raise self._error(offset, expected or EXPECTED[frame.kind])
        return self._pop(offset + len(bracket))

    def _separator(self, frame: Frame, kind: str, at: int, end: int) -> int:
        """Reads what stands between the parts of a construct."""
        within = frame.kind
        self._want = True
        if kind == "comma" and within in ("[", "call"):
            return self._elements(end)
        if kind in ("comma", "newline") and within == "value":
            return self._keys(end)
        if kind == "colon" and within == "?":
            self._pop(end)
            self._want = True
        elif kind in ("colon", "equal") and within == "{":
            frame.kind = "value"
        elif kind == "colon" and within == "in":
            frame.kind = "yield"
        elif kind == "arrow" and within == "yield" and frame.closer == "}":
            frame.kind = "result"
        elif kind == "more" and within in ("call", "result"):
            after = skip(self._text, end, newlines=True)
            if self._text.startswith(frame.closer, after):
                return self._pop(after + 1)
            if within == "call" or name_at(self._text, after) != "if":
                raise self._error(after, f'"{frame.closer}" after "..."')
            frame.kind = "filter"
            return after + 2
        else:
            raise self._error(at, EXPECTED[within])
        return end

    def _dot(self, offset: int) -> int:
        """Reads an attribute, a number or a star after a dot."""
        text, loose = self._text, self._stack[-1].loose
        offset = skip(text, offset, newlines=loose)
        if not text.startswith("*", offset):
            return self._member(offset)
        offset += 1
        while text.startswith(".", after := skip(text, offset, newlines=loose)):
            if text.startswith("...", after):
                break
            offset = self._member(skip(text, after + 1, newlines=loose))
        return offset

    def _member(self, offset: int) -> int:
        if number := NUMBER_AT(self._text, offset):
            if "." in number.group() or not is_number_text(number.group()):
                raise self._error(offset, "one whole number after the dot; write indexes as [0][1]")
            return number.end()
        name = name_at(self._text, offset)
        if not name:
            raise self._error(offset, "the name of an attribute after the dot")
        return offset + len(name)

    def _index(self, offset: int) -> int:
        text, loose = self._text, self._stack[-1].loose
        after = skip(text, offset + 1, newlines=loose)
        if not text.startswith("*", after):
            self._push("index", offset, loose=True)
            return offset + 1
        after = skip(text, after + 1, newlines=loose)
        if not text.startswith("]", after):
            raise self._error(after, '"]" after "[*"')
        return after + 1

    # ---- strings

    def _quoted(self, frame: Frame, offset: int) -> int:
        """Reads on in a quoted string up to its end or the next sequence in it."""
        while run := QUOTED(self._text, offset):
            offset = run.end()
        if self._text.startswith('"', offset):
            return self._end_template(frame, offset, offset + 1)
        if self._text.startswith(("${", "%{"), offset):
            return self._sequence(frame, offset)
        if self._text.startswith("\\", offset):
            raise self._error(offset, r"an escape: \n, \r, \t, \", \\, \uNNNN or \UNNNNNNNN")
        raise self._error(offset, "the closing quote of the string on the same line")

    def _end_template(self, frame: Frame, offset: int, end: int) -> int:
        if frame.directives:
            word = "endfor" if frame.directives[-1] == "for" else "endif"
            raise self._error(offset, f'"%{{ {word} }}" before the end of the string')
        return self._pop(end)

    def _sequence(self, frame: Frame, offset: int) -> int:
        """Opens an interpolation or a directive."""
        kind = self._text[offset : offset + 2]
        self._push(kind, offset, loose=True)
        start = offset + 2
        if self._text.startswith("~", start) and not self._text.startswith("~}", start):
            start += 1
        return start if kind == "${" else self._directive(frame.directives, start)

    def _directive(self, directives: list[str], offset: int) -> int:
        offset = skip(self._text, offset, newlines=True)
        word = name_at(self._text, offset)
        end = offset + len(word)
        if word in ("if", "for"):
            directives.append(word)
            self._depth += 1
            self._want = True
            return end if word == "if" else self._for(end)
        innermost = directives.pop() if directives else ""
        self._depth -= 1
        if word == "else" and innermost == "if":
            directives.append("else")
            self._depth += 1
        elif not (
            (word == "endif" and innermost in ("if", "else")) or (word == "endfor" and innermost == "for")
        ):
            raise self._error(offset, "a directive that fits here: if, else, endif, for or endfor")
        end = skip(self._text, end, newlines=True)
        if not self._text.startswith(("}", "~}"), end):
            raise self._error(end, EXPECTED["%{"])
        return self._pop(end + (2 if self._text[end] == "~" else 1))

    def _open_heredoc(self, offset: int, after: int) -> int:
        marker = name_at(self._text, after)
        body = after + len(marker)
        if self._text.startswith("\r", body):
            body += 1
        if not marker or not self._text.startswith("\n", body):
            raise self._error(offset, 'a value (a heredoc begins with "<<", a word and a line end)')
        frame = self._push("<<", offset, loose=True)
        frame.marker = marker
        return self._heredoc(frame, body + 1, True)

    def _heredoc(self, frame: Frame, offset: int, line_start: bool) -> int:
        """Reads on in a heredoc up to its closing word or the next sequence in it."""
        if frame.closing[0] < offset:
            start = offset if line_start else self._text.find("\n", offset) + 1
            frame.closing = self._document.closing_line(start, frame.marker) if start else (-1, -1)
        closing, end = frame.closing
        if closing < 0:
            opened = self._document.position(frame.at)[0]
            message = f'expected a line with only "{frame.marker}" to close the heredoc of line {opened}'
            raise self._document.error(len(self._text), message)
        found = SEQUENCE(self._text, offset, closing)
        if not found:
            return self._end_template(frame, closing, end)
        if len(found.group()) == 1:
            raise self._error(found.start(), "text")
        return self._sequence(frame, found.start())
