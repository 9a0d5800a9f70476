"""Files of values: what they say, and what is wrong in them, with file and line."""

from __future__ import annotations

import os
from collections.abc import Callable
from decimal import Decimal

import pytest

from hybridcore.config.entries import Entry, parse_hcl, parse_json, read_file, read_text
from hybridcore.errors import Fault
from hybridcore.hcl.types import MAX_DEPTH
from tests.support.workspaces import WorkspaceFolder


def of_hcl(text: str) -> tuple[dict[str, Entry] | None, list[str]]:
    faults: list[Fault] = []
    found = parse_hcl(text, "f", faults)
    return found, [str(fault) for fault in faults]


def of_json(text: str) -> tuple[dict[str, Entry] | None, list[str]]:
    faults: list[Fault] = []
    found = parse_json(text, "f", faults)
    return found, [str(fault) for fault in faults]


def test_an_origin_has_a_line_where_there_is_one() -> None:
    assert Entry(1, "f", 3).origin == "f:3"
    assert Entry(1, "caller").origin == "caller"


def test_values_in_hcl_with_their_lines() -> None:
    found, faults = of_hcl('\na = 1\nb = {\n  c = "x"\n}\n')
    assert found == {"a": Entry(1, "f", 2), "b": Entry({"c": "x"}, "f", 3)}
    assert faults == []


@pytest.mark.parametrize(
    ("expression", "marked"),
    [
        ('env("PKR_VAR_a")', True),
        ('env( "PKR_VAR_a" )', True),
        ('env("PKR_VAR_b")', False),  # of another variable
        ('env("HOME")', False),
        ('"${env("PKR_VAR_a")}"', False),
    ],
)
def test_a_value_that_the_environment_gives(expression: str, marked: bool) -> None:
    found, faults = of_hcl(f"a = {expression}\n")
    assert found is not None
    assert (found["a"].value, found["a"].marked, found["a"].faulty) == (None, marked, not marked)
    assert bool(faults) is not marked


@pytest.mark.parametrize(
    ("text", "names", "fault"),
    [
        ("a = var.b\n", ["a"], "f:1: a: expected a constant, found an expression that Packer would have to"),
        ("\nb {\n}\n", ["b"], "f:2: a block 'b' in a file of values (for a map write b = {)"),
        ("a = = 1\n", None, 'f:1: column 5: expected a value, found "="'),
        ("a = 1\na = 2\n", None, 'f:2: column 1: "a" is already set in line 1'),
    ],
)
def test_what_is_wrong_in_hcl(text: str, names: list[str] | None, fault: str) -> None:
    found, (said,) = of_hcl(text)
    assert said.startswith(fault)
    # What cannot be used stays, marked, so that the variable is not called missing too.
    assert (found if found is None else [name for name, one in found.items() if one.faulty]) == names


def test_all_faults_of_a_file_are_found() -> None:
    found, faults = of_hcl("a = var.x\nb {\n}\nc = f(1)\nd = 1\n")
    assert len(faults) == 3
    assert found is not None
    assert [name for name, one in found.items() if not one.faulty] == ["d"]


def test_values_in_json_with_their_lines_and_exact_numbers() -> None:
    text = '{\n  "a": 0.1,\n  "b": 12345678901234567890.5,\n  "c": [1, null], "e\u0301": 1e3\n}'
    found, faults = of_json(text)
    assert found == {
        "a": Entry(0.1, "f", 2),
        "b": Entry(Decimal("12345678901234567890.5"), "f", 3),
        "c": Entry([1, None], "f", 4),
        "\u00e9": Entry(1000, "f", 1),  # of a key in another form the line is not found
    }
    assert faults == []
    assert of_json("") == ({}, [])


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[1]", "f:1: must hold one JSON object"),
        ("null", "f:1: must hold one JSON object"),
        ('{"a": 1,}', "f:1: is not JSON: "),
        ('{\n"a" 1}', "f:2: is not JSON: "),
        ('{"a": NaN}', "f: is not JSON that HCL can express: NaN is no number of it"),
        ('{"a": -Infinity}', "f: is not JSON that HCL can express: -Infinity is no number of it"),
        ('{"a": ' + "[" * 100_000, "f: is nested too deep"),
        ('{"a": ' + "[" * MAX_DEPTH + "]" * MAX_DEPTH + "}", "f: is nested too deep"),
    ],
)
def test_what_is_wrong_in_json(text: str, fault: str) -> None:
    found, (said,) = of_json(text)
    assert found is None
    assert said.startswith(fault)


def test_the_deepest_value_of_json_that_is_taken() -> None:
    found, faults = of_json('{"a": ' + "[" * (MAX_DEPTH - 2) + "]" * (MAX_DEPTH - 2) + "}")
    assert (faults, found is None) == ([], False)


@pytest.mark.parametrize(
    "text", ['{"a": 1, "a": 2}', '{"x": {"a": 1, "a": 2}}', '{"e\u0301": 1, "\u00e9": 2}']
)
def test_a_key_that_is_given_twice_in_json(text: str) -> None:
    _, faults = of_json(text)
    assert [fault.endswith(": given twice") for fault in faults] == [True]


def test_files_are_told_apart_by_their_suffix(make_workspace: Callable[..., WorkspaceFolder]) -> None:
    space, faults = make_workspace(), list[Fault]()
    hcl_file = space.write("a.pkrvars.hcl", "\ufeffa = 1\n")
    json_file = space.write("a.pkrvars.json", '\ufeff{"a": 2}')
    assert read_file(hcl_file, space.open(), faults) == {"a": Entry(1, "a.pkrvars.hcl", 1)}
    assert read_file(json_file, space.open(), faults) == {"a": Entry(2, "a.pkrvars.json", 1)}
    assert faults == []


def test_files_that_cannot_be_read(make_workspace: Callable[..., WorkspaceFolder]) -> None:
    space, faults = make_workspace(), list[Fault]()
    space.write("bytes", "").write_bytes(b"a = \xff")
    space.write("vault", "$ANSIBLE_VAULT;1.1;AES256\n6162\n")
    os.mkfifo(space.root / "pipe")
    for name in ("bytes", "vault", "pipe", "gone"):
        assert read_text(space.root / name, space.open(), faults) is None
    assert [str(fault).partition(" (")[0] for fault in faults] == [
        "bytes: is not UTF-8 at byte 4",
        "vault:1: is encrypted by ansible-vault, which Packer cannot read",
        "pipe: cannot be read: it is no plain file",
        "gone: cannot be read: No such file or directory",
    ]
