"""Random variables: declarations, values in HCL and JSON, conditions, and expressions over them.

Most are such as people write; the rest lies at the edges where a reader of HCL goes wrong.
"""

from __future__ import annotations

import json
import random
from dataclasses import dataclass

SCALARS = ("string", "number", "bool")


@dataclass(frozen=True)
class Case:
    """One question to us and to Packer.

    Args:
        name: the variable, ``v`` and a number.
        declaration: its block, or for a case without one an empty text.
        value: the expression in the file of values, or ``None``.
        json: whether the value stands in a file of JSON.
        expression: what is computed over the variable, or an empty text.
    """

    name: str
    declaration: str
    value: str | None = None
    json: bool = False
    expression: str = ""

    def __str__(self) -> str:
        given = "" if self.value is None else f"\n{'json' if self.json else 'value'}: {self.value}"
        asked = f"\nexpression: {self.expression}" if self.expression else ""
        return f"{self.declaration}{given}{asked}"


_TEXTS = (
    "a", "b", "ab", "", "true", "false", "1", "0", "0.1", "-0", "+5", "007", "1e3", "5.", ".5", "1p3", "inf", "0x5",
    "debian-12", "Ä", "\u00e9", "e\u0301", "\ufb01", "a b", "a\nb", "a\r\nb", "a/b", "$", "%", "${", "%{", '"', "\\",
    "\t", "\u0000", "日本", "\u212a", "\U0001f600", "null", "1.50", "1e999", "0.1234567890123456789", " 5", "TRUE",
)  # fmt: skip
_NUMBERS = (
    "0", "1", "2", "5", "-1", "-0", "0.1", "0.2", "0.5", "1.50", "1e3", "1e-3", "100", "1e-400", "1e400", "-1e-400",
    "12345678901234567890", "0.1234567890123456789", "3.0", "1E5", "0.30000000000000004", "9007199254740993",
)  # fmt: skip
_JSON_NUMBERS = (
    "-0",
    "-0.0",
    "1e400",
    "1e-400",
    "0.1234567890123456789",
    "1E5",
    "1.0",
    "9007199254740993",
    "0.1",
    "7",
)
_KEYS = (
    "a",
    "b",
    "c",
    "size",
    '"a b"',
    '""',
    '"\u00e9"',
    '"e\u0301"',
    "\u00e9",
    "for_",
    '"for"',
    "(true)",
    "1",
    '"a"',
)


def quoted(text: str) -> str:
    """A text as a string of HCL."""
    return (
        json.dumps(text, ensure_ascii=False)
        .replace("${", "$${")
        .replace("%{", "%%{")
        .replace("\\u0000", "\\u0000")
    )


