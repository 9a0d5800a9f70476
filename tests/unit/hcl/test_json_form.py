"""HCL in its JSON form is read as the same HCL: structure, places, and what each expression is."""

from __future__ import annotations

import json

import pytest

from hybridcore import hcl
from hybridcore.errors import HclError
from hybridcore.hcl.json_form import loads_json

BLOCKS = {
    "variable": (1, {"validation": (0, {})}),
    "locals": (0, {}),
    "source": (2, {}),
    "build": (0, {"provisioner": (1, {})}),
}


def read(text: str | object) -> hcl.Body:
    return loads_json(
        text if isinstance(text, str) else json.dumps(text, indent=1), BLOCKS, filename="x.pkr.json"
    )


def test_references_are_those_of_the_templates() -> None:
    attribute = read({"a": ["${var.x}", {"${local.y}": "z"}]}).attributes["a"]
    assert attribute.references == ("var.x", "local.y")


def test_blocks_have_labels_by_nesting_and_may_be_arrays_at_each_level() -> None:
    body = read(
        {
            "//": "a comment",
            "variable": {
                "a": {"default": 1, "validation": [{"condition": True}, {"condition": False}]},
                "b": {},
            },
            "source": [{"qemu": {"web": [{"cpus": 2}]}}, {"null": {"x": {}, "y": {}}}],
            "build": [{"provisioner": [{"shell": {"inline": ["a"]}}, {"file": {}}]}, {}],
            "locals": None,
        }
    )
    assert [(one.type, one.labels) for one in body.blocks] == [
        ("variable", ("a",)),
        ("variable", ("b",)),
        ("source", ("qemu", "web")),
        ("source", ("null", "x")),
        ("source", ("null", "y")),
        ("build", ()),
        ("build", ()),
    ]
    assert [one.type for one in body.blocks[0].body.blocks] == ["validation", "validation"]
    assert [one.labels for one in body.blocks[5].body.blocks] == [("shell",), ("file",)]
    assert body.blocks[2].body.attributes["cpus"].value == 2


def test_places_are_those_of_the_file() -> None:
    body = read('{\n  "locals": {\n    "x": "${var.a}",\n    "y": [\n      "z"\n    ]\n  }\n}\n')
    (block,) = body.blocks
    assert (block.line, block.end_line) == (2, 7)
    assert [(one.name, one.line) for one in block.body.attributes.values()] == [("x", 3), ("y", 4)]
    assert block.body.attributes["y"].expression == '[\n      "z"\n    ]'
    assert block.text.startswith('"locals": {')


def test_words_are_the_text_of_a_string() -> None:
    assert read({"type": "list(string)"}).attributes["type"].words == "list(string)"
    assert hcl.loads("type = list(string)\n").attributes["type"].words == "list(string)"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("", 1, "expected a value of JSON, found the end of the file"),
        ("[1]", 1, "expected an object, or an array of objects"),
        ('{"a": 1,\n}', 2, 'expected another one after ","'),
        ('{"a" 1}', 1, 'expected ":" after the name'),
        ('{"a": 1 "b": 2}', 1, 'expected "," or "}"'),
        ('{\n"a": tru}', 2, "expected a value of JSON"),
        ('{"a": "x\ny"}', 1, "a string: Invalid control character"),
        ('{"a": 1}\n2', 2, "expected the end of the file"),
        ('{"a": 1,\n"a": 2}', 2, '"a" is already set in line 1'),
        ('{"locals": 1}', 1, "expected an object, or an array of objects"),
        ('{"a":' + "[" * 300 + "]" * 300 + "}", 1, "nested more than 200 levels deep"),
    ],
)
def test_what_is_wrong_is_said_with_its_place(text: str, line: int, says: str) -> None:
    with pytest.raises(HclError) as caught:
        read(text)
    assert says in caught.value.message
    assert caught.value.line == line
