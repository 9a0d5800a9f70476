"""The trees of expressions, and what they refer to."""

from __future__ import annotations

from decimal import Decimal

import pytest

from hybridcore import hcl
from hybridcore.hcl.expressions import number, references
from hybridcore.hcl.nodes import (
    Access,
    Binary,
    Call,
    Conditional,
    ListNode,
    Literal,
    Node,
    ObjectNode,
    Splat,
    Template,
    Unary,
    Variable,
)


def test_every_node_knows_its_place() -> None:
    node = hcl.loads('\n  a = 1 + f(\n    "x")\n').attributes["a"].node
    assert isinstance(node, Binary)
    assert (node.line, node.column) == (2, 7)
    assert isinstance(node.right, Call)
    assert (node.right.line, node.right.column) == (2, 11)
    argument = node.right.arguments[0]
    assert argument == Literal(3, 5, "x")


def test_references_name_what_the_scope_must_give() -> None:
    text = (
        'a = "${var.b} ${local.c[var.d]} ${[for x in each.y : x.z + var["e"]]} '
        '${f(build.ID, data.g.h)} ${source}" == { k = var.b }\n'
    )
    assert hcl.loads(text).attributes["a"].references == (
        *("var.b", "local.c", "var.d", "each.y", "var.e", "build.ID", "data.g", "source"),
    )


def drawn(node: Node) -> str:
    """A tree in brackets, so that its shape can be read."""
    match node:
        case Literal(value=value):
            return repr(value)
        case Variable(name=name):
            return name
        case Access(source=source, steps=steps):
            return f"{drawn(source)}{''.join(f'[{drawn(step)}]' for step in steps)}"
        case Splat(steps=steps):
            return f"*{''.join(f'[{drawn(step)}]' for step in steps)}"
        case Unary(operator=sign, operand=operand):
            return f"({sign}{drawn(operand)})"
        case Binary(operator=sign, left=left, right=right):
            return f"({drawn(left)} {sign} {drawn(right)})"
        case Conditional(condition=condition, yes=yes, no=no):
            return f"({drawn(condition)} ? {drawn(yes)} : {drawn(no)})"
        case Call(name=name, arguments=arguments, expand=expand):
            return f"{name}({', '.join(map(drawn, arguments))}{'...' if expand else ''})"
        case ListNode(items=items):
            return f"[{', '.join(map(drawn, items))}]"
        case ObjectNode(items=pairs):
            return f"{{{', '.join(f'{drawn(key)}: {drawn(value)}' for key, value in pairs)}}}"
        case Template(parts=parts):
            return f"<{' '.join(map(drawn, parts))}>"
    return f"{node}"


@pytest.mark.parametrize(
    ("expression", "tree"),
    [
        ("a - b - c", "((a - b) - c)"),
        ("a + b * c", "(a + (b * c))"),
        ("a || b && c == d < e + f * g", "(a || (b && (c == (d < (e + (f * g))))))"),
        ("-a * !b", "((-a) * (!b))"),
        ("--a.b", "(-(-a['b']))"),
        ("a ? b : c ? d : e", "(a ? b : (c ? d : e))"),
        ("a ? b ? 1 : 2 : c", "(a ? (b ? 1 : 2) : c)"),
        ("a.b[0].c", "a['b'][0]['c']"),
        ("a.0.b", "a[0]['b']"),
        ("a[b.c]", "a[b['c']]"),
        ("a[*].b[0]", "a[*['b'][0]]"),
        ("a.*.b[0]", "a[*['b']][0]"),  # a star with a dot takes only the steps with a dot
        ("a.b[*].c[*].d", "a['b'][*['c'][*['d']]]"),
        ("f(a, [b]...)", "f(a, [b]...)"),
        ('{ a = 1, (b) = 2, "c" : 3, true = 4, 5 = 6 }', "{'a': 1, b: 2, 'c': 3, True: 4, 5: 6}"),
        ("{ null = 1 }", "{'null': 1}"),
        ('"a${b}c"', "<'a' b 'c'>"),
        ('"${b}"', "b"),
        ("(\n a\n +\n b\n)", "(a + b)"),
        ("<<E\nx\nE\n", "'x\\n'"),
        ("a /* c */ . /* d */ b", "a['b']"),
        ("null", "None"),
    ],
)
def test_trees(expression: str, tree: str) -> None:
    assert drawn(hcl.parse_expression(expression)) == tree


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("0", 0),
        ("007", 7),
        ("1.0", 1),
        ("1.50", Decimal("1.5")),
        ("1e3", 1000),
        ("1e-2", Decimal("0.01")),
        ("0e99999999999999999999", 0),
        ("1e30000", Decimal("1e30000")),  # nobody writes it out
    ],
)
def test_numbers(text: str, found: object) -> None:
    made = number(text)
    assert made == found
    assert type(made) is type(found)


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ("1", ()),
        ("a", ("a",)),
        ("a.b.c", ("a.b",)),
        ("a[0].b", ("a",)),
        ("a[b.c]", ("a", "b.c")),
        ("a.b + a.b", ("a.b",)),
        ("[for x in a.b : x.y + c.d if x.z]", ("a.b", "c.d")),
        ("[for x in x.y : x]", ("x.y",)),  # the collection is computed before the name is bound
        ("{for k, v in a : k => v...}", ("a",)),
        ('"${a.b}%{ if c.d }%{ endif }"', ("a.b", "c.d")),
        ("f(a.b)", ("a.b",)),
        ("{ a = b.c, (d.e) = 1 }", ("b.c", "d.e")),
    ],
)
def test_references(expression: str, names: tuple[str, ...]) -> None:
    assert references(hcl.parse_expression(expression)) == names
