"""What the writer prints, and that reading it back gives the same."""

from __future__ import annotations

import math
import unicodedata
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hybridcore import hcl

GOLDEN = """\
disks = [
  {
    "interface.0" = "virtio"
    size          = "10G"
  },
]
memory_mb = 2048
name      = "debian \\"12\\"\\n$${not} %%{a} template"
nothing   = null
nested = {
  empty = {}
  "for" = [1, -2.5, true]
  none  = []
}
ssh = "é"
"""


def test_a_file_looks_as_packer_fmt_leaves_it() -> None:
    values = {
        "disks": [{"interface.0": "virtio", "size": "10G"}],
        "memory_mb": 2048,
        "name": 'debian "12"\n${not} %{a} template',
        "nothing": None,
        "nested": {"empty": {}, "for": [1, -2.5, True], "none": []},
        "ssh": "é",
    }
    assert hcl.dumps(values) == GOLDEN


def test_long_lists_take_a_line_for_each_element() -> None:
    items = [f"element number {number}" for number in range(10)]
    lines = hcl.dumps_value(items, indent=1).splitlines()
    assert lines[0] == "["
    assert lines[1] == '    "element number 0",'
    assert lines[-1] == "  ]"


def test_an_empty_mapping_is_an_empty_file() -> None:
    assert hcl.dumps({}) == ""


@pytest.mark.parametrize(
    "value",
    [
        *(math.nan, math.inf, -math.inf),
        *("\ud800", {1: 2}, {"a": {"b": object()}}, b"bytes", {1, 2}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_hcl_cannot_hold_is_refused(value: object) -> None:
    with pytest.raises(hcl.HclError):
        hcl.dumps({"a": value})


@pytest.mark.parametrize("name", ["", "a b", "1a", "a.b", "a\n", '"a"', "\u00b2"])
def test_names_that_are_no_identifiers_are_refused(name: str) -> None:
    with pytest.raises(hcl.HclError, match="name"):
        hcl.dumps({name: 1})


def test_a_value_that_holds_itself_is_refused() -> None:
    endless: list[object] = []
    endless.append(endless)
    with pytest.raises(hcl.HclError, match="levels deep"):
        hcl.dumps({"a": endless})


letters = st.one_of(st.sampled_from('"\\$%{}~\n\r\t\x00\x7f#/*<E'), st.characters(exclude_categories=["Cs"]))
# Packer brings every text into this form.
text = st.text(letters, max_size=20).map(lambda letters: unicodedata.normalize("NFC", letters))
# Those that are no float and no whole number stay what they are.
decimals = st.decimals(-(10**30), 10**30, allow_nan=False).filter(
    lambda number: number != number.to_integral_value() and Decimal(repr(float(number))) != number
)
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), decimals, st.floats(allow_nan=False, allow_infinity=False), text
)
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=12,
)
names = st.from_regex(r"[A-Za-z_à-ö][A-Za-z0-9_à-ö-]{0,12}", fullmatch=True)


@settings(max_examples=200)
@given(st.dictionaries(names, values, max_size=4))
def test_reading_back_gives_the_same_values(mapping: dict[str, object]) -> None:
    body = hcl.loads(hcl.dumps(mapping))
    assert {name: attribute.value for name, attribute in body.attributes.items()} == mapping
    assert list(body.attributes) == list(mapping)


@settings(max_examples=100)
@given(values)
def test_a_value_alone_is_an_expression_with_that_value(value: object) -> None:
    assert hcl.evaluate(hcl.dumps_value(value), {}) == value


def test_integers_longer_than_python_prints_are_written() -> None:
    number = 10**6000 + 7
    assert hcl.loads(hcl.dumps({"a": number})).attributes["a"].value == number
