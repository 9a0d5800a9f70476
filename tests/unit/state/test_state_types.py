"""The types of the state's entries say the same as its schema: the same fields, and which are optional."""

from __future__ import annotations

import types
from collections.abc import Mapping
from typing import Any, NotRequired, get_args, get_origin, get_type_hints, is_typeddict

import pytest

from hybridcore.state import schema
from hybridcore.state.types import State

# By the type of a field, a value that its kind must take, and one that it must refuse.
LEAVES: dict[type, tuple[object, object]] = {str: ("a", 1), int: (1, 1.5), float: (1.5, "a"), bool: (True, 1)}
TEXTS = (
    "a",
    "0" * 64,
    "2026-11-22T05:25:08.123Z",
    "a/b/c",
    "a/b/c/d",
    "built",
    "promoted",
)  # of some form each


def apart(hint: Any) -> tuple[Any, bool, bool]:
    """A type without ``NotRequired`` and ``None``; whether the field may be left out, and be ``None``."""
    optional = get_origin(hint) is NotRequired
    inner = get_args(hint)[0] if optional else hint
    if isinstance(inner, types.UnionType):
        rest = [one for one in get_args(inner) if one is not type(None)]
        return rest[0], optional, len(rest) < len(get_args(inner))
    return inner, optional, False


def differences(kind: object, hint: Any, where: str) -> list[str]:
    """What a type and a kind of the schema do not say alike."""
    if isinstance(kind, schema.Record):
        if not is_typeddict(hint):
            return [f"{where} is no TypedDict"]
        fields = get_type_hints(hint, include_extras=True)
        found = [
            f"{where}.{name} is missing in {hint.__name__}" for name in kind.fields if name not in fields
        ]
        for name, given in fields.items():
            inner, optional, nullable = apart(given)
            if name not in kind.fields:
                found.append(f"{where}.{name} is missing in the schema")
                continue
            if optional != (name not in kind.required) or nullable != optional:
                found.append(f"{where}.{name} is required in one place alone")
            found += differences(kind.fields[name], inner, f"{where}.{name}")
        return found
    if isinstance(kind, schema.Table):
        mapping = isinstance(get_origin(hint), type) and issubclass(get_origin(hint), Mapping)
        if not mapping or get_args(hint)[0] is not str:
            return [f"{where} is no mapping of names"]
        return differences(kind.value, get_args(hint)[1], f"{where}.*")
    if isinstance(kind, schema.Items):
        if get_origin(hint) is not list:
            return [f"{where} is no list"]
        return differences(kind.item, get_args(hint)[0], f"{where}[]")
    assert callable(kind)
    if hint not in LEAVES:
        return [f"{where} is {hint}, and the schema has a plain value"]
    good, bad = LEAVES[hint]
    takes = any(not kind(text) for text in TEXTS) if hint is str else not kind(good)
    return [] if takes and kind(bad) else [f"{where} is {hint.__name__}, and the schema has something else"]


def all_differences() -> list[str]:
    whole = get_type_hints(State)
    assert whole.keys() == {*schema.SECTIONS, "schema_version", "updated_at"}
    return [
        one
        for name, kind in schema.SECTIONS.items()
        for one in differences(kind, apart(whole[name])[0], name)
    ]


def test_the_types_of_the_entries_are_those_of_the_schema() -> None:
    assert all_differences() == []


def test_the_sections_that_may_be_null_are_the_same() -> None:
    nullable = {name for name, hint in get_type_hints(State).items() if apart(hint)[2]}
    assert nullable == {name for name, value in schema.empty().items() if value is None}


@pytest.mark.parametrize(
    ("section", "change", "said"),
    [
        ("images", lambda fields: fields.update(colour=str), "images.*.colour is missing in ImageEntry"),
        ("images", lambda fields: fields.pop("builder"), "images.*.builder is missing in the schema"),
        (
            "running",
            lambda fields: fields.update(pid=fields["host"]),
            "running.*.pid is int, and the schema has something else",
        ),
        (
            "images",
            lambda fields: fields.update(inputs=fields["observed"]),
            "images.*.inputs is no list",
        ),
    ],
)
def test_what_stands_in_one_place_alone_is_named(
    monkeypatch: pytest.MonkeyPatch, section: str, change: Any, said: str
) -> None:
    table = schema.SECTIONS[section]
    assert isinstance(table, schema.Table)
    assert isinstance(table.value, schema.Record)
    fields = dict(table.value.fields)
    change(fields)
    monkeypatch.setattr(table.value, "fields", fields)
    assert all_differences() == [said]


def test_a_field_that_one_place_alone_requires_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    table = schema.SECTIONS["sources"]
    assert isinstance(table, schema.Table)
    assert isinstance(table.value, schema.Record)
    monkeypatch.setattr(table.value, "required", {})
    assert all_differences() == ["sources.*.url is required in one place alone"]