class Maker:
    """Makes cases from a seed."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)

    def chance(self, share: float) -> bool:
        """Yes, in that share of all calls."""
        return self.rng.random() < share

    def case(self, number: int) -> Case:
        """The next case."""
        name = f"v{number}"
        kind = self.rng.random()
        if kind < 0.08:
            return self._short_form(name)
        if kind < 0.16:
            return self._malformed(name)
        if kind < 0.34:
            return self._condition(name)
        if kind < 0.58:
            return self._expression(name)
        return self._plain(name)

    # Types, as texts; `shape` is what a value of it looks like.

    def type(self, depth: int = 0) -> str:
        """A type expression that Packer takes, most of the time."""
        rng = self.rng
        if depth > 2 or self.chance(0.5):
            return rng.choice(SCALARS)
        kind = rng.choice(("list", "set", "map", "tuple", "object", "list", "map"))
        if kind == "tuple":
            items = ", ".join(self.type(depth + 1) for _ in range(rng.randrange(3)))
            return f"tuple([{items}])"
        if kind == "object":
            names = rng.sample(("a", "b", "c", "size", "\u00e9"), rng.randrange(4))
            parts = ", ".join(f"{key} {rng.choice('=:')} {self.type(depth + 1)}" for key in names)
            return f"object({{ {parts} }})"
        return f"{kind}({self.type(depth + 1)})"

    def odd_type(self) -> str:
        """A type expression at the edge of what Packer takes."""
        inner = self.type(2)
        return self.rng.choice(
            (
                f"({inner})", f"list(({inner}))", "list", "map", "object", "tuple", "any", "list(any)", "strnig", "null",
                '"string"', "string()", "list()", f"list({inner}, {inner})", f"list({inner},)", f"tuple([{inner},])",
                f"tuple({inner})", "tuple([])", "object({})", "object([])", f"object({{ a = {inner}, a = {inner} }})",
                f'object({{ "a" = {inner} }})', f"object({{ (a) = {inner} }})", f"object({{ a = optional({inner}) }})",
                f"object({{ a = optional({inner}, 1) }})", f"optional({inner})", f"map({inner})[0]", f"list([{inner}])",
                f"object({{\n a = {inner}\n b = {inner} # c\n }})", f"object({{ a = {inner} b = {inner} }})", "5", "true",
                f"list(/* c */ {inner})", f"tuple([({inner})])", f"object({{ a = ({inner}) }})", "list(...)",
                f"tuple([{inner}]...)", f"list([{inner}]...)", "string.a", "var.x", "set({})", "map({})", "List(string)",
            )
        )  # fmt: skip

    # Values, as texts.

    def scalar(self, kind: str) -> str:
        """A constant of a primitive type, or one that converts to it."""
        rng = self.rng
        if kind == "bool":
            return rng.choice(("true", "false", "true", "false", '"true"', '"1"', '"0"', "1", '"True"'))
        if kind == "number":
            return rng.choice(_NUMBERS) if self.chance(0.8) else quoted(rng.choice(_TEXTS))
        if self.chance(0.15):
            return rng.choice(_NUMBERS)
        if self.chance(0.06):
            lines = rng.choice(("one\ntwo", "a $${x} b", "\u00e9\r\nx", "  in\n    deep", "a\r"))
            return f"<<{rng.choice(('', '-'))}E\n{lines}\nE\n"
        return quoted(rng.choice(_TEXTS))

    def value(self, kind: str, depth: int = 0) -> str:
        """A value for a type; now and then one that does not fit."""
        rng = self.rng
        if self.chance(0.04):
            return "null"
        if self.chance(0.08):
            return self.any_value(depth + 1)
        if kind in SCALARS:
            return self.scalar(kind)
        head, _, rest = kind.partition("(")
        inner = rest.removesuffix(")").strip()
        if head in ("list", "set"):
            return "[" + ", ".join(self.inline(inner, depth) for _ in range(rng.randrange(4))) + "]"
        if head == "map":
            keys = rng.sample(_KEYS, rng.randrange(4))
            return "{" + ", ".join(f"{key} = {self.inline(inner, depth)}" for key in keys) + "}"
        if head == "tuple":
            return "[" + ", ".join(self.inline(item, depth) for item in split(inner[1:-1])) + "]"
        if head == "object":
            pairs = [part.replace(":", "=", 1).partition("=") for part in split(inner[1:-1])]
            kept = [pair for pair in pairs if not self.chance(0.04)]
            made = [f"{key.strip()} = {self.inline(item.strip(), depth)}" for key, _, item in kept]
            return "{" + ", ".join(made + ["extra = 1"] * self.chance(0.06)) + "}"
        return self.any_value(depth)

    def inline(self, kind: str, depth: int) -> str:
        """A value that may stand in a list; a heredoc may not."""
        while (text := self.value(kind, depth + 1)).startswith("<<"):
            pass
        return text

    def any_value(self, depth: int = 0) -> str:
        """A value of no type in particular."""
        rng = self.rng
        if depth < 3 and self.chance(0.45):
            if self.chance(0.5):
                return "[" + ", ".join(self.inline("any", depth) for _ in range(rng.randrange(3))) + "]"
            keys = rng.sample(_KEYS, rng.randrange(3))
            return "{" + ", ".join(f"{key} = {self.inline('any', depth)}" for key in keys) + "}"
        return "null" if self.chance(0.1) else self.scalar(rng.choice(SCALARS))

    def json_value(self, kind: str, depth: int = 0) -> str:
        """A value for a type in JSON."""
        rng = self.rng
        head, _, rest = kind.partition("(")
        inner = rest.removesuffix(")").strip()
        if self.chance(0.05):
            return rng.choice(("null", "[]", "{}", "5"))
        if head in ("list", "set"):
            return "[" + ", ".join(self.json_value(inner, depth + 1) for _ in range(rng.randrange(4))) + "]"
        if head == "map":
            keys = rng.sample(("a", "b", "", "a b", "\u00e9", "e\u0301", "${a}", "$${a}"), rng.randrange(4))
            return (
                "{"
                + ", ".join(f"{json.dumps(key)}: {self.json_value(inner, depth + 1)}" for key in keys)
                + "}"
            )
        if head == "tuple":
            return "[" + ", ".join(self.json_value(item, depth + 1) for item in split(inner[1:-1])) + "]"
        if head == "object":
            pairs = [part.replace(":", "=", 1).partition("=") for part in split(inner[1:-1])]
            made = [
                f"{json.dumps(key.strip())}: {self.json_value(item.strip(), depth)}" for key, _, item in pairs
            ]
            return "{" + ", ".join(made) + "}"
        if head == "number":
            return rng.choice(_JSON_NUMBERS) if self.chance(0.8) else json.dumps(rng.choice(_TEXTS))
        if head == "bool":
            return rng.choice(("true", "false", '"true"', '"1"', "1"))
        return json.dumps(rng.choice(_TEXTS), ensure_ascii=self.chance(0.5)) if self.chance(0.9) else "true"

    # Cases.

    def _plain(self, name: str) -> Case:
        """A declaration with or without type and default, and a value."""
        inside = []
        kind = self.type()
        written = kind
        if self.chance(0.12):
            written = kind = self.odd_type()
        typed = self.chance(0.75)
        if typed:
            inside.append(f"type = {written}")
        default = None
        if self.chance(0.55):
            default = self.rng.choice(("{}", "[]")) if self.chance(0.12) else self.value(kind)
            if self.chance(0.04):
                default = self.computed()
            inside.append(f"default = {default}")
        if self.chance(0.08):
            texts = (
                '"Words."',
                "5",
                "null",
                "true",
                'upper("a")',
                "[1]",
                '"${1}"',
                "var.x",
                "local.x",
                '"a${env("A")}"',
            )
            inside.append(f"description = {self.rng.choice(texts)}")
        if default is not None and self.chance(0.06):
            marks = ("true", "false", '"true"', "1", "null", '"1"', '"yes"', "[]", "1 == 1", "var.x", "not")
            inside.append(f"sensitive = {self.rng.choice(marks)}")
            return Case(name, block(name, inside))
        if default is not None and self.chance(0.4):
            return Case(name, block(name, inside))
        if self.chance(0.25):
            return Case(name, block(name, inside), self.json_value(kind), json=True)
        return Case(name, block(name, inside), self.value(kind) if self.chance(0.95) else self.computed())

    def computed(self) -> str:
        """An expression that is more than a constant."""
        return self.rng.choice(
            (
                'upper("a")', 'env("HOME")', 'env("NO_SUCH_NAME")', '"${env("HOME")}/a"', "can(1)", "try(1, 2)", "1 + 1",
                "1 / 0", "1 / 3", "true ? 1 : 2", 'true ? "a" : upper("b")', 'false ? "a" : nothing.b', "var.v0", "local.a",
                "[for x in [1, 2]: x * 2]", "{for k in [\"a\"]: k => 1}", "[for x in y: x]", "path.root", "-\"5\"", "!\"true\"",
                '"${true}"', '"${[1]}"', "[1][0]", "[1][1]", "{a = 1}.a", "{a = 1}.b", "[1, 2].*", "null + 1", '"a" + 1',
                "1 == 1", "[1] == [1]", '"%{ if true }a%{ endif }"', '"%{ for x in [1, 2] }${x}%{ endfor }"', "0.1 + 0.2",
                "5 % 3", "-5 % 3", "5 % 0", "1 < 2", '"1" < 2', "(1)", "[[1], [2]][*][0]", "true && false", 'env()', "env(5)",
                '"${"x"}"', "1e400 * 1e400", "0.5 + 0.25", "7 / 2", "2 * 0.1", "true ? [1] : {}", "null == null",
            )
        )  # fmt: skip

    def _short_form(self, name: str) -> Case:
        """A line of a `variables` block."""
        default = self.any_value() if self.chance(0.8) else self.computed()
        value = self.any_value() if self.chance(0.5) else None
        return Case(name, f"variables {{\n  {name} = {default}\n}}\n", value)

    def _malformed(self, name: str) -> Case:
        """A block with something in it that does not belong there."""
        rng = self.rng
        inside = [f"default = {self.scalar('string')}", f"description = {quoted('Words.')}", "type = string"]
        inside = [line for line in inside if self.chance(0.7)]
        odd = rng.choice(
            (
                "sensitve = true", "defualt = 1", "nullable = false", "other {}", "validation {}", 'validation "x" {\n}',
                "validation {\n condition = true\n error_message = \"No.\"\n }", "ephemeral = true", "types = string",
                f"validation {{\n condition = var.{name} != \"q\"\n }}", "validation {\n error_message = \"No.\"\n }",
                f"validation {{\n condition = var.{name} != \"q\"\n error_message = \"No.\"\n other = 1\n }}",
                f"validation {{\n condition = var.{name} != \"q\"\n error_message = \"No.\"\n other {{}}\n }}",
                f"validation {{\n condition = var.other != var.{name}\n error_message = \"No.\"\n }}",
                f"validation {{\n condition = local.x != var.{name}\n error_message = \"No.\"\n }}",
                f"validation {{\n condition = [for x in [var.{name}]: x] != null\n error_message = \"No.\"\n }}",
                f"validation {{\n condition = var.{name}\n error_message = \"No.\"\n }}",
                f"validation {{\n condition = var[\"{name}\"] != 1\n error_message = \"No.\"\n }}",
                f"validation {{\n condition = var != var.{name}\n error_message = \"No.\"\n }}",
                f"validation {{\n condition = nosuch(var.{name})\n error_message = \"No.\"\n }}",
                f"validation {{\n condition = can(nosuch(var.{name}))\n error_message = \"No.\"\n }}",
                "description = [", "default = ", "a b c", "}", "type string",
            )
        )  # fmt: skip
        if self.chance(0.3):
            message = rng.choice(
                (
                    '"no."', '"No"', '""', '"No?"', '"Ünd!"', '"ünd!"', '"1 is."', '"  No.  "', '"  no."', "5", "true", "null",
                    'upper("No.")', f'"No ${{var.{name}}}."', '"日本."', '"No.\\n"', '"${"No."}"', "<<E\nNo.\nE\n", '"ǅa."',
                )
            )  # fmt: skip
            odd = f'validation {{\n condition = var.{name} != "q"\n error_message = {message}\n }}'
        inside.insert(rng.randrange(len(inside) + 1), odd)
        labels = f'"{name}"'
        if self.chance(0.12):
            labels = rng.choice(
                (name, f'"{name}" "x"', "", f'"{name} x"', f'"{name}.x"', f'"1{name}"', f'"{name}-é"')
            )
        return Case(name, f"variable {labels} {{\n  " + "\n  ".join(inside) + "\n}\n", self.scalar("string"))

    def _condition(self, name: str) -> Case:
        """A validation, and a value to try it on."""
        kind = self.rng.choice(
            ("string", "string", "number", "bool", "list(string)", "map(string)", "set(string)")
        )
        kind = self.type() if self.chance(0.2) else kind
        condition = self.boolean(kind, f"var.{name}", 0)
        inside = [f"type = {kind}"] if self.chance(0.9) else []
        if self.chance(0.4):
            inside.append(f"default = {self.value(kind)}")
        inside.append(f'validation {{\n    condition = {condition}\n    error_message = "Not this."\n  }}')
        return Case(name, block(name, inside), self.value(kind))

    def _expression(self, name: str) -> Case:
        """An expression over a variable, computed by both."""
        kind = self.rng.choice(
            ("string", "number", "bool", "list(string)", "map(number)", "set(string)", "list(number)")
        )
        kind = self.type() if self.chance(0.25) else kind
        asked = self.expression(
            self.rng.choice(("string", "number", "bool", "list", "map")), kind, f"var.{name}", 0
        )
        asked = "" if "\n" in asked else asked  # the console reads line by line
        return Case(name, block(name, [f"type = {kind}"]), self.value(kind), expression=asked)

    # Expressions over a variable.

    def boolean(self, kind: str, var: str, depth: int) -> str:
        """A condition."""
        rng = self.rng
        if depth < 3 and self.chance(0.3):
            one, other = self.boolean(kind, var, depth + 1), self.boolean(kind, var, depth + 1)
            return rng.choice(
                (f"({one} && {other})", f"({one} || {other})", f"!{one}", f"({one} ? {other} : {one})")
            )
        text, number = self.string(kind, var, depth + 1), self.number(kind, var, depth + 1)
        items = self.list(kind, var, depth + 1)
        pattern = rng.choice(
            (
                "^[a-z]+$", "^.*$", "a|ab", "[[:alpha:]]+", "\\\\d+", "(?i)A", "^(a|b)*$", "x{2}", "\\\\s", "(", "[^/]", "$", "^$",
                "(?P<n>a)(b)?", "(a)(b)?", "a{,2}", "\\\\.", ".$", "\\\\bab\\\\b", "é", "[à-ü]", "(?s).", "\\\\pL", "^[^\\\\s]+$",
            )
        )  # fmt: skip
        return rng.choice(
            (
                f"length({rng.choice((text, items))}) {rng.choice(('==', '>', '<=', '!='))} {rng.randrange(4)}",
                f"contains({items}, {rng.choice((text, number, 'null', var))})",
                f"can(regex({quoted_pattern(pattern)}, {text}))",
                f"length(regexall({quoted_pattern(pattern)}, {text})) > 0",
                f"{text} {rng.choice(('==', '!='))} {text}",
                f"{number} {rng.choice(('==', '!=', '<', '>', '<=', '>='))} {number}",
                f"{var} {rng.choice(('==', '!='))} {rng.choice((self.any_value(2), 'null', var))}",
                f"can({rng.choice((text, number, items, f'{var}.a', f'{var}[0]', f'nosuch({var})'))})",
                f"try({var}.a, {var}[0], true)",
                f"{rng.choice(('alltrue', 'anytrue'))}([for x in {items}: x != \"a\"])",
                f"{rng.choice(('startswith', 'endswith', 'strcontains'))}({text}, \"a\")",
                f"{rng.choice(('tobool', 'tostring', 'tonumber'))}({var}) == {var}",
                f"{var} == null ? true : {var} != \"a\"",
                f"{rng.choice((text, items))} {rng.choice(('==', '!='))} {rng.choice((text, items))}",
                "true", "null", text,
            )
        )  # fmt: skip

    def string(self, kind: str, var: str, depth: int) -> str:
        """An expression that is a text, most of the time."""
        rng = self.rng
        if depth > 3 or self.chance(0.35):
            return rng.choice((var, var, quoted(rng.choice(_TEXTS)), f'"${{{var}}}"', f'"x${{{var}}}y"'))
        one, other = self.string(kind, var, depth + 1), self.string(kind, var, depth + 1)
        number, items = self.number(kind, var, depth + 1), self.list(kind, var, depth + 1)
        return rng.choice(
            (
                f"upper({one})", f"lower({one})", f"trimspace({one})", f"trim({one}, {other})", f"trimprefix({one}, {other})",
                f"trimsuffix({one}, {other})", f"replace({one}, {other}, \"z\")", f"substr({one}, {number}, {rng.randrange(-1, 4)})",
                f"join({other}, {items})", f"format(\"%s-%d\", {one}, {number})", f"format(\"%v\", {one})", f"element({items}, {number})",
                f"{items}[{number}]", f"coalesce({one}, {other})", f"lookup({self.map(kind, var, depth + 1)}, \"a\", {one})",
                f"({self.boolean(kind, var, depth + 1)} ? {one} : {other})", f"base64encode({one})", f"try({one}, {other})",
                f'"%{{ if {self.boolean(kind, var, depth + 1)} }}a%{{ else }}b%{{ endif }}"', f'"${{{number}}}"', f"{var}.a",
                f'"%{{ for x in {items} }}<${{x}}>%{{ endfor }}"', f"tostring({number})", f"regex(\"[a-z]+\", {one})", f"title({one})",
            )
        )  # fmt: skip

    def number(self, kind: str, var: str, depth: int) -> str:
        """An expression that is a number, most of the time."""
        rng = self.rng
        if depth > 3 or self.chance(0.4):
            return rng.choice((var, rng.choice(_NUMBERS), rng.choice(_NUMBERS), "0", "1"))
        one, other = self.number(kind, var, depth + 1), self.number(kind, var, depth + 1)
        items = self.list(kind, var, depth + 1)
        return rng.choice(
            (
                f"({one} {rng.choice('+-*/%')} {other})", f"length({items})", f"length({self.string(kind, var, depth + 1)})", f"abs({one})",
                f"ceil({one})", f"floor({one})", f"max({one}, {other})", f"min({one}, {other})", f"-{one}", f"tonumber({one})",
                f"({self.boolean(kind, var, depth + 1)} ? {one} : {other})", f"max({items}...)", f"{items}[0]", f"index({items}, {one})",
                f"length({self.map(kind, var, depth + 1)})", f"try({one}, {other})",
            )
        )  # fmt: skip

    def list(self, kind: str, var: str, depth: int) -> str:
        """An expression that is a list, most of the time."""
        rng = self.rng
        if depth > 3 or self.chance(0.35):
            return rng.choice(
                (var, var, self.value("list(string)", 2), self.value("list(number)", 2), "[]", f"[{var}]")
            )
        one, other = self.list(kind, var, depth + 1), self.list(kind, var, depth + 1)
        text, maps = self.string(kind, var, depth + 1), self.map(kind, var, depth + 1)
        return rng.choice(
            (
                f"concat({one}, {other})", f"distinct({one})", f"flatten([{one}, {other}])", f"keys({maps})", f"values({maps})",
                f"split({text}, {text})", f"[for x in {one}: x]", f"[for i, x in {one}: \"${{i}}${{x}}\"]", f"{one}[*]", f"{maps}.*",
                f"[for k, v in {maps}: k]", f"[for x in {one}: x if x != \"a\"]", f"regexall(\"[a-z]\", {text})", f"[{text}, {text}]",
                f"({self.boolean(kind, var, depth + 1)} ? {one} : {other})", f"sort({one})", f"reverse({one})", f"{one}.*.a", f"try({one}, [])",
            )
        )  # fmt: skip

    def map(self, kind: str, var: str, depth: int) -> str:
        """An expression that is a map, most of the time."""
        rng = self.rng
        if depth > 3 or self.chance(0.4):
            return rng.choice((var, "{}", self.value("map(string)", 2), f"{{a = {var}}}"))
        one, other = self.map(kind, var, depth + 1), self.map(kind, var, depth + 1)
        items, text = self.list(kind, var, depth + 1), self.string(kind, var, depth + 1)
        return rng.choice(
            (
                f"merge({one}, {other})", f"{{for x in {items}: x => 1}}", f"{{for k, v in {one}: k => v}}", f"{{({text}) = {text}}}",
                f"{{for x in {items}: x => x...}}", f"{{a = {text}, b = {items}}}", f"({self.boolean(kind, var, depth + 1)} ? {one} : {other})",
                f"regex(\"(?P<a>.)\", {text})", f"merge({one}, null)", f"{{for i, x in {items}: i => x}}",
            )
        )  # fmt: skip

    def expression(self, wanted: str, kind: str, var: str, depth: int) -> str:
        """An expression of a kind."""
        make = {
            "string": self.string, "number": self.number, "bool": self.boolean, "list": self.list, "map": self.map,
        }  # fmt: skip
        return make[wanted](kind, var, depth)


def quoted_pattern(pattern: str) -> str:
    """A pattern as a string of HCL, its backslashes written twice already."""
    return f'"{pattern}"'


def split(text: str) -> list[str]:
    """The parts between commas that stand outside of brackets."""
    parts, depth, start = [], 0, 0
    for at, letter in enumerate(text):
        depth += (letter in "([{") - (letter in ")]}")
        if letter == "," and not depth:
            parts.append(text[start:at])
            start = at + 1
    parts.append(text[start:])
    return [part.strip() for part in parts if part.strip()]


def block(name: str, inside: list[str]) -> str:
    """A variable block."""
    lines = "".join(f"  {line}\n" for line in inside)
    return f'variable "{name}" {{\n{lines}}}\n'
