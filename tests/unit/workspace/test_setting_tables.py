"""One table of the settings: what its keys may hold, and what is said of the rest."""

from __future__ import annotations

import pytest

from hybridcore.errors import Fault
from hybridcore.setting_tables import SWITCH, TEXT, must_be, read_table, table_lines

READERS = {"name": TEXT, "on": SWITCH, "size": must_be("a size", lambda size: size > 0, int, hint="as in 3")}


def test_what_is_right_is_kept_and_the_rest_is_told() -> None:
    faults: list[Fault] = []
    table = {"name": "x", "on": 1, "size": 0, "colour": "red"}
    assert read_table(table, READERS, "[t]", faults, file="f.toml", line=3) == {"name": "x"}
    assert [str(fault) for fault in faults] == [
        "f.toml:3: [t] on must be true or false, not 1",
        "f.toml:3: [t] size must be a size, not 0 (as in 3)",
        "f.toml:3: unknown setting 'colour' in [t] (one of name, on, size)",
    ]


@pytest.mark.parametrize(
    ("key", "value", "right"),
    [
        ("size", 1, True),
        ("size", True, False),
        ("size", "1", False),
        ("on", False, True),
        ("name", None, False),
    ],
)
def test_a_truth_value_is_no_number(key: str, value: object, right: bool) -> None:
    faults: list[Fault] = []
    assert read_table({key: value}, READERS, "[t]", faults) == ({key: value} if right else {})
    assert bool(faults) is not right


def test_a_value_of_any_length_is_told_short() -> None:
    faults: list[Fault] = []
    read_table({"on": "x" * 10_000}, READERS, "[t]", faults)
    assert len(faults[0].message) < 300


def test_where_the_entries_of_a_section_begin() -> None:
    text = "[sources.bare]\n\n [ sources . 'a b' ]\n[sources.\"c.d\"]\n"
    text += "[sources.e.f]\n[sources.e]\n[sourcesx.g]\n"
    assert table_lines(text, "sources") == {"bare": 1, "a b": 3, "c.d": 4, "e": 5}
    assert table_lines(text, "plugins") == {}
