"""What expressions with variables give, and what is left to Packer."""

from __future__ import annotations

import pytest

from hybridcore import hcl
from hybridcore.hcl.nodes import Call
from hybridcore.hcl.values import SetOf

SCOPE = {
    "var": {
        "name": "debian-12",
        "size": 20,
        "ratio": 1.5,
        "on": True,
        "nothing": None,
        "tenth": 0.1,
        "names": SetOf(("a", "b")),
        "disks": [{"size": 1}, {"size": 2}],
        "tags": {"os": "linux", "env": "dev"},
    },
    "local": {"n": "5"},
}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("var.name", "debian-12"),
        ('"${var.name}-${var.size}-${var.ratio}-${var.on}"', "debian-12-20-1.5-true"),
        ("var.disks[1].size", 2),
        ("var.disks[*].size", [1, 2]),
        ('var.tags["os"]', "linux"),
        ("local.n + 1", 6),
        ("var.size / 8", 2.5),
        ("-7 % 3", -1),
        ("local.n == 5", False),
        ("var.nothing == null", True),
        ("var.nothing[*]", []),
        ("var.name[*]", ["debian-12"]),
        ('length(var.name) > 3 && can(regex("^[a-z]+-[0-9]+$", var.name))', True),
        ('can(regex("^x", var.name))', False),
        ('regex("(?P<os>[a-z]+)-(?P<release>\\\\d+)", var.name)', {"os": "debian", "release": "12"}),
        ('regex("a|ab", "xab")', "a"),
        ('regexall("[a-z]*", "ab12c")', ["ab", "", "c"]),
        ('regex("a+?", "aaa")', "a"),
        ('regex("a{2}", "aaa")', "aa"),
        ('regex("a{1,}?b|a{3}", "aaa")', "aaa"),
        ('regex("(?i)[a-c]x\\\\b", "abcX!")', "cX"),
        ('regex("[[:digit:]]+$", "1 23")', "23"),
        ('regex("(?m)^b$", "a\\nb\\nc")', "b"),
        ('regex("(a)|(b)", "b")', [None, "b"]),
        (r'regex("\\s+x", "\u000b \tx")', " \tx"),
        (r'regexall("[]x-]|[^[:alpha:]{]", "]x-{1")', ["]", "x", "-", "1"]),
        (r'regex("a{,2}]}", "a{,2}]}")', "a{,2}]}"),
        (r'can(regex("a$", "a\n"))', False),
        ('regexall("a*?", "aa")', ["", "", ""]),
        (r'regex("[\\d.]+\\.z\\z", "1.2.z")', "1.2.z"),
        (r'regex("(?s:a.b)(?im:^|$)", "a\nb")', "a\nb"),
        ('regex("([a-z])+([0-9]{2,}?)", "ab1234")', ["b", "12"]),
        ('try(var.tags.missing, "default")', "default"),
        ('contains(["a", "b"], "c")', False),
        ('contains(keys(var.tags), "env")', True),
        ("values(var.tags)", ["dev", "linux"]),
        ('lookup(var.tags, "x", "none")', "none"),
        ('merge(var.tags, { os = "bsd" })', {"os": "bsd", "env": "dev"}),
        ('join(",", concat(["a"], ["b"]))', "a,b"),
        ('split("-", var.name)', ["debian", "12"]),
        ('replace("a-b", "-", "_")', "a_b"),
        ('format("%s has %d%%", "x", 5)', "x has 5%"),
        ('upper("straße")', "STRAßE"),
        ('lower("ÀB")', "àb"),
        ('trimspace("  a\\n")', "a"),
        ('trim("--a--", "-")', "a"),
        ('trimprefix("ab", "a")', "b"),
        ('trimsuffix("ab", "b")', "a"),
        ('substr("hello", -3, 2)', "ll"),
        ("max(1, 2.5, 2)", 2.5),
        ("min(1, 2)", 1),
        ("abs(-1.5)", 1.5),
        ("ceil(1.2) + floor(1.8)", 3),
        ('coalesce(null, "", "a")', "a"),
        ('distinct(["a", "b", "a"])', ["a", "b"]),
        ("flatten([[1], [2, [3]]])", [1, 2, 3]),
        ('element(["a", "b"], 3)', "b"),
        ('length("e\u0301")', 1),
        ('["e\u0301", "${"e"}${"\\u0301"}", upper("e\u0301")]', ["\u00e9", "\u00e9", "\u00c9"]),
        ('{"e\u0301" = 1}["\u00e9"]', 1),
        ("var.tenth == 0.1 && contains([0.1], var.tenth) && 0.1 + 0.2 == 0.3 && 0.7 - 0.1 != 0.6", True),
        ("max([1, 3].*...)", 3),
        ("1 / 10 == 0.1 && 1 / 3 * 3 == 1", True),
        ('length(var.names) == 2 && contains(var.names, "b") && var.names != null', True),
        ("can(var.names[0]) || can(var.names.a)", False),
        ('base64encode("ä")', "w6Q="),
        ("max([1, 2]...)", 2),
        ('var.size > 10 ? "big" : 1', "big"),
        ('[for k, v in var.tags : k if v != "dev"]', ["os"]),
    ],
)
def test_values_are_those_of_packer(expression: str, expected: object) -> None:
    found = hcl.evaluate(expression, SCOPE)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    "expression",
    [
        "var.unknown",
        "other.name",
        "can(var.unknown)",
        'file("/etc/passwd")',
        'env("HOME")',
        "timestamp()",
        "uuidv4()",
        "1 / 0",
        "[1] == [1]",
        'var.size + "x"',
        "var.tags.missing",
        "var.disks[7]",
        '"x${var.disks}"',
        "upper()",
        r'regex("(?P<n", "x")',
        r'regex("\\pL", "x")',
        'length("x\u0301")',
        "var.names[*]",
        "var.names",
        "[for name in var.names: name]",
        'join(",", var.names)',
        "var.names == var.names",
        "flatten([var.names])",
        "ceil(1e400)",
        "floor(9007199254740993)",
        'var.name == ["a", null]',
        "substr(var.name, 1e400, 1) == null || floor(1e-400) == 0",
        *(f'{name}("a", "a")' for name in ("startswith", "endswith", "strcontains")),
        *(f"{name}([true])" for name in ("alltrue", "anytrue")),
        *(f'can({name}("1"))' for name in ("tostring", "tonumber", "tobool", "nosuch")),
        'true ? [1] : ["a"]',
        "{for x in [1, 1]: x => x}",
        "[for x in [].*.a: x]",
    ],
)
def test_what_is_unknown_or_wrong_is_left_to_packer(expression: str) -> None:
    with pytest.raises(hcl.NotEvaluable):
        hcl.evaluate(expression, SCOPE)


def test_an_attribute_and_a_tree_can_be_computed() -> None:
    attribute = hcl.loads("a = upper(var.name)\n").attributes["a"]
    assert hcl.evaluate(attribute, SCOPE) == "DEBIAN-12"
    assert isinstance(attribute.node, Call)
    assert hcl.evaluate(attribute.node, SCOPE) == "DEBIAN-12"


def test_functions_can_be_given() -> None:
    assert hcl.evaluate("twice(var.size)", SCOPE, {"twice": lambda number: number * 2}) == 40


@pytest.mark.parametrize("text", ["", "1 2", "a = 1", "(", "1\n2"])
def test_a_text_that_is_no_expression_is_an_error(text: str) -> None:
    with pytest.raises(hcl.HclError):
        hcl.evaluate(text, {})
