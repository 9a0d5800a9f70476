"""The tables of sources: each option is checked by its row, and all that is wrong is told."""

from __future__ import annotations

from typing import Any

import pytest

from hybridcore.errors import Fault
from hybridcore.source_settings import SOURCE_OPTIONS, SourceSetting, parse_sources


def parse(**tables: Any) -> tuple[dict[str, SourceSetting], list[str]]:
    faults: list[Fault] = []
    found = parse_sources(tables, faults)
    return found, [str(fault) for fault in faults]


def test_what_is_not_given_is_as_its_row_says() -> None:
    found, faults = parse(one={"url": "u"})
    assert faults == []
    assert found == {"one": SourceSetting("one", url="u")}
    assert (found["one"].kind, found["one"].stall, found["one"].retries) == ("example", 60, 2)


def test_a_table_with_everything() -> None:
    given = {
        "url": "https://example.org/x.git",
        "ref": "v1",
        "sha": "0" * 40,
        "kind": "plugin",
        "depth": 1,
        "filter": "blob:limit=10k",
        "sparse": ["docs", "a/b c"],
        "lfs": True,
        "submodules": True,
        "refuse": ["links", "lfs"],
        "verify": "ssh",
        "signers": "signers",
        "stall": 1,
        "timeout": 1,
        "retries": 0,
        "max_mb": 5,
    }
    assert set(given) == set(SOURCE_OPTIONS)
    found, faults = parse(one=given)
    assert faults == []
    assert found["one"] == SourceSetting(
        "one", **{key: tuple(value) if isinstance(value, list) else value for key, value in given.items()}
    )


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("ref", 5, "must be a string"),
        ("depth", "5", "must be a whole number"),
        ("depth", True, "must be a whole number"),
        ("depth", 1.0, "must be a whole number"),
        ("lfs", 1, "must be true or false"),
        ("sparse", "docs", "must be a list of strings"),
        ("depth", -1, "must be at least 0"),
        ("stall", 0, "must be at least 1"),
        ("timeout", 0, "must be at least 1"),
        ("retries", -1, "must be at least 0"),
        ("kind", "other", "cannot be 'other'"),
        ("kind", "plugin\n", "cannot be 'plugin\\n'"),
        ("filter", "combine:blob:none", "cannot be"),
        ("verify", "x509", "cannot be 'x509'"),
        ("refuse", ["links", "all"], "cannot be 'all'"),
        ("refuse", [1], "cannot be 1"),
        *[
            ("sparse", [folder], "cannot be")
            for folder in (
                "",
                "/a",
                "a/../b",
                "..",
                "./a",
                "a/",
                "a//b",
                "!a",
                "#a",
                "a*",
                "a[b]",
                "a\nb",
                "a\\b",
            )
        ],
    ],
)
def test_a_wrong_value_is_told_and_left_out(key: str, value: object, said: str) -> None:
    found, (fault,) = parse(one={"url": "u", key: value})
    assert fault.startswith(f"[sources.one] {key} {said}")
    assert found == {"one": SourceSetting("one", url="u")}


def test_all_that_is_wrong_is_told_in_the_order_of_the_names() -> None:
    found, faults = parse(b={"uri": "x", "depth": "y"}, a="url")
    assert [fault.partition(" (")[0] for fault in faults] == [
        "[sources.a] must be a table with url, ref and sha",
        "unknown setting 'uri' in [sources.b]",
        "[sources.b] depth must be a whole number",
        "[sources.b] has no url",
    ]
    assert "one of url, ref, sha" in faults[1]
    assert list(found) == ["b"]


def test_a_value_of_any_length_is_told_short() -> None:
    _, (fault,) = parse(one={"url": "u", "kind": "x" * 10_000})
    assert len(fault) < 300
