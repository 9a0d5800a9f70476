"""Bodies, attributes and blocks: what they tell of their text."""

from __future__ import annotations

import pytest

from hybridcore import hcl
from hybridcore.hcl.evaluator import compute


def test_everything_below_a_body_can_be_walked_over() -> None:
    body = hcl.loads("a { b = 1 }\nc = 2\nd {\n  e { f = 3 }\n  g {\n    h {}\n  }\n  i = 4\n}\n")
    assert [block.type for block in body.nested()] == ["a", "d", "e", "g", "h"]
    found = list(body.walk())
    assert [attribute.name for _, attribute in found] == ["c", "b", "i", "f"]
    assert all(owner.attributes[attribute.name] is attribute for owner, attribute in found)


def test_attributes_cannot_be_changed() -> None:
    attribute = hcl.loads("a = 1\n").attributes["a"]
    with pytest.raises(AttributeError):
        attribute.line = 5
    with pytest.raises(AttributeError):
        attribute.other = 5


def attribute(expression: str) -> hcl.Attribute:
    return hcl.loads(f"\n  a = {expression}\n", filename="f.hcl").attributes["a"]


@pytest.mark.parametrize(
    ("expression", "constant", "value"),
    [
        ('"plain"', True, "plain"),
        ('"e\u0301"', True, "\u00e9"),
        ("true", True, True),
        ("null", True, None),
        ('["a", "b",\n "c"]', True, ["a", "b", "c"]),
        ('["e\u0301"]', True, ["\u00e9"]),
        ("[]", True, []),
        ('["a", 1]', True, ["a", 1]),
        ('"${"x"}"', True, "x"),
        ("1 + 1", True, 2),
        ("true ? 1 : 2", True, 1),
        ("truely.x", False, None),
        ("var.x", False, None),
        ('"${var.x}"', False, None),
        ('"a-${f("x")}"', False, None),
        ("can(1)", False, None),
        ("f(1)", False, None),
        ('"a ${1} ${var.x}"', False, None),
    ],
)
def test_short_ways_give_what_the_tree_gives(expression: str, constant: bool, value: object) -> None:
    """Most expressions are known without a tree; what is said of them must be what the tree says."""
    found = attribute(expression)
    assert found.constant is constant
    try:
        computed: object = compute(found.node, {})
    except hcl.NotEvaluable:
        assert not constant
    else:
        assert constant
        assert (found.value, type(found.value)) == (value, type(value)) == (computed, type(computed))


def test_what_is_not_constant_has_its_place() -> None:
    with pytest.raises(hcl.NotEvaluable) as caught:
        attribute("var.x").value  # noqa: B018
    assert (caught.value.file, caught.value.line) == ("f.hcl", 2)


@pytest.mark.parametrize(
    ("expression", "wrong"),
    [
        ("1", ""),
        ("var.x", ""),
        ("1 + true", "a number is required"),
        ("[1][1]", "there is no element 1"),
        ("true.x", "only lists and maps have elements"),
    ],
)
def test_what_nobody_can_compute_is_told(expression: str, wrong: str) -> None:
    assert attribute(expression).wrong == wrong


def test_the_tree_is_built_once() -> None:
    found = attribute("var.x + 1")
    assert found.node is found.node
    assert found.expression == "var.x + 1"


def test_a_block_knows_its_text_and_lines() -> None:
    body = hcl.loads('# c\n  b "x" {\n    a = 1\n    c { d = 2 }\n  } # end\n')
    (block,) = body.blocks
    assert (block.line, block.end_line) == (2, 5)
    assert block.text == 'b "x" {\n    a = 1\n    c { d = 2 }\n  }'
    assert block.body.blocks[0].text == "c { d = 2 }"
    assert repr(block) == "Block(b x, line 2)"
    assert repr(block.body.attributes["a"]) == "Attribute(a = '1', line 3)"
