"""Regular expressions as Packer's functions know them (RE2), in time linear in the text.

Python's own ``re`` has another syntax and other meanings (``$``, ``\\s``), and a pattern from a template
could keep it busy for years. What is not read here raises ``UnknownPattern`` and is left to Packer.
"""

from __future__ import annotations

from dataclasses import dataclass, field

MAX_PROGRAM = 5_000
MAX_WORK = 2_000_000
_MAX_CODE = 0x10FFFF

Ranges = tuple[tuple[int, int], ...]
_DIGIT: Ranges = ((48, 57),)
_WORD: Ranges = ((48, 57), (65, 90), (95, 95), (97, 122))
_SPACE: Ranges = ((9, 10), (12, 13), (32, 32))
_ANY: Ranges = ((0, _MAX_CODE),)
_NOT_NEWLINE: Ranges = ((0, 9), (11, _MAX_CODE))
_CLASSES = {"d": _DIGIT, "w": _WORD, "s": _SPACE}
_POSIX: dict[str, Ranges] = {
    "alnum": ((48, 57), (65, 90), (97, 122)),
    "alpha": ((65, 90), (97, 122)),
    "ascii": ((0, 127),),
    "blank": ((9, 9), (32, 32)),
    "cntrl": ((0, 31), (127, 127)),
    "digit": _DIGIT,
    "graph": ((33, 126),),
    "lower": ((97, 122),),
    "print": ((32, 126),),
    "punct": ((33, 47), (58, 64), (91, 96), (123, 126)),
    "space": ((9, 13), (32, 32)),
    "upper": ((65, 90),),
    "word": _WORD,
    "xdigit": ((48, 57), (65, 70), (97, 102)),
}
_CONTROLS = {"a": 7, "f": 12, "t": 9, "n": 10, "r": 13, "v": 11}


class UnknownPattern(Exception):
    """A pattern is wrong, or uses what is not read here."""


@dataclass(slots=True)
class Program:
    """A pattern as instructions: ``(name, argument, argument)``.

    Args:
        code: ``set`` ranges, ``split`` first and second way, ``jump`` way, ``save`` slot, ``assert`` kind,
            ``match``; ways are relative.
        groups: the names of the groups, in order, empty for those without.
    """

    code: list[tuple[str, object, object]] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)


def _negate(ranges: Ranges) -> Ranges:
    result, low = [], 0
    for start, end in sorted(ranges):
        if start > low:
            result.append((low, start - 1))
        low = max(low, end + 1)
    if low <= _MAX_CODE:
        result.append((low, _MAX_CODE))
    return tuple(result)


