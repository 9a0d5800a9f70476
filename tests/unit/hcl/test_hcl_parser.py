"""What the reader makes of each construct of HCL2."""

from __future__ import annotations

import pytest

from hybridcore import hcl


def value(expression: str) -> object:
    return hcl.loads(f"a = {expression}\n").attributes["a"].value


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("true", True),
        ("null", None),
        ("0", 0),
        ("1.50", 1.5),
        ("1e3", 1000),
        ("1.5E+2", 150),
        ("25e-1", 2.5),
        ("-7", -7),
        ("9" * 400, 10**400 - 1),
        ('""', ""),
        (r'"\n\r\t\"\\\u00e9\U0001F600"', '\n\r\t"\\é😀'),
        ('"$${a} %%{b} $ % $$ %% $$$${c}"', "${a} %{b} $ % $$ %% $$${c}"),
        ('"a${1}b${true}"', "a1btrue"),
        ('"${5}"', 5),
        ('"${"a${"b${"c"}"}"}"', "abc"),
        ('"%{ if true }x%{ else }y%{ endif }"', "x"),
        ('"%{ for x in ["a", "b"] ~} ${x} %{~ endfor }"', "ab"),
        ("[]", []),
        ('[1, "two", [3], null,]', [1, "two", [3], None]),
        ("[\n  1,\n  # comment\n  2 // another\n]", [1, 2]),
        ("{}", {}),
        ('{ a = 1, "b" : 2\n (1 == 1 ? "c" : "d") = 3\n true = 4 }', {"a": 1, "b": 2, "c": 3, "true": 4}),
        ("{ null = 1, false = 2 }", {"null": 1, "false": 2}),
        ('[for i, x in ["a", "b"]: "${i}${x}" if x != "a"]', ["1b"]),
        ("{for k, v in {a = 1}: v => k...}", {"1": ["a"]}),
        ("true ? 1 : 2", 1),
        ('true ? 1 : "2"', "1"),
        ("1 + 2 * 3 - 4 / 2", 5),
        ("(1 + 2) * 3 % 4", 1),
        ("!(1 < 2) || 2 >= 2 && 1 != 2", True),
        ("0.1 + 0.2 == 0.3", True),
        ('1 == "1"', False),
        ("[{ a = 1 }, { a = 2 }][*].a", [1, 2]),
        ("[{ a = 1 }, { a = 2 }].*.a[1]", 2),
        ("{ a = [5, 6] }.a[1]", 6),
        ('{ a = [5, 6] }["a"].0', 5),
        ("<<E\na\n  b $${x}\nE", "a\n  b ${x}\n"),
        ("<<-E\n    a\n\n      b\n    E", "a\n\n  b\n"),
        ("<<-E\n\ta ${1 + 1}\n\t${2}\n\tE", "a 2\n2\n"),
        ("<<E\nx ${~ 1 ~}  \n  y\nE", "x1  y\n"),
    ],
)
def test_constants_have_the_values_that_packer_gives_them(expression: str, expected: object) -> None:
    found = value(expression)
    assert found == expected
    assert type(found) is type(expected)


def test_null_differs_from_not_constant() -> None:
    body = hcl.loads('a = null\nb = var.x\nc = upper("x")\n')
    assert body.attributes["a"].constant
    assert body.attributes["a"].value is None
    for name in "bc":
        assert not body.attributes[name].constant
        with pytest.raises(hcl.NotEvaluable):
            body.attributes[name].value  # noqa: B018


def test_structure_keeps_order_labels_and_positions() -> None:
    text = (
        '// first\nvariable "a" {\n  type = string # words\n}\nb = 1\n'
        'source "qemu" debian "x" {\n    k /* c */ = [\n  1]\n  nested {}\n  one { z = 2 }\n}\n'
    )
    body = hcl.loads(text, filename="f.pkr.hcl")
    assert [(block.type, block.labels, block.line) for block in body.blocks] == [
        ("variable", ("a",), 2),
        ("source", ("qemu", "debian", "x"), 6),
    ]
    assert body.attributes["b"].line == 5
    source = body.blocks[1].body
    key = source.attributes["k"]
    assert (key.line, key.node.column, key.expression, key.value) == (7, 17, "[\n  1]", [1])
    assert [block.type for block in source.blocks] == ["nested", "one"]
    assert source.blocks[1].body.attributes["z"].value == 2


def test_byte_order_mark_crlf_and_unicode_names() -> None:
    lines = ('\ufeffgröße = "x"', "名前-1 = <<E", "z", "E", "b {", "  c = {", "    d = 1", "  }", "}", "")
    body = hcl.loads("\r\n".join(lines))
    assert body.attributes["größe"].value == "x"
    assert body.attributes["名前-1"].value == "z\r\n"
    assert body.blocks[0].body.attributes["c"].value == {"d": 1}
    with pytest.raises(hcl.HclError) as caught:
        hcl.loads("\ufeffgröße = )")
    assert (caught.value.line, caught.value.column) == (1, 9)


def test_loading_a_file_reads_bytes(tmp_path) -> None:
    path = tmp_path / "a.pkrvars.hcl"
    path.write_bytes("\ufeff# caf\n".encode() + b"# \xe9 in a comment is not read\na = 1\n")
    assert hcl.load(path).attributes["a"].value == 1
    path.write_bytes(b'a = 1\nb = "\xe9"\n')
    with pytest.raises(hcl.HclError, match=r"a\.pkrvars\.hcl:2:6: .*not UTF-8"):
        hcl.load(path)


def test_whole_numbers_of_any_size_are_exact() -> None:
    # Longer than int() takes from text.
    assert value("9" * 5000) == 10**5000 - 1