class _Compiler:
    """Turns a pattern into a program while it reads it; ``_flags`` are those in force at ``_at``."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0
        self._flags: frozenset[str] = frozenset()
        self._depth = 0
        self.program = Program()

    def run(self) -> Program:
        code = [("save", 0, None), *self._alternatives(), ("save", 1, None), ("match", None, None)]
        if self._at < len(self._pattern):
            raise UnknownPattern('unexpected ")"')
        self.program.code = code
        return self.program

    def _peek(self, text: str) -> bool:
        return self._pattern.startswith(text, self._at)

    def _take(self) -> str:
        if self._at >= len(self._pattern):
            raise UnknownPattern("the pattern ends too early")
        self._at += 1
        return self._pattern[self._at - 1]

    # Code is made with relative ways and so can be copied for {2,5}.

    def _alternatives(self) -> list[tuple[str, object, object]]:
        outer = self._flags
        self._depth += 1
        if self._depth > 50:
            raise UnknownPattern("nested too deep")
        ways = [self._sequence()]
        while self._peek("|"):
            self._at += 1
            ways.append(self._sequence())
        self._flags = outer
        self._depth -= 1
        code = ways.pop()
        while ways:
            way = ways.pop()
            code = [("split", 1, len(way) + 2), *way, ("jump", len(code) + 1, None), *code]
        return code

    def _sequence(self) -> list[tuple[str, object, object]]:
        code: list[tuple[str, object, object]] = []
        while self._at < len(self._pattern) and self._pattern[self._at] not in "|)":
            if self._peek("(?") and (flags := self._only_flags()) is not None:
                self._flags = flags
                continue
            code += self._repeated(self._atom())
            if len(code) > MAX_PROGRAM:
                raise UnknownPattern("the pattern is too large")
        return code

    def _only_flags(self) -> frozenset[str] | None:
        """The flags that ``(?i)`` sets for the rest of the group; ``None`` if something else stands here."""
        end = self._pattern.find(")", self._at)
        inside = self._pattern[self._at + 2 : end]
        if end < 0 or not inside or not set(inside) <= set("ims"):
            return None
        self._at = end + 1
        return self._flags | set(inside)

    def _atom(self) -> list[tuple[str, object, object]]:
        character = self._take()
        if character == "(":
            return self._group()
        if character == "[":
            return self._set(self._class())
        if character == ".":
            return [("set", _ANY if "s" in self._flags else _NOT_NEWLINE, None)]
        if character == "^":
            return [("assert", "line start" if "m" in self._flags else "start", None)]
        if character == "$":
            return [("assert", "line end" if "m" in self._flags else "end", None)]
        if character == "\\":
            if self._at < len(self._pattern) and self._pattern[self._at] in "AzbB":
                kind = {"A": "start", "z": "end", "b": "border", "B": "no border"}[self._take()]
                return [("assert", kind, None)]
            return self._set(self._escape())
        if character in "*+?":
            raise UnknownPattern("nothing to repeat")
        return self._set(((ord(character), ord(character)),))

    def _set(self, ranges: Ranges) -> list[tuple[str, object, object]]:
        if "i" in self._flags:
            if any(end > 127 for _, end in ranges):
                raise UnknownPattern("upper and lower case beyond ASCII")
            folded = {code for start, end in ranges for code in range(start, end + 1)}
            folded |= {ord(other) for code in folded for other in (chr(code).lower(), chr(code).upper())}
            # "k" and "s" have one more form each: the Kelvin sign and the long s.
            folded |= {form for code, form in ((107, 0x212A), (115, 0x17F)) if code in folded}
            ranges = tuple((code, code) for code in sorted(folded))
        return [("set", ranges, None)]

    def _group(self) -> list[tuple[str, object, object]]:
        name, captured = "", True
        outer = self._flags
        if self._peek("?P<"):
            end = self._pattern.find(">", self._at)
            name = self._pattern[self._at + 3 : end]
            if end < 0 or not name.replace("_", "a").isalnum() or name in self.program.groups:
                raise UnknownPattern("the name of a group")
            self._at = end + 1
        elif self._peek("?"):
            head, colon, _ = self._pattern[self._at + 1 :].partition(":")
            if not colon or not set(head) <= set("ims"):
                raise UnknownPattern("an unknown kind of group")
            self._flags, captured = self._flags | set(head), False
            self._at += len(head) + 2
        slot = 0
        if captured:
            self.program.groups.append(name)
            slot = 2 * len(self.program.groups)
        code = self._alternatives()
        if not self._peek(")"):
            raise UnknownPattern('a missing ")"')
        self._at += 1
        self._flags = outer
        return [("save", slot, None), *code, ("save", slot + 1, None)] if captured else code

    def _repeated(self, code: list[tuple[str, object, object]]) -> list[tuple[str, object, object]]:
        bounds = self._bounds()
        if bounds is None:
            return code
        least, most = bounds
        lazy = self._peek("?")
        self._at += lazy
        if self._bounds() is not None:
            raise UnknownPattern("a repetition of a repetition")
        if len(code) * max(least, most or 1) > MAX_PROGRAM:
            raise UnknownPattern("the pattern is too large")

        def split(way: int) -> tuple[str, object, object]:
            return ("split", way, 1) if lazy else ("split", 1, way)

        result = code * least
        if most is None:
            result = [*result, split(len(code) + 2), *code, ("jump", -len(code) - 1, None)]
        for left in range((most or 0) - least, 0, -1):
            result = [*result, split((len(code) + 1) * left), *code]
        return result

    def _bounds(self) -> tuple[int, int | None] | None:
        """How often what stands before is repeated, if a repetition stands here."""
        for sign, bounds in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self._peek(sign):
                self._at += 1
                return bounds
        end = self._pattern.find("}", self._at)
        if not self._peek("{") or end < 0:
            return None
        least, comma, most = self._pattern[self._at + 1 : end].partition(",")
        if not (least.isascii() and least.isdigit()) or (most and not (most.isascii() and most.isdigit())):
            return None  # then a brace is a character like others
        self._at = end + 1
        if len(least) > 4 or len(most) > 4 or max(int(least), int(most or 0)) > 1000:
            raise UnknownPattern("more than 1000 repetitions")
        if most and int(most) < int(least):
            raise UnknownPattern("repetitions in the wrong order")
        return int(least), int(most) if most else None if comma else int(least)

    def _escape(self) -> Ranges:
        """What an escape stands for, after the backslash."""
        character = self._take()
        if character.lower() in _CLASSES:
            ranges = _CLASSES[character.lower()]
            return ranges if character.islower() else _negate(ranges)
        if character in _CONTROLS:
            code = _CONTROLS[character]
        elif character.isascii() and not character.isalnum():
            code = ord(character)
        else:
            raise UnknownPattern(f"the escape \\{character}")
        return ((code, code),)

    def _class(self) -> Ranges:
        """What stands between brackets, after the opening one."""
        negated = self._peek("^")
        self._at += negated
        ranges: list[tuple[int, int]] = []
        first = True
        while first or not self._peek("]"):
            first = False
            if self._peek("[:"):
                end = self._pattern.find(":]", self._at)
                name = self._pattern[self._at + 2 : end].removeprefix("^")
                if end < 0 or name not in _POSIX:
                    raise UnknownPattern("an unknown class of characters")
                ranges += _negate(_POSIX[name]) if self._pattern[self._at + 2] == "^" else _POSIX[name]
                self._at = end + 2
                continue
            low = self._member()
            if self._peek("-") and not self._peek("-]"):
                self._at += 1
                high = self._member()
                if len(low) != 1 or len(high) != 1 or low[0][0] != low[0][1] or low[0][0] > high[0][0]:
                    raise UnknownPattern("a range in the wrong order")
                low = ((low[0][0], high[0][1]),)
            ranges += low
        self._at += 1
        return _negate(tuple(ranges)) if negated else tuple(ranges)

    def _member(self) -> Ranges:
        character = self._take()
        return self._escape() if character == "\\" else ((ord(character), ord(character)),)


def compile_pattern(pattern: str) -> Program:
    """Reads a pattern.

    Raises:
        UnknownPattern: it is wrong, or uses what is not read here.
    """
    return _Compiler(pattern).run()


def _holds(kind: object, text: str, at: int) -> bool:
    if kind == "start":
        return at == 0
    if kind == "end":
        return at == len(text)
    if kind == "line start":
        return at == 0 or text[at - 1] == "\n"
    if kind == "line end":
        return at == len(text) or text[at] == "\n"

    def is_word(index: int) -> bool:
        return 0 <= index < len(text) and any(low <= ord(text[index]) <= high for low, high in _WORD)

    return (is_word(at - 1) != is_word(at)) == (kind == "border")


def find(program: Program, text: str, start: int = 0) -> tuple[int, ...] | None:
    """The leftmost match from an offset on: begin and end of the whole and of each group, or -1.

    Raises:
        UnknownPattern: pattern and text are too large together.
    """
    code = program.code
    if len(code) * (len(text) - start + 1) > MAX_WORK:
        raise UnknownPattern("pattern and text are too large")
    nothing = (-1,) * (2 * len(program.groups) + 2)
    threads: list[tuple[int, tuple[int, ...]]] = []
    best: tuple[int, ...] | None = None
    for at in range(start, len(text) + 1):
        seen: set[int] = set()
        ready: list[tuple[int, tuple[int, ...]]] = []
        todo = [*threads, (0, nothing)] if best is None else list(threads)
        todo.reverse()
        while todo:
            pointer, saved = todo.pop()
            if pointer in seen:
                continue
            seen.add(pointer)
            name, first, second = code[pointer]
            if name == "split":
                todo += [(pointer + second, saved), (pointer + first, saved)]  # type: ignore[operator]
            elif name == "jump":
                todo.append((pointer + first, saved))  # type: ignore[operator]
            elif name == "save":
                slots = list(saved)
                slots[first] = at  # type: ignore[call-overload]
                todo.append((pointer + 1, tuple(slots)))
            elif name == "assert":
                if _holds(first, text, at):
                    todo.append((pointer + 1, saved))
            elif name == "match":
                best = saved
                break  # what is left is of lower rank
            else:
                ready.append((pointer, saved))
        if at == len(text) or not (ready or best is None):
            break
        letter = ord(text[at])
        threads = [
            (pointer + 1, saved)
            for pointer, saved in ready
            if any(low <= letter <= high for low, high in code[pointer][1])  # type: ignore[attr-defined]
        ]
    return best
